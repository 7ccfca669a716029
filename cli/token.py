"""`boardlake token`: make a token for the server, or see which there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..core.errors import UsageError
from .context import Context

if TYPE_CHECKING:
    from ..core.tokens import Role


@click.command("token")
@click.argument("name")
@click.option(
    "--role", type=click.Choice(["push", "read", "full"]), default="full", show_default=True,
    help="push: for `ingest --to`; read: look and ask; full: also notes, deletion, pushing.",
)  # fmt: skip
@click.option(
    "--source", "sources", multiple=True, metavar="PATTERN",
    help="Only sources of such names may be pushed; several are possible.",
)  # fmt: skip
@click.option("--file", "path", type=click.Path(path_type=Path), help="File of the tokens.")
@click.pass_obj
def command(
    context: Context, name: str, role: Role, sources: tuple[str, ...], path: Path | None
) -> int:
    """Make a token called NAME and print it, once: only its hash is kept.

    The file is --file, $BOARDLAKE_TOKENS_FILE or [server] tokens_file. `serve` asks everybody for
    a token as soon as it has such a file; removing a line of it ends a token at once.
    """
    from ..core import tokens

    file = path or context.tokens_file
    if file is None:
        raise UsageError(
            "there is no file of tokens",
            hint='name one: [server] tokens_file = "tokens" in the config, BOARDLAKE_TOKENS_FILE,'
            " or --file",
        )
    secret = tokens.add(file, name, role, sources)
    click.echo(secret)
    context.say(f"boardlake: {name} ({role}) is in {file}; the token is shown only now")
    return 0
