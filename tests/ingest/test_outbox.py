"""The outbox of an edge: what was read and what waits for the hub are one transaction, and bounded."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.errors import HubAway, LakeError, SpaceError, UsageError
from boardlake.core.settings import SourceSettings
from boardlake.core.values import Job, Problem
from boardlake.ingest import edge
from boardlake.ingest.cycle import run, run_to
from boardlake.ingest.hub import check_url
from boardlake.ingest.outbox import InOutbox, SpoolFull
from boardlake.ingest.reader import Limits
from boardlake.ingest.report import Options
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.setup import setups
from boardlake.lake import receive, wire
from boardlake.lake.outbox import Outbox
from boardlake.tests.ingest.sources.test_corpus import assert_equal, rows

NAME = "events.out.tfevents.1700000000.host.7.0"
Series = Sequence[tuple[str, str, str, bytes, str, str]]


class NoHub:
    """A hub that is away, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.series: Series = ()
        self.away = False

    def metadata(self, source: str, run: str, stream: str) -> Series:
        """What it would say of series."""
        self.asked.append((source, run, stream))
        if self.away:
            raise HubAway("it is away")
        return self.series

    def room(self) -> bool:
        """Nothing is ever sent."""
        return False


class Box:
    """A house whose cycles go to an outbox; `deliver` has its lake take what waits."""

    def __init__(self, house: Any) -> None:
        self.house, self.hub = house, NoHub()
        self.outbox = Outbox(house.root / "spool")

    def cycle(self, limit: int = 1 << 30, **settings: Any) -> Any:
        """One cycle into the outbox."""
        options = Options(batch_points=50, limits=Limits(2000))
        into = InOutbox(self.outbox, self.hub, limit, lambda: None)
        source = SourceSettings(uri=str(self.house.source), machine="here", **settings)
        (report,) = run_to(into, setups({"src": source}), options)
        assert not report.error
        return report

    def deliver(self) -> list[tuple[str, str]]:
        """Give all that waits to the lake; returns what was passed over."""
        last, messages = self.outbox.head(1 << 30)
        found = receive.apply(self.house.lake, wire.read(b"".join(messages)), lambda _: True)
        self.outbox.sent(last)
        return found.passed_over

    def digests(self) -> tuple[str, str]:
        """What both sides know."""
        return (
            self.outbox.stock("src").digest(),
            receive.stock(self.house.lake.con, "src").digest(),
        )


@pytest.fixture
def box(house: Any) -> Iterator[Box]:
    """An empty outbox."""
    made = Box(house)
    yield made
    made.outbox.close()


def test_both_sides_know_the_same(box: Box, build: Any) -> None:
    """After every delivery, whatever the files did; and the lake is that of a local ingest."""
    house = box.house
    house.write("a/" + NAME, [("loss", step, step / 3) for step in range(60)])
    house.write("b/train/" + NAME, [("loss", 1, 1.0)])
    house.write("empty/" + NAME, [])
    (house.source / "a" / "hparams.yaml").write_text("lr: 0.1\n")
    steps = [
        lambda: None,
        lambda: house.write("a/" + NAME, [("loss", 99, 1.0)], append=True),
        lambda: house.write("empty/" + NAME, [("loss", 1, 1.0)], append=True),
        lambda: house.write("a/" + NAME, [("other", 1, 1.0)]),
        lambda: shutil.rmtree(house.source / "b"),
        lambda: house.write("b/train/" + NAME, [("loss", 1, 1.0), ("loss", 2, 1.0)]),
        lambda: (house.source / "a" / "args.json").write_text('{"depth": 3}'),
    ]
    with build().lake as lake:
        source = SourceSettings(uri=str(house.source), machine="here")
        for change in steps:
            change()
            box.cycle()
            assert box.deliver() == []
            one, other = box.digests()
            assert one == other
            run(lake, setups({"src": source}), Options())
        assert_equal(rows(house.lake), rows(lake))
    assert box.cycle().files_changed == 0


def test_a_mirror_drops_what_went(box: Box) -> None:
    """On both sides."""
    for name in ("a", "b"):
        box.house.write(f"{name}/{NAME}", [("loss", 1, 1.0)])
    box.cycle(policy="mirror")
    box.deliver()
    shutil.rmtree(box.house.source / "a")
    box.cycle(policy="mirror")
    box.deliver()
    assert box.house.query("SELECT path FROM run_facts") == [("b",)]
    one, other = box.digests()
    assert one == other
    assert list(box.outbox.runs("src").values()) == ["b"]


def test_a_failure_keeps_nothing_of_a_batch(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cursors and messages go together: what was not put aside is read again."""
    box.house.write("a/" + NAME, [("loss", step, 1.0) for step in range(200)])
    put = Outbox.put
    calls = []

    def fail(self: Outbox, db: sqlite3.Connection, messages: Any) -> None:
        calls.append(1)
        put(self, db, messages)
        if len(calls) == 4:
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Outbox, "put", fail)
    with pytest.raises(SpaceError, match="disk is full"):
        box.cycle()
    monkeypatch.undo()
    box.cycle()
    assert box.deliver() == []
    assert box.house.one("SELECT count(*) FROM scalar_points") == 200
    one, other = box.digests()
    assert one == other


def test_a_limit(box: Box) -> None:
    """No more than the limit and one batch waits, and what waits is whole."""
    box.house.write("a/" + NAME, [("loss", step, step / 7) for step in range(2000)])
    with pytest.raises(SpoolFull, match="nothing more is read"):
        box.cycle(limit=6_000)
    assert box.outbox.waiting()[1] <= 6_000
    while True:
        assert box.deliver() == []
        try:
            box.cycle(limit=6_000)
        except SpoolFull:
            continue
        break
    assert box.deliver() == []
    assert box.house.one("SELECT count(DISTINCT step) FROM scalar_points") == 2000
    assert box.house.one("SELECT count(*) FROM scalar_points") == 2000


def test_metadata_that_only_the_hub_knows(box: Box) -> None:
    """Writers say what a tensor is only once: after a lost spool the hub is asked, once a stream."""

    def write(step: int, *, append: bool) -> None:
        with EventWriter(box.house.source / "a" / NAME, append=append) as writer:
            if not append:
                writer.file_version(1e9)
            writer.scalar_tensor("loss", 1.5, step, 1e9 + step)

    write(1, append=False)
    box.cycle()
    box.deliver()
    stock = receive.stock(box.house.lake.con, "src")
    box.hub.series = receive.metadata(box.house.lake.con, "src", "a", "")
    box.outbox.close()
    shutil.rmtree(box.outbox.folder)
    box.outbox = Outbox(box.outbox.folder)
    box.outbox.take("src", stock)
    write(2, append=True)
    box.house.write("b/" + NAME, [("loss", 1, 1.0)])
    box.hub.away = True
    assert box.cycle().points == 1, "what needs it waits, the other run does not"
    box.hub.away = False
    (run_id, _) = sorted(number for number in box.outbox.runs("src") if number is not None)
    into = InOutbox(box.outbox, box.hub, 1 << 30, lambda: None)
    assert [one[0] for one in into.metadata(run_id, "")] == ["loss"]
    into.metadata(run_id, "")
    assert box.hub.asked == 2 * [("src", "a", "")]
    assert box.cycle().points == 1
    assert box.deliver() == []
    steps = "SELECT r.path, step FROM scalar_points JOIN run_facts r USING (run_id) ORDER BY ALL"
    assert box.house.query(steps) == [("a", 1), ("a", 2), ("b", 1)]
    assert box.house.query("SELECT path FROM problems") == []


def test_what_is_no_news_is_not_told(box: Box) -> None:
    """A quiet cycle is one message: that it was."""
    box.house.write("a/" + NAME, [("loss", 1, 1.0)])
    box.cycle()
    box.deliver()
    box.cycle()
    (message,) = wire.read(b"".join(box.outbox.head(1 << 20)[1]))
    assert isinstance(message, wire.Cycles)
    into = InOutbox(box.outbox, box.hub, 1 << 30, lambda: None)
    told = [Problem("x", 0, 0, "unreadable", "why")]
    before = box.outbox.waiting()[0]
    for found in (told, told, [], []):
        into.problems("src", found)
    assert box.outbox.waiting()[0] == before + 2
    into.jobs("src", [Job("12", state="RUNNING", since=1.6e9, started_at=1.6e9, roots=("a",))])
    box.deliver()
    assert box.house.query("SELECT job_id FROM jobs") == [("12",)]


def test_of_many_paths_each_message_has_a_part(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub takes only so much at once; together they say all."""
    monkeypatch.setattr("boardlake.ingest.outbox._MOST_PATHS", 100)
    for number in range(9):
        box.house.write(f"{number}/{NAME}", [("loss", 1, 1.0)])
        (box.house.source / str(number) / "hparams.yaml").write_text("lr: 0.1\n")
    box.cycle()
    messages = list(wire.read(b"".join(box.outbox.head(1 << 30)[1])))
    keys = [len(one.keys) for one in messages if isinstance(one, wire.Beside)]
    assert len(keys) > 1 and sum(keys) == 9
    assert box.deliver() == []
    for number in range(5):
        shutil.rmtree(box.house.source / str(number))
    box.cycle()
    messages = list(wire.read(b"".join(box.outbox.head(1 << 30)[1])))
    gone = [len(one.gone) for one in messages if isinstance(one, wire.Gone)]
    assert len(gone) > 1 and sum(gone) == 5
    assert box.deliver() == []
    one, other = box.digests()
    assert one == other
    assert box.house.one("SELECT count(*) FROM files WHERE missing_since IS NOT NULL") == 5
    assert box.house.one("SELECT count(*) FROM hparams") == 9


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    """With what to do, and that nothing is lost by it."""
    Outbox(tmp_path).close()
    (tmp_path / "outbox.sqlite").write_bytes(b"no database" * 1000)
    for name in ("outbox.sqlite-wal", "outbox.sqlite-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(LakeError, match="remove the directory"):
        Outbox(tmp_path)
    assert (tmp_path / "outbox.sqlite").stat().st_mode & 0o077 == 0


def test_names() -> None:
    """A path's source has this machine's name in front, a configured one its own."""
    source = SourceSettings(uri="/logs")
    configured, given = setups({"lab": source}), setups({}, ("/logs",))
    (own,) = edge.named(configured, {"lab": source})
    assert own.name == "lab"
    (path,) = edge.named(given, {})
    assert path.name.endswith(f".{given[0].name}") and path.name != given[0].name
    assert path.facts.source == path.plan.rules.source == path.name
    assert path.plan.rules.label == given[0].plan.rules.label
    assert replace(path.facts, source="") == replace(given[0].facts, source="")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://hub.example", "anybody on the way"),
        ("https://me:hidden@hub.example", "no secrets in the address"),
        ("https://hidden@hub.example", "no secrets in the address"),
        ("ftp://hub.example", "expected https"),
        ("hub.example", "expected https"),
        ("https://hub.example?token=hidden", "expected https"),
        ("https://hub.example:99999", "is no address"),
        ("https://[::1", "is no address"),
    ],
)
def test_addresses(url: str, says: str) -> None:
    """A hub has https, but on this machine; what may be a secret is not shown again."""
    with pytest.raises(UsageError, match=says) as failure:
        check_url(url)
    assert "hidden" not in str(failure.value)
    assert check_url("https://hub.example/lake/") == "https://hub.example/lake"
    assert check_url("http://127.0.0.1:8470") == "http://127.0.0.1:8470"
    assert check_url("http://hub.example", plain=True) == "http://hub.example"
