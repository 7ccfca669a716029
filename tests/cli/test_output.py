"""How results are written: for people, and for programs."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import stat
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from rich.cells import cell_len

from boardlake.cli import cells, output, table
from boardlake.core.errors import BoardlakeError, UsageError

MICROS = 1_700_000_000_250_000


def written(data: pa.Table, format_: str, tmp_path: Path) -> bytes:
    path = tmp_path / "result"
    output.write(data.schema, data.to_batches(), output.Target(format_, path))
    return path.read_bytes()


def on_screen(data: pa.Table, width: int) -> tuple[list[str], list[str]]:
    file = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        patch.setenv("TERM", "dumb")
        left_out = table.write(data.schema, data.to_batches(), file, terminal=True)
    return file.getvalue().splitlines(), left_out


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "-0"), (1.0, "1"), (0.1, "0.1"), (1 / 3, "0.3333"), (-1234.56, "-1235"),
        (99999.6, "100000"), (1.7e9, "1700000000"), (1e15, "1e+15"), (123456e20, "1.235e+25"),
        (1e-4, "0.0001"), (1.5e-7, "1.5e-07"), (9999.96, "10000"), (math.nan, "NaN"),
        (math.inf, "Inf"), (-math.inf, "-Inf"), (5e-324, "4.941e-324"),
    ],
)  # fmt: skip
def test_numbers_have_four_digits_or_their_whole_part(value: float, text: str) -> None:
    """Small and large numbers are short, and no digit before the point is lost."""
    assert table.number(value) == text


@given(st.floats(-1e308, 1e308))
def test_a_number_says_what_it_is(value: float) -> None:
    """What is shown is the number to four significant digits."""
    assert math.isclose(float(table.number(value)), value, rel_tol=5.1e-4, abs_tol=1e-323)


@given(st.text())
def test_no_text_steers_a_terminal(text: str) -> None:
    """Nothing that a terminal obeys is left, and plain text is as it was."""
    shown = cells.visible(text)
    assert not cells.UNSAFE.search(shown)
    assert cells.visible(shown) == shown
    assert shown == text or cells.UNSAFE.search(text)


ROWS = pa.table(
    {
        "name": ["experiments/vision/resnet50/lr_0.1/seed_1", "b", None],
        "empty": ["", None, ""],
        "steps": [1, 1_000_000, None],
        "description": ["日本語のテキスト" * 5, "x" * 200, "y"],
        "loss": [0.123456, math.nan, None],
        "when": pa.array([MICROS, MICROS + 86_400_000_000, None], pa.timestamp("us")),
    }
)


@pytest.mark.parametrize("width", [1, 2, 3, 10, 20, 40, 60, 80, 120, 160, 400])
def test_a_table_is_no_wider_than_the_terminal(width: int) -> None:
    """Texts are cut in their middle and columns left out; numbers and times are whole or absent."""
    lines, left_out = on_screen(ROWS, width)
    assert len(lines) == 5
    assert max(map(cell_len, lines)) <= width
    shown = [name for name in ROWS.column_names if name not in left_out]
    assert shown[0] == "name" and len(shown) + len(left_out) == 6
    assert ("steps" in shown) == ("1000000" in lines[3])
    assert (width >= 400) == (left_out == [])


def test_narrowing_drops_empty_columns_then_the_last_and_keeps_both_ends_of_names() -> None:
    """The first column stays readable, since it says which row it is."""
    lines, left_out = on_screen(ROWS, 60)
    assert left_out == ["empty", "when"]
    assert lines[2].startswith("experiments/") and "seed_1" in lines[2] and "…" in lines[2]


def test_a_table_in_a_file_is_whole_and_plain(tmp_path: Path) -> None:
    """Without a terminal nothing is cut, left out or coloured."""
    text = written(ROWS, "table", tmp_path).decode()
    assert "x" * 200 in text and "empty" in text and "…" not in text and "\x1b" not in text


def test_columns_are_aligned(tmp_path: Path) -> None:
    """Numbers end at the same place, and texts begin at the same place."""
    data = pa.table({"n": [1, 20, 300], "t": ["長い", "b", "cc"], "z": ["|", "|", "|"]})
    lines = written(data, "table", tmp_path).decode().splitlines()
    assert lines[2].startswith("  1  ") and lines[4].startswith("300  ")
    assert len({cell_len(line.partition("|")[0]) for line in lines[2:]}) == 1


def test_times_are_local_and_show_seconds_where_they_matter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Times a minute apart need no seconds; different ones never look alike for want of them."""
    import time

    monkeypatch.setenv("TZ", "XXX-2")
    time.tzset()
    try:
        far = pa.table({"t": pa.array([0, 60_000_000], pa.timestamp("us"))})
        near = pa.table({"t": pa.array([0, 1_000_000], pa.timestamp("us", tz="UTC"))})
        assert "1970-01-01 02:01" in written(far, "table", tmp_path).decode().splitlines()
        assert "1970-01-01 02:00:01" in written(near, "table", tmp_path).decode().splitlines()
    finally:
        monkeypatch.undo()
        time.tzset()


STRANGE = pa.table(
    {
        "int": [1, None],
        "float": [math.nan, -math.inf],
        "text": ['a,"b"\n', ""],
        "time": pa.array([MICROS, 2**63 - 1], pa.timestamp("us")),
        "zoned": pa.array([MICROS - 250_000, None], pa.timestamp("us", tz="UTC")),
        "date": pa.array([0, 2**31 - 1], pa.date32()),
        "bytes": [b"\x00\xff", None],
        "list": [[1.5, math.inf], None],
        "struct": [{"a": math.nan}, None],
        "decimal": pa.array([10**30, None], pa.decimal128(38, 0)),
        "bool": [True, None],
        "null": pa.nulls(2),
        "control": ["\x1b\x7f\u202e", "ok"],
    }
)


def test_json_is_an_array_of_objects(tmp_path: Path) -> None:
    """Every value has a form in plain JSON, and control characters are escaped."""
    text = written(STRANGE, "json", tmp_path).decode()
    first, second = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert first == {
        "int": 1, "float": "NaN", "text": 'a,"b"\n', "time": "2023-11-14T22:13:20.25Z",
        "zoned": "2023-11-14T22:13:20Z", "date": "1970-01-01", "bytes": "AP8=",
        "list": [1.5, "Infinity"], "struct": {"a": "NaN"}, "decimal": 10**30, "bool": True,
        "null": None, "control": "\x1b\x7f\u202e",
    }  # fmt: skip
    assert second["float"] == "-Infinity" and second["time"] == second["date"] == "infinity"
    assert not set("\x1b\x7f\u202e") & set(text)


def test_csv_holds_the_same(tmp_path: Path) -> None:
    """A missing value is an empty field, lists are JSON, times ISO 8601."""
    text = written(STRANGE, "csv", tmp_path).decode()
    first, second = csv.DictReader(io.StringIO(text, newline=""))
    assert first["text"] == 'a,"b"\n' and first["float"] == "nan" and second["float"] == "-inf"
    assert first["time"] == "2023-11-14T22:13:20.25Z" and second["time"] == "infinity"
    assert json.loads(first["list"]) == [1.5, "Infinity"] and second["list"] == ""
    assert first["decimal"] == str(10**30) and first["bool"] == "true"


def test_parquet_is_the_table_itself(tmp_path: Path) -> None:
    """Types and values survive, NaN and missing ones apart."""
    data = STRANGE.drop_columns(["null", "time", "date"])
    written(data, "parquet", tmp_path)
    read = parquet.read_table(tmp_path / "result")
    assert read.schema.equals(data.schema)
    assert str(read.to_pylist()) == str(data.to_pylist())


@pytest.mark.parametrize("format_", output.FORMATS)
def test_no_rows_is_a_sound_result(format_: str, tmp_path: Path) -> None:
    """An empty result is nothing, a header, an empty array, or a file with a schema."""
    data = STRANGE.slice(0, 0)
    raw = written(data, format_, tmp_path)
    if format_ == "table":
        assert raw == b""
    elif format_ == "json":
        assert json.loads(raw) == []
    elif format_ == "csv":
        assert raw.decode().strip().replace('"', "").split(",") == data.column_names
    else:
        assert parquet.read_table(tmp_path / "result").num_rows == 0


def test_what_parquet_cannot_hold_is_refused(tmp_path: Path) -> None:
    """The error says so, and no file is left."""
    data = pa.table({"i": pa.array([(0, 3, 0)], pa.month_day_nano_interval())})
    with pytest.raises(UsageError, match="Parquet cannot hold"):
        written(data, "parquet", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """When rows fail to come, the old file is as it was and nothing lies beside it."""
    path = tmp_path / "old.csv"
    path.write_text("old")
    schema = pa.schema({"a": pa.int64()})

    def rows() -> Any:
        yield pa.RecordBatch.from_pylist([{"a": 1}], schema=schema)
        raise UsageError("no more")

    with pytest.raises(UsageError):
        output.write(schema, rows(), output.Target("csv", path))
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_file_has_the_rights_and_the_link_it_should(tmp_path: Path) -> None:
    """The umask holds, and a link keeps pointing to what is written."""
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    link.symlink_to(real)
    output.write(ROWS.schema, ROWS.to_batches(), output.Target("csv", link))
    umask = os.umask(0)
    os.umask(umask)
    assert link.is_symlink() and stat.S_IMODE(real.stat().st_mode) == 0o666 & ~umask


def test_a_device_is_written_to_and_stays() -> None:
    """`--output /dev/null` does not replace the device by a file."""
    output.write(ROWS.schema, ROWS.to_batches(), output.Target("csv", Path("/dev/null")))
    assert Path("/dev/null").is_char_device()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error names the file and the reason."""
    with pytest.raises(BoardlakeError, match=r"no/x\.csv: cannot be written: No such file"):
        output.write(ROWS.schema, [], output.Target("csv", tmp_path / "no" / "x.csv"))


def test_the_format_comes_from_option_or_suffix() -> None:
    """What is said stands before what the suffix says, and a contradiction is refused."""
    assert output.target(None, False, None).format == "table"
    assert output.target(None, False, "a.Parquet").format == "parquet"
    assert output.target("csv", False, "a.json").format == "csv"
    assert output.target(None, True, "-") == output.Target("json", None)
    with pytest.raises(UsageError, match="--json and --format csv"):
        output.target("csv", True, None)
