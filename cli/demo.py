"""`boardlake demo`: realistic sample logs of three machines, ingested."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ..core.errors import UsageError
from .behind import follow
from .context import Context
from .ingest import cycle
from .running import configure, stop_on_signals

_CONFIG = """\
# The demo's config: one source for each machine that the sample logs come from.
[lake]
path = "lake"
"""
_SOURCE = """
[sources.{machine}]
uri = "logs/{machine}"
machine = "{machine}"
"""


@click.command("demo")
@click.argument("directory", default="boardlake-demo", type=click.Path(path_type=Path))
@click.option("--scale", default=1.0, show_default=True, help="How many points, as a factor.")
@click.option("--seed", default=0, show_default=True, help="Another seed, other curves.")
@click.option("--live", is_flag=True, help="Let running runs log on, each second until Ctrl-C.")
@click.option("--behind", is_flag=True, hidden=True, help="Stop when stdin ends.")
@click.option("--quiet", is_flag=True, hidden=True, help="Leave out what to do next.")
@click.pass_obj
def command(
    context: Context,
    directory: Path,
    scale: float,
    seed: int,
    live: bool,
    behind: bool,
    quiet: bool,
) -> None:
    """Write sample logs in the formats of the real writers to DIRECTORY, and ingest them.

    DIRECTORY gets a config of its own, so that commands run in it find the demo's lake. With
    --live, a DIRECTORY that holds the demo already goes on.
    """
    config = directory / "boardlake.toml"
    if not (live and config.exists() and (directory / "logs").is_dir()):
        _make(context, directory, config, scale, seed, quiet)
    if live:
        _go_on(context, directory / "logs", behind)


def _go_on(context: Context, logs: Path, behind: bool) -> None:
    from ..ingest.sample import still_going

    with stop_on_signals() as options:
        if behind:
            follow(options.stop)
        files = still_going(logs)
        if not behind:
            context.say(f"{len(files)} event files grow each second (Ctrl-C stops)")
        while not options.stop.wait(1.0):
            for file in files:
                file.tick(time.time())


def _make(
    context: Context, directory: Path, config: Path, scale: float, seed: int, quiet: bool
) -> None:
    from ..ingest.cycle import warm
    from ..ingest.sample import write_samples
    from ..ingest.setup import setups

    if directory.exists() and any(directory.iterdir()):
        raise UsageError(
            f"{directory} is not empty", hint="name a new directory: boardlake demo DIRECTORY"
        )
    warm()
    tree = write_samples(directory / "logs", seed=seed, scale=scale)
    machines = sorted(path.name for path in tree.root.iterdir() if path.is_dir())
    config.write_text(_CONFIG + "".join(_SOURCE.format(machine=name) for name in machines), "utf-8")
    context.say(
        f"wrote {len(tree.runs)} runs, {tree.points:,} points, {tree.size / 1e6:.1f} MB to {tree.root}"
    )
    demo = Context(str(config), None)
    with stop_on_signals() as options, demo.open(read_only=False, create=True) as lake:
        configure(demo, options)
        cycle(demo, lake, setups(demo.settings.sources), options, summarise="all")
    if quiet:
        return
    context.say(f"\nNext:\n  cd {directory}")
    context.say("  boardlake up          look at them in a browser")
    context.say("  boardlake runs")
    context.say("""  boardlake runs --columns 'name, hp.lr, min("val/loss") as best' --sort best""")
    context.say('  boardlake sql "SELECT tag, count(*) FROM scalars GROUP BY tag"')
