"""`boardlake export`: the lake, or some of its runs, as files for others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..core.errors import UsageError
from .context import Context

if TYPE_CHECKING:
    from ..lake.database import Lake
    from ..lake.export import Tell
    from ..lake.exported import Form


@click.command("export")
@click.argument("target", default="", metavar="TARGET")
@click.argument("filter", default="", metavar="[FILTER]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "csv", "arrow", "duckdb"]),
    help="By default duckdb for a TARGET that ends in .duckdb, else parquet.",
)
@click.option(
    "--tensorboard",
    "logdir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write event files to DIR, in place of tables to TARGET: a log directory.",
)
@click.option("--force", is_flag=True, help="Replace an earlier export.")
@click.option("--json", "as_json", is_flag=True, help="What was written as JSON on stdout.")
@click.pass_obj
def command(
    context: Context,
    target: str,
    filter: str,
    form: Form | None,
    logdir: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write the lake, or the runs that FILTER finds, to TARGET.

    TARGET becomes a folder of Parquet, CSV or Arrow files, or one DuckDB file that needs no extension.

    With --tensorboard DIR [FILTER], DIR becomes a log directory: event files with every point, which
    TensorBoard reads, and which give the same lake when they are ingested.
    """
    if logdir is not None:
        _to_log_directory(context, logdir, _only_filter(target, filter, form), force, as_json)
        return
    if not target:
        raise UsageError(
            "no TARGET is named", hint="name a folder or a file to write, or --tensorboard DIR"
        )
    from ..lake.export import export

    to = Path(target)
    chosen = form or ("duckdb" if to.suffix == ".duckdb" else "parquet")
    with context.open() as lake:
        runs = _runs(lake, filter)
        tell = _teller(context, as_json)
        done = export(lake, to, form=chosen, runs=runs, force=force, progress=tell)
    if as_json:
        click.echo(json.dumps(done.as_dict()))
        return
    points = done.rows["scalar_points"]
    context.say(
        f"{to}: {done.runs:,} runs, {points:,} points, {done.bytes / 1e6:,.1f} MB"
        f" in {done.seconds:.1f} s"
    )


def _only_filter(target: str, filter: str, form: str | None) -> str:
    """The filter of a command that names its target by --tensorboard."""
    if form is not None:
        raise UsageError(
            f"--tensorboard writes event files, --format {form} tables: they go to two targets",
            hint="leave one of them out",
        )
    if filter:
        raise UsageError(
            f"--tensorboard DIR is the target: {target!r} and {filter!r} are one too many",
            hint="boardlake export --tensorboard DIR [FILTER]",
        )
    return target


def _to_log_directory(
    context: Context, target: Path, filter: str, force: bool, as_json: bool
) -> None:
    from ..lake.logdir.export import export

    with context.open() as lake:
        runs = _runs(lake, filter)
        done = export(lake, target, runs=runs, force=force, progress=_teller(context, as_json))
    if as_json:
        click.echo(json.dumps(done.as_dict()))
        return
    context.say(
        f"{target}: {done.runs:,} runs, {done.files:,} event files, {done.points:,} points,"
        f" {done.bytes / 1e6:,.1f} MB in {done.seconds:.1f} s"
    )
    for reason, count in done.left_out.items():
        context.say(f"left out, {reason}: {count:,}")


def _runs(lake: Lake, filter: str) -> list[int] | None:
    """The runs that *filter* finds; None are all."""
    from ..lake.history import find
    from ..lake.search import Query

    if not filter.strip():
        return None
    runs: list[int] = find(lake.con, Query(filter, ("run_id",)))["run_id"].to_pylist()
    if not runs:
        raise UsageError("no run matches", hint=f"`boardlake runs {filter!r}` shows the same")
    return runs


def _teller(context: Context, as_json: bool) -> Tell | None:
    """Says what is written, to a person who waits."""
    if as_json or not context.interactive:
        return None
    from .cells import visible

    return lambda name, number, of: context.say(f"{number:,}/{of:,} {visible(name)}")
