"""Side files of exported runs: what was written is read, and nothing that a stranger writes does harm."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.ingest import sidefile
from boardlake.ingest.hparams import from_mapping
from boardlake.ingest.provenance import read_side_file, recognise
from boardlake.lake.logdir import side

from .conftest import House

SECRET = "hf_" + "a" * 30
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def document(**parts: Any) -> bytes:
    """A side file with these parts."""
    return json.dumps({"format": side.FORMAT, "version": side.VERSION} | parts).encode()


def hparam(**row: Any) -> dict[str, Any]:
    """A row of hyperparameters, changed by *row*."""
    plain = {"name": "lr", "type": "float", "value": "0.1", "origin": "hparams.yaml", "rank": 30}
    return plain | row


@given(st.dictionaries(st.text(min_size=1, max_size=10), json_values, max_size=8))
def test_hyperparameters_come_back(values: dict[str, Any]) -> None:
    """Whatever the ingester makes of settings is written and read as it is."""
    found = from_mapping(values, "hparams.yaml", 30)
    rows = [{name: getattr(one, name) for name in side.HPARAM} for one in found]
    data, left_out = side.write({}, {}, rows, [])
    assert left_out == 0
    # NaN is no equal of itself.
    assert list(map(repr, sidefile.read(data).hparams)) == list(map(repr, found))


@given(json_values, json_values, json_values)
def test_any_json_is_read(run: Any, hparams: Any, artifacts: Any) -> None:
    """It never raises for what stands in the parts."""
    sidefile.read(document(run=run, hparams=hparams, artifacts=artifacts))
    rows = [hparams, hparam(name=run), hparam(value=artifacts), hparam(rank=hparams, origin=run)]
    about = dict.fromkeys((*side.RUN, *side.END), run)
    job = dict.fromkeys((*side.JOB_TEXTS, *side.JOB_TIMES), hparams)
    artifact = dict.fromkeys(side.ARTIFACT, run)
    sidefile.read(document(run=about, job=job, hparams=rows, artifacts=[artifact]))


def test_it_is_masked_and_bounded_again() -> None:
    """Secrets by name and by shape, long texts, control characters, numbers that are none."""
    found = sidefile.read(
        document(
            run={
                "command": f"train.py --password x --note {SECRET}", "name": "n" * 5000,
                "machine": "a\nb", "end_state": "finished", "end_reason": SECRET, "end_at": 1e300,
                "git_commit": "not a commit",
            },
            hparams=[
                hparam(name="api_key", type="string", value="geheim"),
                hparam(name="note", type="string", value=SECRET),
                hparam(name="long", type="string", value="x" * 100_000),
                hparam(name="number", value="many"),
                hparam(name="of an event", origin="plugin"),
                hparam(name="of a text", origin="text:args"),
                hparam(), hparam(value="0.2"),
            ],
        )
    )  # fmt: skip
    assert found.command == "train.py --password *** --note ***"
    assert (len(found.name or ""), found.machine) == (255, "a b")
    assert (found.end_state, found.end_reason, found.end_at) == ("finished", "***", None)
    assert found.git_commit is None
    values = {one.name: one for one in found.hparams}
    assert set(values) == {"api_key", "note", "long", "number", "lr"}
    assert values["api_key"].value == values["note"].value == "***"
    assert len(values["long"].value) == 8192
    assert (values["number"].type, values["number"].number) == ("string", None)
    assert values["lr"].value == "0.1"


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", "", "a\0b", "x" * 5000, 3, None, "."])
def test_artifacts_lie_below_the_run(path: Any) -> None:
    """Others are left out."""
    good = {"kind": "config", "path": "a/b.yaml", "size": 3, "mtime": 1.5, "step": None}
    found = sidefile.read(document(artifacts=[good | {"path": path}, good, good | {"kind": "X"}]))
    assert [one.path for one in found.artifacts] == ["a/b.yaml"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{}", "format"), (b"[]", "format"), (b"nonsense", "Expecting"),
        (b'{"format": "boardlake run", "version": 2}', "version 2 is not known"),
        (b"[" * 100_000, "nested too deep"), (b" " * (5 << 20), "more than 4 MiB"),
    ],
)  # fmt: skip
def test_what_is_none_is_told(data: bytes, words: str) -> None:
    """As a problem that names the file, and nothing of it is taken."""
    found = read_side_file("exported", side.SIDE_FILE, data)
    assert words in (found.problem or "")
    assert found.hparams == ()


def test_it_is_looked_for_in_the_run_only() -> None:
    """One of a parent belongs to another run."""
    assert recognise("boardlake.json") == "exported"
    assert recognise("../boardlake.json") is None
    assert recognise("sub/boardlake.json") is None


def test_what_does_not_fit_is_counted() -> None:
    """A side file has a size that the reader takes, whatever the run has."""
    rows = [hparam(name=f"n{i}", value="x" * 8000) for i in range(2_000)]
    data, left_out = side.write({"name": "run"}, {}, rows, [])
    assert len(data) <= side.MAX_BYTES
    found = sidefile.read(data)
    assert len(found.hparams) + left_out == 2_000
    assert 0 < left_out < 2_000


def test_real_files_say_more_than_what_was_noted_of_them(house: House) -> None:
    """Where a file lies beside the run again it is read; the settings' word on machine and project holds."""
    house.write("run/events.out.tfevents.1700000000.host.7.0", [("loss", 1, 1.0)])
    (house.source / "run/hparams.yaml").write_text("lr: 0.5\n")
    (house.source / "run/boardlake.json").write_bytes(
        document(
            run={"machine": "far", "project": "kept", "name": "a name"},
            hparams=[hparam(), hparam(name="old"), hparam(name="other", origin="args.yaml")],
            artifacts=[
                {"kind": "config", "path": "hparams.yaml"},
                {"kind": "log", "path": "x.log"},
            ],
        )
    )
    house.cycle()
    assert house.query("SELECT origin, name, value FROM hparams ORDER BY ALL") == [
        ("args.yaml", "other", "0.1"), ("hparams.yaml", "lr", "0.5"),
    ]  # fmt: skip
    assert house.query("SELECT machine, project, name FROM runs") == [("here", "kept", "a name")]
    artifacts = "SELECT path, size > 0 FROM artifacts ORDER BY path"
    assert house.query(artifacts) == [("run/hparams.yaml", True), ("run/x.log", None)]


def test_runs_of_several_machines_keep_them(house: House, build: Callable[[], House]) -> None:
    """Where the settings name no machine, a run comes from the one that its side file names."""
    from boardlake.core.settings import SourceSettings
    from boardlake.ingest.cycle import run
    from boardlake.ingest.report import Options
    from boardlake.ingest.setup import setups

    house.write("run/events.out.tfevents.1700000000.host.7.0", [("loss", 1, 1.0)])
    (house.source / "run/boardlake.json").write_bytes(document(run={"machine": "far"}))
    run(house.lake, setups({"src": SourceSettings(uri=str(house.source))}), Options())
    assert house.one("SELECT machine FROM runs") == "far"
