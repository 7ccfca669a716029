"""The cluster that this machine belongs to: its commands as processes, its files on disks and mounts."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from collections.abc import Sequence

from ....core.errors import SourceError
from ....core.settings import SourceSettings
from ..base import Source, Spent
from ..local.source import LocalSource
from .words import CommandError

# Where Slurm is installed and cron's PATH does not say so.
ELSEWHERE = "/usr/local/bin:/opt/slurm/bin:/usr/local/slurm/bin:/opt/slurm/current/bin"
MAX_WORDS = 500


class Here:
    """Commands and files of this machine."""

    at_once = 1

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings

    def run(self, command: Sequence[str], environ: dict[str, str]) -> tuple[bytes, str]:
        """What a command writes, and its warnings in one line.

        Raises CommandError, and SourceError when it did not end in time.
        """
        own = os.environ | environ
        own["PATH"] = f"{own.get('PATH', os.defpath)}:{ELSEWHERE}"
        try:
            process = subprocess.Popen(
                ["/usr/bin/env", *command],
                env=own,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise CommandError(f"{command[0]}: {error.strerror}") from None
        with process:
            try:
                out, words = process.communicate(timeout=self._settings.timeout)
            except subprocess.TimeoutExpired:
                raise silent(self._settings, command[0]) from None
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        if process.returncode:
            raise CommandError(spoken(command[0], words, process.returncode))
        return out, spoken(command[0], words, 0)

    def whoami(self) -> tuple[str, str]:
        """The name and the home of the user who ingests."""
        try:
            user = pwd.getpwuid(os.geteuid())
        except KeyError:
            return str(os.geteuid()), os.path.realpath(os.path.expanduser("~"))
        return user.pw_name, os.path.realpath(user.pw_dir)

    def resolve(self, paths: Sequence[str]) -> dict[str, str]:
        """The real paths of those that are directories."""
        return {path: os.path.realpath(path) for path in paths if os.path.isdir(path)}

    def tree(self, root: str, exclude: Sequence[str], spent: Spent) -> Source:
        """The files below a directory; what it asks for is counted in *spent*."""
        settings = self._settings
        source = LocalSource(
            root,
            exclude=exclude,
            follow_symlinks=settings.follow_symlinks,
            cross_mounts=settings.cross_mounts,
        )
        source.spent = spent
        return source

    def close(self) -> None:
        """Nothing is held open."""


def silent(settings: SourceSettings, name: str) -> SourceError:
    """The error that a command did not answer."""
    return SourceError(
        f"{settings.uri.rstrip(':')}: {name} did not answer within {settings.timeout:g} s",
        hint="the scheduler may be down or busy; `timeout` of the source is how long to wait",
    )


def spoken(name: str, words: bytes, code: int) -> str:
    """A command's own words, in one short line."""
    if code == 127:
        return f"there is no {name} there"
    text = " ".join(words.decode("utf-8", "backslashreplace").split()).removeprefix(f"{name}: ")
    line = "".join(c for c in text if c.isprintable())
    return f"{name}: {line[:MAX_WORDS] or f'ended with code {code}'}"
