"""Layer 2's other half: copies of the catalog in DuckDB files, which need no SQLite to be read."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from pathlib import Path

import duckdb

from .. import ask
from ..catalog import CATALOG
from ..database import Lake
from ..location import extension
from .rewrite import text

_numbers = itertools.count(1)
# Cells of a catalog are small; DuckDB's own blocks would make some 50 tables 6 MB of nothing.
_BLOCK = 16_384


class Folder:
    """A folder that workers may read: the extension, and copies for as long as one is opened."""

    def __init__(self, group: int | None) -> None:
        self._group = group
        self.path = Path(tempfile.mkdtemp(prefix="boardlake-sql-"))
        self._give(self.path, 0o750)
        self.extension = self._place_extension()

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)

    def copy(self, lake: Lake) -> Path:
        """A copy of the catalog of *lake* as it is now; the caller removes it."""
        target = self.path / f"catalog-{next(_numbers)}.duckdb"
        con = lake.con.cursor()
        try:
            ask.read(con, lambda: _copy(con, target))
            self._give(target, 0o640)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        finally:
            con.close()
        return target

    def _place_extension(self) -> Path:
        source = extension("ducklake")
        if self._group is None:
            return source
        # Where the packages are, others need not be able to read.
        target = self.path / source.name
        try:
            if not source.stat().st_mode & 0o004:
                raise PermissionError
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
            self._give(target, 0o640)
        return target

    def _give(self, path: Path, mode: int) -> None:
        if self._group is None:
            path.chmod(mode & 0o700)
            return
        os.chown(path, -1, self._group)
        path.chmod(mode)


def _copy(con: duckdb.DuckDBPyConnection, target: Path) -> None:
    target.unlink(missing_ok=True)
    name = f"sandbox_{target.stem.replace('-', '_')}"
    con.execute(f"ATTACH {text(str(target))} AS {name} (BLOCK_SIZE {_BLOCK})")
    try:
        con.execute("BEGIN")
        try:
            con.execute(f"COPY FROM DATABASE {CATALOG} TO {name}")
            # A worker that could delete files would begin with these.
            con.execute(f"DELETE FROM {name}.ducklake_files_scheduled_for_deletion")
            con.execute("COMMIT")
        except BaseException:
            con.execute("ROLLBACK")
            raise
    finally:
        con.execute(f"DETACH {name}")
