"""Real event files of many projects: TensorBoard over the lake answers as TensorBoard over their directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import pytest

from . import stock
from .asked import Answers, answers
from .conftest import Ours
from .sides import settled, taken, unequal

_ROOT = Path(__file__).resolve().parents[3].parent / "shared" / "corpus"
PROJECTS = sorted(path.name for path in _ROOT.glob("*/")) or ["none"]


@pytest.fixture(scope="module")
def app(corpus_lake: Path, ours: Callable[[Path], Ours], unsampled: None) -> Ours:
    """The application over all of them."""
    return ours(corpus_lake)


@pytest.mark.parametrize("project", PROJECTS)
def test_project(app: Ours, corpus: Path, project: str, tmp_path: Path) -> None:
    """All dashboards of a project beside both loaders; all series are read in test_provider.py."""
    where = f"path = '{project}' or path like '{project}/%'"
    logdir = _logdir(corpus, _paths(app, where), tmp_path)
    python = settled(answers(stock.python_loader(logdir), thorough=False))
    with stock.data_server(logdir, tmp_path) as server:
        expected = taken(python, settled(answers(server, thorough=False)))
    found = settled(answers(app.board(filter=where), thorough=False))
    found, expected = _without_sessions(found), _without_sessions(expected)
    assert expected[("runs",)] or expected[("dashboards",)]
    assert not list(unequal(found, expected))


def _without_sessions(found: Answers) -> Answers:
    """Those of the hparams dashboard say more than stock's (test_hparams.py)."""
    kept = {key: told for key, told in found.items() if not key[0].startswith("hparams/")}
    kept[("dashboards",)] = {
        name: told for name, told in found[("dashboards",)].items() if name != "hparams"
    }
    return kept


def _paths(app: Ours, where: str) -> list[str]:
    query = {"filter": where, "columns": "path", "limit": 1000, "duplicates": "true"}
    answer = app.client.get("/api/v1/runs", query_string=query)
    assert answer.status_code == 200, answer.text
    names = [column["name"] for column in answer.json["columns"]]
    return [row[names.index("path")] for row in answer.json["rows"]]


def _logdir(corpus: Path, paths: list[str], work: Path) -> Path:
    """The directory from which run names are what ours are: all but what the paths share."""
    assert paths
    parts = [path.split("/") for path in paths]
    most = min(map(len, parts)) - 1
    levels = takewhile(lambda level: len(set(level)) == 1, zip(*parts, strict=False))
    shared = list(levels)[:most]
    if shared:
        return corpus.joinpath(*(level[0] for level in shared))
    # A run lies at the top: the directory above has nothing but its project.
    above = work / "above"
    above.mkdir()
    os.symlink(corpus / parts[0][0], above / parts[0][0])
    return above
