"""Killed, crowded, full, locked or told to stop: every point is in the lake exactly once."""

from __future__ import annotations

import fcntl
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from boardlake.core.errors import Interrupted, LakeBusy, SpaceError
from boardlake.ingest.cycle import run
from boardlake.ingest.reader import Limits
from boardlake.ingest.report import Options, Progress
from boardlake.ingest.sample import forms
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.setup import setups
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import Location, locate, open_statements

WALL = 1_700_000_000.0
RUNS, FILES, EVENTS = 4, 2, 60
NAME = "run/events.out.tfevents.1700000000.host.7.0"

# Imports and compiled code first; then one ingester per line of stdin, forked, killed by the parent
# after so many seconds. Forked before any thread or lake of this process: those do not survive a fork.
NURSERY = """
import os, random, signal, sys, time
from boardlake.core.settings import SourceSettings
from boardlake.ingest.cycle import run
from boardlake.ingest.report import Options
from boardlake.ingest.reader import Limits
from boardlake.ingest.setup import setups
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.kernels import decode, series
place, source = sys.argv[1:]
def ingest():
    found = setups({"src": SourceSettings(uri=source, machine="here")})
    with open_lake(locate(place), read_only=False, create=True) as lake:
        for _ in range(50):
            run(lake, found, Options(batch_points=1, limits=Limits(400)))
            time.sleep(0.01)
for line in sys.stdin:
    count, *delays = line.split()
    children = []
    for _ in range(int(count)):
        child = os.fork()
        if not child:
            try:
                ingest()
            except BaseException:
                import traceback
                traceback.print_exc()
            os._exit(1)
        children.append(child)
    for child, delay in zip(children, delays):
        time.sleep(float(delay))
        os.kill(child, signal.SIGKILL)
    died = [os.waitpid(child, 0)[1] for child in children]
    print(*died, flush=True)
"""


def write_tree(source: Path, seed: int = 0, events: int = EVENTS) -> int:
    """Runs of several files with steps that go back, which grow if they are there already; returns
    how many scalar points that is."""
    draw = random.Random(seed)
    for number in range(RUNS):
        for file in range(FILES):
            name = f"run{number}/events.out.tfevents.{1700000000 + 100 * file}.host.{file}.0"
            with EventWriter(source / name, append=seed > 0) as writer:
                if not seed:
                    writer.file_version(WALL)
                for _ in range(events):
                    step = draw.randrange(40)
                    writer.scalar(draw.choice("ab"), draw.random(), step, WALL + seed)
                writer.values([forms.text("note", name)], 1, WALL)
    return RUNS * FILES * events


def ingest_all(house: Any) -> None:
    """An undisturbed cycle, and one that finds nothing left."""
    house.cycle()
    assert house.cycle().files_changed == 0


def facts(house: Any) -> list[tuple[Any, ...]]:
    """What must not depend on how the rows came in, beside the points."""
    return [
        *house.query(
            "SELECT path, stream, tag, s.kind, s.points, superseded, s.first_step, s.last_step,"
            ' "first", "last", "min", min_step, "max", max_step, s.attempts FROM series s'
            " JOIN runs USING (run_id) ORDER BY ALL"
        ),
        *house.query("SELECT path, points, attempts, files FROM runs ORDER BY path"),
        *house.query(
            "SELECT path, points, records, offset_read, attempts FROM files ORDER BY path"
        ),
    ]


@contextmanager
def nursery(house: Any, source: Path) -> Iterator[Any]:
    """Runs a round of ingesters and kills them; yields a function of (delays)."""
    house.lake.close()
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", NURSERY, str(house.root / "lake"), str(source)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin and process.stdout

        def kill_after(*delays: float) -> list[int]:
            print(len(delays), *delays, file=process.stdin, flush=True)
            return [int(status) for status in process.stdout.readline().split()]

        try:
            yield kill_after
        finally:
            process.stdin.close()
            process.wait()
    house.lake = open_lake(locate(str(house.root / "lake")), read_only=False)


def test_nothing_is_lost_or_doubled_by_sixty_kills(house: Any, build: Any) -> None:
    """Ingesters killed at any moment, one or two at once: the next cycle makes it whole."""
    source = house.source
    points = write_tree(source)
    draw = random.Random(7)
    killed = 0
    with nursery(house, source) as kill_after:
        for number in range(45):
            if number:
                # There is work for every one of them.
                points += write_tree(source, seed=number, events=10)
            delay = draw.uniform(0.05, 0.8)
            delays = [delay] if number % 3 else [delay, draw.uniform(0, 0.3)]
            statuses = kill_after(*delays)
            assert statuses == [signal.SIGKILL] * len(delays)
            killed += len(delays)
    assert killed >= 60
    ingest_all(house)
    calm = build()
    with calm.lake:
        shutil.rmtree(calm.source)
        shutil.copytree(source, calm.source)
        ingest_all(calm)
        assert house.one("SELECT count(*) FROM scalar_points") == points
        assert house.points() == calm.points()
        assert facts(house) == facts(calm)


INGESTER = """
import sys
from boardlake.core.settings import SourceSettings
from boardlake.ingest.cycle import run
from boardlake.ingest.report import Options
from boardlake.ingest.reader import Limits
from boardlake.ingest.setup import setups
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.lake.maintain import maintain
place, source, cycles, upkeep = sys.argv[1:]
found = setups({"src": SourceSettings(uri=source, machine="here")})
with open_lake(locate(place), read_only=False, create=True) as lake:
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(int(cycles)):
        reports = run(lake, found, Options(batch_points=1, limits=Limits(1500)))
        assert not reports[0].error, reports
        if upkeep:
            maintain(lake)
"""


@contextmanager
def ingester(house: Any, cycles: int, *, upkeep: bool = False) -> Iterator[subprocess.Popen[str]]:
    """An ingester in a process of its own that has opened the lake and waits for a line."""
    arguments = [str(house.root / "lake"), str(house.source), str(cycles), "upkeep" * upkeep]
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", INGESTER, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def go(process: subprocess.Popen[str]) -> None:
    """Let it begin."""
    assert process.stdin
    print(file=process.stdin, flush=True)


def test_two_ingesters_at_once_store_every_point_once(house: Any, build: Any) -> None:
    """Whoever is faster: the other passes over what is there."""
    points = write_tree(house.source)
    with ingester(house, 2) as one, ingester(house, 2) as two:
        go(one)
        go(two)
        assert (one.wait(), two.wait()) == (0, 0)
    assert house.one("SELECT count(*) FROM scalar_points") == points
    ingest_all(house)
    calm = build()
    with calm.lake:
        shutil.copytree(house.source, calm.source, dirs_exist_ok=True)
        ingest_all(calm)
        assert house.points() == calm.points()
        assert facts(house) == facts(calm)


# One statement sees one snapshot: the rows of every file are as many as its row in `files` says.
WHOLE = (
    "SELECT count(*) FROM files f LEFT JOIN"
    " (SELECT file_id, count(*) AS n FROM scalar_points GROUP BY file_id) p USING (file_id)"
    " WHERE f.points <> coalesce(p.n, 0)"
)
SUMMED = (
    "SELECT count(*) FROM (SELECT run_id, sum(points + superseded) AS n FROM series"
    " WHERE kind = 'scalar' GROUP BY run_id) s"
    " FULL JOIN (SELECT run_id, count(*) AS n FROM scalar_points GROUP BY run_id) p USING (run_id)"
    " WHERE s.n IS DISTINCT FROM p.n"
)


def test_readers_see_whole_commits_only(house: Any) -> None:
    """Our own connection and a plain DuckDB client, while an ingester writes and keeps house."""
    write_tree(house.source)
    location = house.lake.location
    looks, counts = 0, set()
    with (
        ingester(house, 3, upkeep=True) as process,
        closing(duckdb.connect()) as plain,
        open_lake(location) as ours,
    ):
        plain.execute(open_statements(location))
        go(process)
        while process.poll() is None or looks < 3:
            for sql in (WHOLE, SUMMED):
                assert ours.query(sql) == [(0,)]
                assert plain.execute(sql).fetchall() == [(0,)]
            counts.add(plain.execute("SELECT count(*) FROM scalar_points").fetchall()[0][0])
            looks += 1
        assert process.returncode == 0
    assert max(counts) == RUNS * FILES * EVENTS


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small file system needs the right to mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_loses_nothing(
    house: Any, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the place; once there is room the next cycle goes on."""
    house.write(NAME, [("loss", step, step / 7) for step in range(2000)])
    house.cycle()
    shutil.move(house.lake.location.data, small_disk / "data")
    house.lake.location.data.symlink_to(small_disk / "data")
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as out, pytest.raises(OSError, match="No space left"):
        while True:
            out.write(bytes(4096))
    more = [("loss", step, step / 7) for step in range(2000, 6000)]
    house.write(NAME, more, append=True)
    with pytest.raises(SpaceError, match=re.escape(str(house.root))):
        house.cycle()
    assert house.one("SELECT count(*) FROM scalar_points") == 2000
    filler.unlink()
    house.cycle()
    assert house.one("SELECT count(*) FROM scalar_points") == 6000
    assert house.one("SELECT points FROM files") == 6000


def test_too_little_room_is_seen_before_anything_is_written(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the lake and says what to do."""
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    house.write(NAME, [("loss", 1, 1.0)])
    with pytest.raises(SpaceError, match=re.escape(str(house.root / "lake"))) as caught:
        house.cycle()
    assert "free some space" in caught.value.hint


def test_a_held_lock_is_told_with_its_holder(house: Any) -> None:
    """Whoever cannot have the writers' lock in time says who has it."""
    house.write(NAME, [("loss", 1, 1.0)])
    house.lake.lock_timeout_s = 0.2
    with house.lake.location.lock.open("w") as held:
        held.write("4711")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LakeBusy, match=r"writer\.lock: process 4711 .* 0\.2 s"):
            house.cycle()
    house.cycle()
    assert house.one("SELECT count(*) FROM scalar_points") == 1


# In a process of its own: within one process SQLite's locks do not hold.
HOLDER = """
import sqlite3, sys
catalog = sqlite3.connect(sys.argv[1], isolation_level=None)
catalog.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
"""


class Impatient(Location):
    """A lake whose writers wait for other programs a tenth of a second only."""

    def attach_sql(self, *, read_only: bool) -> str:
        """As it is, with a shorter wait."""
        return super().attach_sql(read_only=read_only).replace("30000", "100")


def test_a_catalog_locked_by_another_program_is_told(house: Any) -> None:
    """A foreign SQLite client in a write transaction: nothing is kept, the next cycle goes on."""
    house.write(NAME, [("loss", 1, 1.0)])
    location = Impatient(house.lake.location.root)
    house.lake.close()
    house.lake = open_lake(location, read_only=False)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(location.catalog)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout and other.stdout.readline() == "locked\n"
        with pytest.raises(LakeBusy, match=r"catalog\.sqlite is locked by another program"):
            house.cycle()
        other.communicate()
    house.cycle()
    assert house.one("SELECT count(*) FROM scalar_points") == 1


class StopAtOnce(Progress):
    """Asks to stop when the first batch is committed."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def advance(self, source: str, size: int, points: int) -> None:
        """Stop."""
        self.options.stop.set()


def test_a_stop_keeps_what_is_committed(house: Any) -> None:
    """The commit under way is the last one; the next cycle goes on behind it."""
    points = write_tree(house.source)
    options = Options(batch_points=1, limits=Limits(400))
    options.progress = StopAtOnce(options)
    with pytest.raises(Interrupted):
        run(house.lake, setups({}, (str(house.source),)), options)
    kept = house.one("SELECT count(*) FROM scalar_points")
    assert 0 < kept < points
    run(house.lake, setups({}, (str(house.source),)), Options())
    assert house.one("SELECT count(*) FROM scalar_points") == points


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_after_its_commit(house: Any, number: signal.Signals) -> None:
    """`boardlake ingest` ends with 130, and what it had committed is whole."""
    with EventWriter(house.source / NAME) as writer:
        for step in range(60_000):
            writer.scalar("loss", 1.0, step, WALL + step)
    config = house.root / "config.toml"
    config.write_text("[ingest]\nbatch_points = 1000\npiece_bytes = 100_000\n")
    command = [sys.executable, "-W", "ignore", "-m", "boardlake", "--config", str(config)]
    command += ["--lake", str(house.root / "lake"), "ingest", str(house.source)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not house.one("SELECT count(*) FROM scalar_points"):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        _, told = process.communicate()
    assert process.returncode == 130, told
    assert "stopped after the current commit" in told
    assert 0 < house.one("SELECT count(*) FROM scalar_points") < 60_000
    assert house.query(WHOLE) == [(0,)]
    run(house.lake, setups({}, (str(house.source),)), Options())
    assert house.one("SELECT count(*) FROM scalar_points") == 60_000


def test_a_transaction_tried_again_counts_attempts_once(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conflict with a foreign writer repeats the commit with the same pieces."""
    house.write(NAME, [("loss", 5, 1.0), ("loss", 2, 2.0)])
    house.cycle()
    house.write(NAME, [("loss", 7, 3.0)], append=True)
    real, left = Lake.transaction, [1]

    @contextmanager
    def conflict_once(self: Lake) -> Iterator[Any]:
        with real(self) as con:
            yield con
            if left and left.pop():
                raise duckdb.TransactionException("Conflict on commit")

    monkeypatch.setattr(Lake, "transaction", conflict_once)
    run(house.lake, [replace_source(house)], Options())
    found = house.query("SELECT step, attempt FROM scalar_points ORDER BY record")
    assert found == [(5, 0), (2, 1), (7, 1)]
    assert house.query("SELECT attempts, points FROM series") == [(2, 2)]


def replace_source(house: Any) -> Any:
    """The house's source as `House.cycle` names it."""
    (setup,) = setups({}, (str(house.source),))
    return replace(
        setup,
        name="src",
        facts=replace(setup.facts, source="src", machine="here"),
        plan=replace(setup.plan, rules=replace(setup.plan.rules, source="src", machine="here")),
    )
