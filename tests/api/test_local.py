"""The Python API on a lake of this machine."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

import boardlake
from boardlake.api.local import Client
from boardlake.core.errors import ConfigError, FilterError, LakeError, LakeMissing, UsageError
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lake")
    with open_lake(locate(str(path)), read_only=False, create=True) as lake:
        lake.con.execute(
            "INSERT INTO run_facts (run_id, run_key, source, name, path)"
            " SELECT i, 'key' || i, 'lab', 'run' || i, 'p' || i FROM range(1, 4) t(i)"
        )
        lake.con.execute(
            "INSERT INTO files (file_id, run_id, source, path, points, last_step, last_wall_time,"
            " content_key) SELECT i, i, 'lab', 'f', 2, CASE WHEN i = 1 THEN 7 END, 1.7e9 + i,"
            " 'c' || i FROM range(1, 4) t(i)"
        )
        lake.con.execute("INSERT INTO hparams VALUES (1, 'lr', 'float', '0.1', 0.1, 'args', 1)")
        lake.con.execute(
            "INSERT INTO scalar_points SELECT i, s, 'loss', 0, 1.7e9, CASE WHEN i = 2"
            " THEN 'nan'::DOUBLE ELSE i END, 0, false, i, 0 FROM range(1, 4) t(i), (VALUES (''), ('val')) u(s)"
        )
        lake.con.execute(
            "INSERT INTO series_parts (run_id, stream, tag, kind, points, last_step, last)"
            " SELECT run_id, stream, tag, 'scalar', 1, 0, value FROM scalar_points"
        )
    return path


@pytest.fixture(scope="module")
def client(root: Path) -> Iterator[Client]:
    with boardlake.open(root) as opened:
        yield opened


def test_importing_is_cheap() -> None:
    """`import boardlake` loads nothing that reads a lake."""
    code = (
        "import boardlake, sys; print(sorted({'duckdb', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_runs_come_with_their_run_id(client: Client) -> None:
    """run_id is first whatever columns are chosen, and only for runs."""
    assert list(client.runs(columns="name, hp.lr").columns) == ["run_id", "name", "hp.lr"]
    assert list(client.runs(columns=["name", "run_id"]).columns) == ["name", "run_id"]
    assert list(client.runs().columns)[0] == "run_id"
    assert list(client.runs(group_by="source").columns) == ["source", "runs"]
    assert client.runs("hp.lr = 0.1", sort="-points", limit=5)["name"].tolist() == ["run1"]


def test_integers_stay_integers_where_some_are_missing(client: Client) -> None:
    """A missing step does not make the others floats."""
    steps = client.runs(sort="run_id")["last_step"]
    assert steps.dtype == "Int64" and steps[0] == 7 and steps.isna().sum() == 2


def test_a_wrong_filter_is_named(client: Client) -> None:
    """The error of the filter language comes through."""
    with pytest.raises(FilterError, match="Did you mean points"):
        client.runs("pints > 3")


def test_history_takes_runs_in_every_form(client: Client) -> None:
    """A DataFrame, a filter, ids, keys and names lead to the same points."""
    frame = client.runs("name = 'run1' or name = 'run3'")
    expected = client.history([1, 3], "loss")
    assert expected["run_id"].tolist() == [1, 1, 3, 3]
    for runs in (
        frame, frame[["run_key"]], frame.set_index("run_id"), frame["run_id"], frame["name"],
        np.array([1, 3]), ["key3", 1], iter(["run1", "run3"]), "name ~ '[13]$'",
    ):  # fmt: skip
        pd.testing.assert_frame_equal(client.history(runs, "loss"), expected)
    assert client.history(3, "loss", streams="val")["value"].tolist() == [3.0]
    assert client.history(frame[:0], ["loss"]).empty


def test_history_keeps_nan_and_has_plain_columns(client: Client) -> None:
    """NaN is a point like any other, times are datetimes."""
    found = client.history("", "l*", streams=[""])
    assert list(found.columns) == [
        "run_id", "run", "stream", "tag", "step", "time", "wall_time", "value", "attempt",
    ]  # fmt: skip
    assert [str(value) for value in found["value"]] == ["1.0", "nan", "3.0"]
    assert found["time"].dt.year.tolist() == [2023] * 3 and found["step"].dtype == "int64"


@pytest.mark.parametrize(
    ("runs", "message"),
    [("nope", ""), ([99], "no run is called 99"), ([1.5], "got 1.5"), (pd.DataFrame(), "run_id")],
)
def test_history_names_what_is_no_run(client: Client, runs: object, message: str) -> None:
    """A run that does not exist is an error; words that match none are an empty answer."""
    if not message:
        assert client.history(runs, "loss").empty  # type: ignore[arg-type]
        return
    with pytest.raises(UsageError, match=message):
        client.history(runs, "loss")  # type: ignore[arg-type]


def test_series_hparams_and_tags(client: Client) -> None:
    """The same runs may be asked for what they hold."""
    assert client.series("run1")["tag"].tolist() == ["loss", "loss"]
    assert len(client.series()) == 6
    assert client.hparams()["number"].tolist() == [0.1] and client.hparams([2]).empty
    assert client.tags()["runs"].tolist() == [3]


def test_best_and_importance(client: Client) -> None:
    """A run with NaN is never the best; what nobody set has no importance."""
    (row,) = client.best('last("loss", "val")', "source", "max").to_dict("records")
    assert (row["source"], row["runs"], row["values"], row["best"]) == ("lab", 3, 2, 3.0)
    assert (row["best_run"], row["best_run_key"], row["ties"]) == ("run3", "key3", 0)
    found = client.importance("points")
    assert found.empty and list(found.columns)[:3] == ["name", "expr", "kind"]


def test_sql_gives_a_frame_of_numbers(client: Client) -> None:
    """Sums are numbers rather than decimals, and parameters are bound."""
    found = client.sql("SELECT sum(points) AS s, $x AS x, 1.25 AS d FROM runs", {"x": "a'b"})
    assert found["s"].tolist() == [6] and found["s"].dtype == "float64"
    assert found["x"].tolist() == ["a'b"] and found["d"].tolist() == [1.25]
    assert math.isnan(client.sql("SELECT 'nan'::DOUBLE AS x")["x"][0])
    with pytest.raises(UsageError, match='Did you mean "scalars"'):
        client.sql("FROM scalrs")


def test_connect_is_a_connection_of_ones_own(client: Client) -> None:
    """It reads the lake and the caller's frames, writes nothing, and may be closed alone."""
    mine = pd.DataFrame({"run_id": [1, 2]})
    with client.connect() as con:
        assert con.execute("SELECT count(*) FROM runs JOIN mine USING (run_id)").fetchall() == [
            (len(mine),)
        ]
        with pytest.raises(duckdb.Error, match="read-only"):
            con.execute("DELETE FROM run_facts")
    assert len(client.runs()) == 3


def test_a_config_names_a_lake(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A config file, or without an argument the usual one, says where the lake is."""
    config = tmp_path / "my.toml"
    config.write_text(f'[lake]\npath = "{root}"\n')
    monkeypatch.delenv("BOARDLAKE_LAKE", raising=False)
    with boardlake.open(config) as one:
        assert len(one.runs()) == 3 and str(root) in repr(one)
    monkeypatch.setenv("BOARDLAKE_CONFIG", str(config))
    with boardlake.open() as usual:
        assert len(usual.runs()) == 3


def test_what_is_no_lake_is_refused(tmp_path: Path) -> None:
    """An empty folder, a missing config and a server each have an error of their own."""
    with pytest.raises(LakeMissing, match="there is no lake"):
        boardlake.open(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read"):
        boardlake.open(tmp_path / "none.toml")
    with pytest.raises(LakeError, match="does not answer"):
        boardlake.open("HTTP://127.0.0.1:9").tags()
    with pytest.raises(UsageError, match="HOST:PORT"):
        boardlake.open("http://")


def test_tensorboard_needs_a_server(client: Client) -> None:
    """The error names the command that starts it."""
    with pytest.raises(UsageError, match="boardlake tensorboard FILTER"):
        client.tensorboard("name = 'run1'")
