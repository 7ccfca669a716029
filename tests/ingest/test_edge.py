"""Edge mode against a real hub: what is pushed is what a local ingest stores, exactly once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from boardlake.core import tokens
from boardlake.core.errors import HubAway, HubError, Interrupted
from boardlake.core.settings import SourceSettings
from boardlake.ingest import edge
from boardlake.ingest.cycle import run
from boardlake.ingest.hub import Hub
from boardlake.ingest.reader import Limits
from boardlake.ingest.report import Options
from boardlake.ingest.sample import forms
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.setup import setups
from boardlake.lake.database import open_lake
from boardlake.lake.delete import delete_runs
from boardlake.lake.location import locate
from boardlake.lake.outbox import Outbox
from boardlake.tests.ingest.sources.test_corpus import assert_equal, rows
from boardlake.tests.servers.hub import HubServer

WALL = 1_700_000_000.0
NAME = "events.out.tfevents.1700000000.host.7.0"
_FREE = 1 << 30


class Edge:
    """A machine with a tree of files, its outbox, and a lake of its own to compare with."""

    def __init__(self, folder: Path, empty: Path, hub: HubServer) -> None:
        self.source, self.spool, self.hub = folder / "logs", folder / "spool", hub
        self.source.mkdir(parents=True, exist_ok=True)
        self.token = hub.token
        self.name, self.machine = "logs", "here"
        shutil.copytree(empty, folder / "lake")
        self.local = folder / "lake"

    def setups(self) -> Any:
        """The source, as its config has it."""
        return setups({self.name: SourceSettings(uri=str(self.source), machine=self.machine)})

    def push(
        self, *, limit: int = _FREE, batch: int = 2_000_000, piece: int = 8 << 20
    ) -> edge.Sent:
        """One cycle to the hub."""
        options = Options(batch_points=batch, limits=Limits(piece))
        hub = Hub(self.hub.url, self.token, {}, options.stop)
        outbox = Outbox(self.spool)
        try:
            return edge.run(outbox, hub, self.setups(), options, limit)
        finally:
            outbox.close()
            hub.close()

    def write(self, path: str, points: int, *, append: bool = False, start: int = 0) -> None:
        """An event file of scalars, or more of it."""
        with EventWriter(self.source / path / NAME, append=append) as writer:
            if not append:
                writer.file_version(WALL)
            for step in range(start, start + points):
                for tag in ("loss", "accuracy"):
                    writer.scalar(tag, float(step % 7), step, WALL + step)

    def wanted(self) -> dict[str, list[str]]:
        """What a local ingest makes of the files as they are."""
        with open_lake(locate(str(self.local)), read_only=False) as lake:
            (report,) = run(lake, self.setups(), Options())
            assert not report.error
            return rows(lake)

    def assert_there(self) -> None:
        """The hub has every row of a local ingest, and no other."""
        with self.hub.lake() as lake:
            assert_equal(rows(lake), self.wanted())


@pytest.fixture
def hub(tmp_path: Path, empty_lake: Path) -> Iterator[HubServer]:
    """A hub that runs."""
    server = HubServer(tmp_path, empty_lake)
    server.start()
    yield server
    server.stop(signal.SIGKILL)


@pytest.fixture
def machine(tmp_path: Path, empty_lake: Path, hub: HubServer) -> Edge:
    """A machine without files."""
    return Edge(tmp_path / "edge", empty_lake, hub)


def write_forms(machine: Edge) -> None:
    """A run with a value of every kind."""
    values = [
        forms.histogram("weights", [0.5, 1.0, 2.0]), forms.text("words", "some text"),
        forms.image_tensor("images", [b"\x89PNG\r\n\x1a\n", b"other"], 4, 3),
        forms.audio_tensor("sound", [b"RIFFaaaaWAVE", b"b"], ["one", "two"]),
        forms.scalar_tensor("tensor", float("nan")), forms.simple("plain", float("inf")),
    ]  # fmt: skip
    with EventWriter(machine.source / "forms" / NAME) as writer:
        writer.file_version(WALL)
        writer.hparams({"lr": 0.1, "depth": 3}, ["plain"], WALL)
        for step in range(3):
            writer.values(values, step, WALL + step)


def test_all_that_a_local_ingest_stores(machine: Edge) -> None:
    """Scalars, tensors, images, hyperparameters, side files, problems: row for row the same, after
    the files grew, were replaced and went, too."""
    machine.write("a", 50)
    machine.write("b/train", 30)
    write_forms(machine)
    (machine.source / "a" / "hparams.yaml").write_text("lr: 0.1\nname: x\n")
    (machine.source / "bad").mkdir()
    (machine.source / "bad" / NAME).write_bytes(b"\x01" * 40)
    sent = machine.push()
    assert sent.failure is None and sent.waiting == 0 and sent.reports[0].points > 160
    machine.assert_there()

    machine.write("a", 40, append=True, start=50)
    machine.write("c", 10)
    (machine.source / "b" / "train" / NAME).unlink()
    machine.push()
    machine.assert_there()

    (machine.source / "a" / NAME).unlink()
    machine.write("a", 20, start=5)
    machine.push()
    machine.assert_there()
    assert machine.push().reports[0].files_changed == 0
    with machine.hub.lake() as lake:
        assert lake.query("SELECT kind, uri FROM source_facts") == [
            ("edge", f"edge:{machine.source}")
        ]
        ((cycles,),) = lake.query("SELECT count(*) FROM cycles")
        assert cycles == 4


def test_the_corpus(machine: Edge, corpus: Path) -> None:
    """Real files of every framework arrive as a local ingest stores them."""
    for name in sorted(os.listdir(corpus)):
        if (corpus / name).is_dir():
            (machine.source / name).symlink_to(corpus / name)
    sent = machine.push(batch=300_000)
    assert sent.failure is None and sent.waiting == 0
    machine.assert_there()


def test_a_hub_that_is_away(machine: Edge) -> None:
    """What is read meanwhile waits, and all of it arrives when the hub is back."""
    machine.write("a", 20)
    machine.push()
    machine.hub.stop()
    machine.write("a", 20, append=True, start=20)
    machine.write("b", 20)
    sent = machine.push()
    assert isinstance(sent.failure, HubAway) and sent.waiting > 0 and sent.bytes == 0
    assert sent.reports[0].points == 80 and not sent.reports[0].error
    machine.write("b", 5, append=True, start=20)
    machine.push()
    machine.hub.start()
    sent = machine.push()
    assert sent.failure is None and sent.waiting == 0
    machine.assert_there()


def test_a_lost_spool_costs_no_second_reading(machine: Edge) -> None:
    """The hub knows how far everything was read."""
    machine.write("a", 30)
    machine.write("b", 30)
    machine.push()
    shutil.rmtree(machine.spool)
    machine.write("b", 10, append=True, start=30)
    sent = machine.push()
    assert sent.reports[0].files_changed == 1 and sent.reports[0].points == 20
    machine.assert_there()


def test_a_spool_that_is_full(machine: Edge) -> None:
    """Reading stops, says so, and goes on when the hub is back; with the hub there it never stops."""
    for run_number in range(4):
        machine.write(f"run{run_number}", 300)
    machine.hub.stop()
    sent = machine.push(limit=3_000, batch=300, piece=4_000)
    assert isinstance(sent.failure, HubAway)
    assert "takes all the room" in sent.reports[0].skipped and not sent.reports[0].error
    assert 0 < sent.waiting_bytes <= 6_000
    again = machine.push(limit=3_000, batch=300, piece=4_000)
    assert again.waiting_bytes <= 6_000 and "takes all the room" in again.reports[0].skipped
    machine.hub.start()
    sent = machine.push(limit=3_000, batch=300, piece=4_000)
    assert sent.failure is None and not sent.reports[0].skipped and sent.waiting == 0
    machine.push()
    machine.assert_there()


def test_a_wrong_token(machine: Edge) -> None:
    """It is an error of its own; nothing is lost, and the token is in no message and no file."""
    machine.write("a", 10)
    machine.token = "bl_" + "wrong-secret" * 3
    with pytest.raises(HubError) as failure:
        machine.push()
    assert not isinstance(failure.value, HubAway) and "token" in str(failure.value)
    assert "wrong-secret" not in str(failure.value)
    machine.token = machine.hub.token
    machine.push()
    machine.assert_there()
    for file in (*machine.spool.rglob("*"), *machine.hub.root.rglob("*")):
        if file.is_file():
            assert machine.hub.token.encode() not in file.read_bytes(), file


def test_a_token_for_other_sources(machine: Edge) -> None:
    """A token that is bound to names writes to no other source."""
    machine.write("a", 10)
    machine.token = tokens.add(machine.hub.tokens, "bound", "push", ("lab-*",))
    with pytest.raises(HubError, match="may not push the source 'logs'"):
        machine.push()
    with machine.hub.lake() as lake:
        assert lake.query("SELECT count(*) FROM files") == [(0,)]
    machine.name = "lab-1"
    shutil.rmtree(machine.spool)
    machine.push()
    machine.assert_there()


def test_a_name_that_another_machine_has(machine: Edge) -> None:
    """Two machines with one name for a source are told, not mixed."""
    machine.write("a", 10)
    machine.push()
    shutil.rmtree(machine.spool)
    machine.machine = "there"
    with pytest.raises(HubError, match="that of another machine, 'here'"):
        machine.push()


def test_a_hub_restored_from_a_backup(machine: Edge) -> None:
    """What the hub has lost is read again, and nothing comes twice."""
    machine.write("a", 30)
    machine.push()
    machine.hub.stop()
    backup = machine.hub.root.with_name("backup")
    shutil.copytree(machine.hub.root, backup)
    machine.hub.start()
    machine.write("a", 30, append=True, start=30)
    machine.write("b", 30)
    machine.push()
    machine.hub.stop()
    shutil.rmtree(machine.hub.root)
    backup.rename(machine.hub.root)
    machine.hub.start()
    machine.write("a", 5, append=True, start=60)
    machine.push()
    machine.push()
    machine.assert_there()


def test_a_run_deleted_at_the_hub_stays_deleted(machine: Edge) -> None:
    """Its files, which are still here, are not pushed again."""
    machine.write("a", 10)
    machine.write("b", 10)
    machine.push()
    machine.hub.stop()
    with open_lake(locate(str(machine.hub.root)), read_only=False) as lake:
        ((run_id,),) = lake.query("SELECT run_id FROM run_facts WHERE path = 'a'")
        delete_runs(lake, [run_id])
    machine.hub.start()
    machine.write("a", 10, append=True, start=10)
    machine.push()
    with machine.hub.lake() as lake:
        assert lake.query("SELECT path FROM run_facts") == [("b",)]
        assert lake.query("SELECT DISTINCT path FROM files") == [(f"b/{NAME}",)]


def test_two_machines_at_once(tmp_path: Path, empty_lake: Path, hub: HubServer) -> None:
    """Each pushes its own source; both arrive whole."""
    machines = [Edge(tmp_path / name, empty_lake, hub) for name in ("one", "two")]
    for number, machine in enumerate(machines):
        machine.name = machine.machine = f"m{number}"
        for run_number in range(3):
            machine.write(f"run{run_number}", 100 + number)
    failures: list[BaseException] = []

    def push(machine: Edge) -> None:
        try:
            for _ in range(3):
                machine.push(batch=100, piece=3_000)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=push, args=(machine,)) for machine in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with hub.lake() as lake:
        found = rows(lake)
    parts = [machine.wanted() for machine in machines]
    assert_equal(found, {name: sorted(parts[0][name] + parts[1][name]) for name in parts[0]})


# Imports first, then one edge for each line of stdin, forked, killed after so many seconds.
NURSERY = """
import os, signal, sys, time
from pathlib import Path
from boardlake.core.settings import SourceSettings
from boardlake.ingest import edge
from boardlake.ingest.hub import Hub
from boardlake.ingest.report import Options
from boardlake.ingest.reader import Limits
from boardlake.ingest.setup import setups
from boardlake.lake.outbox import Outbox
from boardlake.kernels import decode, series
url, source, spool = sys.argv[1:]
def push():
    found = setups({"logs": SourceSettings(uri=source, machine="here")})
    while True:
        options = Options(batch_points=20, limits=Limits(2000))
        hub, outbox = Hub(url, os.environ["TOKEN"], {}, options.stop), Outbox(Path(spool))
        edge.run(outbox, hub, found, options, 1 << 30)
        outbox.close()
for line in sys.stdin:
    child = os.fork()
    if not child:
        sys.stdin.close()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            push()
        finally:
            os._exit(1)
    time.sleep(float(line))
    os.kill(child, signal.SIGKILL)
    print(os.waitpid(child, 0)[1], flush=True)
"""


def test_nothing_is_lost_or_doubled_by_kills(machine: Edge) -> None:
    """Edges killed at any moment, and the hub in between: in the end all is there once."""
    for run_number in range(3):
        machine.write(f"run{run_number}", 200)
    chance = random.Random(7)
    arguments = [machine.hub.url, str(machine.source), str(machine.spool)]
    nursery = subprocess.Popen(
        [sys.executable, "-c", NURSERY, *arguments], text=True, env=os.environ | {"TOKEN": machine.token},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert nursery.stdin and nursery.stdout
    killed = 0
    try:
        for number in range(12):
            nursery.stdin.write(f"{chance.uniform(0.1, 2.0)}\n")
            nursery.stdin.flush()
            if number % 4 == 2:
                time.sleep(chance.uniform(0, 0.5))
                machine.hub.stop(signal.SIGKILL)
                machine.hub.start()
            killed += int(nursery.stdout.readline()) == signal.SIGKILL
            machine.write(f"run{number % 3}", 10, append=True, start=200 + 10 * number)
    finally:
        nursery.stdin.close()
        nursery.wait(60)
        nursery.stdout.close()
    assert killed > 6
    machine.push()
    sent = machine.push()
    assert sent.failure is None and sent.waiting == 0
    machine.assert_there()


def test_a_hub_that_is_killed_while_it_is_pushed_to(machine: Edge) -> None:
    """The edge keeps what it has no word of, and sends it again."""
    for run_number in range(4):
        machine.write(f"run{run_number}", 400)
    kill = threading.Timer(0.3, machine.hub.stop, [signal.SIGKILL])
    kill.start()
    first = machine.push(batch=50, piece=2_000)
    kill.join()
    assert isinstance(first.failure, HubAway) or first.waiting == 0
    machine.hub.start()
    sent = machine.push()
    assert sent.failure is None and sent.waiting == 0
    machine.push()
    machine.assert_there()


def test_a_signal_ends_it_after_the_current_batch(machine: Edge) -> None:
    """What was put aside stays, and the next cycle goes on."""
    machine.write("a", 10)
    options = Options()
    options.stop.set()
    hub, outbox = Hub(machine.hub.url, machine.token, {}, options.stop), Outbox(machine.spool)
    with pytest.raises(Interrupted):
        edge.run(outbox, hub, machine.setups(), options, _FREE)
    outbox.close()
    machine.push()
    machine.assert_there()
