"""`boardlake tensorboard`: genuine TensorBoard on some runs of the lake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ..core.errors import UsageError
from . import serve
from .context import Context

if TYPE_CHECKING:
    from ..api.service import Service
    from ..api.tensorboard.selection import Selection

# As people know it from TensorBoard.
PORT = 6006
_EXAMPLES = """
\b
  boardlake tensorboard "project = 'vision' and hp.lr > 0.01"
  boardlake tensorboard --run 4f2a90c1b7de --run resnet50_lr0.1_bs256_s0
  boardlake tensorboard resnet --port 7007 --open
"""


@click.command("tensorboard", epilog=_EXAMPLES)
@click.argument("words", metavar="[FILTER]", nargs=-1)
@click.option("--run", "runs", multiple=True, metavar="RUN", help="A run_key or name instead.")
@click.option("--view", default="", metavar="ID", help="The runs of a saved view instead.")
@click.option("--duplicates", is_flag=True, help="Also runs that are copies of another.")
@click.option("--archived", is_flag=True, help="Also runs that were archived.")
@click.option("--host", default=serve.HOST, show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535),
    help=f"Port to listen on; 0 = any free.  [default: {PORT}, or the next free one]",
)  # fmt: skip
@click.option("--open", "open_", is_flag=True, help="Open TensorBoard in your browser.")
@click.option("--json", "as_json", is_flag=True, help="Print url, id and runs as JSON to stdout.")
@click.pass_obj
def command(
    context: Context,
    words: tuple[str, ...],
    runs: tuple[str, ...],
    view: str,
    duplicates: bool,
    archived: bool,
    host: str,
    port: int | None,
    open_: bool,
    as_json: bool,
) -> int:
    """Show TensorBoard on the runs that match FILTER, or on all of them, until stopped.

    FILTER is a condition, or words to search for; runs that come to match it later are shown, too.
    The pages of `boardlake serve` are at the same address.
    """
    filter = " ".join(words)
    _refuse_both(filter, runs, view)
    context.spare_pandas()
    tokens = serve.open_tokens(context)
    everywhere = tokens is not None
    service = serve.open_service(context)
    try:
        id, found = _select(service, filter, runs, view, duplicates, archived)
        if port is None:
            bound = serve.bind_near(host, PORT, everywhere=everywhere)
        else:
            bound = serve.bind(host, port, everywhere=everywhere)
        try:
            at = f"{serve.url(bound)}tb/{id}/"
            if as_json:
                click.echo(json.dumps({"url": at, "id": id, "runs": found}))
            context.say(f"TensorBoard on {found:,} run{'' if found == 1 else 's'}: {at}")
            if open_:
                serve.browse(at)
            with serve.stopping():
                serve.serve(service, bound, tokens)
        finally:
            bound.close()
    finally:
        service.close()
    return 0


def _refuse_both(filter: str, runs: tuple[str, ...], view: str) -> None:
    named = [name for name, on in (("FILTER", filter), ("--run", runs), ("--view", view)) if on]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} cannot both hold", hint="leave one out")


def _select(
    service: Service,
    filter: str,
    runs: tuple[str, ...],
    view: str,
    duplicates: bool,
    archived: bool,
) -> tuple[str, int]:
    """The id of the selection, and how many runs it has; raises UsageError where those are none."""
    from ..api.tensorboard import selection as selections

    if view:
        chosen = selections.find(service, view)
    elif runs:
        chosen = selections.Selection(runs=selections.run_keys(service, runs))
    else:
        chosen = selections.Selection(filter, (), duplicates, archived)
    found = len(selections.run_ids(service, chosen))
    if not found:
        raise _none(service, chosen)
    return view or selections.keep(service, chosen), found


def _none(service: Service, chosen: Selection) -> UsageError:
    every, _ = service.totals()
    if not every:
        hint = "`boardlake ingest PATH` reads logs into it"
        return UsageError("there are no runs in the lake yet", hint=hint)
    shown = chosen.filter.strip()
    hint = f"`boardlake runs{_quoted(shown)}` shows what a filter finds"
    if not (chosen.duplicates and chosen.archived):
        hint += "; copies and archived runs are left out without --duplicates and --archived"
    what = f"no run matches {shown}" if shown else "no run is left"
    return UsageError(f"{what}: TensorBoard would be empty", hint=hint)


def _quoted(text: str) -> str:
    """*text* as a word of the shell, with a space before it."""
    import shlex

    if not text:
        return ""
    plain = not any(one in text for one in '"$`\\!') and text.isprintable()
    return f' "{text}"' if plain else f" {shlex.quote(text)}"
