"""`boardlake.json` of an exported run: what its event files could not hold, as untrusted as any file.

`lake/logdir/side.py` writes it, docs/logdir.md describes it. Everything is bounded, checked and
masked again; what does not fit is left out, and a file that is something else says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

from ..core.values import Hparam, HparamType
from ..lake.facts import ArtifactRow, JobRow
from ..lake.logdir import side
from . import hparams as hp
from . import plain
from .masks import MASK, is_secret_name, mask_command, mask_text

_TYPES = ("float", "int", "bool", "string", "null", "list")
_ENDS = ("failed", "finished")
_MAX_LABEL = 255
_MAX_REASON = 500
# Nodes of a large job are a long list.
_MAX_JOB = 8192
_MAX_PATH = 4096
_MAX_COMMAND = 8192
_SHA = re.compile(r"[0-9a-f]{7,64}")
_KIND = re.compile(r"[a-z]{1,32}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Returned:
    """What a side file says of a run; `artifacts` have paths relative to the run's directory."""

    hparams: tuple[Hparam, ...] = ()
    artifacts: tuple[ArtifactRow, ...] = ()
    name: str | None = None
    machine: str | None = None
    project: str | None = None
    group_name: str | None = None
    git_commit: str | None = None
    command: str | None = None
    end_state: Literal["failed", "finished"] | None = None
    end_reason: str = ""
    end_at: float | None = None
    job: JobRow | None = None


def read(data: bytes) -> Returned:
    """Read a side file; raises ValueError where it is none, or of a version that is not known."""
    if len(data) > side.MAX_BYTES:
        raise ValueError(f"{len(data)} bytes: side files of more than 4 MiB are not read")
    found = plain.from_json(data.decode("utf-8", "replace"))
    if not isinstance(found, dict) or found.get("format") != side.FORMAT:
        raise ValueError(f'expected an object with "format": "{side.FORMAT}"')
    if found.get("version") != side.VERSION:
        version = str(found.get("version"))[:20]
        raise ValueError(f"version {version} is not known, this boardlake reads {side.VERSION}")
    run = found.get("run")
    about = run if isinstance(run, dict) else {}
    state = about.get("end_state")
    ended = state in _ENDS
    commit = _text(about.get("git_commit"), 64)
    command = _text(about.get("command"), _MAX_COMMAND)
    return Returned(
        hparams=tuple(_hparams(found.get("hparams"))),
        artifacts=tuple(_artifacts(found.get("artifacts"))),
        name=_label(about.get("name")),
        machine=_label(about.get("machine")),
        project=_label(about.get("project")),
        group_name=_label(about.get("group_name")),
        git_commit=commit if commit and _SHA.fullmatch(commit) else None,
        command=mask_command(command) if command else None,
        end_state=cast(Literal["failed", "finished"], state) if ended else None,
        end_reason=mask_text(_text(about.get("end_reason"), _MAX_REASON) or "") if ended else "",
        end_at=_seconds(about.get("end_at")) if ended else None,
        job=_job(found.get("job")),
    )


def _job(value: Any) -> JobRow | None:
    about = value if isinstance(value, dict) else {}
    given: dict[str, Any] = {name: _label(about.get(name), _MAX_JOB) for name in side.JOB_TEXTS}
    given |= {name: _seconds(about.get(name)) for name in side.JOB_TIMES}
    return JobRow(**given) if given["job_id"] else None


def _text(value: Any, most: int) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    return hp.clean(value[:most])[:most]


def _label(value: Any, most: int = _MAX_LABEL) -> str | None:
    text = _text(value, most)
    return mask_text(_CONTROL.sub(" ", text)) if text else None


def _seconds(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # No calendar has more; a long integer is no float at all.
    return float(value) if is_number and abs(value) < 1e12 else None


def _whole(value: Any, least: int = 0) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if least <= value < 1 << 63 else None


def _rows(value: Any) -> Iterator[dict[str, Any]]:
    listed = value[: side.MAX_ITEMS] if isinstance(value, list) else []
    return (row for row in listed if isinstance(row, dict))


def _hparams(value: Any) -> Iterator[Hparam]:
    """Each setting once; those of event files come from there."""
    seen = set()
    for row in _rows(value):
        name, origin = _text(row.get("name"), hp.MAX_NAME), _text(row.get("origin"), hp.MAX_NAME)
        kind, text = row.get("type"), row.get("value")
        rank = _whole(row.get("rank"), -1_000)
        if not name or not origin or kind not in _TYPES or not isinstance(text, str):
            continue
        if side.from_events(origin) or (name, origin) in seen or rank is None or rank > 1_000:
            continue
        seen.add((name, origin))
        yield _hparam(name, cast(HparamType, kind), text, origin, rank)


def _hparam(name: str, kind: HparamType, text: str, origin: str, rank: int) -> Hparam:
    text = hp.clean(text[: hp.MAX_VALUE])[: hp.MAX_VALUE]
    number = None
    if kind in ("float", "int"):
        try:
            number = float(text)
        except ValueError:
            kind = "string"
    elif kind == "bool":
        if text in ("true", "false"):
            number = float(text == "true")
        else:
            kind = "string"
    elif kind == "null" and text != "null":
        kind = "string"
    if kind not in ("bool", "null") and text and is_secret_name(name, text=kind == "string"):
        return Hparam(name, "string", MASK, None, origin, rank)
    if kind in ("string", "list"):
        text = mask_text(text)
    return Hparam(name, kind, text, number, origin, rank)


def _artifacts(value: Any) -> Iterator[ArtifactRow]:
    for row in _rows(value):
        kind, path = row.get("kind"), row.get("path")
        if not isinstance(kind, str) or not _KIND.fullmatch(kind):
            continue
        if not isinstance(path, str) or not 0 < len(path) <= _MAX_PATH or hp.clean(path) != path:
            continue
        if any(part in ("", ".", "..") for part in path.split("/")):
            continue
        mtime = _seconds(row.get("mtime"))
        step = _whole(row.get("step"), -(1 << 63))
        yield ArtifactRow(kind, path, _whole(row.get("size")), mtime, step)
