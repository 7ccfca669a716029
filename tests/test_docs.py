"""Docs tell the truth: tables.md is the schema, and what README shows exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from boardlake.cli.main import cli
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate

ROOT = Path(__file__).resolve().parent.parent


def documented() -> dict[str, list[tuple[str, str]]]:
    """Columns and types of every table in docs/tables.md."""
    tables: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in (ROOT / "docs" / "tables.md").read_text("utf-8").splitlines():
        if line.startswith("## "):
            name = line[3:]
            tables[name] = []
        elif row := re.fullmatch(r"\| `(\w+)` \| ([^|]+) \| (.+) \|", line):
            tables[name].append((row[1], row[2]))
    return tables


def test_tables_md_is_the_schema(tmp_path: Path) -> None:
    """Every table, column and type stands in docs/tables.md, in order, and nothing else."""
    with open_lake(locate(str(tmp_path / "lake")), read_only=False, create=True) as lake:
        names = lake.query(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_catalog = 'lake' AND table_schema = 'main'"
        )
        schema = {
            name: [(row[0], row[1]) for row in lake.query(f"DESCRIBE {name}")] for (name,) in names
        }
    assert documented() == schema


@pytest.mark.parametrize("page", ["README.md", "docs/design.md", "CONTRIBUTING.md"])
def test_every_command_shown_exists(page: str) -> None:
    """A line that calls boardlake calls a command that there is."""
    text = (ROOT / page).read_text("utf-8")
    shown = set(re.findall(r"^(?:\$ )?boardlake (?:--\w+ \S+ )*([a-z]+)", text, re.MULTILINE))
    known = set(cli.list_commands(None))  # type: ignore[arg-type]
    assert shown <= known
    assert shown or page != "README.md"


def test_every_link_leads_somewhere() -> None:
    """A relative link in the docs names a file of the project."""
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page}: {target}"
