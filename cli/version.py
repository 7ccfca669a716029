"""`boardlake version`: what is installed."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version

import click

from .. import __version__

_PACKAGES = ("duckdb", "duckdb-extension-ducklake", "tensorboard", "tbparse", "numba", "pyarrow")


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(as_json: bool) -> None:
    """Print the versions of boardlake and of what it stands on."""
    found = {"boardlake": __version__, "python": platform.python_version()}
    found |= {name: version(name) for name in _PACKAGES}
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, number in found.items():
        click.echo(f"{name} {number}")
