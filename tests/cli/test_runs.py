"""`boardlake runs`, as it is typed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from boardlake.lake.database import open_lake
from boardlake.lake.location import locate

Run = Callable[..., Any]


def test_json_has_every_run_once(ran: Run) -> None:
    """Without a terminal all runs come, copies left out, and stderr is silent."""
    done = ran("runs", "--json")
    runs = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert len(runs) == len({run["run_key"] for run in runs}) == 60
    assert len(json.loads(ran("runs", "--duplicates", "--format", "json").out)) == 61


def test_filter_columns_and_sort_are_in_the_filter_language(ran: Run) -> None:
    """Lists are parted at their outer commas, and an option may come twice."""
    done = ran(
        "runs", "project = 'even' and hp.lr >= 50", "--columns", "name, coalesce(hp.lr, 0) as lr",
        "--columns", "points", "--sort", "-lr", "--limit", "3", "--format", "csv",
    )  # fmt: skip
    assert list(csv.reader(io.StringIO(done.out))) == [
        ["name", "lr", "points"],
        ["run/seed58", "58", "58"],
        ["run/seed56", "56", "56"],
        ["run/seed54", "54", "54"],
    ]


def test_words_need_no_quotes(ran: Run) -> None:
    """Several arguments are one search, every word of which must occur."""
    found = json.loads(ran("runs", "seed58", "even", "--json").out)
    assert [run["name"] for run in found] == ["run/seed58"]
    assert json.loads(ran("runs", "seed58", "odd", "--json").out) == []


def test_groups_count_all_their_members(ran: Run) -> None:
    """One row for each group, over all runs and not over a page of them."""
    done = ran("runs", "--group-by", "project", "--columns", "hp.lr", "--json")
    groups = {group["project"]: group for group in json.loads(done.out)}
    assert groups["even"]["runs"] == 30 and groups["even"]["hp.lr_max"] == 58


def test_a_terminal_shows_a_page_and_says_so(ran: Run) -> None:
    """Fifty rows, and on stderr how many there are."""
    done = ran("runs", width=200)
    assert len(done.out.splitlines()) == 52
    assert done.err == "showing 50 of 60 runs: --limit 60 shows all\n"
    assert ran("runs", "--limit", "100", width=200).err == "60 runs\n"
    assert ran("runs", "--group-by", "project", width=200).err == "2 groups\n"
    assert ran("runs", "hp.lr = 3", width=200).err == "1 run\n"


def test_a_narrow_terminal_is_told_what_is_missing(ran: Run) -> None:
    """Columns that had no room are named on stderr."""
    done = ran("runs", "--limit", "1", width=40)
    assert max(map(len, done.out.splitlines())) <= 40
    assert "not shown: " in done.err and "run_key" in done.err


def test_a_name_from_a_log_does_not_reach_the_terminal_raw(ran: Run) -> None:
    """An escape sequence in a run's name is written out, also through a pipe."""
    for width in (0, 200):
        out = ran("runs", "hp.lr = 7", width=width).out
        assert "evil\\x1b[31m" in out and "\x1b" not in out


def test_a_file_takes_the_result(ran: Run, tmp_path: Path) -> None:
    """--output writes the file whole, in the format of its suffix, and nothing to stdout."""
    done = ran("runs", "--output", str(tmp_path / "runs.parquet"), width=80)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert parquet.read_table(tmp_path / "runs.parquet").num_rows == 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hp.lr > 1000"], "none of 61 runs matches hp.lr > 1000"),
        (["run_key = 'key0'"], "--duplicates shows them"),
        (["--limit", "0"], "--limit 0 shows none of 61 runs"),
    ],
)
def test_no_result_says_why(ran: Run, arguments: list[str], message: str) -> None:
    """An empty result is no error, and stderr says what to do about it."""
    done = ran("runs", *arguments, "--json")
    assert (done.code, json.loads(done.out)) == (0, [])
    assert message in done.err


def test_an_empty_lake_says_how_to_fill_it(ran: Run, tmp_path: Path) -> None:
    """A lake without runs names the command that reads logs."""
    open_lake(locate(str(tmp_path)), read_only=False, create=True).close()
    done = ran("runs", lake=tmp_path)
    assert (done.code, done.out) == (0, "")
    assert "no runs yet" in done.err and "boardlake ingest" in done.err


def test_no_lake_is_an_error(ran: Run, tmp_path: Path) -> None:
    """A lake that is not there ends with exit code 4 and the way to one."""
    done = ran("runs", lake=tmp_path / "none")
    assert done.code == 4 and "there is no lake at" in done.err and "hint:" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pints > 3"], "Did you mean points?"),
        (["hp.lrr > 3"], "Did you mean hp.lr?"),
        (["--sort", "-pints"], "Did you mean points?"),
        (["--columns", "name,,path"], "nothing stands before this comma"),
        (["--json", "--format", "csv"], "cannot both hold"),
    ],
)
def test_wrong_use_ends_with_2(ran: Run, arguments: list[str], message: str) -> None:
    """What cannot be taken is named with the nearest that can."""
    done = ran("runs", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_parquet_is_not_poured_on_a_terminal(ran: Run) -> None:
    """Bytes go to a file or a pipe."""
    done = ran("runs", "--format", "parquet", width=80)
    assert (done.code, done.out) == (2, "") and "--output FILE" in done.err
