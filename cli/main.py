"""The `boardlake` command: global options, lazy subcommands, and one place for errors."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ..core.errors import BoardlakeError
from .context import Context

if TYPE_CHECKING:
    from .log import Kind

# Imported only when asked for, so that `--help` stays quick.
_COMMANDS = {
    "up": "read a directory of logs and show it in a browser: the five-minute start",
    "ingest": "read what is new in the sources into the lake",
    "serve": "the web pages and the API",
    "tensorboard": "TensorBoard itself on some runs of the lake",
    "token": "make a token that the server asks for",
    "runs": "list, filter, sort and group runs",
    "sql": "ask anything of the lake in SQL, or open a prompt",
    "verify": "read runs again through independent readers and compare",
    "export": "write the lake, or some runs, as Parquet, CSV or one DuckDB file",
    "delete": "delete runs for good",
    "maintain": "merge small files, expire old snapshots, delete orphans",
    "migrate": "bring a lake to this version's schema",
    "check": "check config, lake and sources: what is wrong and what to do",
    "demo": "write realistic sample logs and ingest them",
    "version": "print versions",
}


_ALONE = f"{__name__}.alone"


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f".{cmd_name}", __package__)
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS, 1)
            if near:
                raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from None
            raise


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", metavar="FILE", help="Config file (BOARDLAKE_CONFIG).")
@click.option("--lake", metavar="DIR", help="Where the lake is (BOARDLAKE_LAKE).")
@click.option(
    "--log", type=click.Choice(["plain", "json"]), envvar="BOARDLAKE_LOG",
    help="Talk in lines for a log: plain, or JSON (BOARDLAKE_LOG).",
)  # fmt: skip
@click.pass_context
def cli(ctx: click.Context, config: str | None, lake: str | None, log: Kind | None) -> None:
    """All your TensorBoard logs, from every machine, in one searchable lake.

    \b
    Exit codes: 0 done, 1 error, 2 wrong use or filter, 3 config, 4 lake, 5 lake busy,
    6 a source failed, 7 verify found a difference, 8 disk full, 9 another ingest is reading,
    10 the hub takes nothing, 130 stopped.
    """
    ctx.obj = Context(config, lake, alone=bool(ctx.meta.get(_ALONE)), log=log)


def main(args: list[str] | None = None) -> int:
    """Run the command line; returns its exit code. Results go to stdout, all talk to stderr."""
    context: Context | None = None
    try:
        with cli.make_context("boardlake", list(sys.argv[1:] if args is None else args)) as ctx:
            ctx.meta[_ALONE] = args is None
            try:
                outcome: Any = cli.invoke(ctx)
            finally:
                context = ctx.obj
        sys.stdout.flush()
        return outcome if isinstance(outcome, int) else 0
    except BoardlakeError as error:
        if context and context.log:
            hint = {"hint": error.hint} if error.hint else {}
            fields = {"exit_code": error.exit_code, **hint}
            said = str(error).partition("\n  hint: ")[0]
            context.log.write("error", "error", said, "", **fields)
        else:
            click.echo(f"boardlake: {error}", err=True)
        return error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        if context and context.log:
            context.log.write("warning", "stopped", "stopped", exit_code=130)
        else:
            click.echo("boardlake: stopped", err=True)
        return 130
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        if context and context.log:
            said = error.format_message()
            context.log.write("error", "usage", said, exit_code=error.exit_code)
        else:
            error.show()
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output (`| head`) has seen enough; nothing may write to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
