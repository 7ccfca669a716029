"""Real logs on real servers: the lake is the one that a local directory gives, row for row."""

from __future__ import annotations

import csv
import functools
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.settings import SourceSettings
from boardlake.ingest.cycle import run
from boardlake.ingest.report import Options, Report
from boardlake.ingest.setup import setups
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import locate
from boardlake.tests.servers.base import Served, put_tree
from boardlake.tests.servers.local import Tree

# All that a lake holds but its own numbers, the times of reading, and what a store calls a version.
_RUN = "r.source, r.path"
_OF_RUN = "JOIN run_facts r USING (run_id)"
_OF_FILE = f"{_OF_RUN} JOIN files f USING (file_id)"
TABLES = {
    "runs": "SELECT * EXCLUDE (run_id, discovered_at, state, duplicate_of) FROM runs",
    "files": f"SELECT {_RUN}, f.* EXCLUDE (file_id, run_id, mtime_ns, version, grew_at, missing_since)"
    f" FROM files f LEFT {_OF_RUN}",
    # Sums of floats end as the order has it in which files were read.
    "series": f"SELECT {_RUN}, s.* EXCLUDE (run_id) REPLACE (printf('%.9e', mean) AS mean,"
    f" printf('%.9e', std) AS std) FROM series s {_OF_RUN}",
    "hparams": f"SELECT {_RUN}, h.* EXCLUDE (run_id) FROM hparams h {_OF_RUN}",
    "artifacts": f"SELECT {_RUN}, a.* EXCLUDE (run_id, mtime) FROM artifacts a {_OF_RUN}",
    "directories": "SELECT * EXCLUDE (content) FROM directories",
    "problems": 'SELECT * EXCLUDE ("at") FROM problems',
    **{
        table: f"SELECT {_RUN}, f.path, p.* EXCLUDE (run_id, file_id) FROM {table} p {_OF_FILE}"
        for table in ("scalar_points", "tensors", "blobs")
    },
}

Ingest = Callable[[Served], Report]


def rows(lake: Lake) -> dict[str, list[str]]:
    """Everything that the lake holds, in one order; NaN equals NaN."""
    return {name: sorted(map(repr, lake.query(sql))) for name, sql in TABLES.items()}


def assert_equal(found: dict[str, list[str]], wanted: dict[str, list[str]], told: str = "") -> None:
    """Every row of every table, with the first that differs in the message, and what was *told*."""
    for name in TABLES:
        if found[name] != wanted[name]:
            more = sorted(set(found[name]) - set(wanted[name]))[:3]
            less = sorted(set(wanted[name]) - set(found[name]))[:3]
            counts = (len(found[name]), len(wanted[name]))
            raise AssertionError(f"{name}: {counts} rows; found {more}, expected {less}\n{told}")


_WHOLE = os.environ.get("BOARDLAKE_WHOLE_CORPUS") == "1"


class House:
    """A lake, and cycles over one tree into it."""

    def __init__(self, folder: Path, empty: Path) -> None:
        shutil.copytree(empty, folder)
        self.lake = open_lake(locate(str(folder)), read_only=False, create=True)

    def cycle(self, served: Served) -> Report:
        """One cycle over all that lies there."""
        settings: dict[str, Any] = {**served.settings(), "machine": "here"}
        (report,) = run(self.lake, setups({"logs": SourceSettings(**settings)}), Options())
        assert not report.error
        return report


def features(row: dict[str, str]) -> set[str]:
    """What is special about a file of the corpus."""
    kinds = {part.rpartition(":")[0] for part in row["kinds"].split()}
    odd = {re.sub(r"[0-9].*", "", part.strip()) for part in row["oddities"].split(";")}
    return {row["framework"], row["writer"], row["file_version"], *kinds, *odd}


@pytest.fixture(scope="module")
def some(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the corpus that show all frameworks, kinds and oddities, with what lies beside them.

    All of them with BOARDLAKE_WHOLE_CORPUS=1, which takes each server some ten times as long.
    """
    with (corpus / "MANIFEST.csv").open(newline="") as file:
        found = [row for row in csv.DictReader(file) if "/" in row["path"]]
    folder = tmp_path_factory.mktemp("some")
    seen: set[str] = set()
    kept: set[Path] = set()
    for row in sorted(found, key=lambda row: int(row["size"])):
        path = Path(row["path"])
        if (_WHOLE or features(row) - seen) and not row["path"].startswith("growth/"):
            seen |= features(row)
            kept.add(path)
    for path in kept:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(corpus / path, folder / path)
        for beside in (corpus / path).parent.iterdir():
            if beside.is_file() and "tfevents" not in beside.name:
                shutil.copyfile(beside, folder / path.parent / beside.name)
    assert len(kept) > 40
    return folder


@pytest.fixture(scope="module")
def local(
    some: Path, empty_lake: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[bool], tuple[Path, dict[str, list[str]]]]:
    """A directory and its lake; without what begins with a dot, for servers that hide it."""

    @functools.cache
    def made(hidden: bool) -> tuple[Path, dict[str, list[str]]]:
        folder = some
        if not hidden:
            folder = tmp_path_factory.mktemp("shown") / "some"
            shutil.copytree(some, folder, ignore=shutil.ignore_patterns(".*"))
        house = House(tmp_path_factory.mktemp("local") / "lake", empty_lake)
        with house.lake:
            house.cycle(Tree(folder))
            return folder, rows(house.lake)

    return made


@pytest.fixture
def house(tmp_path: Path, empty_lake: Path) -> Any:
    """An empty lake."""
    made = House(tmp_path / "lake", empty_lake)
    with made.lake:
        yield made


def test_the_lake_is_the_local_one(
    served: Served, local: Callable[[bool], tuple[Path, dict[str, list[str]]]], house: House
) -> None:
    """Every row of every table; a second cycle reads nothing, and no secret is in any table."""
    folder, local_rows = local(not getattr(served, "hides", False))
    put_tree(served, folder)
    first = house.cycle(served)
    assert first.bytes_read > 1_000_000
    found = rows(house.lake)
    assert_equal(found, local_rows)
    again = house.cycle(served)
    assert (again.files_changed, again.bytes_read) == (0, 0)
    if served.kind in ("s3", "gs", "az"):
        assert again.read_requests == 0
    assert again.files_listed == first.files_listed
    assert_equal(rows(house.lake), local_rows)
    told = repr(house.lake.query("SELECT * FROM source_facts")) + repr(found) + repr(first)
    told += repr(house.lake.query("SELECT * FROM cycles"))
    for path in house.lake.location.root.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            told += path.read_bytes().decode("latin-1")
    assert not [name for name, value in served.environ.items() if value in told]


@pytest.mark.parametrize("served", ["s3-radosgw", "az"], indirect=True)
def test_the_whole_corpus(
    served: Served, corpus: Path, empty_lake: Path, house: House, tmp_path: Path
) -> None:
    """All files at once, links and all that is beside them included.

    What a server failed to give is told, and read by the next cycle.
    """
    put_tree(served, corpus)
    first = house.cycle(served)
    problems = house.lake.query(
        "SELECT path, kind, message FROM problems WHERE kind = 'unreadable'"
    )
    again = house.cycle(served)
    # Links are other files there, and here as well, then.
    copied = tmp_path / "copied"
    shutil.copytree(corpus, copied)
    local = House(tmp_path / "local lake", empty_lake)
    with local.lake:
        local.cycle(Tree(copied))
        told = f"first {first}\nproblems then {problems}\nagain {again}"
        assert_equal(rows(house.lake), rows(local.lake), told)
    # What came late was told of, or the server had not listed it.
    unlisted = again.files_listed - first.files_listed
    assert again.files_changed <= first.files_left + len(problems) + unlisted, told


def versions(corpus: Path) -> list[dict[str, Path]]:
    """The files of the corpus at several commits: path -> file, for the first, second, third."""
    found: list[dict[str, Path]] = [{}, {}, {}]
    for path in sorted((corpus / "growth").rglob("*tfevents*")):
        repository, version, *rest = path.relative_to(corpus / "growth").parts
        found[int(version[1])]["/".join([repository, *rest])] = path
    assert len(found[1]) >= 4
    assert found[2]
    return found


def test_files_grow_and_are_replaced(
    served: Served, corpus: Path, empty_lake: Path, house: House, tmp_path: Path
) -> None:
    """Real files at several commits, some grown and some replaced: after each the lake is the local one."""
    tree = Tree(tmp_path / "here")
    local = House(tmp_path / "local lake", empty_lake)
    with local.lake:
        for version in versions(corpus):
            for path, file in version.items():
                served.put(path, file.read_bytes())
                tree.put(path, file.read_bytes())
            house.cycle(served)
            local.cycle(tree)
            assert_equal(rows(house.lake), rows(local.lake))
    # What grew bit by bit is what is read at once.
    path = "grown/events.out.tfevents.1700000000.host"
    (_, whole) = max((len(file.read_bytes()), file.read_bytes()) for file in version.values())
    third = len(whole) // 3
    served.put(path, whole[:third])
    house.cycle(served)
    for start in (third, 2 * third):
        served.append(path, whole[start : start + third] if start == third else whole[start:])
        report = house.cycle(served)
        assert 0 < report.bytes_read <= len(whole) - third
    points = (
        "SELECT tag, step, value, superseded FROM scalar_points p JOIN run_facts r USING (run_id)"
    )
    points += " WHERE r.path LIKE ? ORDER BY ALL"
    grown = house.lake.query(points, ["grown"])
    assert grown
    assert repr(grown) == repr(house.lake.query(points, [next(iter(version)).rpartition("/")[0]]))
