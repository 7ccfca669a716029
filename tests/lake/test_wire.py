"""Messages of edges: what is written is what is read, and nothing else is taken."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boardlake.core.values import Cursor, FileEntry, Hparam, Job, Piece, Place, Problem
from boardlake.ingest import discover
from boardlake.ingest.reader import Limits, Work, read
from boardlake.ingest.sample import forms
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.sources.local.source import LocalSource
from boardlake.lake import stock_json, wire, wire_pieces
from boardlake.lake.facts import ArtifactRow, RunFacts
from boardlake.lake.outbox import SeenFile, Stock
from boardlake.lake.sources import SourceFacts
from boardlake.lake.wire_fields import WireError

WALL = 1_700_000_000.0
NAME = "events.out.tfevents.1700000000.host.7.0"
FACTS = SourceFacts("src", "edge:/logs", "here", "edge", "", "keep", 1800.0, 86400.0)
RUN = RunFacts(
    {"hparams.yaml"},
    [Hparam("lr", "float", "0.1", 0.1, "hparams.yaml", 3), Hparam("x", "null", "", None, "cli", 1)],
    [ArtifactRow("checkpoint", "a/last.ckpt", 12, WALL, None)],
    git_commit="abc",
    end_at=WALL,
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
paths = texts.filter(lambda text: not text.startswith("/") and ".." not in text.split("/"))
whole = st.integers(0, 1 << 62)
problems = st.builds(Problem, paths, whole, whole, texts, texts)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to the last bit, NaN and types of arrays included."""
    if is_dataclass(one) and not isinstance(one, type):
        return type(one) is type(other) and all(
            same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)
        )
    if isinstance(one, np.ndarray):
        alike = isinstance(other, np.ndarray) and one.dtype == other.dtype
        return alike and one.tobytes() == other.tobytes()
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    return type(one) is type(other) and bool(one == other)


def one_by_one(body: bytes) -> list[Any]:
    """All messages of a body."""
    return list(wire.read(body))


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> list[Piece]:
    """Pieces of a file with values of all kinds."""
    root = tmp_path_factory.mktemp("wire")
    values = [
        forms.histogram("weights", [0.5, 1.0, 2.0]), forms.text("words", "text"),
        forms.image_tensor("images", [b"\x89PNG\r\n\x1a\n", b"b"], 4, 3), forms.simple("loss", 1.5),
        forms.audio_tensor("sound", [b"RIFFaaaaWAVE", b""], ["one", "two"]),
        forms.scalar_tensor("nan", math.nan), forms.text_tensor("rows", [["a", "b"], ["c", "é"]]),
    ]  # fmt: skip
    with EventWriter(root / NAME) as writer:
        writer.file_version(WALL)
        writer.hparams({"lr": 0.1}, ["loss"], WALL)
        for step in range(20):
            writer.values(values, step % 15, WALL + step)
    source = LocalSource(str(root), ("**",), ())
    stat = (root / NAME).stat()
    place = Place("src", discover.run_key("src", "."), ".", "", "here", "p", "n")
    work = Work(FileEntry(NAME, stat.st_size, stat.st_mtime_ns, "1"), place, None)
    found = list(read(source, work, Limits(4000)))
    found[0].facts_of_run.append(RUN)
    found[-1].problems.append(Problem(NAME, 3, 4, "bad payload", "told"))
    assert len(found) > 1 and {b.kind for p in found for b in p.blocks} == {
        "scalar",
        "tensor",
        "blob",
    }
    return found


def test_pieces_come_back(pieces: list[Piece]) -> None:
    """Every array, text and byte of them."""
    body = b"".join(wire.write_pieces(pieces))
    found = [piece for message in one_by_one(body) for piece in message.pieces]
    # Texts of tensors that hold floats are NumPy's own on this side.
    assert len(found) == len(pieces)
    for one, other in zip(pieces, found, strict=True):
        for block in one.blocks:
            block.payload.setdefault("location", [None] * len(block.payload.get("data", ())))
            if block.kind != "blob":
                del block.payload["location"]
            block.payload["shape"] = [
                None if shape is None else [int(n) for n in shape]
                for shape in block.payload.get("shape", ())
            ]
            if block.kind != "tensor":
                del block.payload["shape"]
            assert set(block.stats) == set(wire_pieces._STATS)
        assert same(_plain(one), _plain(other))


def _plain(piece: Piece) -> Piece:
    """The piece with its arrays as bytes of one type, as the lake takes them."""
    blocks = [
        replace(
            block,
            stats={
                name: np.asarray(block.stats[name], wire_pieces._STATS[name])
                for name in sorted(block.stats)
            },
        )
        for block in piece.blocks
    ]
    return replace(piece, blocks=blocks)


@settings(suppress_health_check=list(HealthCheck), max_examples=60)
@given(
    st.builds(wire.Gone, st.just("src"), st.lists(paths), st.lists(paths), st.booleans())
    | st.builds(wire.Problems, st.just("src"), st.lists(problems))
    | st.builds(
        wire.Beside, st.just("src"), st.dictionaries(paths, st.text("0123456789abcdef", max_size=24)),
        st.dictionaries(paths, st.just([RUN])), st.lists(problems),
    )
    | st.builds(
        wire.Jobs, st.just("src"),
        st.lists(st.builds(Job, texts, roots=st.lists(paths).map(tuple), ended_at=st.none() | whole.map(float))),
    )
)  # fmt: skip
def test_messages_come_back(message: Any) -> None:
    """Whatever texts they hold."""
    assert one_by_one(wire.write(message)) == [message]


def test_several_messages_are_a_body(pieces: list[Piece]) -> None:
    """They come in order."""
    report = dict.fromkeys(wire._CYCLE, 0) | {"source": "src", "error": "", "skipped": "why"}
    report |= {"started_at": WALL, "ended_at": WALL + 1, "cost": 0.0}
    body = wire.write(wire.Begun(FACTS)) + b"".join(wire.write_pieces(pieces[:1]))
    body += wire.write(wire.Cycles([report | {"machine": "is left out"}]))
    begun, found, cycles = one_by_one(body)
    assert begun == wire.Begun(FACTS) and len(found.pieces) == 1 and cycles.reports == [report]


@pytest.fixture(scope="module")
def body(pieces: list[Piece]) -> bytes:
    """A body of three messages."""
    told = wire.Beside("src", {"a": "k"}, {"a": [RUN]}, [Problem("a", 0, 0, "side file", "x")])
    return wire.write(wire.Begun(FACTS)) + b"".join(wire.write_pieces(pieces)) + wire.write(told)


@settings(suppress_health_check=list(HealthCheck), max_examples=400)
@given(st.data())
def test_a_damaged_body_is_refused_or_read(body: bytes, data: st.DataObject) -> None:
    """Cut or flipped anywhere, packed or unpacked: WireError or messages, never anything else."""
    spoilt = bytearray(body)
    if data.draw(st.booleans()):
        # Behind the compression, where checksums do not help.
        head = wire._HEAD.unpack_from(body)
        size = wire._HEAD.size
        inner = bytearray(
            pa.decompress(body[size : size + head[1]], head[2], codec="zstd", asbytes=True)
        )
        _spoil(inner, data)
        spoilt = bytearray(wire._pack([bytes(inner)])) + body[size + head[1] :]
    else:
        _spoil(spoilt, data)
    try:
        one_by_one(bytes(spoilt))
    except WireError as error:
        assert len(str(error)) < 1000


def _spoil(found: bytearray, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        if found:
            found[data.draw(st.integers(0, len(found) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del found[data.draw(st.integers(0, len(found))) :]


def _told(change: Callable[[dict[str, Any]], None], pieces: list[Piece]) -> bytes:
    """A message of one piece whose JSON was changed."""
    body = next(wire.write_pieces(pieces[:1]))
    head = wire._HEAD.unpack_from(body)
    inner = pa.decompress(body[wire._HEAD.size :], head[2], codec="zstd", asbytes=True)
    (length,) = struct.unpack_from("<Q", inner)
    told = json.loads(inner[8 : 8 + length])
    change(told["pieces"][0])
    text = json.dumps(told).encode()
    return wire._pack([struct.pack("<Q", len(text)), text, inner[8 + length :]])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda p: p["entry"].update(path="../x"), "below the root"),
        (lambda p: p["entry"].update(path="/etc/passwd"), "below the root"),
        (lambda p: p["entry"].update(path="a\0b"), "without NUL"),
        (lambda p: p["entry"].update(path="x" * 5000), "0 to 4096 characters"),
        (lambda p: p["entry"].update(size=-1), "an integer"),
        (lambda p: p["entry"].update(size=1.0), "an integer"),
        (lambda p: p["entry"].update(size=True), "an integer"),
        (lambda p: p["entry"].update(more=1), "expected exactly"),
        (lambda p: p.update(more=1), "expected exactly"),
        (lambda p: p.pop("after"), "expected exactly"),
        (lambda p: p.update(replaces=1), "true or false"),
        (lambda p: p["place"].update(run_path="b"), "not that of its source"),
        (lambda p: p["place"].update(source="other"), "not that of its source"),
        (lambda p: p["facts"].update(first_wall_time="1"), "a number"),
        (lambda p: p["facts"].update(first_wall_time=10**400), "a float holds"),
        (lambda p: p["blocks"][0].update(kind="other"), "one of scalar"),
        (lambda p: p["blocks"][0].update(points=10**15), "an integer"),
        (lambda p: p["blocks"][0].update(points=10**7), "within an array|number of points"),
        (lambda p: p["blocks"][0].update(tags=0), "number of points|left over"),
        (lambda p: p["facts_of_run"][-1].update(hparams=[{"name": "x"}]), "expected exactly"),
        (lambda p: p.update(problems=[1]), "expected exactly"),
    ],
)
def test_a_message_that_is_none_of_ours(
    change: Callable[[dict[str, Any]], None], says: str, pieces: list[Piece]
) -> None:
    """Types, lengths, unknown fields, paths that lead out, runs of others: refused by name."""
    with pytest.raises(WireError, match=says):
        one_by_one(_told(change, pieces))


def test_points_that_are_out_of_order(pieces: list[Piece]) -> None:
    """Starts ascend, tags are in order, counts are counts."""
    block = next(b for p in pieces for b in p.blocks if b.kind == "scalar" and len(b.tags) > 1)
    piece = replace(pieces[0], facts_of_run=[], problems=[])
    stats = block.stats | {"points": block.stats["points"] - 10**6}
    for bad in (
        replace(block, starts=block.starts[::-1].copy()), replace(block, tags=block.tags[::-1]),
        replace(block, stats=stats), replace(block, attempt=block.attempt - 5),
        replace(block, record=block.record - 10**6),
    ):  # fmt: skip
        with pytest.raises(WireError, match="expected"):
            one_by_one(wire.write(wire.Pieces([replace(piece, blocks=[bad])])))


def test_bombs() -> None:
    """What says that it is large, or unpacks to more than it says, is not unpacked."""
    packed = pa.compress(b"\0" * (100 << 20), codec="zstd", asbytes=True)
    with pytest.raises(WireError, match="at most"):
        one_by_one(wire._HEAD.pack(b"BLW1", len(packed), 100 << 20) + packed)
    with pytest.raises(WireError, match="unpacked|announced"):
        one_by_one(wire._HEAD.pack(b"BLW1", len(packed), 1000) + packed)
    deep = b'{"is":' + b"[" * 100_000
    with pytest.raises(WireError, match="no JSON"):
        one_by_one(wire._pack([struct.pack("<Q", len(deep)), deep]))
    with pytest.raises(WireError, match="of the same version"):
        one_by_one(b"BLW2" + b"\0" * 40)


def test_a_piece_that_is_too_long_is_cut_and_says_so(pieces: list[Piece]) -> None:
    """The points stay, the bytes go, and a problem tells of it."""
    piece = next(p for p in pieces if any(b.kind == "blob" for b in p.blocks))
    blob = next(b for b in piece.blocks if b.kind == "blob")
    rows = len(blob.payload["data"])
    long = replace(blob, payload=blob.payload | {"data": [b"x" * (60 << 20), *[b"y"] * (rows - 1)]})
    (message,) = one_by_one(b"".join(wire.write_pieces([replace(piece, blocks=[long])])))
    (found,) = message.pieces
    assert found.blocks[0].payload["data"] == [None, *[b"y"] * (rows - 1)]
    assert found.problems[-1].kind == "too long" and found.after == piece.after


def test_of_many_parts_of_a_piece_those_go_that_do_not_fit(pieces: list[Piece]) -> None:
    """The hub would refuse it again and again; texts count as images do."""
    piece = next(p for p in pieces if any(b.payload.get("strings") for b in p.blocks))
    words = next(b for b in piece.blocks if b.kind == "tensor")
    rows = len(words.payload["strings"])
    text = "x" * ((70 << 20) // rows)
    long = replace(words, payload=words.payload | {"strings": [[text]] * rows})
    whole = replace(piece, blocks=[long])
    assert whole.weight > 70 << 20
    fitting = wire_pieces.fit(whole)
    assert fitting.weight < wire_pieces.MOST_PIECE
    kept = [one for one in fitting.blocks[0].payload["strings"] if one is not None]
    assert 0.7 * rows < len(kept) < rows
    assert fitting.problems[-1].message.startswith(f"{rows - len(kept)} images, texts")


def test_nothing_is_written_that_is_refused(pieces: list[Piece]) -> None:
    """Texts that are too long, or that no table holds, are cut: they would hold up all others."""
    bad = "\udcff\0" + "x" * 100_000
    facts = replace(RUN, origins={bad}, hparams=[Hparam(bad, "string", bad, None, bad, 1)])
    facts = replace(facts, command=bad, artifacts=[ArtifactRow(bad, bad, 1, 1.0, 1)])
    spoilt = replace(
        pieces[0],
        facts=replace(pieces[0].facts, host=bad, writer=bad),
        problems=[Problem(NAME, 1, 1, bad, bad)],
        facts_of_run=[facts],
    )
    (message,) = one_by_one(b"".join(wire.write_pieces([spoilt])))
    (hparam,) = message.pieces[0].facts_of_run[0].hparams
    assert (
        hparam.value.startswith("??xxx")
        and hparam.origin in message.pieces[0].facts_of_run[0].origins
    )
    job = Job("1", name=bad, roots=("a", "../b", "/c", bad))
    ((found,),) = [message.jobs for message in one_by_one(wire.write(wire.Jobs("src", [job])))]
    assert found.roots == ("a",) and len(found.name) == 20_000
    report = dict.fromkeys(wire._CYCLE, 0) | {"source": "src", "error": bad, "skipped": bad}
    ((cycle,),) = [m.reports for m in one_by_one(wire.write(wire.Cycles([report])))]
    assert len(cycle["error"]) == 20_000


def test_run_keys_are_those_of_the_ingester() -> None:
    """Both sides call a run the same."""
    assert wire_pieces.run_key("a.b", "x/é") == discover.run_key("a.b", "x/é")


def test_what_a_hub_knows_comes_back(tmp_path: Path) -> None:
    """And its digest is the same on both sides, and another one for anything else."""
    file = SeenFile("a", "", 1, 2, "v", *(1, 2, 3, "h", 4, "t"), "k", "r", True)
    stock = Stock(FACTS, [file, replace(file, path="b", run=None)], {"a": "x"}, {"d"}, {"r", "."})
    told = json.loads(json.dumps(stock_json.write(stock)))
    found = replace(stock_json.read(told), facts=FACTS)
    assert found == stock and found.digest() == stock.digest()
    for other in (
        replace(stock, facts=None), replace(stock, keys={}), replace(stock, deleted=set()),
        replace(stock, files=[replace(file, offset=9), stock.files[1]]),
    ):  # fmt: skip
        assert other.digest() != stock.digest()
    assert file.cursor == Cursor(1, 2, 3, "h", 4, "t")
    told["files"][0][2] = -1
    with pytest.raises(WireError, match="an integer"):
        stock_json.read(told)
    series = [("tag", "scalar", "p", b"\0\xff", "n", "d")]
    assert stock_json.read_series(json.loads(json.dumps(stock_json.write_series(series)))) == series
