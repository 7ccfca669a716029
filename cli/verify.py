"""`boardlake verify`: read runs again through independent readers and compare."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ..core.errors import VerifyError
from .context import Context

if TYPE_CHECKING:
    from ..ingest.verify import Difference, Progress, VerifyReport

_SHOWN = 100
_EXAMPLES = """
\b
  boardlake verify
  boardlake verify --sample 100
  boardlake verify "project = 'vision' and last_event_at > now() - interval '7 days'"
"""


@click.command("verify", epilog=_EXAMPLES)
@click.argument("words", metavar="[FILTER]", nargs=-1)
@click.option("--sample", type=click.IntRange(1), metavar="N", help="N random runs of these.")
@click.option("--seed", type=click.IntRange(0), help="Choose the same random runs once more.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_obj
def command(
    context: Context,
    words: tuple[str, ...],
    sample: int | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Read the event files of the runs that match FILTER again, and compare with the lake.

    They are read by tbparse and by TensorBoard's own loader, up to where the lake has read them:
    each step, wall time, value, text and picture must be there once. Ends with 7 if one is not.
    """
    from ..ingest.verify import choose, verify

    if sample is not None and seed is None:
        seed = random.SystemRandom().randrange(1 << 32)
    with context.open() as lake:
        run_ids = choose(lake, " ".join(words), sample, seed or 0)
        if sample is not None:
            context.say(f"{len(run_ids):,} random runs: --seed {seed} chooses the same again")
        start = time.monotonic()
        with _progress(context) as progress:
            report = verify(lake, run_ids, context.settings.sources, progress=progress)
    if as_json:
        click.echo(json.dumps(report.as_dict() | {"seed": seed}))
    else:
        for difference in report.differences[:_SHOWN]:
            click.echo(_line(difference))
        _say(context, report, time.monotonic() - start)
    if report.differences:
        raise VerifyError(
            f"{len(report.differences):,} differences between the lake and its event files",
            hint="keep the files; --json lists every difference",
        )


def _line(difference: Difference) -> str:
    where = f"{difference.run}  {difference.file}"
    if difference.tag:
        where += f"  {difference.kind} {difference.tag!r}".replace("  '", " '")
    rows = f" ({difference.rows:,} rows, the first:)" if difference.rows > 1 else ""
    sides = f"lake: {difference.lake or 'nothing'}; reader: {difference.reader or 'nothing'}"
    return f"{where}: {difference.what}{rows}\n    {sides}"


def _say(context: Context, report: VerifyReport, seconds: float) -> None:
    left_out = len(report.differences) - _SHOWN
    if left_out > 0:
        context.say(f"... and {left_out:,} more differences (--json lists them all)")
    reasons: dict[str, list[str]] = {}
    for file, why in report.skipped:
        reasons.setdefault(why, []).append(file)
    for why, files in sorted(reasons.items()):
        more = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
        context.say(f"skipped {files[0]}{more}: {why}")
    context.say(
        f"{report.runs:,} runs, {report.files:,} files ({report.by_tbparse:,} by tbparse, too),"
        f" {report.series:,} series, {report.points:,} points compared in {seconds:.1f} s:"
        f" {len(report.differences):,} differences"
    )


@contextmanager
def _progress(context: Context) -> Iterator[Progress | None]:
    """A bar on a terminal, nothing elsewhere."""
    if not context.interactive:
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("files"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("files")
        yield lambda done, total: bar.update(task, completed=done, total=total)
