"""Names of runs in TensorBoard: distinct, short, and paths of each other where the runs are."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.api.tensorboard.names import Place, run_names, series_run

# Few words, so that places come near each other; some look like what names are made of.
_WORDS = st.sampled_from(
    ["a", "b", "train", "1700000000.5", "x:y", ":", "a (2)", "(2)", "é", " ", "..", "."]
)
_PATHS = st.lists(_WORDS, max_size=4).map(lambda parts: "/".join(parts) or ".")
_STREAMS = st.lists(st.sampled_from(["train", "b", "b/train", "a"]), max_size=3, unique=True).map(
    tuple
)
_PLACES = st.lists(
    st.builds(
        Place, st.sampled_from(["", "m1", "m2", "a", "m1:a"]), st.sampled_from(["a", "lab", ".", "m1"]),
        _PATHS, _STREAMS,
    ),
    unique_by=lambda place: place[:3],
    max_size=12,
)  # fmt: skip
_TAME = st.lists(
    st.builds(
        Place,
        st.sampled_from(["m1", "m2"]),
        st.just("lab"),
        st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map("/".join),
        st.just(()),
    ),
    unique_by=lambda place: place[:3],
    min_size=1,
    max_size=12,
)


@given(_PLACES)
def test_no_two_runs_share_a_name_nor_streams(places: list[Place]) -> None:
    """Whatever the places: distinct with all streams, never empty, never `.`."""
    names = run_names(places)
    every = [
        series_run(name, stream)
        for name, place in zip(names, places, strict=True)
        for stream in ("", *place.streams)
    ]
    assert len(every) == len(set(every)) and len(names) == len(places)
    assert not {"", "."} & set(every)


@given(_PLACES, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(places: list[Place], at_random: random.Random) -> None:
    """The same runs have the same names, whichever comes first."""
    named = dict(zip(places, run_names(places), strict=True))
    at_random.shuffle(places)
    assert dict(zip(places, run_names(places), strict=True)) == named


@given(_TAME)
def test_a_run_below_another_stays_below(places: list[Place]) -> None:
    """Names are paths of each other exactly where the runs' directories are."""
    names = run_names(places)
    for one, place in zip(names, places, strict=True):
        for other, below in zip(names, places, strict=True):
            nested = place.machine == below.machine and below.path.startswith(f"{place.path}/")
            assert other.startswith(f"{one}/") == nested


@given(_TAME)
def test_what_all_share_is_gone(places: list[Place]) -> None:
    """The machine stands there only if there are several; no directory leads all the names."""
    names = run_names(places)
    several = len({place.machine for place in places}) > 1
    for name, place in zip(names, places, strict=True):
        assert name.startswith(f"{place.machine}:") == several
        assert place.path.endswith(name.removeprefix(f"{place.machine}:" if several else ""))
    heads = {
        name.removeprefix(f"{p.machine}:").split("/")[0]
        for name, p in zip(names, places, strict=True)
    }
    deep = all("/" in name for name in names)
    assert not (deep and len(heads) == 1)


@pytest.mark.parametrize(
    ("places", "names"),
    [
        ([], []),
        ([Place("m", "lab", ".")], ["lab"]),
        ([Place("m", ".", "")], ["logs"]),
        ([Place("m", "lab", "vision/runs/r1")], ["r1"]),
        ([Place("m", "lab", "vision/r1"), Place("m", "lab", "vision/r2")], ["r1", "r2"]),
        ([Place("m", "lab", "v/r1"), Place("n", "lab2", "v/r1")], ["m:r1", "n:r1"]),
        ([Place("m", "lab", "v/r"), Place("", "disk", "v/r")], ["m:r", "disk:r"]),
        ([Place("m", "one", "v/r"), Place("m", "two", "v/r")], ["one:r", "two:r"]),
        (
            [Place("m", "one", "v/r"), Place("m", "two", "v/r"), Place("n", "one", "v/s")],
            ["m:one:r", "m:two:r", "n:one:s"],
        ),
        ([Place("m", "lab", "."), Place("m", "lab", "lab")], ["lab", "lab (2)"]),
        (
            [Place("m", "one", "a", ("train",)), Place("m", "two", "a/train")],
            ["a", "a/train (2)"],
        ),
    ],
)  # fmt: skip
def test_names_of_a_few_places(places: list[Place], names: list[str]) -> None:
    """What people see of them."""
    assert run_names(places) == names
