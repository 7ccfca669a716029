"""A tree of event files and a lake for it, as every test of the ingester needs them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.settings import SourceSettings
from boardlake.ingest.cycle import run
from boardlake.ingest.reader import Limits
from boardlake.ingest.report import Options, Report
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.setup import setups
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import locate

WALL = 1_700_000_000.0

# Everything that a lake tells of points, without the numbers that only this lake gives.
POINTS = (
    "SELECT '{table}', r.source, r.path, p.stream, tag, step, p.wall_time, {columns}, attempt,"
    " superseded, f.path, record FROM {table} p JOIN run_facts r USING (run_id)"
    " JOIN files f USING (file_id)"
)
COLUMNS = {
    "scalar_points": "value",
    "tensors": "p.plugin, dtype, shape, data, strings, raw",
    "blobs": "p.plugin, idx, mime, width, height, label, nbytes, data, location",
}


class House:
    """A source directory and its lake; a cycle reads what is new."""

    def __init__(self, root: Path, lake: Lake) -> None:
        self.root = root
        self.source = root / "source"
        self.source.mkdir(parents=True)
        self.lake = lake

    def cycle(self, *, piece: int = 32 << 20, batch: int = 2_000_000, **settings: Any) -> Report:
        """One cycle over the source, under its *settings*."""
        source = SourceSettings(uri=str(self.source), machine="here", **settings)
        options = Options(batch_points=batch, limits=Limits(piece))
        (report,) = run(self.lake, setups({"src": source}), options)
        assert not report.error
        return report

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of the lake."""
        return self.lake.query(sql, list(parameters))

    def one(self, sql: str, *parameters: Any) -> Any:
        """The one value of the one row."""
        ((value,),) = self.query(sql, *parameters)
        return value

    def points(self) -> list[str]:
        """Every stored point with all it holds, in one order; NaN equals NaN."""
        found = [
            row
            for table, columns in COLUMNS.items()
            for row in self.query(POINTS.format(table=table, columns=columns))
        ]
        return sorted(map(repr, found))

    def write(
        self, path: str, points: list[tuple[str, int, float]], *, append: bool = False
    ) -> Path:
        """An event file of simple values (tag, step, value), with its header unless it grows."""
        file = self.source / path
        with EventWriter(file, append=append) as writer:
            if not append:
                writer.file_version(WALL)
            for tag, step, value in points:
                writer.scalar(tag, value, step, WALL + step)
        return file

    def kinds(self) -> list[tuple[str, str]]:
        """(path, kind) of all problems."""
        return self.query("SELECT path, kind FROM problems ORDER BY ALL")


@pytest.fixture(scope="session")
def build(
    empty_lake: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], House]]:
    """Makes houses; for tests of many examples, which close the lake themselves."""

    def make() -> House:
        root = tmp_path_factory.mktemp("house")
        shutil.copytree(empty_lake, root / "lake")
        return House(root, open_lake(locate(str(root / "lake")), read_only=False, create=True))

    yield make


@pytest.fixture
def house(build: Callable[[], House]) -> Iterator[House]:
    """An empty source and an empty lake."""
    made = build()
    with made.lake:
        yield made
