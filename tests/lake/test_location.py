"""A lake is found where it lies, by us and by any DuckDB client."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from boardlake.core.errors import LakeError
from boardlake.lake.database import open_lake
from boardlake.lake.location import extension, locate, open_statements


def fill(path: Path) -> None:
    """A lake with one artifact."""
    with open_lake(locate(str(path)), read_only=False, create=True) as lake:
        with lake.transaction() as con:
            con.execute("INSERT INTO artifacts (run_id, path) VALUES (1, 'a')")


def test_a_plain_client_reads_the_lake_by_the_printed_statements(tmp_path: Path) -> None:
    """Without boardlake, without network, and without being able to write."""
    fill(tmp_path / "it's a lake")
    con = duckdb.connect(config={"autoinstall_known_extensions": False})
    con.execute(open_statements(locate(str(tmp_path / "it's a lake"))))
    assert con.execute("SELECT run_id, path FROM artifacts").fetchall() == [(1, "a")]
    with pytest.raises(duckdb.Error):
        con.execute("DELETE FROM artifacts")
    con.close()


def test_a_moved_lake_is_read_and_written_where_it_now_is(tmp_path: Path) -> None:
    """Moving the directory is all it takes."""
    fill(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    place = locate(str(tmp_path / "new"))
    with open_lake(place, read_only=False) as lake, lake.transaction() as con:
        con.execute("INSERT INTO artifacts (run_id, path) VALUES (2, 'b')")
    with open_lake(place) as lake:
        assert lake.query("SELECT path FROM artifacts ORDER BY path") == [("a",), ("b",)]
    assert not (tmp_path / "old").exists()


def test_a_lake_elsewhere_than_in_a_directory_is_refused() -> None:
    """This version knows local directories only, and says so."""
    with pytest.raises(LakeError, match="local directory"):
        locate("s3://bucket/lake")


def test_extensions_of_others_are_refused(tmp_path: Path) -> None:
    """Once a lake is open none is loaded whose signature is wrong, whatever is set."""
    changed = tmp_path / "changed.duckdb_extension"
    content = bytearray(extension("ducklake").read_bytes())
    content[1000] ^= 1
    changed.write_bytes(content)
    with open_lake(locate(str(tmp_path / "lake")), read_only=False, create=True) as lake:
        with pytest.raises(duckdb.Error, match="signature"):
            lake.con.execute(f"LOAD '{changed}'")
        with pytest.raises(duckdb.Error, match="allow_unsigned_extensions"):
            lake.con.execute("SET GLOBAL allow_unsigned_extensions = true")
