"""Where a lake is and how DuckDB reaches it: the one place that knows catalog, data and lock."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import uuid
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import duckdb

from ..core.errors import LakeError

# The wheels carry the signed extension files of exactly this DuckDB version, so nothing is fetched.
_EXTENSIONS = {
    "ducklake": "duckdb_extension_ducklake",
    "sqlite_scanner": "duckdb_extension_sqlite_scanner",
}

# Of a Linux kernel since it was started: no other machine has the same.
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Location:
    """A lake in a local directory: `catalog.sqlite`, `data/` and the writers' lock."""

    root: Path

    @property
    def catalog(self) -> Path:
        """The SQLite file that says which Parquet files make up the lake."""
        return self.root / "catalog.sqlite"

    @property
    def data(self) -> Path:
        """The folder of Parquet files."""
        return self.root / "data"

    @property
    def lock(self) -> Path:
        """The file that writers lock from BEGIN to COMMIT."""
        return self.root / "writer.lock"

    @property
    def turns(self) -> Path:
        """The folder of locks on sources: who reads which."""
        return self.root / "turns"

    def exists(self) -> bool:
        """Whether a lake has been made here."""
        return self.catalog.is_file()

    def identity(self) -> str:
        """What tells this lake, on this running system, from any other; '' if it has no catalog."""
        try:
            found = self.catalog.stat()
        except OSError:
            return ""
        try:
            system = _BOOT.read_text("ascii").strip()
        except OSError:
            system = f"{platform.node()} {uuid.getnode()}"
        text = f"{system} {found.st_dev} {found.st_ino}"
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def attach_sql(self, *, read_only: bool) -> str:
        """The ATTACH statement; writers also set the journal mode that readers then keep."""
        target = _quote(f"ducklake:sqlite:{self.catalog}")
        # The catalog stores an absolute path: overriding it lets a lake be moved or copied.
        data = f"DATA_PATH {_quote(f'{self.data}/')}, OVERRIDE_DATA_PATH true"
        mode = "READ_ONLY" if read_only else "META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 30000"
        return f"ATTACH {target} AS lake ({mode}, {data})"

    def sync(self) -> None:
        """Bring all data files to the disk: DuckLake itself syncs only its catalog."""
        handle = os.open(self.data, os.O_RDONLY)
        try:
            if _syncfs(handle) != 0:
                os.sync()
        finally:
            os.close(handle)


def locate(path: str) -> Location:
    """The lake at *path*, a directory that need not exist yet."""
    if "://" in path:
        raise LakeError(
            f"lake {path!r}: only a local directory can hold a lake in this version",
            hint="give a directory with --lake or lake.path",
        )
    return Location(Path(path).expanduser().absolute())


def load_sql() -> list[str]:
    """What a connection runs before ATTACH: the extensions from the installed wheels, and a setting.

    With scans by several threads, each reads the catalog in a SQLite transaction of its own, and a
    statement that meets a COMMIT sees half of it; a single one reads in DuckLake's transaction.
    """
    loads = [f"LOAD {_quote(str(extension(name)))}" for name in _EXTENSIONS]
    return [*loads, "SET GLOBAL sqlite_disable_multithreaded_scans = true"]


def open_statements(location: Location) -> str:
    """What any DuckDB client of this version runs to read the lake."""
    attach = location.attach_sql(read_only=True)
    return ";\n".join([*load_sql(), attach, "USE lake"]) + ";"


def extension(name: str) -> Path:
    """The file of a DuckDB extension in its wheel; raises LakeError."""
    package = _EXTENSIONS[name]
    file = f"v{duckdb.__version__}/{name}.duckdb_extension"
    try:
        found = resources.files(package) / "extensions" / file
    except ModuleNotFoundError as error:
        raise LakeError(
            f"the DuckDB extension {name} is not installed",
            hint=f"pip install {package.replace('_', '-')}=={duckdb.__version__}",
        ) from error
    path = Path(str(found))
    if not path.is_file():
        raise LakeError(
            f"{path} is missing: the wheel {package} is not of DuckDB {duckdb.__version__}",
            hint=f"pip install {package.replace('_', '-')}=={duckdb.__version__}",
        )
    return path


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _syncfs(handle: int) -> int:
    try:
        return int(ctypes.CDLL(None, use_errno=True).syncfs(handle))
    except (AttributeError, OSError):
        return -1
