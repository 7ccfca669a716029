"""`boardlake check`: what is wrong with config, lake and sources, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..core.errors import BoardlakeError
from ..core.places import kind_of
from .context import Context
from .output import counted

if TYPE_CHECKING:
    from ..core.settings import SourceSettings
    from ..ingest.setup import SourceSetup
    from ..lake.database import Lake

# Servers that are asked at once: a dead one costs its own time-out only.
_AT_ONCE = 16


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `hint` says what to do where it is not ok."""

    what: str
    ok: bool
    message: str
    hint: str = ""


@click.command("check")
@click.option("--json", "as_json", is_flag=True, help="One JSON array on stdout.")
@click.option("--example", is_flag=True, help="Print a config file with every key at its default.")
@click.pass_obj
def command(context: Context, as_json: bool, example: bool) -> int:
    """Check config, lake and sources; exits 1 if anything is wrong."""
    if example:
        from ..core.settings import example as text

        click.echo(text(), nl=False)
        return 0
    findings = list(_findings(context))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    for finding in [] if as_json else findings:
        click.echo(f"{'ok     ' if finding.ok else 'PROBLEM'}  {finding.what}: {finding.message}")
        if finding.hint:
            click.echo(f"         {finding.hint}")
    return 0 if all(finding.ok for finding in findings) else 1


def _findings(context: Context) -> Iterator[Finding]:
    try:
        settings = context.settings
    except BoardlakeError as error:
        yield from (
            Finding("config", False, line, error.hint) for line in error.message.split("\n")
        )
        return
    yield Finding("config", True, f"{len(settings.sources)} sources")
    try:
        with context.open() as lake:
            yield from _lake_findings(context, lake)
    except BoardlakeError as error:
        yield Finding("lake", False, error.message, error.hint)
    for name, source in settings.sources.items():
        if kind_of(source.uri) == "local":
            yield _source_finding(name, source.uri)
    remote = {n: one for n, one in settings.sources.items() if kind_of(one.uri) != "local"}
    if remote:
        yield from _remote_findings(context, remote)


def _lake_findings(context: Context, lake: Lake) -> Iterator[Finding]:
    import os
    import shutil

    from ..lake import overview

    root = context.location.root
    runs, points = overview.totals(lake.con)
    yield Finding("lake", True, f"{root}: {runs:,} runs, {points:,} points")
    writable = os.access(root, os.W_OK) and os.access(context.location.catalog, os.W_OK)
    hint = "" if writable else f"give yourself write permission on {root}, or use another lake"
    yield Finding("lake files", writable, "writable" if writable else "not writable", hint)
    free = shutil.disk_usage(root).free
    roomy = free > 1 << 30
    hint = "" if roomy else "free some space: ingest stops when the disk is full"
    yield Finding("disk", roomy, f"{free / 1e9:.1f} GB free", hint)
    for kind, files, path in overview.problems(lake):
        query = f"""boardlake sql "SELECT * FROM problems WHERE kind = '{kind}'\""""
        yield Finding("files", False, f"{kind}: {files} files, such as {path}", f"see {query}")


def _source_finding(name: str, uri: str) -> Finding:
    import os

    what = f"source {name}"
    if not os.path.exists(uri):
        return Finding(what, False, f"{uri} does not exist", "mount it, or correct its uri")
    if not os.access(uri, os.R_OK | os.X_OK if os.path.isdir(uri) else os.R_OK):
        return Finding(what, False, f"{uri} is not readable", f"chmod a+rX {uri}")
    return Finding(what, True, uri)


def _remote_findings(context: Context, remote: dict[str, SourceSettings]) -> Iterator[Finding]:
    """List each source as an ingest would; nothing is read, stored or remembered."""
    from concurrent.futures import ThreadPoolExecutor

    from ..ingest.setup import setups

    found: list[SourceSetup] = []
    for name, source in remote.items():
        try:
            found += setups({name: source})
        except BoardlakeError as error:
            yield Finding(f"source {name}", False, error.message, error.hint)
    scans = context.location.root / "scans"
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(lambda setup: _listed(setup, scans), found)


def _listed(setup: SourceSetup, scans: Path) -> Finding:
    from ..ingest import memory

    what, uri = f"source {setup.name}", setup.settings.uri
    known = memory.load(scans / f"{setup.name}.json.z", setup.key, setup.settings.rescan)
    try:
        source = setup.open()
        try:
            listing = source.walk(known)
        finally:
            source.close()
    except BoardlakeError as error:
        return Finding(what, False, error.message, error.hint)
    except OSError as error:
        return Finding(what, False, f"{uri}: cannot be listed: {error.strerror or error}")
    asked = counted(source.spent.lists + source.spent.reads, "request")
    says = f"{uri}: {counted(len(listing.files), 'event file')}, {asked}"
    if listing.problems:
        first = listing.problems[0]
        place = f"{first.path}: " if first.path else ""
        says += f"; {counted(len(listing.problems), 'problem')}: {place}{first.message}"
    return Finding(what, not listing.problems, says)
