"""Docs tell the truth: tables.md is the schema in words, and what README shows exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from boardlake.api.asked import TensorBoardAsked
from boardlake.api.given import SelectionGiven
from boardlake.cli.main import cli
from boardlake.core.places import SCHEMES, PlaceKind, kind_of
from boardlake.core.settings import SourceSettings, parse
from boardlake.lake.database import open_lake
from boardlake.lake.described import described
from boardlake.lake.location import locate

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))


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


@pytest.mark.parametrize("page", ["README.md", *PAGES, "CONTRIBUTING.md"])
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


def configs() -> list[tuple[str, str]]:
    """Every block of TOML in the docs, and where it stands."""
    return [
        (f"{page}:{number}", block)
        for page in ["README.md", *PAGES]
        for number, block in enumerate(
            re.findall(r"```toml\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
        )
    ]


@pytest.mark.parametrize(("place", "block"), configs(), ids=[place for place, _ in configs()])
def test_every_config_shown_is_one(place: str, block: str) -> None:
    """It is read as a config file is, and names sources."""
    assert parse(block, place, ROOT).sources


def test_the_guide_has_an_example_of_every_kind() -> None:
    """Each kind of place that a source may be is shown in docs/sources.md."""
    text = (ROOT / "docs" / "sources.md").read_text("utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    shown = {kind_of(one.uri) for block in blocks for one in parse(block, "x").sources.values()}
    assert shown == set(get_args(PlaceKind))
    for scheme in SCHEMES:
        assert f"{scheme}:" in text or scheme in ("gcs", "http", "dav"), scheme


def test_the_guide_names_settings_that_there_are() -> None:
    """A word in code that looks like a setting of a source is one."""
    text = (ROOT / "docs" / "sources.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z_]+) = ", text))
    assert named and named <= set(SourceSettings.model_fields)


def test_the_page_on_tensorboard_names_what_there_is() -> None:
    """Options of the command, parameters of the address and fields of the route; all of those."""
    text = (ROOT / "docs" / "tensorboard.md").read_text("utf-8")
    command = cli.get_command(None, "tensorboard")  # type: ignore[arg-type]
    assert command is not None
    options = {option for one in command.params for option in one.opts}
    shown = re.findall(r"^boardlake tensorboard (.*)$", text, re.MULTILINE)
    assert {word for line in shown for word in re.findall(r"--\w+", line)} <= options
    address = re.findall(r"/tensorboard\?(\w+)=|`(dup|arch)=1`", text)
    assert {name for pair in address for name in pair if name} == {
        "q",
        "runs",
        "view",
        "dup",
        "arch",
    }
    row = next(line for line in text.splitlines() if "`POST /api/v1/tensorboard`" in line)
    named = set(re.findall(r"`(\w+)`", row))
    assert named == {*TensorBoardAsked.model_fields, *SelectionGiven.model_fields}
