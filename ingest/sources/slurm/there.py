"""A cluster behind a login node: its commands and its files over one SSH connection."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from ....core import places
from ....core.errors import SourceError
from ....core.settings import SourceSettings
from ..base import Source, Spent
from ..ssh.link import Way, share, wait
from ..ssh.sftp import Files
from ..ssh.source import SshSource
from . import here as slurm_here
from .words import CommandError

_AT_ONCE = 32
_MAX_ANSWER = 256 << 20
_NO_TEXT = re.compile(r"[\ud800-\udfff]")
# Paths in one command.
_CHUNK = 200
# Where Slurm is installed is told by the login shell's settings, which a command does not read.
_PATHS = (
    f"PATH=$PATH:{slurm_here.ELSEWHERE}; export PATH; "
    "command -v squeue >/dev/null 2>&1 || . /etc/profile >/dev/null 2>&1 </dev/null; "
)
_RESOLVE = 'for p do if cd -P -- "$p" 2>/dev/null; then printf \'%s\\0%s\\0\' "$p" "$PWD"; fi; done'


class There:
    """Commands and files of a login node."""

    at_once = _AT_ONCE

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings
        self._place = places.parse(settings.uri)
        self._way = Way(self._place.host, self._place.user, self._place.port, settings.ssh_config)
        self._link = share(self._way, settings.timeout)
        self._closed = False

    def run(self, command: Sequence[str], environ: dict[str, str]) -> tuple[bytes, str]:
        """What a command writes, and its warnings in one line.

        Raises CommandError, and SourceError when it did not end in time.
        """
        sets = [f"{name}={value}" for name, value in environ.items()]
        script = _PATHS + "exec " + shlex.join(["env", *sets, *command])
        self._link.try_again()
        try:
            answer = wait(
                self._link.run(
                    shlex.join(["exec", "sh", "-c", script]),
                    silence=self._settings.timeout,
                    most=_MAX_ANSWER,
                )
            )
        except SourceError as error:
            what = error.message.removeprefix(f"{self._link.host}: ")
            raise SourceError(
                f"{self._settings.uri}: {command[0]}: {what}", hint=error.hint
            ) from error
        if answer.status != 0:
            code = answer.status if answer.status is not None else -1
            raise CommandError(slurm_here.spoken(command[0], answer.err, code))
        return answer.out, slurm_here.spoken(command[0], answer.err, 0)

    def whoami(self) -> tuple[str, str]:
        """The name and the home of the user who runs commands."""
        said = self._ask(["sh", "-c", "id -un && cd && pwd -P"])
        user, _, home = said.rstrip("\n").partition("\n")
        return user, home

    def resolve(self, paths: Sequence[str]) -> dict[str, str]:
        """The real paths of those that are directories."""
        found: dict[str, str] = {}
        # A command is text: what is no UTF-8 cannot be named in it.
        paths = [path for path in paths if not _NO_TEXT.search(path)]
        for at in range(0, len(paths), _CHUNK):
            said = self._ask(["sh", "-c", _RESOLVE, "sh", *paths[at : at + _CHUNK]])
            parts = said.split("\0")
            found |= dict(zip(parts[0:-1:2], parts[1::2], strict=True))
        return found

    def tree(self, root: str, exclude: Sequence[str], spent: Spent) -> Source:
        """The files below a directory; what it asks for is counted in *spent*."""
        place = self._place
        user = f"{place.user}@" if place.user else ""
        host = f"[{place.host}]" if ":" in place.host else place.host
        port = f":{place.port}" if place.port else ""
        own = {
            "uri": f"ssh://{user}{host}{port}/",
            "include": ("**",),
            "exclude": tuple(exclude),
        }
        return _Below(self._settings.model_copy(update=own), root, spent)

    def close(self) -> None:
        """Close the connection, unless another source uses it."""
        if not self._closed:
            self._closed = True
            self._link.give_back()

    def _ask(self, command: list[str]) -> str:
        try:
            return self.run(command, {})[0].decode("utf-8", "surrogateescape")
        except CommandError as error:
            raise SourceError(
                f"{self._settings.uri}: the login node cannot be asked: {error}",
                hint="the user needs a shell there",
            ) from None


class _Below(SshSource):
    """A directory of the host whatever its name is: not all of them can stand in a URI."""

    def __init__(self, settings: SourceSettings, root: str, spent: Spent) -> None:
        super().__init__(settings)
        self._start = root
        self.spent = spent
        self._files = Files(self._link, spent, settings.timeout)
