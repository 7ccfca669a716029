"""The house stands as docs/design.md says: imports run downwards, and packaging matches the tree."""

from __future__ import annotations

import ast
import configparser
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Who may import whom; a floor may always import itself.
ALLOWED = {
    "core": set[str](),
    "kernels": set[str](),
    "lake": {"core", "kernels"},
    "ingest": {"lake", "kernels", "core"},
    "state": {"core"},
    "api": {"lake", "state", "core"},
    "web": {"api", "lake", "core"},
    "cli": {"web", "api", "state", "ingest", "lake", "kernels", "core"},
}
MODULES = sorted(path for floor in ALLOWED for path in (ROOT / floor).rglob("*.py"))


def imports(path: Path) -> list[tuple[int, str]]:
    """Every import of ours in a module: (level, dotted name)."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append((0, node.module or ""))
        elif isinstance(node, ast.ImportFrom):
            base = path.relative_to(ROOT).parts[: -node.level]
            for alias in node.names:
                name = node.module or alias.name
                found.append((node.level, ".".join((*base, *name.split(".")))))
    return found


def test_there_are_modules() -> None:
    """The tests below look at something."""
    assert len(MODULES) > 30


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_downwards(path: Path) -> None:
    """No module imports a floor above its own, or one of ours by an absolute name."""
    floor = path.relative_to(ROOT).parts[0]
    for level, name in imports(path):
        top = name.split(".")[0]
        if level == 0:
            assert top not in {*ALLOWED, "boardlake"}, f"{path}: {name} is to be relative"
        elif top in ALLOWED and top != floor:
            assert top in ALLOWED[floor], f"{path} imports {name}, which is not below it"


def test_imports_go_round_in_no_circle() -> None:
    """Not even one that is deferred into a function, or only for types."""
    known = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in MODULES}
    graph: dict[str, set[str]] = {}
    for module, path in known.items():
        targets = graph[module] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = path.relative_to(ROOT).parts[: -node.level]
                start = (*base, *(node.module or "").split(".")) if node.module else base
                for alias in node.names:
                    whole, parent = ".".join((*start, alias.name)), ".".join(start)
                    targets |= {whole} & known.keys() or {parent} & known.keys()
    assert sum(map(len, graph.values())) > 300
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_say_what_they_are_for(path: Path) -> None:
    """A module opens with a line on its role, and stays short enough to read in one go."""
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)), path
    assert text.count("\n") <= 600, path


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.relative_to(ROOT).parts[0] != "lake"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_sql_lives_in_the_lake(path: Path) -> None:
    """No SQL statement stands outside lake/."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            # A keyword alone is for the prompt to complete.
            first, _, rest = node.value.strip().partition(" ")
            words = {"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ATTACH", "WITH", "COPY"}
            assert first not in words or not rest, path


def test_packages_match_the_tree() -> None:
    """setup.cfg names every folder with modules: `find:` cannot do it for this layout."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    named = set(config["options"]["packages"].split())
    found = {
        ".".join(("boardlake", *path.relative_to(ROOT).parent.parts))
        for floor in ALLOWED
        for path in (ROOT / floor).rglob("__init__.py")
    }
    assert named == found | {"boardlake"}


def test_type_checkers_see_every_folder() -> None:
    """.typing/boardlake has one link for each entry of the package."""
    links = {path.name for path in (ROOT / ".typing" / "boardlake").iterdir()}
    floors = {floor for floor in ALLOWED if (ROOT / floor / "__init__.py").exists()}
    assert links == floors | {"__init__.py", "__main__.py"}
    for link in (ROOT / ".typing" / "boardlake").iterdir():
        assert link.resolve() == ROOT / link.name
