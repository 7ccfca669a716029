"""Files beside the logs that TensorBoard's plugins read themselves: where they lie, and a way to them."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Sequence
from typing import Any, BinaryIO, NamedTuple

from ...lake import outside
from ...lake.dashboard import files as lake_files
from ...lake.outside import OutOfReach
from ..reach import Reach
from .index import Index, Run
from .names import series_run

_KEPT_BY_PLUGINS = re.compile(
    r"(?:(?P<home>.*)/)?plugins/(?:profile/[^/]+|org_tensorflow_tensorboard_projector)"
)
_LOCAL = "local"


class File(NamedTuple):
    """A config of the projector, or a file of the profiler; `name` is what TensorBoard calls its run.

    `path` is relative to the root of the source, `place` the kind of the source.
    """

    run: Run
    name: str
    kind: str
    path: str
    size: int | None
    mtime: float | None
    place: str

    @property
    def directory(self) -> str:
        """Where it lies, relative to the root of the source."""
        return posixpath.dirname(self.path)

    @property
    def away(self) -> bool:
        """Whether it is no file of this machine, as far as is known."""
        return self.place != _LOCAL

    def where(self) -> dict[str, Any]:
        """Where it lies, for people."""
        return {
            "run": self.name, "machine": self.run.machine, "source": self.run.source,
            "place": self.place, "uri": whole(self.run.uri, self.path),
            "logdir": whole(self.run.uri, home(self.directory)),
        }  # fmt: skip


def of_kind(index: Index, kind: str) -> list[File]:
    """The files of a *kind* (`profile`, `projector`) that the runs of a selection have."""
    return index.once("files", _find).get(kind, [])


def kinds(index: Index) -> list[str]:
    """The kinds of which there are some: they are names of TensorBoard's plugins."""
    return [kind for kind in ("projector", "profile") if of_kind(index, kind)]


def _find(index: Index) -> dict[str, list[File]]:
    with index.service.cursor() as con:
        rows = lake_files.plugin_files(con, index.run_ids).to_pylist()
    runs = {run.run_id: run for run in index.runs}
    found: dict[str, list[File]] = {}
    for row in rows:
        run = runs[row.pop("run_id")]
        name = series_run(run.name, _stream(run.path, row["path"]))
        found.setdefault(row["kind"], []).append(File(run, name, **row))
    return found


def _stream(run: str, path: str) -> str:
    """The directory of *run* whose file this is, without those that plugins keep theirs in."""
    below = home(posixpath.dirname(path))
    return below.removeprefix("" if run == "." else run).strip("/")


def home(directory: str) -> str:
    """The log directory whose plugins keep their files in *directory*, or itself."""
    found = _KEPT_BY_PLUGINS.fullmatch(directory)
    return found["home"] or "" if found else directory


class Ways:
    """Opens files where they lie: below a directory of this machine, or by the *reach* of the server."""

    def __init__(self, reach: Reach | None = None) -> None:
        self._reach = reach

    def leads(self, file: File) -> str:
        """Why there is no way to *file*; '' if there may be one."""
        if not file.away:
            try:
                outside.opened(outside.within(file.run.uri, file.path)).close()
            except (OutOfReach, OSError) as error:
                return _words(error)
            return ""
        if self._reach is not None and self._reach.knows(file.run.source, file.run.uri):
            most = self._reach.most
            if (file.size or 0) <= most:
                return ""
            return f"it is too large to be fetched: at most {most / 1e6:,.0f} MB are"
        return f"it lies at {file.run.machine or file.run.source}, out of this server's reach"

    def open(self, file: File, most: int) -> BinaryIO:
        """The file itself, of at most *most* bytes; raises OutOfReach."""
        return self._open(file, lambda: outside.within(file.run.uri, file.path), file.path, most)

    def beside(self, file: File, name: str, most: int) -> BinaryIO:
        """What *file* names: a file of its own directory or below, of at most *most* bytes.

        Raises OutOfReach where it leads out of there, by links as well.
        """
        if not name or "\0" in name or len(name) > 4096:
            raise OutOfReach("no file is named")
        path = posixpath.normpath(posixpath.join(file.directory, name))
        return self._open(file, lambda: _beside(file, name), path, most)

    def _open(self, file: File, local: Any, path: str, most: int) -> BinaryIO:
        try:
            if not file.away:
                opened = outside.opened(local())
            else:
                if why := self.leads(file):
                    raise OutOfReach(why)
                if not _below(path, file.directory):
                    raise OutOfReach(_OUT)
                assert self._reach is not None
                opened = self._reach.open(file.run.source, path, file.directory, most)
        except (OutOfReach, OSError) as error:
            raise OutOfReach(f"{shown(posixpath.basename(path))}: {_words(error)}") from error
        size = os.fstat(opened.fileno()).st_size
        if size > most:
            opened.close()
            raise OutOfReach(
                f"{shown(posixpath.basename(path))} has {size / 1e6:,.0f} MB, at most"
                f" {most / 1e6:,.0f} MB are shown here: open it with tensorboard --logdir"
                f" where it lies, in {whole(file.run.uri, file.directory)}"
            )
        return opened


_OUT = "the path leads out of the directory of its config"


def _beside(file: File, name: str) -> str:
    directory = outside.within(file.run.uri, file.directory)
    real = os.path.realpath(os.path.join(directory, name))
    if os.path.commonpath([directory, real]) != directory:
        raise OutOfReach(_OUT)
    return real


def _below(path: str, directory: str) -> bool:
    """Whether a path, without dots, lies below a *directory*; '' is the root."""
    if path.startswith(("/", "../")) or path in ("..", "."):
        return False
    return not directory or path.startswith(f"{directory}/")


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or "it cannot be read"
    return str(error)


def whole(uri: str, path: str) -> str:
    """Where a path below the root of a source is; the root may be one event file."""
    root, _, base = uri.rpartition("/")
    uri = root if "tfevents" in base else uri
    return f"{uri.rstrip('/')}/{path}" if path else uri


def shown(text: str, most: int = 200) -> str:
    """A name for people: short, in one line."""
    return "".join(c if c.isprintable() else "�" for c in text[:most])


def names(files: Sequence[File]) -> list[str]:
    """The runs of *files*, each once."""
    return list(dict.fromkeys(file.name for file in files))
