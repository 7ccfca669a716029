"""The schema's version: refused when wrong, brought forward by numbered steps, each once."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardlake.core.errors import LakeError, LakeMissing, LakeVersionError
from boardlake.lake import migrate
from boardlake.lake.database import open_lake
from boardlake.lake.location import Location, locate


@pytest.fixture
def place(tmp_path: Path) -> Location:
    """Where a lake has just been made."""
    found = locate(str(tmp_path / "lake"))
    open_lake(found, read_only=False, create=True).close()
    return found


def test_steps_are_numbered_without_gaps() -> None:
    """Every step has a number of its own, from 1 on."""
    numbers = [number for number, _, _ in migrate.steps()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_new_lake_is_current(place: Location) -> None:
    """A lake that was just made has the newest version, and the steps are on record."""
    with open_lake(place) as lake:
        assert migrate.version(lake.con) == migrate.steps()[-1][0]
        names = [name for (name,) in lake.query("SELECT name FROM migrations ORDER BY version")]
        assert names == [name for _, name, _ in migrate.steps()]


def test_a_newer_lake_is_refused(place: Location) -> None:
    """With both numbers, and what to do."""
    with open_lake(place, read_only=False) as lake, lake.transaction() as con:
        con.execute("INSERT INTO migrations VALUES (99, 'from the future', NULL)")
    with pytest.raises(LakeVersionError, match=r"version 99, .* needs \d+") as caught:
        open_lake(place)
    assert "newer" in caught.value.hint


def test_an_older_lake_is_refused_and_brought_forward(
    place: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lake that lacks a step says so; applying it keeps the rows, and happens once."""
    with open_lake(place, read_only=False) as lake, lake.transaction() as con:
        con.execute("INSERT INTO artifacts (run_id, path) VALUES (7, 'kept')")
    known = migrate.steps()
    number = known[-1][0] + 1
    step = (number, "note", "ALTER TABLE artifacts ADD COLUMN note VARCHAR")
    monkeypatch.setattr(migrate, "steps", lambda: [*known, step])
    with pytest.raises(LakeVersionError, match="boardlake migrate"):
        open_lake(place)
    with open_lake(place, read_only=False, migrating=True) as lake:
        with lake.transaction() as con:
            assert migrate.apply_all(con) == [f"{number:04} note"]
        with lake.transaction() as con:
            assert migrate.apply_all(con) == []
    with open_lake(place) as lake:
        assert lake.query("SELECT run_id, path, note FROM artifacts") == [(7, "kept", None)]


def test_a_step_that_fails_changes_nothing(
    place: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All pending steps are one transaction."""
    known = migrate.steps()
    good = (98, "good", "ALTER TABLE artifacts ADD COLUMN note VARCHAR")
    bad = (99, "bad", "ALTER TABLE nowhere ADD COLUMN note VARCHAR")
    monkeypatch.setattr(migrate, "steps", lambda: [*known, good, bad])
    with open_lake(place, read_only=False, migrating=True) as lake:
        with pytest.raises(Exception, match="nowhere"), lake.transaction() as con:
            migrate.apply_all(con)
        assert migrate.version(lake.con) == known[-1][0]
        assert "note" not in [row[0] for row in lake.query("DESCRIBE artifacts")]


def test_a_place_without_a_lake_is_missing(tmp_path: Path) -> None:
    """It names the place and what makes one."""
    with pytest.raises(LakeMissing, match="no lake at") as caught:
        open_lake(locate(str(tmp_path)))
    assert "boardlake up" in caught.value.hint


def test_a_catalog_that_is_none_is_named(tmp_path: Path) -> None:
    """A file that is no SQLite database is an error with its path, not a traceback."""
    place = locate(str(tmp_path))
    place.data.mkdir()
    place.catalog.write_bytes(b"this is no catalog" * 1000)
    with pytest.raises(LakeError, match=r"catalog\.sqlite"):
        open_lake(place)


def test_making_a_lake_that_was_killed_goes_on(tmp_path: Path) -> None:
    """A catalog without our tables, as a kill can leave it, is completed by the next opening."""
    place = locate(str(tmp_path / "lake"))
    place.data.mkdir(parents=True)
    open_lake(locate(str(tmp_path / "other")), read_only=False, create=True).close()
    import duckdb

    from boardlake.lake.location import load_sql

    con = duckdb.connect()
    for statement in load_sql():
        con.execute(statement)
    con.execute(place.attach_sql(read_only=False))
    con.close()
    with open_lake(place, read_only=False, create=True) as lake:
        assert migrate.version(lake.con) == migrate.steps()[-1][0]
