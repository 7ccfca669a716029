"""The record of cycles, and runs in several places, as pages ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from boardlake.ingest.report import Report
from boardlake.lake import cycles as lake_cycles
from boardlake.lake import sources
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import locate

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def _write(lake: Lake, source: str, started: float) -> None:
    report = Report(
        source, started_at=started, ended_at=started + 1,
        files_listed=1, files_changed=1, bytes_read=1, points=1, requests=1, problems=1,
    )  # fmt: skip
    sources.write_cycles(lake, [report.as_dict()])


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A lake with 40 cycles of one source, ten hours of silence within, and two of another."""
    root = tmp_path_factory.mktemp("cycles") / "lake"
    with open_lake(locate(str(root)), read_only=False, create=True) as opened:
        for number in range(40):
            _write(opened, "often", _BEGIN + 60 * number + (36_000 if number >= 20 else 0))
        for number in range(2):
            _write(opened, "seldom", _BEGIN + 3_600 * number)
        yield opened


@pytest.mark.parametrize("most", [10, 20, 39, 40, 500])
def test_sums_stay_and_silence_is_seen(lake: Lake, most: int) -> None:
    """However many are put together: no cycle is lost, and none seems to have run in between."""
    rows = lake_cycles.cycles(lake.con, most=most).to_pylist()
    often = [row for row in rows if row["source"] == "often"]
    assert len(often) <= most + 1
    for name in ("cycles", "bytes_read", "points", "requests", "problems", "files_changed"):
        assert sum(row[name] for row in often) == 40
    assert sum(row["seconds"] for row in often) == pytest.approx(40)
    silence = (_BEGIN + 19 * 60 + 1, _BEGIN + 36_000 + 20 * 60)
    for row in often:
        start, end = (
            row[name].replace(tzinfo=UTC).timestamp() for name in ("started_at", "ended_at")
        )
        assert end <= silence[0] or start >= silence[1]
    # What another source has does not make this one coarser.
    assert [row["cycles"] for row in rows if row["source"] == "seldom"] == [1, 1]


def test_one_source_since(lake: Lake) -> None:
    """Only the cycles of one source that ended since a time."""
    since = (datetime(2026, 1, 1) + timedelta(hours=10)).replace(tzinfo=None)
    rows = lake_cycles.cycles(lake.con, "often", since).to_pylist()
    assert len(rows) == 20
    assert {row["source"] for row in rows} == {"often"}
