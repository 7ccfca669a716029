"""What every command shares: the settings, the lake they name, and a way to talk."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..core.settings import Settings
    from ..lake.database import Lake
    from ..lake.location import Location


class Context:
    """The global options, and what follows from them."""

    def __init__(self, config: str | None, lake: str | None) -> None:
        self._config = config
        self._lake = lake

    @cached_property
    def settings(self) -> Settings:
        """The settings of the config file under the environment; raises `ConfigError`."""
        from ..core import settings

        environ = dict(os.environ)
        if self._lake:
            environ["BOARDLAKE_LAKE"] = self._lake
        return settings.load(Path(self._config) if self._config else None, environ)

    @property
    def location(self) -> Location:
        """Where the lake is."""
        from ..lake.location import locate

        return locate(str(self.settings.lake.path))

    def open(self, *, read_only: bool = True, create: bool = False) -> Lake:
        """The lake; raises `LakeMissing` unless *create*."""
        from ..lake.database import open_lake

        lake = open_lake(
            self.location,
            read_only=read_only,
            create=create,
            # A writer has the pieces of files in memory as well.
            memory_limit=f"{self.settings.lake.memory_limit // (1 if read_only else 2)}B",
        )
        lake.lock_timeout_s = self.settings.lake.lock_timeout
        return lake

    @property
    def interactive(self) -> bool:
        """Whether a person reads what is said."""
        return sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Talk to the user, on stderr."""
        click.echo(text, err=True)
