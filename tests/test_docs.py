"""Docs tell the truth: tables.md is the schema in words, and what README shows exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from boardlake.cli.main import cli
from boardlake.lake.database import open_lake
from boardlake.lake.described import described
from boardlake.lake.location import locate

ROOT = Path(__file__).resolve().parent.parent


def documented() -> dict[str, list[tuple[str, str, str]]]:
    """Columns, types and meanings of every table in docs/tables.md."""
    tables: dict[str, list[tuple[str, str, str]]] = {}
    name = ""
    for line in (ROOT / "docs" / "tables.md").read_text("utf-8").splitlines():
        if line.startswith("## "):
            name = line[3:]
            tables[name] = []
        elif row := re.fullmatch(r"\| `(\w+)` \| ([^|]+) \| (.+) \|", line):
            tables[name].append((row[1], row[2], row[3]))
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
    told = {name: [column[:2] for column in columns] for name, columns in documented().items()}
    assert told == schema


def test_tables_md_says_what_the_package_says() -> None:
    """Words and order are those of lake/sql/tables.toml, which the SQL page shows."""
    text = (ROOT / "docs" / "tables.md").read_text("utf-8")
    tables = documented()
    assert list(tables) == list(described())
    for name, table in described().items():
        assert {column: says for column, _, says in tables[name]} == table.columns, name
        section = text.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert table.says in " ".join(section.split("|")[0].split()), name
        assert table.behind == (text.index(f"\n## {name}\n") > text.index("# Behind the views"))


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
