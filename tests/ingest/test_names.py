"""Names of event files give time, host and process, and the order in which files are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.ingest.names import (
    EventFileName,
    is_event_file,
    order_key,
    parse_event_file_name,
)

NAMES = [
    ("1637681485.2d662933d616.19.1.v2", (1637681485, "2d662933d616", 19, 1, ".v2")),
    ("1722240367.apen.local.34658.0", (1722240367, "apen.local", 34658, 0, "")),
    ("1502677686.w266", (1502677686, "w266", None, None, "")),
    ("1592285541.74153de2da13", (1592285541, "74153de2da13", None, None, "")),
    ("1600000000.node7.cluster.local", (1600000000, "node7.cluster.local", None, None, "")),
    ("1600000000.LEMON.profile-empty", (1600000000, "LEMON", None, None, ".profile-empty")),
    ("1600000000.v2", (1600000000, "", None, None, ".v2")),
    ("1600000000", (1600000000, "", None, None, "")),
    ("1600000000.10.0.0.7.1234.0", (1600000000, "10.0.0.7", 1234, 0, "")),
    # Without a pid nothing tells an address from a pid and a counter: the host is a hint.
    ("1600000000.10.0.0.7", (1600000000, "10.0", 0, 7, "")),
    ("1600000000.host.12.0_train", (1600000000, "host", 12, 0, "_train")),
    ("1600000000.host.12.10.rank3", (1600000000, "host", 12, 10, ".rank3")),
    ("1600000000.ip-10-0-0-7.12.0", (1600000000, "ip-10-0-0-7", 12, 0, "")),
    (
        "1600000000.dgx-dcp-1.99999999999999.0",
        (1600000000, "dgx-dcp-1.99999999999999.0", *[None] * 2, ""),
    ),
    ("example", (None, "", None, None, ".example")),
    ("1600000000000.host.1.0", (None, "", None, None, ".1600000000000.host.1.0")),
]


@pytest.mark.parametrize(("tail", "expected"), NAMES)
@pytest.mark.parametrize("packed", [False, True])
def test_parts_of_a_name(tail: str, expected: tuple[object, ...], packed: bool) -> None:
    """Every known form is taken apart, in a folder or not, packed or not."""
    name = f"runs/a.b/events.out.tfevents.{tail}" + (".gz" if packed else "")
    parsed = parse_event_file_name(name)
    assert (parsed.created_unix, parsed.host, parsed.pid, parsed.uid, parsed.suffix) == expected
    assert parsed.gzip is packed
    assert is_event_file(name)


@pytest.mark.parametrize("name", ["end_to_end.tfevents", "events.out.tfevents", "my.tfevents.gz"])
def test_names_without_a_tail(name: str) -> None:
    """A name that tells nothing is still that of an event file."""
    assert is_event_file(name)
    assert parse_event_file_name(name) == EventFileName(
        None, "", None, None, "", name.endswith(".gz")
    )


EVENTS = "events.out.tfevents.1600000000.host.12.0"


@pytest.mark.parametrize(
    "name",
    [
        f".{EVENTS}.Ab12Cd",
        f"run/.{EVENTS}.x9Y8z7",
        f".{EVENTS}.swp",
        f".{EVENTS}.crc",
        f"{EVENTS}.part",
        f"{EVENTS}.partial",
        f"{EVENTS}.filepart",
        f"{EVENTS}.crdownload",
        f"{EVENTS}.tmp",
        f"{EVENTS}~",
        f".azDownload-0a1b-{EVENTS}",
        f".syncthing.{EVENTS}.tmp",
        "tfevents/hparams.yaml",
        "model.ckpt",
        "",
    ],
)
def test_not_event_files(name: str) -> None:
    """Copies in the making, and everything without `tfevents` in the base name, are left alone."""
    assert not is_event_file(name)


@pytest.mark.parametrize(
    "name", [f".{EVENTS}", f"{EVENTS}.rank01", f"{EVENTS}.parts", f"x.{EVENTS}"]
)
def test_odd_but_whole_files(name: str) -> None:
    """A hidden file, or a suffix that only resembles a partial copy's, is read."""
    assert is_event_file(name)


def test_order_of_files() -> None:
    """Files are read by the time in the name, then by name; those without a time come first."""
    names = [
        "events.out.tfevents.20000000000.a",
        "b.tfevents",
        "events.out.tfevents.1600000001.a.1.0",
    ]
    names += ["events.out.tfevents.1600000000.b.1.0", "events.out.tfevents.1600000000.a.1.0"]
    assert sorted(names, key=order_key) == [names[1], names[4], names[3], names[2], names[0]]


def test_real_names(corpus: Path) -> None:
    """In real files the time is one of this century and no host ends in the pid."""
    names = [path.name for path in corpus.rglob("*tfevents*") if path.is_file()]
    parsed = [parse_event_file_name(name) for name in names]
    assert all(map(is_event_file, names))
    timed = [each for each in parsed if each.created_unix is not None]
    assert len(timed) > 0.95 * len(names) > 0
    assert all(1_300_000_000 < (each.created_unix or 0) < 2_000_000_000 for each in timed)
    assert all(each.host for each in timed if each.suffix != ".v2")
    assert {each.suffix for each in timed} <= {"", ".v2", ".profile-empty"}


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """No name makes the parser fail, and every name has a place in the order."""
    for name in (text, f"events.out.tfevents.{text}", f"events.out.tfevents.1600000000.{text}"):
        parsed = parse_event_file_name(name)
        assert parsed.pid is None or parsed.pid >= 0
        assert order_key(name)[1] == name
        is_event_file(name)


@given(
    st.integers(10**9, 10**10 - 1),
    st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z][a-z0-9-]{0,10}){0,3}", fullmatch=True),
    st.integers(0, 2**32 - 1),
    st.integers(0, 1000),
    st.sampled_from(["", ".v2", "_x", ".profile-empty"]),
)
def test_round_trip(time: int, host: str, pid: int, uid: int, suffix: str) -> None:
    """What a writer puts into a name comes out again."""
    name = f"events.out.tfevents.{time:010d}.{host}.{pid}.{uid}{suffix}"
    assert parse_event_file_name(name) == EventFileName(time, host, pid, uid, suffix)
