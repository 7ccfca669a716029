"""Event files to columns: the compiled decoder against its plain twin, protobuf and real files."""

from __future__ import annotations

import csv
import math
import random
import struct
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
from tensorboard.util import tensor_util

from boardlake.kernels import decode as d
from boardlake.kernels.decode_plain import decode_plain, masked_crc
from boardlake.kernels.decoded import NUMBERS

META = summary_pb2.SummaryMetadata(
    plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="scalars", content=b"\x08\x00"),
    display_name="Größe",
    data_class=summary_pb2.DATA_CLASS_SCALAR,
).SerializeToString()


# --- how events are made -------------------------------------------------------------------------


def frame(payload: bytes) -> bytes:
    head = struct.pack("<Q", len(payload))
    crcs = [struct.pack("<I", masked_crc(part)) for part in (head, payload)]
    return head + crcs[0] + payload + crcs[1]


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number: int, wire: int, content: bytes) -> bytes:
    return varint(number << 3 | wire) + (varint(len(content)) if wire == 2 else b"") + content


def event(values: list[bytes], step: int = 0, wall: float = 1.5) -> bytes:
    summary = b"".join(field(1, 2, value) for value in values)
    return b"\x09" + struct.pack("<d", wall) + b"\x10" + varint(step) + field(5, 2, summary)


def simple(tag: str, number: float = 1.0, more: bytes = b"") -> bytes:
    return field(1, 2, tag.encode()) + field(2, 5, struct.pack("<f", number)) + more


def points(decoded: d.Decoded, data: bytes) -> list[tuple]:
    """(tag, form, step, wall time, value as text, record) of each point."""
    table = [
        (data[at : at + size], int(form))
        for at, size, form in zip(
            decoded.tag_offset, decoded.tag_length, decoded.tag_form, strict=True
        )
    ]
    columns = (decoded.step, decoded.wall_time, decoded.value, decoded.tag, decoded.record)
    return [
        (*table[tag], int(step), str(wall), str(value), int(record))
        for step, wall, value, tag, record in zip(*columns, strict=True)
    ]


def compiled(data: bytes, at_end: bool = True, buffers: d.Buffers | None = None) -> d.Decoded:
    return d.decode(np.frombuffer(data, np.uint8), at_end, buffers)


def assert_twins(data: bytes, at_end: bool, buffers: d.Buffers | None = None) -> d.Decoded:
    """The compiled decoder and the plain one agree in every field."""
    actual = compiled(data, at_end, buffers)
    expected = decode_plain(np.frombuffer(data, np.uint8), at_end)
    for name, got, want in zip(d.Decoded._fields, actual, expected, strict=True):
        np.testing.assert_array_equal(got, want, err_msg=name)
        assert getattr(got, "dtype", None) == getattr(want, "dtype", None), name
    return actual


# --- strategies ----------------------------------------------------------------------------------

TAGS = ["a", "loss", "train/l", "train/lo", "train/loss", "größe/∑", "x" * 40, "y" * 5000, ""]
WALLS = st.one_of(st.sampled_from([0.0, 1.7e9, math.nan, math.inf, -math.inf]), st.floats(1e9, 2e9))
STEPS = st.one_of(st.integers(0, 300), st.sampled_from([-1, -(1 << 63), 1 << 40, (1 << 63) - 1]))
METAS = [b"", META, META, META + b"\x20\x02", field(1, 2, field(1, 2, b"images")), META[:-3]]


@st.composite
def tensors(draw) -> bytes:
    """A TensorProto, mostly a number of rank 0, in every form and many wrong ones."""
    form = draw(st.sampled_from([*NUMBERS, 7, 8, 0, 200]))
    kind = NUMBERS.get(form, NUMBERS[1])
    whole = varint(draw(st.sampled_from([0, 1, 1, 100, -1, 65535, 1 << 20, 1 << 53, 1 << 60])))
    raw = draw(st.binary(min_size=kind.size, max_size=kind.size))
    if raw and draw(st.booleans()):
        raw = raw[:1] + bytes(len(raw) - 1)
    wire, content = {1: (5, raw), 2: (1, raw)}.get(form, (0, whole))
    number = draw(
        st.sampled_from(
            [field(4, 2, raw)] * 3
            + [field(kind.field, wire, content), field(kind.field, 2, content)] * 3
            + [field(kind.field, 2, content * 2), field(kind.field, wire, content) * 2]
            + [field(4, 2, raw + b"\0"), field(4, 0, whole), field(8, 2, b"text"), b""]
        )
    )
    shape = draw(st.sampled_from([b"", b"\x12\x00", b"\x12\x00", b"\x12\x04\x12\x02\x08\x01"]))
    more = draw(st.sampled_from([b""] * 6 + [b"\x18\x07", b"\x00\x00", field(40, 2, b"new")]))
    parts = [b"\x08" + varint(form), shape, more, number]
    if draw(st.integers(0, 3)) == 0:
        parts = draw(st.permutations(parts))
    return b"".join(parts)


@st.composite
def values(draw, tag: str) -> bytes:
    """A Summary.Value: tag, value and metadata in the usual order or another."""
    value = draw(
        st.one_of(
            st.just(field(2, 5, b"\x00\x00\xc0\x7f")),
            st.binary(min_size=4, max_size=4).map(lambda raw: field(2, 5, raw)),
            tensors().map(lambda tensor: field(8, 2, tensor)),
        )
    )
    odd = st.sampled_from(
        [field(2, 5, bytes(4)), field(8, 2, b""), field(7, 2, b"n"), field(4, 2, b"img"),
         field(99, 1, bytes(8)), field(3000, 0, b"\x05"), field(1, 2, b"b"), b"\x0b\x0c"]
    )  # fmt: skip
    meta = draw(st.sampled_from(METAS))
    parts = [field(1, 2, tag.encode()), value, field(9, 2, meta) if meta else b""]
    if draw(st.integers(0, 5)) == 0:
        parts = draw(st.permutations([*parts, draw(odd)]))
    return b"".join(parts)


@st.composite
def plain_values(draw, tag: str) -> bytes:
    """A Summary.Value as the usual writers make it."""
    meta = draw(st.sampled_from([b"", b"", field(9, 2, META)]))
    raw = draw(st.binary(min_size=4, max_size=4))
    tensor = field(8, 2, b"\x08\x01\x12\x00" + field(draw(st.sampled_from([4, 5])), 2, raw))
    return field(1, 2, tag.encode()) + draw(st.sampled_from([field(2, 5, raw), tensor])) + meta


def others() -> st.SearchStrategy[bytes]:
    """Payloads that are no scalars at all."""
    summary = summary_pb2.Summary
    image = summary.Value(tag="img", image=summary.Image(height=1, width=1))
    histogram = summary.Value(tag="h", histo=summary_pb2.HistogramProto(min=0, max=1))
    text = summary.Value(tag="t", tensor=tensor_util.make_tensor_proto("words"))
    events = [
        event_pb2.Event(wall_time=1, file_version="brain.Event:2"),
        event_pb2.Event(graph_def=b"graph"),
        event_pb2.Event(step=3, summary=summary()),
        event_pb2.Event(source_metadata=event_pb2.SourceMetadata(writer="w")),
        *(event_pb2.Event(step=2, summary=summary(value=[v])) for v in (image, histogram, text)),
    ]
    return st.sampled_from([e.SerializeToString() for e in events] + [b""])


@st.composite
def payloads(draw, own_tags: bool = False) -> list[bytes]:
    """Events of a few templates that come again with other steps, times and values."""
    templates = []
    for number in range(draw(st.integers(1, 4))):
        tags = st.just(f"tag{number}") if own_tags else st.sampled_from(TAGS)
        count = 1 if own_tags else draw(st.integers(1, 2))
        kind = plain_values if draw(st.integers(0, 3)) else values
        templates.append([draw(kind(draw(tags))) for _ in range(count)])
    out = []
    for number in draw(st.lists(st.integers(0, len(templates)), max_size=12)):
        if number == len(templates):
            out.append(draw(others()))
            continue
        payload = event(templates[number], draw(STEPS), draw(WALLS))
        extra = draw(st.sampled_from([b""] * 8 + [field(11, 0, b"\x01"), b"\x10\x07", b"\x2a\x00",
                                                  field(6, 2, b"log"), b"\x0a"]))  # fmt: skip
        out.append(payload + extra if draw(st.booleans()) else extra + payload)
    return out


@st.composite
def logs(draw, own_tags: bool = False) -> bytes:
    """A file of such events with any damage a file can have."""
    rng = draw(st.randoms(use_true_random=False))
    frames = []
    for payload in draw(payloads(own_tags)):
        if not own_tags and payload and draw(st.integers(0, 5)) == 0:
            payload = _bent(payload, rng)  # malformed, but the checksum is right
        frames.append(frame(payload))
    data = b"".join(frames)
    for damage in draw(st.lists(st.sampled_from(["bend", "cut", "zeros", "splice"]), max_size=3)):
        at = rng.randint(0, len(data))
        if damage == "bend" and data:
            data = _bent(data, rng)
        elif damage == "cut":
            data = data[:at]
        elif damage == "zeros":
            data = data[:at] + bytes(rng.randint(1, 60)) + rng.choice([b"", data[at:]])
        elif damage == "splice":
            data = data[:at] + rng.randbytes(rng.randint(1, 40)) + data[at:]
    return data


def _bent(data: bytes, rng: random.Random) -> bytes:
    bent = bytearray(data)
    bent[rng.randrange(len(bent))] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
    return bytes(bent)


# --- the twins -----------------------------------------------------------------------------------


@settings(max_examples=400)
@given(logs(), st.booleans())
def test_compiled_and_plain_agree(data, at_end):
    """Whatever the bytes, the compiled decoder says what the plain one says."""
    assert_twins(data, at_end)


@given(st.binary(max_size=300), st.booleans())
def test_compiled_and_plain_agree_on_payloads_of_noise(payload, at_end):
    """A right checksum around noise takes no decoder out of bounds."""
    assert_twins(frame(payload) + frame(b"\x2a" + payload), at_end)


def test_corpus(corpus):
    """Real files of many writers: twins agree, and the scalars are those counted elsewhere."""
    golden: dict[str, Counter] = {}
    with (corpus / "GOLDEN_FILES.csv").open(newline="") as rows:
        for row in csv.DictReader(rows):
            kinds = golden.setdefault(row["file"], Counter())
            if row["kind"] == "scalar_simple":
                kinds[row["tag"]] += int(row["count"])
    assert golden
    buffers = d.Buffers()
    for name, expected in golden.items():
        data = (corpus / name).read_bytes()
        decoded = assert_twins(data, True, buffers)
        simples = Counter(tag.decode() for tag, form, *_ in points(decoded, data) if form == 0)
        for at, size in zip(decoded.slow_offset, decoded.slow_length, strict=True):
            slow = event_pb2.Event.FromString(data[at : at + size])
            simples.update(v.tag for v in slow.summary.value if v.HasField("simple_value"))
        assert simples == expected, name


# --- what protobuf reads -------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from(sorted(NUMBERS)), STEPS, st.booleans()), min_size=1))
def test_points_are_what_protobuf_and_tensorboard_read(rows):
    """A number in any DataType and place has the value TensorBoard's own reader gives it."""
    data, expected = b"", []
    for record, (form, step, packed) in enumerate(rows):
        raw = bytes([1]) + bytes(NUMBERS[form].size - 1)
        tensor = tensor_pb2.TensorProto(dtype=form)
        if packed or form in (14, 22, 23):  # the reader knows these as content only, or not at all
            tensor.tensor_content = raw
        else:
            name = tensor.DESCRIPTOR.fields_by_number[NUMBERS[form].field].name
            getattr(tensor, name).append(1)
        if form in (14, 22, 23):
            value = {14: 2.0**-133, 22: 1.0, 23: 1.0}[form]
        else:
            value = float(tensor_util.make_ndarray(tensor))
        message = event_pb2.Event(wall_time=7.25, step=step)
        message.summary.value.add(tag="t", tensor=tensor)
        message.summary.value.add(tag="s", simple_value=0.5)
        data += frame(message.SerializeToString())
        expected += [
            (b"t", form, step, "7.25", str(value), record),
            (b"s", 0, step, "7.25", "0.5", record),
        ]
    assert points(assert_twins(data, True), data) == expected


@given(st.floats(width=16), st.floats(width=32), st.floats())
def test_floats_of_every_width_keep_their_value(half, single, double):
    """Halves, bfloat16, floats and doubles come out exact, subnormals and infinities too."""
    top = struct.unpack("<H", struct.pack("<f", single)[2:])[0]
    kept = struct.unpack("<f", struct.pack("<I", top << 16))[0]
    bits = struct.unpack("<H", struct.pack("<e", half))[0]
    tensors = [
        tensor_pb2.TensorProto(dtype=19, half_val=[bits]),
        tensor_pb2.TensorProto(dtype=14, half_val=[top]),
        tensor_pb2.TensorProto(dtype=1, float_val=[single]),
        tensor_pb2.TensorProto(dtype=2, double_val=[double]),
    ]
    data = frame(event([simple("a", single)])) + b"".join(
        frame(event([field(1, 2, b"a") + field(8, 2, t.SerializeToString())])) for t in tensors
    )
    decoded = assert_twins(data, True)
    np.testing.assert_array_equal(decoded.value, [single, half, kept, single, double])


# --- the law of the reader -----------------------------------------------------------------------


def feed(data: bytes, cuts: list[int], growing: bool) -> tuple:
    """Everything found when the bytes come in pieces, each from where the last one ended."""
    found: list[tuple] = []
    slows: list[tuple] = []
    problems: list[tuple] = []
    consumed = records = stop = 0
    buffers = d.Buffers()
    for end in [*sorted(cuts), len(data)]:
        part = data[consumed:end]
        decoded = compiled(part, growing or end == len(data), buffers)
        found += [(*p[:-1], p[-1] + records) for p in points(decoded, part)]
        slows += [
            (at + consumed, size, record + records)
            for at, size, record in zip(
                decoded.slow_offset, decoded.slow_length, decoded.slow_record, strict=True
            )
        ]
        problems += [
            (at + consumed, size, kind)
            for at, size, kind in zip(
                decoded.problem_offset, decoded.problem_bytes, decoded.problem_kind, strict=True
            )
        ]
        consumed += decoded.consumed
        records += decoded.records
        stop = decoded.stop
    return found, slows, problems, consumed, records, stop


@settings(max_examples=200)
@given(logs(own_tags=True), st.lists(st.floats(0, 1), max_size=5), st.booleans())
@example(frame(event([simple("a")]))[:-1] + b"!" + frame(event([simple("b")])), [0.5], True)
def test_cutting_the_bytes_anywhere_changes_nothing(data, places, growing):
    """A file read in pieces, growing or merely cut, gives what it gives at once."""
    cuts = [int(place * len(data)) for place in places]
    assert feed(data, cuts, growing) == feed(data, [], growing)


# --- damage and ends -----------------------------------------------------------------------------

A, B, C = (frame(event([simple(tag)], step)) for step, tag in enumerate("abc"))


def bad_payload(record: bytes) -> bytes:
    return record[:-1] + bytes([record[-1] ^ 1])


def bad_length(record: bytes) -> bytes:
    return record[:8] + bytes([record[8] ^ 1]) + record[9:]


def long_record(length: int) -> bytes:
    head = struct.pack("<Q", length)
    return head + struct.pack("<I", masked_crc(head)) + bytes(40)


@pytest.mark.parametrize(
    ("data", "at_end", "stop", "consumed", "records"),
    [
        (b"", True, d.CLEAN, 0, 0),
        (A + B, True, d.CLEAN, len(A + B), 2),
        (A + B[:-1], True, d.TORN, len(A), 1),
        (A + B[:5], True, d.TORN, len(A), 1),
        (A + bytes(3), True, d.NUL_TAIL, len(A), 1),
        (A + bytes(1000), True, d.NUL_TAIL, len(A), 1),
        (A + bad_length(B), True, d.LOST, len(A), 1),
        (A + bad_length(B) + C[:-1], True, d.LOST, len(A), 1),
        (A + bad_payload(B), True, d.HELD, len(A), 1),
        (A + bad_payload(B), False, d.CLEAN, len(A + B), 2),
        (A + bad_payload(B) + C[:3], True, d.TORN, len(A + B), 2),
        (A + long_record(d.MAX_RECORD + 1), True, d.TOO_LONG, len(A), 1),
        (A + long_record(1 << 63), True, d.TOO_LONG, len(A), 1),
        (A + long_record(d.MAX_RECORD), True, d.TORN, len(A), 1),
        (A + bytes(1000) + B, True, d.CLEAN, len(A + B) + 1000, 2),
    ],
)
def test_how_a_piece_ends(data, at_end, stop, consumed, records):
    """Each end has its name, and what is not dealt with stays for the next time."""
    decoded = assert_twins(data, at_end)
    assert (decoded.stop, decoded.consumed, decoded.records) == (stop, consumed, records)


@pytest.mark.parametrize(
    ("middle", "kind"),
    [
        (bad_payload(B), d.BAD_PAYLOAD),
        (bad_length(B), d.BAD_LENGTH),
        (bad_length(B) + bad_payload(B), d.BAD_LENGTH),
        (b"noise", d.BAD_LENGTH),
        (bytes(777), d.BAD_LENGTH),
        (bad_length(B) + bytes(5000), d.BAD_LENGTH),
    ],
)
def test_damage_is_confined_and_named(middle, kind):
    """What lies between two good records is one problem with its place and size."""
    decoded = assert_twins(A + middle + C, True)
    assert [p[0] for p in points(decoded, A + middle + C)] == [b"a", b"c"]
    assert decoded.problem_offset.tolist() == [len(A)]
    assert decoded.problem_bytes.tolist() == [len(middle)]
    assert decoded.problem_kind.tolist() == [kind]


def test_a_search_among_nested_lengths_is_given_up():
    """Bytes that look like a record at every step cost a bounded amount of work."""
    size = 1 << 20
    head = struct.pack("<Q", size // 2)
    header = head + struct.pack("<I", masked_crc(head))
    data = b"bad length!!" + header * (size // 12) + A
    assert compiled(data).stop == d.LOST
    assert compiled(b"bad length!!" + header * 100 + bytes(size) + A).stop == d.CLEAN


def test_wall_times_are_the_finite_extremes():
    """NaN and infinite times are kept with their points and are no bound of the piece."""
    walls = [5.0, math.nan, 3.0, math.inf, 4.0]
    decoded = assert_twins(b"".join(frame(event([simple("a")], 0, w)) for w in walls), True)
    assert (decoded.first_wall_time, decoded.last_wall_time) == (3.0, 5.0)
    np.testing.assert_array_equal(decoded.wall_time, walls)


# --- tags and room -------------------------------------------------------------------------------


def test_metadata_of_a_tag_is_that_of_its_first_value():
    """A repeat without or with the same metadata is a point; any other goes the slow way."""
    renamed = META.replace("Größe".encode(), "Grüße".encode())
    rows = [META, b"", META, META, renamed, META + b"\x20\x00"]
    data = b"".join(frame(event([simple("a", 1.0, field(9, 2, m) if m else b"")])) for m in rows)
    decoded = assert_twins(data, True)
    assert decoded.record.tolist() == [0, 1, 2, 3]
    assert decoded.slow_record.tolist() == [4, 5]
    at, size = decoded.tag_meta_offset[0], decoded.tag_meta_length[0]
    assert data[at : at + size] == META


def test_a_slow_record_leaves_no_tag_behind():
    """A tag first seen in a record that goes slow gets its number from the next fast one."""
    image = field(1, 2, b"image") + field(4, 2, b"")
    data = frame(event([simple("new"), image])) + frame(event([simple("other"), simple("new")]))
    decoded = assert_twins(data, True)
    assert [p[0] for p in points(decoded, data)] == [b"other", b"new"]
    assert decoded.slow_record.tolist() == [0]


def test_many_tags_points_and_slow_records_find_room():
    """Room grows while a piece is decoded, and is used again without a trace of the last one."""
    names = [f"t{i % 3000}" for i in range(7000)]
    data = b"".join(frame(event([simple(name) for name in names[i : i + 500]], i))
                    for i in range(0, 7000, 500))  # fmt: skip
    data += b"".join((frame(b"?") + bad_payload(frame(b"!"))) for _ in range(200)) + A
    buffers = d.Buffers()
    decoded = assert_twins(data, True, buffers)
    assert [p[0].decode() for p in points(decoded, data)] == [*names, "a"]
    assert (decoded.slow_offset.size, decoded.problem_offset.size) == (200, 200)
    kept = decoded.copy()
    assert_twins(C + B, True, buffers)
    assert_twins(A, True, buffers)
    assert [p[0].decode() for p in points(kept, data)] == [*names, "a"]


@pytest.mark.parametrize(
    "buf", [np.zeros(8, np.int8), np.zeros((2, 8), np.uint8), np.zeros(16, np.uint8)[::2]]
)
def test_other_arrays_are_refused(buf):
    """Only contiguous bytes are taken; the message says how to make them."""
    with pytest.raises(TypeError, match="want a contiguous uint8"):
        d.decode(buf, True)


def test_warm_compiles_what_decoding_runs():
    """After `warm` a piece of any kind of memory is decoded by the code that is there."""
    d.warm()
    before = len(d._scan.signatures)
    compiled(A)
    d.decode(np.frombuffer(bytearray(A), np.uint8), True)
    assert len(d._scan.signatures) == before == 1
