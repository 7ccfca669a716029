"""Whoever opens a lake in Python: on this machine, or behind a server."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..core import settings
from ..core.errors import UsageError
from ..lake.database import open_lake
from ..lake.location import locate
from . import client, local


def open_client(
    config_or_lake: str | os.PathLike[str] | None = None, token: str | None = None
) -> client.Client:
    """The lake in a directory, or the one that a config file (`.toml`) or the usual config names.

    Or the one behind a server, by its http(s) address, which may ask for a *token*.
    Raises LakeMissing, ConfigError, or UsageError for what is none of these.
    """
    given = None if config_or_lake is None else os.fspath(config_or_lake)
    if given is not None and re.match(r"https?://", given, re.IGNORECASE):
        # What it needs is not for a lake on this machine.
        from .remote import Remote

        return Remote(given, token)
    if token is not None:
        raise UsageError("token: only a server asks for one", hint="open http(s)://HOST:PORT")
    if given is not None and not given.lower().endswith(".toml"):
        return local.Client(open_lake(locate(given)))
    found = settings.load(None if given is None else Path(given), os.environ)
    memory = f"{found.lake.memory_limit}B"
    return local.Client(open_lake(locate(str(found.lake.path)), memory_limit=memory))
