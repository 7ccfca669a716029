"""Columns to records: the compiled encoder against its plain twin, protobuf, and the decoder."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto import event_pb2

from boardlake.kernels.decode import CLEAN, decode
from boardlake.kernels.encode import encode
from boardlake.kernels.encode_plain import encode_plain
from boardlake.kernels.encoded import DOUBLE, EVENT, FLOAT, WHOLE, Form, Forms, Rows

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
SMALL = st.integers(-300, 300)


def columns(rows: list[tuple[int, int, float, float, int]]) -> Rows:
    """Rows as columns; their records are made to ascend."""
    made = sorted(rows, key=lambda row: row[0])
    types = (np.int64, np.int64, np.float64, np.float64, np.int32)
    return Rows(*(np.array([row[i] for row in made], kind) for i, kind in enumerate(types)))


@st.composite
def cases(draw):
    forms = draw(
        st.lists(
            st.builds(
                Form,
                st.binary(max_size=40) | st.binary(min_size=100, max_size=300),
                st.binary(max_size=20),
                st.sampled_from([WHOLE, FLOAT, DOUBLE, EVENT]),
            ),
            min_size=1,
            max_size=6,
        )
    )
    row = st.tuples(
        st.integers(0, 12),
        INT64 | SMALL,
        st.floats() | st.just(-0.0),
        st.floats() | st.just(-0.0),
        st.integers(0, len(forms) - 1),
    )
    return columns(draw(st.lists(row, max_size=30))), forms


@given(cases())
def test_compiled_and_plain_agree(case):
    """Whatever the columns and forms, both write the same bytes, also into room that was used before."""
    rows, forms = case
    expected = encode_plain(rows, forms).tobytes()
    assert encode(rows, Forms.of(forms)).tobytes() == expected
    used = np.full(len(expected) * 2 + 5000, 255, np.uint8)
    assert encode(rows, Forms.of(forms), used).tobytes() == expected


def test_what_is_written_is_what_protobuf_writes(tmp_path):
    """Simple values of one event or of many, byte for byte; TensorBoard's own reader checks the frames."""
    forms = [Form(b"\x0a\x04loss\x15", b"", FLOAT), Form(b"\x0a\x03acc\x15", b"", FLOAT)]
    rows = columns([(0, 0, 0.0, 1.5, 0), (0, 0, 0.0, 0.0, 1), (3, -1, 1.7e9, -2.0, 0)])
    path = tmp_path / "events.tfevents.1"
    path.write_bytes(encode(rows, Forms.of(forms)).tobytes())
    first, second = event_pb2.Event(), event_pb2.Event(step=-1, wall_time=1.7e9)
    first.summary.value.add(tag="loss", simple_value=1.5)
    first.summary.value.add(tag="acc", simple_value=0.0)
    second.summary.value.add(tag="loss", simple_value=-2.0)
    found = list(RawEventFileLoader(str(path)).Load())
    assert found == [first.SerializeToString(), second.SerializeToString()]


@given(st.lists(st.tuples(INT64, st.floats(), st.floats(width=32), st.integers(0, 1)), max_size=50))
def test_the_decoder_reads_the_same_columns(points):
    """Plain scalars come back to the bit."""
    rows = columns(
        [(at, step, wall, value, form) for at, (step, wall, value, form) in enumerate(points)]
    )
    forms = [Form(b"\x0a\x01a\x15", b"", FLOAT), Form(b"\x0a\x02bb\x15", b"", FLOAT)]
    found = decode(encode(rows, Forms.of(forms)), True)
    assert (found.stop, found.records, len(found.slow_record)) == (CLEAN, len(points), 0)
    assert found.step.tolist() == rows.step.tolist()
    assert found.wall_time.tobytes() == rows.wall_time.tobytes()
    assert np.array_equal(found.value, rows.value, equal_nan=True)
    assert np.array_equal(np.signbit(found.value), np.signbit(rows.value))


def test_what_does_not_fit_together_is_refused():
    """Columns of different lengths, and forms that there are not."""
    rows = columns([(0, 0, 0.0, 0.0, 0)])
    with pytest.raises(ValueError, match="forms? beyond"):
        encode(rows, Forms.of([]))
    with pytest.raises(ValueError, match="columns of"):
        encode(rows._replace(step=np.zeros(2, np.int64)), Forms.of([Form(b"")]))
