"""Event files back from a lake: the log directory that its runs came from, every point kept."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from ...kernels.encode import encode
from ...kernels.encoded import Forms, Rows
from .. import exported, outside, targets
from ..database import Lake, reread
from ..export import Tell, translate
from . import chunks, facts, records, side
from .chunks import File, Part
from .places import Places

FORM = "tensorboard"
# So many bytes of records are made at once.
_WRITE_BYTES = 16 << 20


@dataclass
class Receipt:
    """What was written: `points` are scalar points, `rows` those of each table.

    `folders` is where the runs of each source lie in the target, '' = in the target itself.
    `left_out` counts, by the reason, what could not be written.
    """

    target: str
    form: str
    snapshot: int
    runs: int
    files: int = 0
    points: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    seconds: float = 0.0
    folders: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


def export(
    lake: Lake,
    target: Path,
    *,
    runs: list[int] | None = None,
    force: bool = False,
    progress: Tell | None = None,
) -> Receipt:
    """Write the event files of the lake, or of *runs*, as one snapshot to *target*, all or none.

    What else the lake knows of a run goes to a side file in its directory. *force* replaces what an
    earlier export left there and nothing else. *progress* is told (path, files done, of how many).
    Raises `UsageError` for a target that is taken, `SpaceError`, `LakeError`.
    """
    begin = time.monotonic()
    target = Path(os.path.abspath(target))
    targets.check(target, lake.location.root, single_file=False, force=force)
    tell = progress or (lambda *_: None)

    def attempt() -> Receipt:
        with targets.partial(target) as partial:
            partial.mkdir()
            choice = exported.Choice(runs)
            with exported.snapshot(lake.con, choice) as (snapshot, count):
                receipt = Receipt(str(target), FORM, snapshot, count)
                _Export(lake.con, partial, receipt, tell).write(runs)
            targets.put(partial, target)
            return receipt

    try:
        receipt = reread(attempt)
    except (OSError, duckdb.Error) as error:
        raise translate(error, target) from error
    receipt.seconds = round(time.monotonic() - begin, 3)
    return receipt


class _Export:
    """One export into an empty directory."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, folder: Path, receipt: Receipt, tell: Tell
    ) -> None:
        self._con, self._folder, self._receipt, self._tell = con, folder, receipt, tell
        self._places = Places()
        self._left_out: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._uris: dict[str, str] = {}
        self._out = np.empty(0, np.uint8)

    def write(self, runs: list[int] | None) -> None:
        """Everything, and at last the manifest that makes it an export."""
        con, receipt = self._con, self._receipt
        found = chunks.files(con, runs)
        self._uris = dict(con.execute("SELECT source, uri FROM source_facts").fetchall())
        self._choose_folders(found)
        places = {one.file_id: self._place(one) for one in found}
        self._side_files(sorted({one.run_id for one in found if one.run_id is not None}))
        described = records.Described()
        done = 0
        for parts in chunks.portions(con, found):
            self._tell(parts[0].file.path, done, len(found))
            made = self._read(parts, described)
            self._rows.update(made.counts)
            for at, part in enumerate(parts):
                rows = made.rows.slice(int(made.starts[at]), int(made.starts[at + 1]))
                self._write_part(part, self._folder / places[part.file.file_id], rows, made.forms)
            done += sum(part.last for part in parts)
        receipt.files = len(found)
        receipt.rows = {name: self._rows[name] for name in ("scalar_points", "tensors", "blobs")}
        receipt.points = self._rows["scalar_points"]
        lost = chunks.count(con, runs) - self._rows.total()
        if lost:
            self._left_out["rows of a record that their file does not have"] = lost
        receipt.left_out = dict(self._left_out)
        about = {
            name: value
            for name, value in receipt.as_dict().items()
            if name not in ("target", "seconds", "bytes")
        }
        manifest = {"format": targets.FORMAT, "version": 1} | about
        self._put(self._folder / targets.MANIFEST, json.dumps(manifest, indent=1).encode())

    def _choose_folders(self, found: list[File]) -> None:
        """A folder for each source, where there are several: runs of two may have one path."""
        sources = sorted({one.source for one in found})
        for source in sources:
            folder = self._places.folder(source) if len(sources) > 1 else ""
            self._receipt.folders[source] = folder

    def _place(self, file: File) -> str:
        return self._places.file(self._receipt.folders[file.source], file.path)

    def _side_files(self, runs: list[int]) -> None:
        for source, path, data, left_out in facts.side_files(self._con, runs):
            folder = self._places.directory(self._receipt.folders.get(source, ""), path)
            self._put(self._folder / folder / side.SIDE_FILE, data)
            if left_out:
                self._left_out["hyperparameters and artifacts beyond a side file"] += left_out

    def _put(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(data)
        self._receipt.bytes += len(data)

    def _read(self, parts: list[Part], described: records.Described) -> records.Made:
        con = self._con
        chunk = chunks.chunk(con, parts)
        try:
            scalars = chunks.scalars(con, chunk)
            tensors = chunks.tensors(con, chunk) if "tensor" in chunk.kinds else None
            blobs = chunks.blobs(con, chunk) if "blob" in chunk.kinds else None
        finally:
            chunks.forget(con)
        return records.make(chunk, scalars, tensors, blobs, described, self._fetch)

    def _fetch(
        self, part: Part, tag: str, plugin: str, idx: int, nbytes: int, location: str | None
    ) -> bytes | None:
        """Bytes that are not in the lake, from the source if it is within reach."""
        if not location:
            self._left_out["bytes were not kept when the file was read"] += 1
            return None
        blob = outside.Blob(tag, plugin, idx, nbytes)
        try:
            return outside.read(self._uris.get(part.file.source) or "", location, blob)
        except outside.OutOfReach as error:
            self._left_out[f"bytes were left at the source: {error}"] += 1
            return None

    def _write_part(self, part: Part, path: Path, rows: Rows, forms: Forms) -> None:
        if part.first == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        # Exclusively, for a file system may take two names for one.
        with path.open("xb" if part.first == 0 else "ab") as file:
            if path.name.endswith(".gz"):
                with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
                    for data in self._encoded(rows, forms):
                        packed.write(data.data)
            else:
                for data in self._encoded(rows, forms):
                    file.write(data.data)
            file.flush()
            if part.last:
                self._receipt.bytes += os.fstat(file.fileno()).st_size
        if part.last and part.file.mtime_ns > 0:
            with suppress(OSError, OverflowError):
                os.utime(path, ns=(part.file.mtime_ns, part.file.mtime_ns))

    def _encoded(self, rows: Rows, forms: Forms) -> Iterator[NDArray[np.uint8]]:
        """The records of a file, some at a time, whole ones only."""
        room = np.cumsum(forms.room(rows.form))
        start, count = 0, len(room)
        while start < count:
            before = room[start - 1] if start else 0
            end = max(int(np.searchsorted(room, before + _WRITE_BYTES)), start + 1)
            # All rows of a record belong together.
            end = int(np.searchsorted(rows.record, rows.record[end - 1], "right"))
            need = int(room[end - 1] - before) + 64
            if self._out.size < need:
                self._out = np.empty(max(need, min(_WRITE_BYTES, int(room[-1])) + 64), np.uint8)
            yield encode(rows.slice(start, end), forms, self._out)
            start = end
