"""Jobs as they are remembered from scan to scan, for Slurm forgets them: in JSON's types. Pure."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from ....core.values import Job
from . import roots as slurm_roots
from . import words as slurm_words
from .words import Said

_MAX_TEXT = 1_000
_KEPT = ("job", "raw", "submitted", "directory", "places", "roots")


def merged(
    job: Said, before: dict[str, Any] | None, paths: list[str], homes: slurm_roots.Homes
) -> dict[str, Any]:
    """A job as it is remembered: what it is now, and what was known of it."""
    directory = "" if homes.too_much(job.directory, job.user) else _clean(job.directory)
    was: dict[str, Any] = before["job"] if before else {}
    started = job.started if job.started is not None else was.get("started_at")
    begins = [at for at in (was.get("since"), started) if at is not None]
    now = Job(
        job_id=job.job_id,
        number=job.raw,
        name=_clean(job.name),
        user=_clean(job.user),
        state=job.state,
        nodes=_clean(job.nodes) or was.get("nodes", ""),
        partition=_clean(job.partition),
        submitted_at=was.get("submitted_at") or job.submitted,
        since=min(begins, default=None),
        started_at=started,
        ended_at=job.ended,
        exit_code=job.exit_code or was.get("exit_code", ""),
        reason=_clean(job.reason),
    )
    all_places = dict.fromkeys([*(before["places"] if before else []), *paths])
    return {
        "job": asdict(now),
        "raw": job.raw,
        "submitted": job.submitted,
        "directory": directory or (before["directory"] if before else ""),
        "places": list(all_places)[: slurm_roots.MAX_ROOTS],
        "roots": [],
    }


def lost(one: dict[str, Any], seen_at: float) -> Said:
    """A job that was running and that nobody knows any more: it has ended, nobody knows how."""
    job = one["job"]
    return Said(
        raw=one["raw"],
        job_id=job["job_id"],
        name=job["name"],
        user=job["user"],
        state=slurm_words.UNKNOWN,
        submitted=one["submitted"],
        started=job["started_at"],
        ended=seen_at,
        nodes=job["nodes"],
        partition=job["partition"],
    )


def requeued(before: dict[str, Any], now: Said) -> bool:
    """Whether a job with another time of submission is the same one, put on again."""
    job = before["job"]
    same = job["name"] == _clean(now.name) and job["user"] == _clean(now.user)
    return same and bool(before["raw"] == now.raw)


def remembered(jobs: Any) -> dict[str, dict[str, Any]]:
    """The jobs in a memory; those that another version of the program has left are as good as new."""
    found: dict[str, dict[str, Any]] = {}
    try:
        for job_id, one in jobs.items():
            job_of(one)
            found[job_id] = {name: one[name] for name in _KEPT}
    except (AttributeError, KeyError, TypeError):
        return {}
    return found


def job_of(one: dict[str, Any]) -> Job:
    """The job of something that is remembered."""
    kept = one["job"]
    return Job(**kept | {"roots": tuple(kept["roots"])})


def as_text(path: str) -> str:
    """A path as text: bytes that are not UTF-8 as `\\xNN`, since the lake holds only text."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _clean(text: str) -> str:
    """A short line: control characters and what is not UTF-8 with backslashes."""
    line = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    return line[:_MAX_TEXT]
