"""Selections: what each means, the ids they have, and the lists that are made of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.api.service import Service
from boardlake.api.tensorboard import selection as selections
from boardlake.api.tensorboard.index import Indexes
from boardlake.api.tensorboard.selection import (
    MAX_RUNS,
    NoSuchSelection,
    Selection,
    find,
    keep,
    of_state,
)
from boardlake.core.errors import FilterError, UsageError
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.state.store import NoSuchView, open_state

_RUNS = MAX_RUNS + 10
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More runs than are shown, some of which share names with streams of others, one of them a copy."""
    path = tmp_path_factory.mktemp("lake")
    with open_lake(locate(str(path)), read_only=False, create=True) as lake:
        lake.con.execute(
            "INSERT INTO run_facts (run_id, run_key, source, machine, project, name, path)"
            " SELECT i, 'key' || i, 'lab', 'm', CASE WHEN i < 5 THEN 'small' ELSE 'large' END,"
            f" 'run' || i, 'runs/r' || i FROM range(1, {_RUNS + 1}) t(i)"
        )
        # Another source has as its run what is a stream of the first.
        lake.con.execute(
            "INSERT INTO run_facts (run_id, run_key, source, machine, project, name, path)"
            " VALUES (100001, 'other', 'disk', 'm', 'small', 'val', 'runs/r1/val')"
        )
        lake.con.execute(
            "INSERT INTO files (file_id, run_id, source, stream, path, points, records,"
            " first_wall_time, last_step, last_wall_time, content_key)"
            " SELECT run_id, run_id, source, '', 'f', 2, 2, 1.7e9, 7, 1.7e9,"
            " CASE WHEN run_id IN (2, 3) THEN 'same' ELSE 'c' || run_id END FROM run_facts"
        )
        lake.con.execute(
            "INSERT INTO series_parts (run_id, stream, tag, kind, plugin, points, last_step, last_wall_time, last)"
            " SELECT run_id, stream, 'loss', 'scalar', 'scalars', 2, 7, 1.7e9, run_id"
            " FROM run_facts, (VALUES (''), ('val')) s(stream)"
            " WHERE stream = '' OR run_id = 1"
        )
    return path


@pytest.fixture
def service(root: Path, tmp_path: Path) -> Iterator[Service]:
    """The lake with a state database of the test's own."""
    opened = Service(open_lake(locate(str(root))), open_state(tmp_path))
    yield opened
    opened.close()


def ids(service: Service, **given: Any) -> list[int]:
    """The runs of a selection, in order of number."""
    return sorted(selections.run_ids(service, Selection(**given)))


@pytest.mark.parametrize(
    ("page", "state", "selection"),
    [
        ("tensorboard", {"q": "a", "dup": True}, Selection("a", (), True, False)),
        ("tensorboard", {"sel": ["k1", "k2"]}, Selection("", ("k1", "k2"))),
        ("workspace", {"q": "a", "sel": [], "arch": True, "x": 1}, Selection("a", (), False, True)),
        ("workspace", {"q": "a", "sel": ["k", "k"]}, Selection("a", ("k",))),
        ("workspace", {}, Selection()),
        ("media", {"sel": ["k"]}, Selection("", ("k",))),
        ("compare", {"runs": ["k2", "k1"], "q": "words"}, Selection("words", ("k2", "k1"))),
        ("run", {"run": "k"}, Selection("", ("k",))),
        ("workspace", {"q": 7, "sel": {"a": 1}, "dup": "1"}, Selection()),
    ],
)
def test_what_a_saved_state_means(page: str, state: dict[str, Any], selection: Selection) -> None:
    """Its selected runs, else its filter; what does not fit is nothing."""
    assert of_state(page, state) == selection


@pytest.mark.parametrize(
    ("page", "state"),
    [("sql", {"q": "SELECT 1"}), ("sources", {}), ("", {}), ("compare", {"q": "x"}), ("run", {})],
)
def test_what_selects_no_runs(page: str, state: dict[str, Any]) -> None:
    """A page without runs, or one that is of some runs and names none, is never taken for all runs."""
    with pytest.raises(NoSuchSelection):
        of_state(page, state)


@given(st.dictionaries(st.sampled_from(["q", "sel", "runs", "run", "dup", "arch"]), _VALUES))
def test_any_state_is_read(state: dict[str, Any]) -> None:
    """Whatever people saved through the API."""
    found = of_state("workspace", state)
    assert all(isinstance(key, str) and key for key in found.runs)
    assert isinstance(found.filter, str) and isinstance(found.duplicates, bool)


def test_there_and_back(service: Service) -> None:
    """The same selection has the same id, another one another."""
    made = [
        Selection(), Selection("points > 1"), Selection("points > 1", (), True), Selection(runs=("a", "b")),
        Selection("points > 1", (), False, True), Selection(runs=("b", "a")),
    ]  # fmt: skip
    found = [keep(service, one) for one in made]
    assert len(set(found)) == len(made) and found == [keep(service, one) for one in made]
    assert [find(service, id) for id in found] == made
    assert keep(service, Selection("  points > 1 ")) == found[1]
    assert service.state.view(found[1]).page == "tensorboard"
    with pytest.raises(NoSuchView):
        find(service, "nosuch")


def test_which_runs(service: Service) -> None:
    """Those of the filter, or of the list as far as they are there."""
    assert ids(service, filter="project = 'small'") == [1, 2, 4, 100_001]
    assert ids(service, filter="project = 'small'", duplicates=True) == [1, 2, 3, 4, 100_001]
    assert ids(service, filter="project = 'none'") == []
    assert ids(service, runs=("key3", "gone", "key1")) == [1, 3]
    service.state.annotate(["key4"], {"archived": True})
    assert ids(service, filter="project = 'small'") == [1, 2, 100_001]
    assert ids(service, filter="project = 'small'", archived=True) == [1, 2, 4, 100_001]


def test_what_is_refused(service: Service) -> None:
    """A list of which nothing is there, a filter with a mistake, and more runs than can be shown."""
    with pytest.raises(NoSuchSelection, match="'a', 'b', 'c' and 1 more") as gone:
        ids(service, runs=("a", "b", "c", "d"))
    assert gone.value.http_status == 404
    with pytest.raises(FilterError) as error:
        ids(service, filter="points > 1 and pints > 2")
    assert error.value.position == 15
    many = [f"key{i}" for i in range(_RUNS)]
    for chosen in (Selection("project = 'large'"), Selection(runs=tuple(many))):
        with pytest.raises(UsageError, match="more than 5,000 runs"):
            selections.run_ids(service, chosen)


def test_any_runs(service: Service) -> None:
    """Told without counting them."""
    assert selections.any_runs(service, Selection())
    assert not selections.any_runs(service, Selection("project = 'none'"))


def test_keys_of_runs_by_every_name(service: Service) -> None:
    """run_id, run_key and name lead to a run_key; what is none is named."""
    assert sorted(selections.run_keys(service, [1, "key2", "run4"])) == ["key1", "key2", "key4"]
    with pytest.raises(UsageError, match="no run is called 'nobody'"):
        selections.run_keys(service, ["run1", "nobody"])


def test_lists_follow_the_lake_and_are_kept(service: Service) -> None:
    """They are made once for a state of the lake, and anew when what people wrote changes them."""
    indexes = Indexes(service)
    id = keep(service, Selection("tag('mine')", (), True))
    assert indexes.get(id).runs == []
    service.state.annotate(["key1", "key2"], {}, add_tags=["mine"])
    found = indexes.get(id)
    assert [run.run_key for run in found.runs] == ["key1", "key2"]
    assert indexes.get(id) is found


def test_no_run_is_hidden_behind_a_stream(service: Service) -> None:
    """A run that lies where another source has a stream keeps its own series."""
    found = Indexes(service).get(keep(service, Selection("project = 'small'", (), True)))
    last = {one.run: one.last for one in found.series("scalars")}
    assert sorted(last.values()) == [1, 1, 2, 3, 4, 100_001]
    assert {run.name for run in found.runs} <= set(last)
