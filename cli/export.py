"""`boardlake export`: the lake, or some of its runs, as files for others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..core.errors import UsageError
from .context import Context

if TYPE_CHECKING:
    from ..lake.exported import Form


@click.command("export")
@click.argument("target", type=click.Path(path_type=Path))
@click.argument("filter", default="", metavar="[FILTER]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "csv", "arrow", "duckdb"]),
    help="By default duckdb for a TARGET that ends in .duckdb, else parquet.",
)
@click.option("--force", is_flag=True, help="Replace an earlier export.")
@click.option("--json", "as_json", is_flag=True, help="What was written as JSON on stdout.")
@click.pass_obj
def command(
    context: Context, target: Path, filter: str, form: Form | None, force: bool, as_json: bool
) -> None:
    """Write the lake, or the runs that FILTER finds, to TARGET.

    TARGET becomes a folder of Parquet, CSV or Arrow files, or one DuckDB file that needs no extension.
    """
    from ..lake.export import export
    from ..lake.history import find
    from ..lake.search import Query

    def tell(name: str, number: int, of: int) -> None:
        if context.interactive and not as_json:
            context.say(f"{number}/{of} {name}")

    chosen = form or ("duckdb" if target.suffix == ".duckdb" else "parquet")
    with context.open() as lake:
        runs = None
        if filter.strip():
            runs = find(lake.con, Query(filter, ("run_id",)))["run_id"].to_pylist()
            if not runs:
                raise UsageError(
                    "no run matches", hint=f"`boardlake runs {filter!r}` shows the same"
                )
        done = export(lake, target, form=chosen, runs=runs, force=force, progress=tell)
    if as_json:
        click.echo(json.dumps(done.as_dict()))
        return
    points = done.rows["scalar_points"]
    context.say(
        f"{target}: {done.runs:,} runs, {points:,} points, {done.bytes / 1e6:,.1f} MB"
        f" in {done.seconds:.1f} s"
    )
