"""Every state in which an event file can be found, and what the lake then holds of it."""

from __future__ import annotations

import gzip
import os
import struct
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.compat.proto import summary_pb2, types_pb2

from boardlake.core.values import Place
from boardlake.ingest.memory import Memory
from boardlake.ingest.reader import Limits, Work, read
from boardlake.ingest.sample import forms
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.sources.local.source import LocalSource

NAME = "run/events.out.tfevents.1700000000.host.7.0"
WALL = 1_700_000_000.0
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(20))


def steps(house: Any, tag: str = "loss") -> list[int]:
    """The steps of a curve."""
    found = house.query("SELECT step FROM scalars WHERE tag = ? ORDER BY step", tag)
    return [step for (step,) in found]


def frames(content: bytes) -> list[tuple[int, int]]:
    """(offset, length) of every record of a sound file."""
    found, at = [], 0
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        found.append((at, length + 16))
        at += length + 16
    return found


def curve(count: int, start: int = 0) -> list[tuple[str, int, float]]:
    """Points of one tag."""
    return [("loss", step, float(step)) for step in range(start, start + count)]


def flip(file: Path, at: int) -> None:
    """Damage one byte."""
    content = bytearray(file.read_bytes())
    content[at] ^= 0x55
    file.write_bytes(content)


def test_an_empty_file_waits(house: Any) -> None:
    """A file without a byte is known, makes no run, and is read once it grows."""
    house.write(NAME, curve(3))
    whole = (house.source / NAME).read_bytes()
    (house.source / NAME).write_bytes(b"")
    house.cycle()
    assert house.query("SELECT status, run_id, offset_read FROM files") == [("empty", None, 0)]
    (house.source / NAME).write_bytes(whole)
    house.cycle()
    assert steps(house) == [0, 1, 2]


def test_a_header_alone_is_a_run_without_points(house: Any) -> None:
    """The header says that a job has begun."""
    house.write(NAME, [])
    house.cycle()
    assert house.query("SELECT path, points, files FROM runs") == [("run", 0, 1)]
    assert house.kinds() == []


def test_a_file_cut_at_every_byte_gives_its_whole_records(tmp_path: Path) -> None:
    """A torn end is not yet an error: reading stops behind the last whole record."""
    file = tmp_path / "events.out.tfevents.1"
    with EventWriter(file) as writer:
        writer.file_version(WALL)
        for step in range(3):
            writer.scalar("loss", step, step, WALL)
        writer.text("note", "words", 3, WALL)
    content = file.read_bytes()
    ends = [at + length for at, length in frames(content)]
    source = LocalSource(str(tmp_path))
    for size in range(len(content) + 1):
        file.write_bytes(content[:size])
        (entry,) = source.walk(Memory()).files
        place = Place("src", "key", ".", "", "here", "p", "n")
        *_, last = read(source, Work(entry, place, None), Limits())
        whole = [end for end in ends if end <= size]
        assert last.after.offset == max(whole, default=0)
        assert last.after.records == len(whole)
        assert last.problems == []
        assert sum(len(b.step) for b in last.blocks) == max(0, len(whole) - 1)


def test_zeros_at_the_end_are_a_crash_that_may_go_on(house: Any) -> None:
    """A tail of NUL bytes is a problem while it lasts; records that take its place are read."""
    file = house.write(NAME, curve(3))
    good = file.read_bytes()
    file.write_bytes(good + bytes(100))
    house.cycle()
    assert house.query("SELECT status, offset_read FROM files") == [("nul tail", len(good))]
    assert house.query('SELECT kind, "offset", bytes FROM problems') == [
        ("nul tail", len(good), 100)
    ]
    house.write(NAME, curve(2, start=3), append=False)
    more = file.read_bytes()[40:]
    file.write_bytes(good + more[frames(file.read_bytes())[1][0] - 40 :])
    house.cycle()
    assert steps(house) == [0, 1, 2, 3, 4]
    assert house.query("SELECT status FROM files") == [("ok",)]
    assert house.kinds() == []


@pytest.mark.parametrize(("where", "kind"), [(13, "bad payload"), (2, "bad length")])
def test_damage_in_the_middle_costs_one_record(house: Any, where: int, kind: str) -> None:
    """The rest of the file is read, and the problem says where and how much was skipped."""
    file = house.write(NAME, curve(5))
    at, length = frames(file.read_bytes())[3]
    flip(file, at + where)
    house.cycle()
    assert steps(house) == [0, 1, 3, 4]
    found = house.query('SELECT path, "offset", bytes, kind FROM problems')
    assert found == [(NAME, at, length, kind)]
    house.cycle()
    assert len(house.kinds()) == 1


def test_damage_longer_than_a_piece_is_passed_over(house: Any) -> None:
    """Behind a stretch of garbage that no piece can hold reading goes on; one problem tells of it."""
    file = house.write(NAME, curve(3))
    good = file.read_bytes()
    rest = house.write("other/" + Path(NAME).name, curve(3, start=3)).read_bytes()
    at, _ = frames(rest)[1]
    file.write_bytes(good + b"\xa5" * 5000 + rest[at:])
    house.cycle(piece=300)
    assert steps(house)[-1] == 5
    found = house.query('SELECT "offset", bytes, kind FROM problems')
    assert found == [(len(good), 5000, "bad length")]
    assert house.one("SELECT count(*) FROM scalar_points WHERE step < 3 AND NOT superseded") == 3


def test_garbage_is_a_problem_and_no_run(house: Any) -> None:
    """A file that holds no record at all stops nobody."""
    (house.source / "bad").mkdir()
    (house.source / "bad" / "events.out.tfevents.1").write_bytes(os.urandom(4000))
    house.write(NAME, curve(3))
    house.cycle()
    assert house.query("SELECT path FROM runs") == [("run",)]
    assert house.kinds() == [("bad/events.out.tfevents.1", "lost")]


def test_a_bad_last_record_is_held_until_the_file_grows(house: Any) -> None:
    """It may still be being written, and the message goes when it is whole."""
    file = house.write(NAME, curve(3))
    good = file.read_bytes()
    flip(file, len(good) - 6)
    house.cycle()
    assert steps(house) == [0, 1]
    assert house.kinds() == [(NAME, "held")]
    file.write_bytes(good)
    house.cycle()
    assert steps(house) == [0, 1, 2]
    assert house.kinds() == []


def test_gzip_is_read_as_its_content(house: Any) -> None:
    """Plain, growing by members, and rewritten with more: each record once."""
    file = house.write(NAME, curve(4))
    content = file.read_bytes()
    file.unlink()
    cut = frames(content)[3][0] + 5
    packed = house.source / f"{NAME}.gz"
    packed.write_bytes(gzip.compress(content[:cut]))
    house.cycle()
    assert steps(house) == [0, 1]
    packed.write_bytes(gzip.compress(content[:cut]) + gzip.compress(content[cut:]))
    house.cycle()
    assert steps(house) == [0, 1, 2, 3]
    assert house.one("SELECT count(*) FROM scalar_points") == 4
    packed.write_bytes(gzip.compress(content[:cut], 1))
    house.cycle()
    assert steps(house) == [0, 1]
    assert house.kinds() == []


def test_a_cut_gzip_waits_and_a_damaged_one_is_a_problem(house: Any) -> None:
    """What can be unpacked is read; the rest comes when the file is whole."""
    content = house.write(NAME, curve(400)).read_bytes()
    (house.source / NAME).unlink()
    whole = gzip.compress(content)
    packed = house.source / f"{NAME}.gz"
    packed.write_bytes(whole[: len(whole) // 2])
    house.cycle()
    half = len(steps(house))
    assert 0 < half < 400
    assert house.kinds() == []
    damaged = bytearray(whole)
    damaged[len(whole) * 3 // 4] ^= 0xFF
    packed.write_bytes(damaged)
    house.cycle()
    assert half <= len(steps(house)) < 400
    assert (f"{NAME}.gz", "bad gzip") in house.kinds()
    packed.write_bytes(whole)
    house.cycle()
    assert steps(house) == list(range(400))
    assert house.kinds() == []


@pytest.mark.parametrize("count", [3, 8, 2])
def test_a_replaced_file_is_read_anew(house: Any, count: int) -> None:
    """Another file under the name, of the same size, larger or smaller: its rows alone are there."""
    file = house.write(NAME, curve(3))
    before = (house.source / NAME).stat().st_size
    house.cycle()
    fresh = house.write("new", [("loss", step, 9.0) for step in range(count)])
    assert (count == 3) == (fresh.stat().st_size == before)
    os.replace(fresh, file)
    house.cycle()
    found = house.query("SELECT step, value FROM scalar_points ORDER BY step")
    assert found == [(step, 9.0) for step in range(count)]
    assert house.query("SELECT path, points FROM runs") == [("run", count)]
    assert house.one("SELECT points FROM series") == count
    assert house.one("SELECT count(*) FROM files") == 1


def test_replacing_one_of_several_files_restores_what_it_hid(house: Any) -> None:
    """Points that only the old file superseded are on the curve again; old problems are gone."""
    house.write(NAME, curve(6))
    later = house.write("run/events.out.tfevents.1700000500.host.8.0", curve(4, start=2))
    flip(later, frames(later.read_bytes())[2][0] + 13)
    house.cycle()
    assert house.one("SELECT superseded FROM series") == 4
    assert len(house.kinds()) == 1
    os.replace(house.write("new", [("other", 1, 1.0)]), later)
    house.cycle()
    assert steps(house) == [0, 1, 2, 3, 4, 5]
    assert house.query("SELECT tag, points, superseded FROM series ORDER BY tag") == [
        ("loss", 6, 0),
        ("other", 1, 0),
    ]
    assert house.one("SELECT attempts FROM runs") == 1
    assert house.kinds() == []


class Shrinking(LocalSource):
    """A source whose file loses its end between the listing and the reading."""

    left = 0

    def read(self, path: str, start: int, length: int, version: str = "") -> bytearray:
        """As if the file were only `left` bytes long."""
        return super().read(path, start, max(0, min(length, self.left - start)))


def test_a_file_that_shrinks_while_it_is_read_ends_there(house: Any) -> None:
    """At any byte: reading ends, and holds whole records only."""
    file = house.write(NAME, curve(3))
    source = Shrinking(str(house.source))
    (entry,) = source.walk(Memory()).files
    place = Place("src", "key", "run", "", "here", "p", "n")
    ends = [at + length for at, length in frames(file.read_bytes())]
    for source.left in range(entry.size):
        pieces: list[Any] = []
        for piece in read(source, Work(entry, place, None), Limits()):
            pieces.append(piece)
            assert len(pieces) < 5
        whole = [end for end in ends if end <= source.left]
        assert pieces[-1].after.offset == max(whole, default=0)


def test_a_file_that_vanishes_while_it_is_read_is_tried_again(house: Any) -> None:
    """Between listing and reading it is a problem of that file; the next cycle reads it."""
    file = house.write(NAME, curve(3))
    source = LocalSource(str(house.source))
    (entry,) = source.walk(Memory()).files
    file.unlink()
    place = Place("src", "key", "run", "", "here", "p", "n")
    (piece,) = read(source, Work(entry, place, None), Limits())
    assert [problem.kind for problem in piece.problems] == ["unreadable"]
    assert piece.entry.version != entry.version


def test_growing_while_it_is_read_is_for_the_next_cycle(house: Any) -> None:
    """Never past the size that was listed."""
    file = house.write(NAME, curve(3))
    source = LocalSource(str(house.source))
    (entry,) = source.walk(Memory()).files
    house.write(NAME, curve(3, start=3), append=True)
    place = Place("src", "key", "run", "", "here", "p", "n")
    (piece,) = read(source, Work(entry, place, None), Limits())
    assert piece.after.offset == entry.size < file.stat().st_size


def test_a_value_that_is_repeated_is_not_spelt_out(house: Any) -> None:
    """A few bytes may declare millions of elements: beyond some they stay as they came."""

    def repeated(tag: str, size: int) -> Any:
        value = summary_pb2.Summary.Value(tag=tag)
        value.tensor.dtype = types_pb2.DT_FLOAT
        value.tensor.tensor_shape.dim.add(size=size)
        value.tensor.float_val.append(1.5)
        return value

    path = house.source / NAME
    path.parent.mkdir(parents=True)
    with EventWriter(path) as log:
        log.values([repeated("few", 256), repeated("many", 1 << 23)], 0, WALL)
        log.tensor("spelt out", np.arange(1_000, dtype=np.uint8), 0, WALL)
    house.cycle()
    found = "SELECT tag, len(data), octet_length(raw) < 100 FROM tensors ORDER BY tag"
    assert house.query(found) == [
        ("few", 256, None), ("many", None, True), ("spelt out", 1_000, None),
    ]  # fmt: skip


@pytest.mark.parametrize("media", ["copy", "reference", "skip"])
def test_media_are_copied_referred_to_or_skipped(house: Any, media: str) -> None:
    """Size and type stay known; a reference leads to the record that holds the bytes."""
    file = house.write(NAME, curve(2))
    with EventWriter(file, append=True) as writer:
        writer.values([forms.image("image", PNG, 4, 3), forms.simple("loss", 7.0)], 2, WALL)
        writer.audio_tensor("sound", [b"RIFFaaaaWAVE", b"x"], 3, WALL)
    house.cycle(media=media)
    found = house.query("SELECT tag, nbytes, mime, data, location FROM blobs ORDER BY tag, idx")
    assert [row[:3] for row in found] == [
        ("image", len(PNG), "image/png"),
        ("sound", 12, "audio/wav"),
        ("sound", 1, "application/octet-stream"),
    ]
    assert (found[0][3] == PNG) == (media == "copy")
    assert steps(house) == [0, 1, 2]
    spans = frames(file.read_bytes())[3:]
    for (_, _, _, data, location), number in zip(found, (0, 1, 1), strict=True):
        assert (data is None) == (media != "copy")
        where = f"{NAME}#{spans[number][0]}+{spans[number][1]}"
        assert location == (where if media == "reference" else None)


def test_one_bad_file_never_stops_the_others(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be read is a problem with its name, and is tried at every cycle."""
    house.write("bad/events.out.tfevents.1", curve(3))
    house.write(NAME, curve(3))
    real = LocalSource.read
    broken = threading.Event()
    broken.set()

    def read_most(
        self: LocalSource, path: str, start: int, length: int, version: str = ""
    ) -> bytearray:
        if path.startswith("bad/") and broken.is_set():
            raise PermissionError(13, "Permission denied")
        return real(self, path, start, length)

    monkeypatch.setattr(LocalSource, "read", read_most)
    house.cycle()
    assert steps(house) == [0, 1, 2]
    assert house.query("SELECT path, kind, message FROM problems") == [
        ("bad/events.out.tfevents.1", "unreadable", "cannot be read: Permission denied")
    ]
    broken.clear()
    house.cycle()
    assert house.one("SELECT count(*) FROM runs") == 2
    assert house.kinds() == []
