"""Names of exported files: theirs where that is safe, never outside the directory, never one for two."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.lake.logdir.places import Places, safe
from boardlake.lake.logdir.side import SIDE_FILE

NAME = "events.out.tfevents.1700000000.host.7.0"
components = st.sampled_from(
    ["", ".", "..", "a", "b", "a\0b", "é" * 200, SIDE_FILE, "manifest.json"]
)
paths = st.lists(components | st.text(max_size=8), min_size=1, max_size=5).map("/".join)


def test_names_stay() -> None:
    """What is a path is left as it is, also with spaces, controls and what a shell would read."""
    places = Places()
    for path in (
        f"run/train/{NAME}",
        NAME,
        "a b/é/\x01/~/$(x)/.hidden/f.tfevents",
        "x" * 255 + "/f",
    ):
        assert places.file("", path) == path
    assert places.directory("", "run/train") == "run/train"
    assert places.directory("", ".") == places.directory("", "") == ""


@pytest.mark.parametrize(
    "path", ["../../etc/cron.d/f", "/etc/f", "a/../../f", "a//f", "./f", "\0/f"]
)
def test_nothing_leads_out(path: str) -> None:
    """Parts that would lead elsewhere, or that no file system takes, get a name of their own."""
    found = Places().file("", path)
    assert os.path.normpath(found) == found
    assert not found.startswith(("/", "..")) and "\0" not in found
    assert found.count("/") == path.count("/")


def test_names_that_are_too_long_or_taken() -> None:
    """They end in a hash; where each of two files lies does not depend on the other's contents."""
    places = Places()
    first, second = (places.file("", f"{'x' * 300}{end}") for end in "ab")
    assert first != second
    assert len(first) <= 255
    # A key of a bucket may be a file and a directory.
    assert places.file("", "run") == "run"
    below = places.file("", f"run/{NAME}")
    assert below.startswith("run~") and below.endswith(NAME)
    assert places.file("", SIDE_FILE) != SIDE_FILE
    assert places.file("", "manifest.json") != "manifest.json"


def test_deep_paths_are_moved_up() -> None:
    """A path longer than any system takes lies nearer to the top."""
    found = Places().file("", "/".join(["d" * 200] * 40) + f"/{NAME}")
    assert len(found) < 4_000
    assert found.endswith(NAME)


@given(st.lists(paths, max_size=12, unique=True))
def test_any_paths_can_be_made(tmp_path_factory: pytest.TempPathFactory, found: list[str]) -> None:
    """All of them on a real disk, each file once, below the directory; the same names every time."""
    root = tmp_path_factory.mktemp("places")
    places, again = Places(), Places()
    given_names = [places.file("", path) for path in found]
    assert given_names == [again.file("", path) for path in found]
    for name in given_names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x"):
            pass
        assert Path(os.path.realpath(path)).is_relative_to(root)


def test_safe_is_for_one_component() -> None:
    """Lone surrogates are no text, but a name is made of them."""
    assert safe("a\udcff").startswith("a?~")
    assert safe("..") not in ("", ".", "..")
