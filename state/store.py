"""The state database: annotations and tags of runs by run_key, and saved views."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, delete, event, func, select, update
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from ..core.errors import LakeError, UsageError
from .tables import VERSION, Annotation, Base, Meta, RunTag, SavedView

FILE = "state.sqlite"
MAX_RUNS = 100_000
MAX_TAG = 64
MAX_VIEW = 2_000_000  # characters of JSON: a selection of 100,000 runs fits
_LENGTHS = {"name": 200, "notes": 20_000}
_COLOUR = re.compile(r"(#[0-9a-fA-F]{6})?")
# SQLite takes so many parameters in one statement at least.
_AT_ONCE = 500
_BUSY_MS = 30_000


class NoSuchView(UsageError):
    """No view has that id."""

    http_status = 404


@dataclass(frozen=True)
class Noted:
    """What people wrote about a run; '' where nothing."""

    run_key: str
    name: str
    notes: str
    colour: str
    archived: bool
    tags: tuple[str, ...]


@dataclass(frozen=True)
class View:
    """A saved state of a page."""

    id: str
    name: str
    page: str
    state: dict[str, Any]
    created_at: datetime


class State:
    """The open database, for any number of threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """Let go of it."""
        self._engine.dispose()

    def version(self) -> int:
        """A number that grows with every change."""
        with Session(self._engine) as session:
            return session.scalars(select(Meta.changes)).one()

    def annotations(self, run_keys: Sequence[str] | None = None) -> list[Noted]:
        """What is written about *run_keys*, or about any run; runs without a word are left out."""
        with Session(self._engine) as session:
            found = {one.run_key: one for one in _of(session, Annotation, run_keys)}
            tags: dict[str, list[str]] = {}
            for given in _of(session, RunTag, run_keys):
                tags.setdefault(given.run_key, []).append(given.tag)
        result = []
        for key in sorted({*found, *tags}):
            one = found.get(key) or Annotation(name="", notes="", colour="", archived=False)
            of_run = tuple(sorted(tags.get(key, ())))
            result.append(Noted(key, one.name, one.notes, one.colour, one.archived, of_run))
        return result

    def tags(self) -> list[tuple[str, str]]:
        """Every (run_key, tag)."""
        with Session(self._engine) as session:
            return [(one.run_key, one.tag) for one in session.scalars(select(RunTag))]

    def tag_counts(self, most: int) -> list[tuple[str, int]]:
        """The tags that runs have, and how many have each; the commonest first."""
        runs = func.count().label("runs")
        query = select(RunTag.tag, runs).group_by(RunTag.tag).order_by(runs.desc(), RunTag.tag)
        with Session(self._engine) as session:
            return [(tag, count) for tag, count in session.execute(query.limit(most))]

    def annotate(
        self,
        run_keys: Sequence[str],
        changes: dict[str, Any],
        *,
        add_tags: Iterable[str] = (),
        remove_tags: Iterable[str] = (),
    ) -> int:
        """Set name, notes, colour or archived of runs, add and remove tags: all or nothing.

        Returns the number of runs. Raises UsageError for what does not fit.
        """
        keys = list(dict.fromkeys(run_keys))
        added, removed = [_tag(tag) for tag in add_tags], [tag.strip() for tag in remove_tags]
        _check(keys, changes)
        with self._changing() as session:
            for part in _parts(keys):
                known = {one.run_key: one for one in _of(session, Annotation, part)}
                tagged = {(one.run_key, one.tag) for one in _of(session, RunTag, part)}
                for key in part if changes else ():
                    one = known.get(key)
                    if one is None:
                        one = Annotation(run_key=key)
                        session.add(one)
                    for name, value in changes.items():
                        setattr(one, name, value)
                wanted = {(key, tag) for key in part for tag in added}
                session.add_all(RunTag(run_key=k, tag=t) for k, t in sorted(wanted - tagged))
                if removed:
                    where = RunTag.run_key.in_(part), RunTag.tag.in_(removed)
                    session.execute(delete(RunTag).where(*where))
        return len(keys)

    def forget(self, run_keys: Sequence[str]) -> None:
        """Drop all that was written about runs that are deleted."""
        with self._changing() as session:
            for part in _parts(list(run_keys)):
                session.execute(delete(Annotation).where(Annotation.run_key.in_(part)))
                session.execute(delete(RunTag).where(RunTag.run_key.in_(part)))

    def save_view(self, page: str, state: dict[str, Any], name: str = "") -> str:
        """Keep the state of a page; the same state has the same id. Returns the id.

        Without a name it is on no list: no answer that is known changes by it, nor the version.
        """
        text = json.dumps(state, sort_keys=True, separators=(",", ":"))
        if len(text) > MAX_VIEW:
            raise UsageError(f"state: {len(text)} characters, at most {MAX_VIEW} are kept")
        view = hashlib.blake2b(f"{page}\0{name}\0{text}".encode(), digest_size=8).hexdigest()[:10]
        with Session(self._engine) as session:
            if session.get(SavedView, view) is not None:
                return view
        with self._changing(1 if name else 0) as session:
            if session.get(SavedView, view) is None:
                now = datetime.now(UTC).replace(tzinfo=None)
                saved = SavedView(id=view, name=name, page=page, state=state, created_at=now)
                session.add(saved)
        return view

    def view(self, id: str) -> View:
        """The view of that id; raises NoSuchView."""
        with Session(self._engine) as session:
            found = session.get(SavedView, id)
            if found is None:
                hint = "the link may be cut short, or the view was deleted"
                raise NoSuchView(f"there is no view {id[:64]!r}", hint=hint)
            return _view(found)

    def selected(self, id: str) -> list[str]:
        """The run_keys that are selected in the view of that id; raises NoSuchView."""
        keys = self.view(id).state.get("sel")
        return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []

    def views(self) -> list[View]:
        """The views that have a name, the newest first."""
        named = select(SavedView).where(SavedView.name != "")
        with Session(self._engine) as session:
            newest = session.scalars(named.order_by(SavedView.created_at.desc(), SavedView.id))
            return [_view(one) for one in newest]

    def delete_view(self, id: str) -> None:
        """Drop a view; raises NoSuchView."""
        self.view(id)
        with self._changing() as session:
            session.execute(delete(SavedView).where(SavedView.id == id))

    @contextmanager
    def _changing(self, changes: int = 1) -> Iterator[Session]:
        with Session(self._engine) as session, session.begin():
            # First of all: it takes the writers' lock before anything is read.
            session.execute(update(Meta).values(changes=Meta.changes + changes))
            yield session


def open_state(folder: Path) -> State:
    """The state database in the folder of a lake; it is made where there is none.

    Raises LakeError where it cannot be opened or is of a newer version.
    """
    path = folder / FILE
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_MS / 1000})
    event.listen(engine, "connect", _prepare)
    try:
        Base.metadata.create_all(engine)
        with Session(engine) as session, session.begin():
            session.execute(update(Meta).values(changes=Meta.changes))
            found = session.scalars(select(Meta)).one_or_none()
            if found is None:
                session.add(Meta(id=1, version=VERSION, changes=0))
            version = VERSION if found is None else found.version
    except Exception as error:
        engine.dispose()
        hint = "the web service writes names, tags and views there: it needs write permission"
        raise LakeError(f"{path} cannot be opened: {error}", hint=hint) from error
    if version != VERSION:
        engine.dispose()
        message = f"{path} is of version {version}, this program knows {VERSION}"
        raise LakeError(message, hint="install the newer boardlake")
    return State(engine)


def _prepare(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", f"busy_timeout = {_BUSY_MS}", "synchronous = FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _of(session: Session, table: Any, run_keys: Sequence[str] | None) -> list[Any]:
    if run_keys is None:
        return list(session.scalars(select(table)))
    found: list[Any] = []
    for part in _parts(list(run_keys)):
        found += session.scalars(select(table).where(table.run_key.in_(part)))
    return found


def _parts(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]


def _view(found: SavedView) -> View:
    return View(found.id, found.name, found.page, found.state, found.created_at)


def _tag(tag: str) -> str:
    stripped = tag.strip()
    if not stripped or len(stripped) > MAX_TAG or not stripped.isprintable():
        raise UsageError(f"tag {tag[:100]!r}: expected 1 to {MAX_TAG} printable characters")
    return stripped


def _check(keys: list[str], changes: dict[str, Any]) -> None:
    if not 0 < len(keys) <= MAX_RUNS:
        raise UsageError(f"runs: {len(keys)} are given, expected 1 to {MAX_RUNS}")
    unknown = set(changes) - {"name", "notes", "colour", "archived"}
    if unknown:
        raise UsageError(f"{min(unknown)}: nothing of a run is called so")
    for name, most in _LENGTHS.items():
        if len(changes.get(name, "")) > most:
            raise UsageError(f"{name}: {len(changes[name])} characters, at most {most} are kept")
    colour = changes.get("colour", "")
    if not _COLOUR.fullmatch(colour):
        raise UsageError(f"colour: got {colour[:40]!r}, expected #rrggbb")
