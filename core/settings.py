"""Every setting once, with type, default and help: TOML in, Settings or all that is wrong out."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pydantic
from pydantic import Field, ValidationInfo, field_validator

from . import places
from .errors import ConfigError, UsageError
from .kinds import (
    Duration,
    EnvPrefix,
    Globs,
    Hosts,
    Label,
    NameGlobs,
    RunPattern,
    Size,
    SourceName,
    UserNames,
    lake_path,
    local_path,
    show,
    source_uri,
)

MAX_CONFIG = 1_000_000  # bytes


def _setting(default: Any, text: str, **limits: Any) -> Any:
    """Declare a setting; *default* stands as in TOML and is checked like any other value."""
    return Field(default, description=text, validate_default=True, **limits)


class _Table(pydantic.BaseModel):
    # TOML has types of its own: "4" is no number and "yes" no boolean.
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=True)


class LakeSettings(_Table):
    """Where the lake is and what opening it may cost: seconds, bytes."""

    path: Path = _setting(
        "~/.local/share/boardlake",
        "Directory of the lake; a relative path starts at the directory of this file. "
        "The environment variable BOARDLAKE_LAKE overrides it.",
    )
    lock_timeout: Duration = _setting("30s", "How long a writer waits for another one.")
    memory_limit: Size = _setting(
        "512MB", "Memory DuckDB may use, at least 64MB; writers use half.", ge=64 * 10**6
    )

    @field_validator("path", mode="before")
    @classmethod
    def _absolute(cls, value: object, info: ValidationInfo) -> Path:
        return lake_path(value, info.context or Path())


class IngestSettings(_Table):
    """How much an ingest cycle does at once: bytes."""

    threads: int = _setting(0, "Threads that decode event files; 0 = one per core.", ge=0, le=256)
    batch_points: int = _setting(2_000_000, "Commit when so many points wait.", ge=1000)
    batch_bytes: Size = _setting("128MB", "Commit when so many bytes of files wait.", ge=10**6)
    piece_bytes: Size = _setting("8MB", "Bytes read from a file at a time.", ge=10**5, le=10**9)
    maintain: bool = _setting(True, "After a cycle, do the upkeep of the lake that is due.")


class SourceSettings(_Table):
    """A root that is scanned for event files, and the rules that hold below it: seconds."""

    uri: str = Field(
        description="A directory, local or mounted (absolute, from ~, from this file's), or "
        "s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX, https://HOST/PATH (an index "
        "of files), davs://HOST/PATH (WebDAV), sftp://[USER@]HOST/PATH, ssh:///PATH with hosts, "
        "slurm: or slurm://LOGIN-NODE, or any URL that an installed fsspec knows.",
        examples=["~/runs"],
    )
    hosts: Hosts = _setting(
        (),
        "For ssh:///PATH: the hosts that have it. Names, ranges such as gpu[01-20], or patterns such "
        "as lab-* of the Host lines in ssh_config. Each is a machine and a source of its own.",
    )
    machine: Label = _setting(
        "", "Machine its runs come from; empty = the host of the URI, or the name of this one."
    )
    project: Label = _setting("", "Project of all its runs; empty = derived from each run's path.")
    include: Globs = _setting(
        ("**",), "Patterns of the files to read, in the form that exclude has.", min_length=1
    )
    exclude: Globs = _setting(
        (".git", ".hg", ".svn", ".ipynb_checkpoints", "__pycache__", "site-packages")
        + ("node_modules", ".snapshot", ".zfs", ".Trash*", "lost+found"),
        "Patterns of what is never entered, relative to uri; one without / holds for a name at any "
        "depth. A list of your own replaces this one.",
    )
    run_pattern: RunPattern = _setting(
        "",
        "Regular expression searched in each run's path relative to uri. Named groups project and "
        "group set these; any other, as in 'lr=(?P<lr>[^/]+)', becomes a hyperparameter.",
    )
    streams: NameGlobs = _setting(
        ("train", "training", "train_inner", "validation", "valid", "val", "eval*")
        + ("test", "testing", "dev", "rank*"),
        "Names of directories that belong to the run above them. A list of your own replaces this.",
    )
    policy: Literal["keep", "mirror"] = _setting(
        "keep", "When files vanish: keep = their results stay; mirror = their results go, too."
    )
    media: Literal["copy", "reference", "skip"] = _setting(
        "copy", "Images, audio, graphs: copy, reference (left in the event file until asked), skip."
    )
    stalled_after: Duration = _setting("30m", "A run silent for this long has stalled.", gt=0)
    finished_after: Duration = _setting("24h", "A run silent for this long is finished.", gt=0)
    follow_symlinks: bool = _setting(True, "Enter directories that are links, too.")
    cross_mounts: bool = _setting(
        False,
        "Enter file servers and buckets that are mounted below uri, too. Disks are entered anyway, "
        "and so is what links lead to.",
    )
    rescan: Duration = _setting(
        "1h", "Look at everything at least this often; in between only at what may have changed."
    )
    timeout: Duration = _setting("10s", "Give up on a server that is silent for so long.", gt=0)
    endpoint: Label = _setting(
        "", "URL of a server that speaks the protocol of S3, GCS or Azure; empty = the provider's."
    )
    region: Label = _setting("", "Region of the bucket; empty = as the environment says.")
    account: Label = _setting("", "Azure storage account; empty = as the environment says.")
    profile: Label = _setting(
        "", "Profile of ~/.aws/config, SSO included; needs the extra boardlake[aws]."
    )
    anonymous: bool = _setting(False, "Read a public bucket without credentials.")
    env_prefix: EnvPrefix = _setting(
        "",
        "Credentials of this source alone: LAB_ makes LAB_AWS_ACCESS_KEY_ID and so on count instead "
        "of AWS_ACCESS_KEY_ID.",
    )
    ssh_config: Label = _setting("~/.ssh/config", "OpenSSH's client configuration.")
    users: UserNames = _setting(
        (),
        'For slurm: whose jobs are followed; empty = those of the user who ingests, "*" = all.',
    )
    partitions: UserNames = _setting((), "For slurm: only jobs of these partitions; empty = all.")
    whole_homes: bool = _setting(
        False,
        "For slurm: scan a job's directory even where it is a home or holds homes. Otherwise only "
        "what is usual there: runs, logs, lightning_logs, outputs and the like.",
    )
    requests_per_day: int = _setting(
        0, "Requests to a server within 24 hours, after which it is left alone; 0 = no limit.", ge=0
    )
    list_price: float = _setting(
        0.005, "Price of 1,000 list requests to a bucket, for an estimate of its cost.", ge=0
    )
    read_price: float = _setting(0.0004, "Price of 1,000 other requests to a bucket.", ge=0)
    traffic_price: float = _setting(0.0, "Price of 1 GB read from a bucket.", ge=0)

    @field_validator("uri")
    @classmethod
    def _absolute(cls, value: str, info: ValidationInfo) -> str:
        return source_uri(value, info.context or Path())

    @field_validator("policy")
    @classmethod
    def _kept(cls, value: str, info: ValidationInfo) -> str:
        if value == "mirror" and places.kind_of(info.data.get("uri", "")) == "slurm":
            raise ValueError("got 'mirror', expected 'keep': Slurm forgets jobs, not their files")
        return value

    @field_validator("media")
    @classmethod
    def _reachable(cls, value: str, info: ValidationInfo) -> str:
        if value == "reference" and places.kind_of(info.data.get("uri", "")) != "local":
            raise ValueError("got 'reference', expected 'copy' or 'skip': the source is remote")
        return value

    @field_validator("hosts")
    @classmethod
    def _of_ssh(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        uri = info.data.get("uri")
        if uri is not None:
            nameless = places.kind_of(uri) == "ssh" and not places.parse(uri).host
            if bool(value) != nameless:
                expected = "a list of hosts" if nameless else "none: only ssh:///PATH has hosts"
                raise ValueError(
                    f"got {show(list(value)) if value else 'none'}, expected {expected}"
                )
        return value

    @field_validator("finished_after")
    @classmethod
    def _after_stalled(cls, value: float, info: ValidationInfo) -> float:
        stalled: float = info.data.get("stalled_after", 0)
        if value < stalled:
            raise ValueError(f"got {value:g} s, expected at least stalled_after, {stalled:g} s")
        return value


class ServerSettings(_Table):
    """Who may ask the server."""

    tokens_file: Label = _setting(
        "",
        "File of the tokens that `boardlake serve` asks for, made by `boardlake token`; empty = none, "
        "and only this machine is served. The environment variable BOARDLAKE_TOKENS_FILE overrides it.",
    )

    @field_validator("tokens_file")
    @classmethod
    def _absolute(cls, value: str, info: ValidationInfo) -> str:
        base = info.context or Path()
        return local_path(value, base, "tokens are kept in a local file only") if value else ""


class Settings(_Table):
    """All settings; paths are absolute, times in seconds, sizes in bytes."""

    lake: LakeSettings = _setting({}, "Where the lake is, and what opening it may cost.")
    ingest: IngestSettings = _setting({}, "How much an ingest cycle does at once.")
    server: ServerSettings = _setting({}, "Who may ask the server.")
    sources: dict[SourceName, SourceSettings] = _setting(
        {}, "What is scanned: a table for each, [sources.NAME]. A renamed source is a new one."
    )


_TABLES = dict[str, type[_Table]](
    lake=LakeSettings, ingest=IngestSettings, server=ServerSettings, sources=SourceSettings
)


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings of the config file *path* under the variables BOARDLAKE_* of *environ*.

    Without *path*: $BOARDLAKE_CONFIG, else `boardlake.toml` here, else
    `~/.config/boardlake/config.toml`, else the defaults. $BOARDLAKE_LAKE overrides `lake.path`.
    Raises ConfigError with all that is wrong in the file, or if it cannot be read.
    """
    if path is None and (named := environ.get("BOARDLAKE_CONFIG")):
        path = Path(named)
    usual = (Path("boardlake.toml"), Path(os.path.expanduser("~/.config/boardlake/config.toml")))
    found = path or next((place for place in usual if os.path.lexists(place)), None)
    settings = parse(_read(found), str(found), found.parent) if found else Settings()
    if not (lake := environ.get("BOARDLAKE_LAKE")):
        return settings
    try:
        update = {"path": lake_path(lake, Path())}
    except ValueError as error:
        raise ConfigError([f"BOARDLAKE_LAKE: {error}"]) from None
    return settings.model_copy(update={"lake": settings.lake.model_copy(update=update)})


def parse(text: str, name: str, base: Path | None = None) -> Settings:
    """Return the settings that the TOML *text* of the file *name* gives.

    Relative paths in it start from the directory *base*, the current one if None.
    Raises ConfigError with one line for everything that is wrong.
    """
    table = _toml(text, name)
    problems: list[str] = []
    try:
        settings = Settings.model_validate(table, context=base)
    except pydantic.ValidationError as error:
        problems += (_problem(e["loc"], e["type"], e["msg"], e["input"]) for e in error.errors())
    problems += _shared(table.get("sources"), base or Path())
    if problems:
        raise ConfigError([f"{name}: {problem}" for problem in problems])
    return settings


def source_for(path: str) -> tuple[str, SourceSettings]:
    """Return the name and the settings of a source for *path*, as given on the command line.

    The same path has the same name each time: its last component and a hash of the whole.
    Raises UsageError if *path* is not local.
    """
    try:
        source = SourceSettings(uri=source_uri(path, Path()))
    except ValueError as error:
        shown = show(path) if places.kind_of(path) == "local" else f"{places.scheme_of(path)}:..."
        raise UsageError(f"source {shown}: {error}") from None
    known = hashlib.blake2b(source.uri.encode(), digest_size=4).hexdigest()
    label = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(source.uri).name).strip("._-")[:48]
    return f"{label or 'root'}-{known}", source


def _read(path: Path) -> str:
    hint = "name a file with --config or BOARDLAKE_CONFIG; without one the defaults hold"
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CONFIG + 1)
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"], hint=hint) from error
    if len(data) > MAX_CONFIG:
        raise ConfigError([f"{path}: expected a config file of at most {MAX_CONFIG:,} bytes"])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"{path}: got byte 0x{data[error.start]:02x} at {error.start}, expected UTF-8"
        raise ConfigError([problem]) from None


def _toml(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError([f"{name}: lists or tables are nested too deeply"]) from None
    except ValueError as error:
        # tomllib tells the place only in its message, and that of the end only in words.
        what, _, place = str(error).removesuffix(")").rpartition(" (at ")
        if place == "end of document":
            line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
            place = f"line {line}, column {column}"
        raise ConfigError([f"{name}: {place}: {what}" if what else f"{name}: {place}"]) from None


def _problem(loc: tuple[int | str, ...], kind: str, message: str, value: object) -> str:
    """Return the line for one of pydantic's errors: where, what it got, what it expected."""
    if kind == "extra_forbidden":
        return ": ".join(filter(None, (_dotted(loc[:-1]), _unknown(loc))))
    if kind == "missing":
        return f"{_dotted(loc)}: is missing, expected a value: it has no default"
    if kind == "value_error":
        return f"{_dotted(loc)}: {message.removeprefix('Value error, ')}"
    expected = re.sub(r"^\w+ should (be|have) | after validation.*", "", message)
    if kind in ("model_type", "dict_type"):
        expected = "a table [sources.NAME]" if loc[0] == "sources" else f"a table [{loc[0]}]"
    elif kind == "tuple_type":
        expected = "a list"
    return f"{_dotted(loc)}: got {show(value)}, expected {expected}"


def _dotted(loc: tuple[int | str, ...]) -> str:
    """Return a place as TOML writes it: `sources.lab.include[1]`."""
    path = ""
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":  # pydantic's mark for "the key itself"
            bare = re.fullmatch(r"[A-Za-z0-9_-]{1,64}", part)
            path += ("." if path else "") + (part if bare else json.dumps(part[:64]))
    return path


def _unknown(loc: tuple[int | str, ...]) -> str:
    key = str(loc[-1])
    known = list((_TABLES[str(loc[0])] if loc[1:] else Settings).model_fields)
    near = difflib.get_close_matches(key[:64], known, 1)
    rest = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    return f"unknown key {show(key)}; {rest}"


def _shared(sources: object, base: Path) -> Iterator[str]:
    """Yield a line for each source whose directory another one has: its runs would come twice."""
    owners: dict[str, str] = {}
    for name, source in sources.items() if isinstance(sources, dict) else ():
        uri = source.get("uri") if isinstance(source, dict) else None
        try:
            place = source_uri(uri, base) if isinstance(uri, str) else None
        except ValueError:
            continue
        if place and (owner := owners.setdefault(place, name)) != name:
            where, other = _dotted(("sources", name, "uri")), _dotted(("sources", owner))
            yield f"{where}: got {show(uri)}, expected another directory than that of {other}"


def example() -> str:
    """Return a config file with every key at its default and its help, and one source."""
    lines = [
        "# Every setting of boardlake, at its default: leave out what you do not change.",
        '# Times are "90s", "30m", "24h", "7d" or seconds; sizes "128MB", "64MiB" or bytes.',
    ]
    for name, table in _TABLES.items():
        lines += ["", "", *_comment(Settings.model_fields[name].description)]
        lines += [f"[{name}.example]" if table is SourceSettings else f"[{name}]"]
        for key, field in table.model_fields.items():
            value = (field.examples or [None])[0] if field.is_required() else field.default
            lines += ["", *_comment(field.description), f"{key} = {_value(value)}"]
    return "\n".join(lines) + "\n"


def _comment(text: str | None) -> Iterator[str]:
    return (f"# {line}" for line in textwrap.wrap(text or "", 90, break_on_hyphens=False))


def _value(value: object) -> str:
    """Return *value* in TOML, where a JSON string is a string too."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:_}"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, tuple):
        items = ", ".join(_value(item) for item in value)
        lines = textwrap.wrap(items, 80, initial_indent="    ", subsequent_indent="    ")
        return f"[{items}]" if len(lines) < 2 else "\n".join(["[", *lines]) + ",\n]"
    return json.dumps(str(value), ensure_ascii=False)
