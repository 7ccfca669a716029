"""The state database keeps what people write, from any number of threads and processes."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, update

from boardlake.core.errors import LakeError, UsageError
from boardlake.state.store import MAX_VIEW, NoSuchView, open_state
from boardlake.state.tables import Meta


def test_what_is_written_is_kept(tmp_path: Path) -> None:
    """Fields change one by one, tags come and go, and another opening sees it all."""
    state = open_state(tmp_path)
    before = state.version()
    assert state.annotate(["a", "b", "a"], {"name": "best"}, add_tags=["x", "y"]) == 2
    state.annotate(["a"], {"notes": "n", "colour": "#00ff00", "archived": True}, remove_tags=["x"])
    assert state.version() > before
    state.close()
    again = open_state(tmp_path)
    first, second = again.annotations()
    assert (first.name, first.notes, first.archived, first.tags) == ("best", "n", True, ("y",))
    assert (second.run_key, second.archived, second.tags) == ("b", False, ("x", "y"))
    assert again.annotations(["b"]) == [second] and len(again.tags()) == 3
    again.forget(["b"])
    assert again.annotations() == [first]
    again.close()


@pytest.mark.parametrize(
    ("keys", "changes", "tags", "message"),
    [
        ([], {}, ["x"], "runs: 0"),
        (["a"], {"name": "n" * 201}, [], "name: 201"),
        (["a"], {"colour": "red"}, [], "colour: got 'red'"),
        (["a"], {"size": 1}, [], "size"),
        (["a"], {}, [" "], "tag"),
        (["a"], {}, ["x" * 65], "tag"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, keys: list[str], changes: dict[str, object], tags: list[str], message: str
) -> None:
    """The error names the field, and nothing is changed."""
    state = open_state(tmp_path)
    with pytest.raises(UsageError, match=message):
        state.annotate(keys, changes, add_tags=tags)
    assert state.annotations() == [] and state.version() == 0
    state.close()


def test_views_have_short_ids_of_what_they_hold(tmp_path: Path) -> None:
    """The same state has the same id; an unknown id is an error."""
    state = open_state(tmp_path)
    one = state.save_view("workspace", {"q": "lr", "n": [1, 2]})
    assert one == state.save_view("workspace", {"n": [1, 2], "q": "lr"}) and len(one) == 10
    named = state.save_view("workspace", {"q": "lr"}, "mine")
    assert [view.id for view in state.views()] == [named]
    assert state.view(one).state == {"q": "lr", "n": [1, 2]}
    state.delete_view(named)
    with pytest.raises(NoSuchView, match="there is no view"):
        state.view(named)
    with pytest.raises(UsageError, match="are kept"):
        state.save_view("workspace", {"q": "x" * (MAX_VIEW + 1)})
    state.close()


def test_views_without_a_name_change_no_list(tmp_path: Path) -> None:
    """The version stays, and with it every answer that is known; a name changes it once."""
    state = open_state(tmp_path)
    shared = state.save_view("tensorboard", {"q": "lr"})
    assert state.version() == 0 and state.view(shared).state == {"q": "lr"}
    for _ in range(2):
        state.save_view("tensorboard", {"q": "lr"}, "mine")
        assert state.version() == 1
    state.delete_view(shared)
    assert state.version() == 2
    state.close()


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    """Threads and another process write at once, and no change is lost."""
    state = open_state(tmp_path)
    code = (
        "import sys, pathlib; from boardlake.state.store import open_state\n"
        "state = open_state(pathlib.Path(sys.argv[1]))\n"
        "for i in range(20): state.annotate([f'p{i}'], {'name': 'p'}, add_tags=['t'])\n"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: state.annotate([f"k{i}"], {}, add_tags=["t"]), range(80)))
    assert other.wait(60) == 0
    assert len(state.tags()) == 100 and state.version() == 100
    state.close()


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """Both versions are named, and nothing is touched."""
    open_state(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'state.sqlite'}")
    with engine.begin() as con:
        con.execute(update(Meta).values(version=99))
    engine.dispose()
    with pytest.raises(LakeError, match="version 99, this program knows 1"):
        open_state(tmp_path)
    with pytest.raises(LakeError, match="cannot be opened"):
        open_state(tmp_path / "none")
