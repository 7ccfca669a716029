"""The side file of a run in an exported log directory: what its event files cannot hold.

`boardlake.json` lies in the run's directory. TensorBoard passes over it; the ingester reads it back
as it reads any other file, bounded and masked (`ingest/sidefile.py`). docs/logdir.md describes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

SIDE_FILE = "boardlake.json"
FORMAT = "boardlake run"
VERSION = 1
# A longer one is not read; what does not fit is left out and counted.
MAX_BYTES = 4 << 20
MAX_ITEMS = 20_000

RUN = ("source", "path", "name", "machine", "project", "group_name", "git_commit", "command")
END = ("end_state", "end_reason", "end_at")
JOB_TEXTS = ("job_id", "job_name", "job_user", "job_state", "job_nodes", "partition", "exit_code")
JOB_TIMES = ("submitted_at", "started_at", "ended_at", "seen_at")
HPARAM = ("name", "type", "value", "origin", "rank")
ARTIFACT = ("kind", "path", "size", "mtime", "step")
# What the ingester finds in the event files themselves.
_FROM_EVENTS = ("plugin", "text:")


def from_events(origin: str) -> bool:
    """Whether hyperparameters of *origin* come back with the event files."""
    return origin == _FROM_EVENTS[0] or origin.startswith(_FROM_EVENTS[1])


def write(
    run: Mapping[str, Any],
    job: Mapping[str, Any],
    hparams: Iterable[Mapping[str, Any]],
    artifacts: Iterable[Mapping[str, Any]],
) -> tuple[bytes, int]:
    """The side file, and how many hyperparameters and artifacts did not fit in.

    *artifacts* have paths relative to the run's directory; times are in Unix seconds.
    """
    about = _line({name: run[name] for name in (*RUN, *END) if run.get(name) is not None})
    known = (name for name in (*JOB_TEXTS, *JOB_TIMES) if job.get(name) is not None)
    worker = _line({name: job[name] for name in known})
    room = MAX_BYTES - len(about) - len(worker) - 1_000
    left_out = 0
    lists: list[list[str]] = []
    for rows, names in ((hparams, HPARAM), (artifacts, ARTIFACT)):
        lines: list[str] = []
        for row in rows:
            line = _line({name: row[name] for name in names if row.get(name) is not None})
            room -= len(line) + 4
            if room > 0 and len(lines) < MAX_ITEMS:
                lines.append(line)
            else:
                left_out += 1
        lists.append(lines)
    parts = [
        f'"format": {json.dumps(FORMAT)}, "version": {VERSION}',
        f'"run": {about}',
        *([f'"job": {worker}'] if job else []),
        *(
            f'"{name}": [' + "".join(f"\n  {line}," for line in lines).rstrip(",") + "\n ]"
            for name, lines in zip(("hparams", "artifacts"), lists, strict=True)
            if lines
        ),
    ]
    return ("{" + ",\n ".join(parts) + "}\n").encode(), left_out


def _line(row: Mapping[str, Any]) -> str:
    # ASCII, so that a character is a byte.
    return json.dumps(row, ensure_ascii=True, allow_nan=False)
