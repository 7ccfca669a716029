"""boardlake: all your TensorBoard logs, from every machine, in one searchable lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

    from .api.client import Client

__version__ = "0.1.0"


def open(
    config_or_lake: str | os.PathLike[str] | None = None, *, token: str | None = None
) -> Client:
    """The lake in a directory, or the one that a config file (`.toml`) or the usual config names.

    Or the one behind a server, by its http(s) address; *token*, or the environment's BOARDLAKE_TOKEN,
    is for a server that asks for one.
    Raises `LakeMissing`, `ConfigError` or `UsageError` of `boardlake.core.errors`.
    """
    # Importing boardlake alone stays quick: what reads a lake is loaded when one is opened.
    from .api.opened import open_client

    return open_client(config_or_lake, token)
