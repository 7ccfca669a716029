"""What an ingest shows: a bar on a terminal, nothing in cron, and one line at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..ingest.report import Progress, Report
from .output import counted

if TYPE_CHECKING:
    from rich.progress import TaskID


@contextmanager
def progress(quiet: bool) -> Iterator[Progress]:
    """A progress bar on stderr where that is a terminal; otherwise nothing is shown."""
    if quiet or not sys.stderr.isatty():
        yield Progress()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[points]:,} points"),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        yield _Shown(bar)


class _Shown(Progress):
    def __init__(self, bar: object) -> None:
        from rich.progress import Progress as Bar

        assert isinstance(bar, Bar)
        self._bar = bar
        self._points: dict[str, int] = {}
        self._tasks: dict[str, TaskID] = {}

    def begin(self, source: str, files: int, size: int) -> None:
        if files:
            name = f"{source} ({files:,} files)"
            self._tasks[source] = self._bar.add_task(name, total=size, points=0)

    def advance(self, source: str, size: int, points: int) -> None:
        self._points[source] = self._points.get(source, 0) + points
        if source in self._tasks:
            self._bar.update(self._tasks[source], advance=size, points=self._points[source])

    def end(self, report: Report) -> None:
        task = self._tasks.pop(report.source, None)
        if task is not None:
            self._bar.remove_task(task)


def summary(report: Report) -> str:
    """One line on what a cycle over a source did, or why it did nothing."""
    if report.skipped and not report.files_listed:
        return f"{report.source}: {report.skipped}"
    parts = [
        f"{report.source}: {report.points:,} points",
        f"{report.new_runs:,} new runs",
        f"{report.files_changed:,} of {report.files_listed:,} files changed",
        f"{report.bytes_read / 1e6:,.1f} MB read in {report.ended_at - report.started_at:.1f} s",
    ]
    if report.problems:
        parts.append(f"{counted(report.problems, 'problem')} (SELECT * FROM problems)")
    if report.skipped:
        parts.append(report.skipped)
    return ", ".join(parts)
