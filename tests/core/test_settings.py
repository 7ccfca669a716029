"""core/settings.py: what a config file gives, and what it is told when it is wrong."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import boardlake
from boardlake.core import settings
from boardlake.core.errors import ConfigError, UsageError
from boardlake.core.settings import Settings, SourceSettings

CONFIGS = Path(__file__).parent / "config"
GOOD = sorted((CONFIGS / "good").glob("*.toml"))
BAD = sorted((CONFIGS / "bad").glob("*.toml"))
COMMITTED = Path(boardlake.__file__).parent / "config.example.toml"
TABLES = (settings.LakeSettings, settings.IngestSettings, settings.SourceSettings, Settings)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and an empty current directory, so that no file of this machine counts."""
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "home"


def comments(path: Path) -> list[str]:
    """Return the leading comment lines of a config file."""
    lines = path.read_text("utf-8").splitlines()
    end = next((i for i, line in enumerate(lines) if not line.startswith("# ")), len(lines))
    return [line[2:] for line in lines[:end]]


def problems(call: Callable[[], object]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        call()
    return caught.value.problems


def test_there_are_config_files() -> None:
    """The corpus is where the tests below look for it."""
    assert len(GOOD) >= 5 and len(BAD) >= 10


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_file(path: Path) -> None:
    """A good file gives what its leading comment says."""
    found = settings.parse(path.read_text("utf-8"), path.name, Path("/etc/boardlake"))
    assert comments(path)
    for line in comments(path):
        where, expected = line.split(" == ")
        table, _, rest = where.partition(".")
        value: object = getattr(found, table)
        if rest:
            name, _, key = rest.rpartition(".")
            value = getattr(found.sources[name] if name else value, key)
        value = str(value) if isinstance(value, Path) else value
        assert repr(value) == repr(ast.literal_eval(expected)), where


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_file(path: Path) -> None:
    """A bad file gives exactly the problems its leading comment lists: all of them, at once."""
    found = problems(lambda: settings.parse(path.read_text("utf-8"), "config.toml"))
    assert found == [f"config.toml: {line}" for line in comments(path)]


def test_defaults(home: Path) -> None:
    """Without any config file and variable the defaults hold."""
    found = settings.load(None, {})
    assert found == Settings()
    assert found.lake.path == home / ".local/share/boardlake"
    assert (found.lake.lock_timeout, found.lake.memory_limit) == (30.0, 512_000_000)
    assert (found.ingest.threads, found.ingest.batch_points) == (0, 2_000_000)
    assert (found.ingest.batch_bytes, found.ingest.piece_bytes) == (128_000_000, 8_000_000)
    assert found.ingest.maintain
    assert found.sources == {}


def test_source_defaults() -> None:
    """A source needs nothing but its URI."""
    found = SourceSettings(uri="/data")
    assert {"train", "validation", "eval*", "test", "rank*"} <= set(found.streams)
    assert {".git", "node_modules", "__pycache__", "site-packages"} <= set(found.exclude)
    assert (found.include, found.run_pattern, found.follow_symlinks) == (("**",), "", True)
    assert (found.machine, found.project) == ("", "")
    assert (found.policy, found.media) == ("keep", "copy")
    assert (found.stalled_after, found.finished_after) == (1800.0, 86400.0)


def test_settings_are_frozen() -> None:
    """Nobody changes a setting behind the others' backs."""
    with pytest.raises(ValueError, match="frozen"):
        Settings().ingest.threads = 3


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_setting_has_a_help(table: type[settings._Table]) -> None:
    """Each setting says what it is for; that text is all a user gets to read."""
    for name, field in table.model_fields.items():
        assert field.description and field.description.endswith("."), name


def test_example_is_committed() -> None:
    """config.example.toml is what the declarations say.

    To refresh it, write what `example()` returns into it.
    """
    assert COMMITTED.read_text("utf-8") == settings.example()


def test_example_holds_the_defaults(home: Path) -> None:
    """The example loads, shows every key, and every key at its default."""
    found = settings.load(COMMITTED, {})
    assert (found.lake, found.ingest) == (Settings().lake, Settings().ingest)
    assert found.sources == {"example": SourceSettings(uri=str(home / "runs"))}
    for table in ("lake", "ingest"):
        section = getattr(found, table)
        assert section.model_fields_set == set(type(section).model_fields)
    assert found.sources["example"].model_fields_set == set(SourceSettings.model_fields)


def test_search_order(home: Path) -> None:
    """The path given, $BOARDLAKE_CONFIG, boardlake.toml here, the one at home: the first counts."""
    at_home = home / ".config/boardlake/config.toml"
    at_home.parent.mkdir(parents=True)
    places = {1: at_home, 2: Path("boardlake.toml"), 3: home / "env.toml", 4: home / "given.toml"}
    for threads, place in places.items():
        place.write_text(f"ingest.threads = {threads}")
    environ = {"BOARDLAKE_CONFIG": str(places[3])}
    assert settings.load(places[4], environ).ingest.threads == 4
    assert settings.load(None, environ).ingest.threads == 3
    assert settings.load(None, {"BOARDLAKE_CONFIG": ""}).ingest.threads == 2
    places[2].unlink()
    assert settings.load(None, {}).ingest.threads == 1


def test_relative_paths_start_at_the_file(home: Path) -> None:
    """A config file means the same from wherever it is used."""
    config = home / "project/config.toml"
    config.parent.mkdir()
    config.write_text('lake.path = "lake"\nsources.up.uri = "../runs"\nsources.home.uri = "~/x"')
    found = settings.load(config, {})
    assert found.lake.path == home / "project/lake"
    assert found.sources["up"].uri == os.path.realpath(home / "runs")
    assert found.sources["home"].uri == str(home / "x")


def test_dots_behind_a_link_lead_where_the_disk_says(home: Path) -> None:
    """`link/..` is the parent of what the link points to, not the directory the link is in."""
    (home / "far/away").mkdir(parents=True)
    (home / "link").symlink_to(home / "far/away")
    _, source = settings.source_for(str(home / "link/../runs"))
    assert source.uri == os.path.realpath(home / "far/runs")


def test_lake_variable(home: Path) -> None:
    """$BOARDLAKE_LAKE overrides lake.path and nothing else; empty, it counts as absent."""
    config = home / "config.toml"
    config.write_text('lake.path = "/srv/lake"\nlake.lock_timeout = "5s"\nsources.a.uri = "/a"')
    plain = settings.load(config, {"BOARDLAKE_LAKE": ""})
    assert plain.lake.path == Path("/srv/lake")
    found = settings.load(config, {"BOARDLAKE_LAKE": "mine"})
    assert found.lake.path == Path.cwd() / "mine"
    assert found.lake.lock_timeout == 5
    assert (found.ingest, found.sources) == (plain.ingest, plain.sources)


def test_lake_variable_must_be_local(home: Path) -> None:
    """What is wrong with the variable is said in the variable's name."""
    found = problems(lambda: settings.load(None, {"BOARDLAKE_LAKE": "s3://bucket/lake"}))
    assert found == [
        "BOARDLAKE_LAKE: got 's3://bucket/lake', expected a local path: "
        "this version keeps a lake in a local directory only"
    ]


@pytest.mark.parametrize("by_variable", [False, True])
def test_missing_file(home: Path, by_variable: bool) -> None:
    """A file that was asked for must be there, and the message says how to name another."""
    path = home / "none.toml"
    with pytest.raises(ConfigError) as caught:
        if by_variable:
            settings.load(None, {"BOARDLAKE_CONFIG": str(path)})
        else:
            settings.load(path, {})
    assert caught.value.problems == [f"{path}: cannot be read: No such file or directory"]
    assert "--config" in caught.value.hint and "BOARDLAKE_CONFIG" in caught.value.hint


def test_broken_link_here_is_not_passed_over(home: Path) -> None:
    """A boardlake.toml that cannot be read is an error, not a reason to take another file."""
    Path("boardlake.toml").symlink_to("gone.toml")
    assert problems(lambda: settings.load(None, {})) == [
        "boardlake.toml: cannot be read: No such file or directory"
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"# caf\xe9", "got byte 0xe9 at 5, expected UTF-8"),
        (b"#" * 1_000_001, "expected a config file of at most 1,000,000 bytes"),
        (b"a = " + b"[" * 100_000, "lists or tables are nested too deeply"),
    ],
    ids=["not UTF-8", "too long", "too deep"],
)
def test_not_a_config_file(home: Path, data: bytes, expected: str) -> None:
    """A file that is something else ends in a message, whatever its bytes."""
    path = home / "config.toml"
    path.write_bytes(data)
    assert problems(lambda: settings.load(path, {})) == [f"{path}: {expected}"]


def test_byte_order_mark(home: Path) -> None:
    """A file saved with a byte order mark is read like one without."""
    path = home / "config.toml"
    path.write_bytes(b"\xef\xbb\xbfingest.threads = 3")
    assert settings.load(path, {}).ingest.threads == 3


def test_long_values_are_cut() -> None:
    """A message stays one line of a readable length, whatever stands in the file."""
    long = "x\\n" * 5000
    text = f'lake.lock_timeout = "{long}"\nlake.memory_limit = 0x{"F" * 9000}\n"{long}" = 1'
    found = problems(lambda: settings.parse(text, "config.toml"))
    assert len(found) == 3
    assert any("lake.memory_limit: got a number of 36000 bits," in line for line in found)
    assert all(len(line) < 300 and "\n" not in line for line in found)


def test_source_for(home: Path) -> None:
    """However a path is spelled, its source has one name; another path has another."""
    name, source = settings.source_for("runs")
    here = Path.cwd()
    assert source == SourceSettings(uri=str(here / "runs"))
    assert name.startswith("runs-")
    for spelled in ("./runs/", str(here / "runs"), (here / "runs").as_uri()):
        assert settings.source_for(spelled) == (name, source)
    assert settings.source_for("other/runs")[0] != name


def test_source_for_is_stable() -> None:
    """Names are part of the runs' identity, so that they must not change between versions."""
    assert settings.source_for("/data/runs")[0] == "runs-3b1107e7"


@pytest.mark.parametrize("path", ["gpu7:/data", "", "a\0b", "caf\udce9"])
def test_source_for_refuses(path: str) -> None:
    """What cannot be read from the command line is a wrong argument, shown in the message."""
    with pytest.raises(UsageError, match="^source ") as caught:
        settings.source_for(path)
    assert repr(path) in str(caught.value)


@pytest.mark.parametrize(
    "uri", ["s3://me:hunter2@b/p", "https://h/p?sig=hunter2", "sftp://u:hunter2@h/"]
)
def test_secrets_are_no_part_of_a_source(uri: str) -> None:
    """They would be stored and shown: they are refused, and the refusal does not show them."""
    with pytest.raises(UsageError) as caught:
        settings.source_for(uri)
    assert "hunter2" not in str(caught.value)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80))
def test_names_made_for_paths_are_source_names(path: str) -> None:
    """A name made for a path could stand in a config file."""
    name, source = settings.source_for("/" + path)
    found = settings.parse(f"[sources.{json.dumps(name)}]\nuri = '/x'", "config.toml")
    assert list(found.sources) == [name]
    assert source.uri.startswith("/")


@given(st.integers(0, 10**4), st.sampled_from(["s", "m", "h", "d"]), st.sampled_from(["", " "]))
def test_durations(number: int, unit: str, space: str) -> None:
    """A time is its number times its unit, in seconds."""
    found = settings.parse(f'lake.lock_timeout = "{number}{space}{unit}"', "config.toml")
    assert found.lake.lock_timeout == number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


@given(st.integers(64, 900), st.sampled_from(["MB", "MiB", "GB", "GiB", "TB", "TiB"]))
def test_sizes(number: int, unit: str) -> None:
    """A size is its number times a power of 1000, or of 1024 with an i, in bytes."""
    power = {"M": 2, "G": 3, "T": 4}[unit[0]]
    found = settings.parse(f'lake.memory_limit = "{number}{unit}"', "config.toml")
    assert found.lake.memory_limit == number * (1024 if "i" in unit else 1000) ** power


KEYS = sorted({name for table in TABLES for name in table.model_fields} | {"lab", "exlude", "a b"})
SCALARS = st.one_of(
    st.integers().map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.floats().map(repr),
    st.sampled_from(["1979-05-27", "07:32:00", '"24h"', '"64MB"', '"file://"', '"s3://b"', '"~"']),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f")).map(json.dumps),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(st.sampled_from(KEYS).map(json.dumps), inner, max_size=4).map(
            lambda items: "{" + ", ".join(f"{key} = {value}" for key, value in items.items()) + "}"
        ),
    ),
    max_leaves=8,
)
FILES = st.one_of(
    st.text(),
    st.dictionaries(st.sampled_from(KEYS), VALUES).map(
        lambda table: "\n".join(f"{json.dumps(key)} = {value}" for key, value in table.items())
    ),
)


@given(FILES)
def test_any_text_gives_settings_or_problems(text: str) -> None:
    """Whatever a file holds, it gives settings or lines that each begin with its name."""
    try:
        assert isinstance(settings.parse(text, "config.toml"), Settings)
    except ConfigError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.startswith("config.toml: ") and "\n" not in problem
