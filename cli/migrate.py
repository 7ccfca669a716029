"""`boardlake migrate`: bring a lake to the schema of this version."""

from __future__ import annotations

import click

from .context import Context


@click.command("migrate")
@click.option("--dry-run", is_flag=True, help="Only say which steps are pending.")
@click.pass_obj
def command(context: Context, dry_run: bool) -> None:
    """Apply the pending schema steps to the lake, all in one transaction."""
    from ..lake import migrate
    from ..lake.database import open_lake

    with open_lake(context.location, read_only=dry_run, migrating=True) as lake:
        have, known = migrate.version(lake.con), migrate.steps()
        pending = [f"{number:04} {name}" for number, name, _ in known if number > have]
        if have > known[-1][0]:
            migrate.require_current(lake.con, lake.location)
        if not pending:
            context.say(f"the lake is at version {have}: nothing to do")
        elif dry_run:
            context.say(f"the lake is at version {have}; pending: {', '.join(pending)}")
        else:
            with lake.transaction() as con:
                applied = migrate.apply_all(con)
            context.say(f"applied {', '.join(applied)}")
