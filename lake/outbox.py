"""What an edge keeps on its disk, in SQLite: cursors, what the hub knows, and messages that wait for it."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path

from ..core.errors import LakeError, SpaceError
from ..core.values import Cursor, Piece
from .sources import SourceFacts

_SCHEMA = """
CREATE TABLE sources (source TEXT PRIMARY KEY, facts TEXT, problems TEXT);
CREATE TABLE runs (run_id INTEGER PRIMARY KEY, source TEXT, path TEXT, learnt INT, UNIQUE (source, path));
CREATE TABLE files (
    file_id INTEGER PRIMARY KEY, source TEXT, path TEXT, run_id INT, stream TEXT, size INT, mtime_ns INT,
    version TEXT, offset INT, records INT, head_bytes INT, head_hash TEXT, tail_bytes INT, tail_hash TEXT,
    content_key TEXT, missing INT DEFAULT 0, UNIQUE (source, path)
);
CREATE TABLE series (
    run_id INT, stream TEXT, tag TEXT, kind TEXT, plugin TEXT, content BLOB, display_name TEXT,
    description TEXT, PRIMARY KEY (run_id, stream, tag, kind)
);
CREATE TABLE asked (run_id INT, stream TEXT, PRIMARY KEY (run_id, stream));
CREATE TABLE directories (source TEXT, path TEXT, content TEXT, PRIMARY KEY (source, path));
CREATE TABLE deleted (source TEXT, path_key TEXT, PRIMARY KEY (source, path_key));
CREATE TABLE spent (source TEXT, started_at REAL, requests INT, cost REAL);
CREATE TABLE queue (seq INTEGER PRIMARY KEY AUTOINCREMENT, size INT, body BLOB);
CREATE INDEX queue_sizes ON queue (size);
PRAGMA user_version = 1;
"""
_VERSION = 1
_DAY_S = 86400.0
_FILE = (
    "path", "stream", "size", "mtime_ns", "version", "offset", "records", "head_bytes", "head_hash",
    "tail_bytes", "tail_hash", "content_key",
)  # fmt: skip
_CURSOR = ("offset", "records", "head_bytes", "head_hash", "tail_bytes", "tail_hash")
Metadata = tuple[str, str, bytes, str, str]


@dataclass
class SeenFile:
    """A file as the hub will have it: its cursor, and the path of its run."""

    path: str
    stream: str
    size: int
    mtime_ns: int
    version: str
    offset: int
    records: int
    head_bytes: int
    head_hash: str
    tail_bytes: int
    tail_hash: str
    content_key: str | None
    run: str | None = None
    missing: bool = False

    @property
    def cursor(self) -> Cursor:
        """How far it has been read."""
        return Cursor(*(getattr(self, name) for name in _CURSOR))


@dataclass
class Stock:
    """All that is known of a source; `keys` are what directories held when they were looked at."""

    facts: SourceFacts | None = None
    files: list[SeenFile] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)

    def digest(self) -> str:
        """The same on both sides as long as they know the same."""
        digest = hashlib.blake2b(digest_size=16)
        facts = [str(one) for one in astuple(self.facts)] if self.facts else []
        files = sorted(astuple(one) for one in self.files)
        for part in (facts, files, sorted(self.keys.items()), sorted(self.deleted)):
            digest.update(repr(part).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


class Outbox:
    """The SQLite file in *folder*; safe from any thread. Every change is one transaction."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = folder / "outbox.sqlite"
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise LakeError(
                f"{folder}: nothing can be kept there for the hub: {error.strerror}",
                hint="name another directory with --spool",
            ) from error
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        with self._told():
            self._open()

    def _open(self) -> None:
        self._db.execute("PRAGMA busy_timeout = 30000")
        if self._db.execute("PRAGMA user_version").fetchone()[0] == 0:
            # A process that was killed here left nothing: the schema is one transaction.
            self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(f"BEGIN;{_SCHEMA}COMMIT;")
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found != _VERSION:
            raise LakeError(
                f"{self.folder}: is of another version ({found}, this is {_VERSION})",
                hint="name another directory with --spool; the hub knows what it has",
            )
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA cache_size = -8000")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction; raises SpaceError where the disk is full, and nothing is kept then."""
        with self._lock, self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            text = str(error)
            if "full" in text or "disk I/O" in text:
                raise SpaceError(
                    f"{self.folder}: the disk is full, nothing of this commit was kept",
                    hint="free some space and run the command again",
                ) from error
            raise LakeError(
                f"{self.folder}/outbox.sqlite: {error}",
                hint="if it is damaged, remove the directory: what waits there is read again",
            ) from error

    def _all(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock, self._told():
            return self._db.execute(sql, values).fetchall()

    # What waits for the hub.

    def put(self, db: sqlite3.Connection, messages: Iterable[bytes]) -> None:
        """Append to the queue, within `change`."""
        db.executemany(
            "INSERT INTO queue (size, body) VALUES (?, ?)", [(len(one), one) for one in messages]
        )

    def waiting(self) -> tuple[int, int]:
        """How many messages wait, and their bytes."""
        ((count, size),) = self._all("SELECT count(*), coalesce(sum(size), 0) FROM queue")
        return int(str(count)), int(str(size))

    def head(self, most: int) -> tuple[int, list[bytes]]:
        """The first messages, at least one and together up to *most* bytes; and the last's number."""
        with self._lock, self._told():
            found: list[bytes] = []
            last = held = 0
            for seq, size in self._db.execute(
                "SELECT seq, size FROM queue ORDER BY seq"
            ).fetchall():
                if found and held + size > most:
                    break
                row = self._db.execute("SELECT body FROM queue WHERE seq = ?", [seq]).fetchone()
                found.append(row[0])
                last, held = seq, held + size
            return last, found

    def sent(self, last: int) -> None:
        """Forget the messages up to number *last*: the hub has them."""
        with self.change() as db:
            db.execute("DELETE FROM queue WHERE seq <= ?", [last])
        with self._lock, self._told():
            self._db.execute("PRAGMA incremental_vacuum").fetchall()

    # What is known of sources.

    def stock(self, source: str) -> Stock:
        """All that is known of *source*."""
        columns = ", ".join(f"f.{name}" for name in _FILE)
        with self._lock, self._told():
            files = self._db.execute(
                f"SELECT {columns}, r.path, f.missing FROM files f LEFT JOIN runs r USING (run_id)"
                " WHERE f.source = ?",
                [source],
            ).fetchall()
            return Stock(
                self._facts(source),
                [SeenFile(*(*row[:-1], bool(row[-1]))) for row in files],
                self.looked(source),
                {str(key) for (key,) in self._all(_DELETED, source)},
                {path for path in self.runs(source).values() if path is not None},
            )

    def _facts(self, source: str) -> SourceFacts | None:
        import json

        found = self._all("SELECT facts FROM sources WHERE source = ?", source)
        return SourceFacts(*json.loads(str(found[0][0]))) if found and found[0][0] else None

    def begin(self, facts: SourceFacts, message: bytes) -> None:
        """Note what a source is, with the message that says so, if that is new."""
        import json

        if self._facts(facts.source) == facts:
            return
        with self.change() as db:
            db.execute(
                "INSERT INTO sources (source, facts) VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET facts = excluded.facts",
                [facts.source, json.dumps(astuple(facts))],
            )
            self.put(db, [message])

    def take(self, source: str, stock: Stock) -> None:
        """Know of *source* what the hub does, in place of all that was known."""
        with self.change() as db:
            for table in ("series", "asked"):
                db.execute(
                    f"DELETE FROM {table} WHERE run_id IN (SELECT run_id FROM runs WHERE source = ?)",
                    [source],
                )
            for table in ("sources", "runs", "files", "directories", "deleted"):
                db.execute(f"DELETE FROM {table} WHERE source = ?", [source])
            paths = stock.runs | {one.run for one in stock.files if one.run is not None}
            numbers = {path: self.run(db, source, path, learnt=True) for path in paths}
            marks = ", ".join("?" * (len(_FILE) + 3))
            db.executemany(
                f"INSERT INTO files (source, run_id, missing, {', '.join(_FILE)}) VALUES ({marks})",
                [
                    (
                        *(source, numbers[one.run] if one.run is not None else None, one.missing),
                        *(getattr(one, name) for name in _FILE),
                    )
                    for one in stock.files
                ],
            )
            self.looked_at(db, source, stock.keys)
            db.executemany(
                "INSERT INTO deleted VALUES (?, ?)", [(source, key) for key in stock.deleted]
            )

    def run(self, db: sqlite3.Connection, source: str, path: str, *, learnt: bool = False) -> int:
        """The number of a run, which is made if it is not known; within `change`."""
        found = db.execute(
            "SELECT run_id FROM runs WHERE source = ? AND path = ?", [source, path]
        ).fetchone()
        if found:
            return int(found[0])
        # What lies in the directory of a new run says more than it did while it was no run's.
        db.execute(
            "DELETE FROM directories WHERE source = ? AND path = ?",
            [source, "" if path == "." else path],
        )
        made = db.execute(
            "INSERT INTO runs (source, path, learnt) VALUES (?, ?, ?)", [source, path, learnt]
        )
        return int(made.lastrowid or 0)

    def runs(self, source: str) -> dict[int | None, str]:
        """The path of every run, by its number here."""
        found = self._all("SELECT run_id, path FROM runs WHERE source = ?", source)
        return {int(str(run_id)): str(path) for run_id, path in found}

    def file_ids(self, source: str) -> dict[str, tuple[int, int | None]]:
        """The numbers here of every file, by path: its own and its run's."""
        found = self._all("SELECT path, file_id, run_id FROM files WHERE source = ?", source)
        return {
            str(path): (int(str(file)), None if run is None else int(str(run)))
            for path, file, run in found
        }

    def advance(self, db: sqlite3.Connection, piece: Piece) -> int | None:
        """Move the cursor of the piece's file on, within `change`; returns how many runs that made.

        None where the piece was read from another cursor.
        """
        source, path = piece.place.source, piece.entry.path
        row = db.execute(
            f"SELECT {', '.join(_CURSOR)}, run_id, stream, content_key FROM files"
            " WHERE source = ? AND path = ?",
            [source, path],
        ).fetchone()
        if (Cursor(*row[:6]) if row else None) != piece.before:
            return None
        run_id, stream, key = row[6:] if row else (None, piece.place.stream, None)
        made = 0
        if piece.after.records and run_id is None:
            known = self._all(
                "SELECT 1 FROM runs WHERE source = ? AND path = ?", source, piece.place.run_path
            )
            made = 0 if known else 1
            run_id, stream = self.run(db, source, piece.place.run_path), piece.place.stream
        key = (None if piece.replaces else key) or piece.facts.content_key
        entry = piece.entry
        values = (
            *(source, path, run_id, stream, entry.size, entry.mtime_ns, entry.version),
            *astuple(piece.after),
            key,
        )
        names = ("source", "path", "run_id", *_FILE[1:])
        db.execute(
            f"INSERT INTO files ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
            " ON CONFLICT (source, path) DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in names[2:]),
            values,
        )
        if run_id is not None:
            db.executemany(
                "INSERT OR IGNORE INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (run_id, stream, tag, kind, m.plugin, m.content, m.display_name, m.description)
                    for (tag, kind), m in piece.meta.items()
                ],
            )
        return made

    def metadata(self, run_id: int, stream: str) -> tuple[list[Metadata], tuple[str, str] | None]:
        """What is known of the series of a stream; and the source and path of a run of which only
        the hub knows them."""
        rows = self._all(
            "SELECT tag, plugin, content, display_name, description FROM series"
            " WHERE run_id = ? AND stream = ? ORDER BY tag, kind",
            *(run_id, stream),
        )
        to_ask = self._all(
            "SELECT source, path FROM runs WHERE run_id = ? AND learnt AND NOT EXISTS"
            " (SELECT 1 FROM asked a WHERE a.run_id = runs.run_id AND a.stream = ?)",
            *(run_id, stream),
        )
        found: list[Metadata] = rows  # type: ignore[assignment]
        return found, (str(to_ask[0][0]), str(to_ask[0][1])) if to_ask else None

    def learn(
        self, run_id: int, stream: str, found: Sequence[tuple[str, str, str, bytes, str, str]]
    ) -> None:
        """Note what the hub knows of the series of a stream: tag, kind, plugin, content, ..."""
        with self.change() as db:
            db.executemany(
                "INSERT OR IGNORE INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(run_id, stream, *one) for one in found],
            )
            db.execute("INSERT OR IGNORE INTO asked VALUES (?, ?)", [run_id, stream])

    def looked(self, source: str) -> dict[str, str]:
        """What each directory held when it was last looked at."""
        found = self._all("SELECT path, content FROM directories WHERE source = ?", source)
        return {str(path): str(content) for path, content in found}

    def looked_at(self, db: sqlite3.Connection, source: str, keys: dict[str, str]) -> None:
        """Note what directories held, within `change`."""
        db.executemany(
            "INSERT OR REPLACE INTO directories VALUES (?, ?, ?)",
            [(source, path, content) for path, content in keys.items()],
        )

    def missing(self, source: str) -> set[str]:
        """The paths of files that were not there any more."""
        found = self._all("SELECT path FROM files WHERE source = ? AND missing", source)
        return {str(path) for (path,) in found}

    def miss(
        self, db: sqlite3.Connection, source: str, gone: list[str], back: list[str], *, drop: bool
    ) -> None:
        """Note which files are gone, or drop them, and which are back; within `change`."""
        where = "WHERE source = ? AND path = ?"
        first = f"DELETE FROM files {where}" if drop else f"UPDATE files SET missing = 1 {where}"
        db.executemany(first, [(source, path) for path in gone])
        db.executemany(f"UPDATE files SET missing = 0 {where}", [(source, path) for path in back])
        if drop:
            db.execute(
                "DELETE FROM runs WHERE source = ? AND run_id NOT IN"
                " (SELECT run_id FROM files WHERE run_id IS NOT NULL)",
                [source],
            )

    def last_problems(self, source: str) -> str:
        """What `problems_are` noted."""
        found = self._all("SELECT problems FROM sources WHERE source = ?", source)
        return str(found[0][0] or "") if found else ""

    def problems_are(self, db: sqlite3.Connection, source: str, digest: str) -> None:
        """Note a digest of what the last listing could not see, within `change`."""
        db.execute("UPDATE sources SET problems = ? WHERE source = ?", [digest, source])

    def spent(self, source: str, now: float) -> tuple[int, float, float | None]:
        """Requests, cost and begin of the first cycle of the last 24 hours."""
        ((requests, cost, since),) = self._all(
            "SELECT coalesce(sum(requests), 0), coalesce(sum(cost), 0), min(started_at) FROM spent"
            " WHERE source = ? AND started_at >= ?",
            *(source, now - _DAY_S),
        )
        return int(str(requests)), float(str(cost)), None if since is None else float(str(since))

    def spend(
        self, db: sqlite3.Connection, rows: Iterable[tuple[str, float, int, float]], now: float
    ) -> None:
        """Note source, begin, requests and cost of cycles, within `change`."""
        db.execute("DELETE FROM spent WHERE started_at < ?", [now - _DAY_S])
        db.executemany("INSERT INTO spent VALUES (?, ?, ?, ?)", list(rows))


_FIRST = "SELECT seq, size FROM queue ORDER BY seq LIMIT ?"
_MOST_AT_ONCE = 1_000
_DELETED = "SELECT path_key FROM deleted WHERE source = ?"
