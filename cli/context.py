"""What every command shares: the settings, the lake they name, and a way to talk."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..core.settings import Settings
    from ..lake.database import Lake
    from ..lake.location import Location
    from .log import Kind, Level, Log


class _NoPandas(MetaPathFinder):
    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Answer that there is no pandas, and leave the rest to the other finders."""
        if name == "pandas":
            raise ModuleNotFoundError("pandas is left out of this process", name=name)


class Context:
    """The global options, and what follows from them."""

    def __init__(
        self,
        config: str | None,
        lake: str | None,
        *,
        alone: bool = False,
        log: Kind | None = None,
    ) -> None:
        self._config = config
        self._lake = lake
        # Whether this process is ours alone: nothing but the command runs in it.
        self._alone = alone
        self.log: Log | None = None
        # Where an ingest writes metrics after each cycle.
        self.metrics_file: Path | None = None
        self.log_as(log)

    def log_as(self, kind: Kind | None) -> None:
        """From now on talk in lines for a log, if a *kind* of them is named."""
        if kind and (self.log is None or self.log.kind != kind):
            from .log import Log

            self.log = Log(kind)
            if self._alone:
                self.log.install()

    @cached_property
    def settings(self) -> Settings:
        """The settings of the config file under the environment; raises `ConfigError`."""
        from ..core import settings

        environ = dict(os.environ)
        if self._lake:
            environ["BOARDLAKE_LAKE"] = self._lake
        return settings.load(Path(self._config) if self._config else None, environ)

    @property
    def arguments(self) -> list[str]:
        """The global options as another boardlake takes them."""
        log = self.log.kind if self.log else None
        given = (("--config", self._config), ("--lake", self._lake), ("--log", log))
        return [text for name, value in given if value for text in (name, value)]

    @property
    def location(self) -> Location:
        """Where the lake is."""
        from ..lake.location import locate

        return locate(str(self.settings.lake.path))

    @property
    def tokens_file(self) -> Path | None:
        """The file of tokens that the server asks for, if there is to be one."""
        from ..core.tokens import ENVIRONMENT

        named = os.environ.get(ENVIRONMENT) or self.settings.server.tokens_file
        return Path(named).expanduser().absolute() if named else None

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

    def spare_pandas(self) -> None:
        """Keep pandas out of a process that never uses it.

        DuckDB and pyarrow import it only to ask whether a value is one of its own: that costs 0.3 s
        and 40 MB, every minute in cron.
        """
        if self._alone and "pandas" not in sys.modules:
            sys.meta_path.insert(0, _NoPandas())

    def say(self, text: str) -> None:
        """Talk to the user, on stderr."""
        if self.log:
            self.log.write("info", "message", text.strip())
        else:
            click.echo(text, err=True)

    def tell(
        self, level: Level, event: str, text: str, source: str = "", /, **fields: object
    ) -> None:
        """Talk to the user; of a log it is a line of its own kind, with *source* and *fields*."""
        if self.log:
            self.log.write(level, event, text, source, **fields)
        elif level in ("warning", "error"):
            click.echo(
                f"boardlake: source {source}: {text}" if source else f"boardlake: {text}", err=True
            )
        else:
            click.echo(f"{source}: {text}" if source else text, err=True)
