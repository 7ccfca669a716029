"""Where a cycle's rows go: the contract, and the lake on this machine. Edge mode has another."""

from __future__ import annotations

from typing import Any, Protocol

from ..core.values import Job, Piece, Problem
from ..lake import beside, jobs, known, missing, runs_of
from ..lake import sources as lake_sources
from ..lake.database import Lake
from ..lake.facts import RunFacts
from ..lake.known import Known
from ..lake.ledger import FileRow
from ..lake.sources import SourceFacts
from ..lake.write import Written, write


class Destination(Protocol):
    """All that a cycle asks and stores. Only `metadata` may be called from any thread.

    Everything but `begin` and `metadata` may raise what concerns all sources: LakeBusy, SpaceError.
    """

    def begin(self, facts: SourceFacts) -> Known:
        """Make a source known; returns what there is of it."""
        ...

    def metadata(self, run_id: int, stream: str) -> list[tuple[str, str, bytes, str, str]]:
        """Tag, plugin, content, display name and description of every series of a stream."""
        ...

    def write(self, pieces: list[Piece]) -> Written:
        """Store pieces of any sources and their cursors, exactly once."""
        ...

    def directories(self, source: str) -> tuple[dict[str, int], dict[str, str]]:
        """The number of every run of a source by its directory, '' for the root; and what each
        directory held when it was last looked at."""
        ...

    def beside(
        self,
        source: str,
        keys: dict[str, str],
        found: dict[int, list[RunFacts]],
        problems: list[Problem],
    ) -> None:
        """Store what lies beside event files, by run."""
        ...

    def jobs(self, source: str, found: list[Job]) -> None:
        """Give the runs of a source the jobs of its cluster, as they are now; after the files."""
        ...

    def gone(
        self, source: str, rows: dict[str, FileRow], gone: list[FileRow], *, mirror: bool
    ) -> None:
        """Note which of the known files are no longer there."""
        ...

    def problems(self, source: str, found: list[Problem]) -> None:
        """Store what a listing could not see, in place of what the last one could not."""
        ...

    def cycles(self, reports: list[dict[str, Any]]) -> None:
        """Store rows of `cycles`."""
        ...


class InLake:
    """The lake on this machine."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake

    def begin(self, facts: SourceFacts) -> Known:
        """Make a source known; returns what the lake has of it."""
        lake_sources.write_source(self.lake, facts)
        return known.load(self.lake.con, facts.source)

    def metadata(self, run_id: int, stream: str) -> list[tuple[str, str, bytes, str, str]]:
        """What is known of the series of a stream."""
        return runs_of.metadata(self.lake.con, run_id, stream)

    def write(self, pieces: list[Piece]) -> Written:
        """Store pieces and their cursors in one transaction."""
        return write(self.lake, pieces)

    def directories(self, source: str) -> tuple[dict[str, int], dict[str, str]]:
        """Runs by directory, and what each directory held."""
        con = self.lake.con
        return beside.directories(con, source), beside.looked_at(con, source)

    def beside(
        self,
        source: str,
        keys: dict[str, str],
        found: dict[int, list[RunFacts]],
        problems: list[Problem],
    ) -> None:
        """Store what lies beside event files."""
        beside.write(self.lake, source, keys, found, problems)

    def jobs(self, source: str, found: list[Job]) -> None:
        """Give runs their jobs."""
        jobs.settle(self.lake, source, found)

    def gone(
        self, source: str, rows: dict[str, FileRow], gone: list[FileRow], *, mirror: bool
    ) -> None:
        """Label the files that are gone, or drop them."""
        missing.note(self.lake, rows, gone, mirror=mirror)

    def problems(self, source: str, found: list[Problem]) -> None:
        """Store what a listing could not see."""
        lake_sources.write_problems(self.lake, source, found)

    def cycles(self, reports: list[dict[str, Any]]) -> None:
        """Store rows of `cycles` in one transaction."""
        lake_sources.write_cycles(self.lake, reports)
