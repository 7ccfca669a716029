"""Real event files of 53 public projects: the lake holds what an independent reader counted."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from boardlake.ingest.cycle import run
from boardlake.ingest.report import Options
from boardlake.ingest.setup import setups
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import locate

# What GOLDEN.csv calls a kind, and the plugin under which the lake keeps it.
PLUGINS = {
    "hparams": "hparams",
    "histogram": "histograms",
    "histogram_tensor": "histograms",
    "image": "images",
    "image_tensor": "images",
    "audio": "audio",
    "text_tensor": "text",
    "pr_curve": "pr_curves",
    "graph": "graphs",
    "meta_graph": "meta_graph",
    "session_log": "session_log",
    "custom_scalars": "custom_scalars",
    "plugin:flight": "flight",
    "plugin:Open3D": "Open3D",
    "keras_model": "graph_keras_model",
    "novalue": "",
}
# Tags that the lake gives to events that have none.
TAGLESS = {
    "graph": "__run_graph__",
    "meta_graph": "__meta_graph__",
    "session_log": "__session_log__",
}


@pytest.fixture(scope="module")
def lake(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A lake of the whole corpus."""
    place = locate(str(tmp_path_factory.mktemp("golden")))
    with open_lake(place, read_only=False, create=True) as made:
        run(made, setups({}, (str(corpus),)), Options(batch_points=20_000))
        yield made


def golden(corpus: Path) -> list[dict[str, str]]:
    """The rows of GOLDEN.csv."""
    with (corpus / "GOLDEN.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 3000
    return rows


DIRECTORY = "trim(CASE WHEN r.path = '.' THEN p.stream ELSE r.path || '/' || p.stream END, '/')"


def test_every_scalar_equals_the_golden_one(lake: Lake, corpus: Path) -> None:
    """Count, first and last step, sum, extremes, NaN and Inf of every (directory, tag) are right."""
    rows = lake.query(
        f"SELECT {DIRECTORY}, tag, count(*), min_by(step, (f.created_unix, f.path, p.record)),"
        " max_by(step, (coalesce(f.created_unix, 0), f.path, p.record)), list(value),"
        " count(*) FILTER (isnan(value)), count(*) FILTER (isinf(value))"
        " FROM scalar_points p JOIN runs r USING (run_id) JOIN files f USING (file_id) GROUP BY ALL"
    )
    found = {(row[0], row[1]): row[2:] for row in rows}
    wanted = [row for row in golden(corpus) if row["kind"].startswith("scalar_")]
    damaged = {
        path.rpartition("/")[0]
        for (path,) in lake.query("SELECT path FROM problems WHERE kind LIKE 'bad %'")
    }
    wrong = []
    for row in wanted:
        directory = "" if row["run"] == "." else row["run"]
        count, first, last, values, nans, infs = found.pop((directory, row["tag"]), (0,) * 6)
        if directory in damaged and count >= int(row["count"]):
            continue
        numbers = [value for value in values or [] if not math.isnan(value)]
        have = (count, last, nans, infs)
        want = tuple(int(row[name]) for name in ("count", "last_step", "n_nan", "n_inf"))
        total = sum(numbers) if infs else math.fsum(numbers)
        sums = not numbers or math.isclose(total, float(row["sum"]), rel_tol=1e-12, abs_tol=1e-12)
        ends = not numbers or (min(numbers), max(numbers)) == (float(row["min"]), float(row["max"]))
        if have != want or first != int(row["first_step"]) or not sums or not ends:
            wrong.append((row, have, first))
    assert not wrong, wrong[:5]
    assert not [key for key in found if key[0] not in damaged]


@pytest.mark.parametrize("kind", sorted(PLUGINS))
def test_every_other_kind_equals_the_golden_one(lake: Lake, corpus: Path, kind: str) -> None:
    """Count, first and last step of every (directory, tag) of every other kind are right."""
    plugin = PLUGINS[kind]
    rows = [
        row
        for table in ("tensors", "blobs")
        for row in lake.query(
            f"SELECT {DIRECTORY}, tag, count(DISTINCT (file_id, record)), min_by(step, (f.path, record)),"
            f" max_by(step, (f.path, record)) FROM {table} p JOIN runs r USING (run_id)"
            " JOIN files f USING (file_id) WHERE p.plugin = ? GROUP BY ALL",
            [plugin],
        )
    ]
    found = {(row[0], row[1]): tuple(row[2:]) for row in rows}
    wanted = [row for row in golden(corpus) if row["kind"] == kind]
    assert wanted
    wrong = []
    for row in wanted:
        directory = "" if row["run"] == "." else row["run"]
        have = found.get((directory, TAGLESS.get(kind, row["tag"])))
        want = tuple(int(row[name]) for name in ("count", "first_step", "last_step"))
        if have != want:
            wrong.append((row, have))
    assert not wrong, wrong[:5]


def test_run_metadata_equals_the_golden_one(lake: Lake, corpus: Path) -> None:
    """Run metadata is counted whatever the plugin that wrote it."""
    rows = lake.query(
        f"SELECT {DIRECTORY}, tag, count(*) FROM blobs p JOIN runs r USING (run_id)"
        " WHERE plugin LIKE 'graph%run_metadata%' GROUP BY ALL"
    )
    found = {(row[0], row[1]): row[2] for row in rows}
    wanted = [row for row in golden(corpus) if row["kind"] == "run_metadata"]
    assert wanted
    for row in wanted:
        assert found[row["run"], row["tag"]] == int(row["count"]), row


def test_a_second_cycle_reads_nothing(lake: Lake, corpus: Path) -> None:
    """Nothing has changed, so no byte is read and no row is added."""
    before = lake.query("SELECT count(*) FROM scalar_points")
    (report,) = run(lake, setups({}, (str(corpus),)), Options())
    assert (report.bytes_read, report.points, report.files_changed) == (0, 0, 0)
    assert lake.query("SELECT count(*) FROM scalar_points") == before
