"""The destination of an edge: what a cycle finds is put aside for the hub, with its cursors."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ..core.errors import HubAway, SpaceError
from ..core.values import Job, Piece, Problem
from ..lake import wire
from ..lake.facts import RunFacts
from ..lake.known import Known
from ..lake.ledger import FileRow
from ..lake.outbox import Metadata, Outbox
from ..lake.receive import KIND, URI
from ..lake.sources import SourceFacts
from ..lake.write import Written

_MOST_FACTS = 4 << 20
# A message takes no more than the hub reads at once, however many files or directories there are.
_MOST_PATHS = 16 << 20
# Of what a listing could not see so much is told at most.
_MOST_PROBLEMS = 20_000


class SpoolFull(SpaceError):
    """What waits for the hub takes all the room it may: nothing more is read meanwhile."""


class Hub(Protocol):
    """What the outbox asks of the hub at once; may raise what concerns all sources."""

    def metadata(
        self, source: str, run: str, stream: str
    ) -> Sequence[tuple[str, str, str, bytes, str, str]]:
        """Tag, kind, plugin, content, display name and description of every series of a stream."""
        ...

    def room(self) -> bool:
        """Wait for some of what is queued to be sent; whether there is hope for more."""
        ...


class InOutbox:
    """A `Destination`: rows wait in the outbox, at most *limit* bytes of them."""

    def __init__(self, outbox: Outbox, hub: Hub, limit: int, told: Callable[[], None]) -> None:
        self.outbox = outbox
        self._hub, self._limit, self._told = hub, limit, told

    def room(self) -> bool:
        """Wait for room; whether there is some."""
        while self.full():
            if not self._hub.room():
                return False
        return True

    def full(self) -> bool:
        """Whether all the room is taken."""
        count, held = self.outbox.waiting()
        return count > 0 and held >= self._limit

    def begin(self, facts: SourceFacts) -> Known:
        """Note what a source is; returns what is known of it, as of the last batch put aside."""
        # Told so that the hub never takes the source for one of its own.
        facts = replace(
            facts,
            kind=KIND,
            uri=f"{URI}{facts.uri}",
            stalled_after_s=float(facts.stalled_after_s),
            finished_after_s=float(facts.finished_after_s),
        )
        source = facts.source
        self.outbox.begin(facts, wire.write(wire.Begun(facts)))
        stock, numbers = self.outbox.stock(source), self.outbox.file_ids(source)
        rows = {}
        for one in stock.files:
            file_id, run_id = numbers[one.path]
            rows[one.path] = FileRow(
                file_id, run_id, source, one.stream, one.path, one.size, one.mtime_ns, one.version,
                one.offset, one.records, 0, one.head_bytes, one.head_hash, one.tail_bytes,
                one.tail_hash, one.content_key, known=True, was=one.cursor,
            )  # fmt: skip
        spent = self.outbox.spent(source, time.time())
        return Known(rows, self.outbox.runs(source), stock.deleted, *spent)

    def metadata(self, run_id: int, stream: str) -> list[Metadata]:
        """What is known of the series of a stream, here or at the hub; raises OSError where that
        is away."""
        found, elsewhere = self.outbox.metadata(run_id, stream)
        if elsewhere is None:
            return found
        try:
            told = self._hub.metadata(*elsewhere, stream)
        except HubAway as error:
            # Only the files that need it wait, as those that cannot be read.
            raise ConnectionError(error.message) from error
        self.outbox.learn(run_id, stream, told)
        return self.outbox.metadata(run_id, stream)[0]

    def write(self, pieces: list[Piece]) -> Written:
        """Put pieces aside and move their cursors, in one transaction."""
        messages = list(wire.write_pieces(pieces))
        self._make_room(sum(map(len, messages)))
        result = Written()
        with self.outbox.change() as db:
            for piece in pieces:
                share = result.of(piece.place.source)
                made = self.outbox.advance(db, piece)
                if made is None:
                    share.passed_over.append(piece.entry.path)
                    continue
                share.new_runs += made
                share.points += piece.points
                share.bytes += piece.bytes_read
                share.problems += len(piece.problems)
            # The hub passes over what is passed over here: it has the same cursors.
            self.outbox.put(db, messages)
        self._told()
        return result

    def _make_room(self, size: int) -> None:
        while True:
            count, held = self.outbox.waiting()
            if not count or held + size <= self._limit:
                return
            if not self._hub.room():
                raise SpoolFull(
                    f"{self.outbox.folder}: {held / 1e6:,.0f} MB wait for the hub, and"
                    f" {self._limit / 1e6:,.0f} MB are allowed: nothing more is read until it is back",
                    hint="nothing is lost: the next cycle goes on; --spool-limit allows more",
                )

    def directories(self, source: str) -> tuple[dict[str, int], dict[str, str]]:
        """Runs by directory, and what each directory held."""
        runs = {
            "" if path == "." else path: run_id
            for run_id, path in self.outbox.runs(source).items()
            if run_id is not None
        }
        return runs, self.outbox.looked(source)

    def beside(
        self,
        source: str,
        keys: dict[str, str],
        found: dict[int, list[RunFacts]],
        problems: list[Problem],
    ) -> None:
        """Put aside what lies beside event files."""
        paths = self.outbox.runs(source)
        batches: list[dict[str, list[RunFacts]]] = [{}]
        held = 0
        for run_id, many in found.items():
            size = sum(map(_size, many))
            if held + size > _MOST_FACTS:
                batches.append({})
                held = 0
            batches[-1][paths[run_id]] = many
            held += size
        messages = [wire.write(wire.Beside(source, {}, one, [])) for one in batches[:-1]]
        # The keys come last: what they stand for is there by then.
        first, *others = [{d: keys[d] for d in part} for part in _parts(list(keys))] or [{}]
        last = wire.Beside(source, first, batches[-1], problems[:_MOST_PROBLEMS])
        messages.append(wire.write(last))
        messages += [wire.write(wire.Beside(source, one, {}, [])) for one in others]
        self._make_room(sum(map(len, messages)))
        with self.outbox.change() as db:
            self.outbox.looked_at(db, source, keys)
            self.outbox.put(db, messages)
        self._told()

    def jobs(self, source: str, found: list[Job]) -> None:
        """Put aside the jobs of a cluster."""
        message = wire.write(wire.Jobs(source, found))
        self._put(message)

    def gone(
        self, source: str, rows: dict[str, FileRow], gone: list[FileRow], *, mirror: bool
    ) -> None:
        """Put aside which files are gone and which are back, where that is news."""
        missing = self.outbox.missing(source)
        absent = {row.path for row in gone}
        fresh = sorted(absent if mirror else absent - missing)
        back = sorted(path for path in missing - absent if path in rows)
        if not fresh and not back:
            return
        messages = [wire.write(wire.Gone(source, part, [], mirror)) for part in _parts(fresh)]
        messages += [wire.write(wire.Gone(source, [], part, mirror)) for part in _parts(back)]
        with self.outbox.change() as db:
            self.outbox.miss(db, source, fresh, back, drop=mirror)
            self.outbox.put(db, messages)
        self._told()

    def problems(self, source: str, found: list[Problem]) -> None:
        """Put aside what a listing could not see, where that is news."""
        told = found[:_MOST_PROBLEMS]
        digest = hashlib.blake2b(repr(told).encode("utf-8", "surrogatepass"), digest_size=12)
        news = digest.hexdigest() if told else ""
        if news == self.outbox.last_problems(source):
            return
        message = wire.write(wire.Problems(source, told))
        with self.outbox.change() as db:
            self.outbox.problems_are(db, source, news)
            self.outbox.put(db, [message])
        self._told()

    def cycles(self, reports: list[dict[str, Any]]) -> None:
        """Put aside rows of `cycles`; there is no room for those in a full outbox."""
        now = time.time()
        rows = [(str(r["source"]), r["started_at"], r["requests"], r["cost"]) for r in reports]
        with self.outbox.change() as db:
            self.outbox.spend(db, rows, now)
            if reports and not self.full():
                self.outbox.put(db, [wire.write(wire.Cycles(reports))])
        self._told()

    def _put(self, message: bytes) -> None:
        with self.outbox.change() as db:
            self.outbox.put(db, [message])
        self._told()


def _parts(paths: list[str]) -> Iterator[list[str]]:
    """*paths* in parts that fit into a message each."""
    start = held = 0
    for at, path in enumerate(paths):
        if held > _MOST_PATHS:
            yield paths[start:at]
            start, held = at, 0
        # Six characters for one that JSON escapes.
        held += 6 * len(path) + 40
    if start < len(paths):
        yield paths[start:]


def _size(facts: RunFacts) -> int:
    texts = sum(len(one.name) + len(one.value) + 100 for one in facts.hparams)
    return texts + 200 * len(facts.artifacts) + 1000
