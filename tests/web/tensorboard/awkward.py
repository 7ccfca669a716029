"""Event files of which TensorBoard's two loaders make different things: one run for each case."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from boardlake.ingest.sample import forms
from boardlake.ingest.sample.writer import EventWriter

from .written import START, open_file, values


def write(root: Path) -> None:
    """A directory for each case, below *root*."""
    for name, fill in CASES.items():
        (root / name).mkdir(parents=True)
        fill(root / name)


def points(log: EventWriter, steps: Iterable[int], *, tag: str = "a", at: float = START) -> None:
    """A point for each of *steps*, a second apart, each with a value of its own."""
    for n, step in enumerate(steps):
        log.scalar(tag, step + n / 100, step, at + n)


def _of(fill: Callable[[EventWriter], None]) -> Callable[[Path], None]:
    def write_one(directory: Path) -> None:
        with open_file(directory) as log:
            fill(log)

    return write_one


def _several_files(directory: Path) -> None:
    for n in range(3):
        with open_file(directory, at=START + 100 * n) as log:
            points(log, range(n * 3, n * 3 + 3), at=START + 100 * n)


def _profile_empty(directory: Path) -> None:
    """What the profiler leaves, so that the directory of its captures is taken for a run."""
    (directory / "events.out.tfevents.1700000000.profile-empty").touch()


def _header_only(directory: Path) -> None:
    open_file(directory).close()


def _nothing(directory: Path) -> None:
    (directory / "events.out.tfevents.1700000000.host.1.0").touch()


def _purged(directory: Path) -> None:
    """PyTorch's `purge_step`: the first record of a session is in the second file."""
    with open_file(directory) as log:
        points(log, range(10))
    with open_file(directory, at=START + 100) as log:
        log.session_log("START", 5, START + 100)
        points(log, range(5, 8), at=START + 101)


def _restarted(log: EventWriter) -> None:
    log.session_log("START", 0, START)
    points(log, range(10))
    points(log, range(10), tag="quiet")
    log.session_log("START", 5, START + 20)
    points(log, range(5, 8), at=START + 21)


def _version_1(directory: Path) -> None:
    with EventWriter(directory / "events.out.tfevents.1700000000.host.1.0") as log:
        log.file_version(START, version="brain.Event:1")
        points(log, range(10))
        points(log, range(10), tag="quiet")
        points(log, range(5, 8), at=START + 20)


def _no_time(log: EventWriter) -> None:
    points(log, range(3))
    log.scalar("a", 3.0, 3, float("nan"))
    points(log, range(4, 6), at=START + 4)


def _torn(directory: Path) -> None:
    with open_file(directory) as log:
        points(log, range(4))
    _cut(directory, lambda data: data[:-7])


def _bad_payload(directory: Path) -> None:
    """A bit of a value, which still parses, is another one in the third of five points."""
    _damaged(directory, lambda record: record[:-5] + bytes([record[-5] ^ 1]) + record[-4:])


def _bad_length(directory: Path) -> None:
    _damaged(directory, lambda record: record[:8] + bytes([record[8] ^ 1]) + record[9:])


def _damaged(directory: Path, change: Callable[[bytes], bytes]) -> None:
    with open_file(directory) as log:
        points(log, range(2))
    (file,) = directory.iterdir()
    before = file.stat().st_size
    with EventWriter(file, append=True) as log:
        points(log, [2], at=START + 2)
    data = file.read_bytes()
    file.write_bytes(data[:before] + change(data[before:]))
    with EventWriter(file, append=True) as log:
        points(log, range(3, 5), at=START + 3)


def _compressed(directory: Path) -> None:
    with open_file(directory) as log:
        points(log, range(3))
    (file,) = directory.iterdir()
    file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()


def _linked(directory: Path) -> None:
    behind = directory.parent.parent / "behind"
    with open_file(behind) as log:
        points(log, range(3))
    directory.rmdir()
    os.symlink(behind, directory)


def _cut(directory: Path, change: Callable[[bytes], bytes]) -> None:
    (file,) = directory.iterdir()
    file.write_bytes(change(file.read_bytes()))


def _far_steps(log: EventWriter) -> None:
    points(log, (-7, -1, 0, 2**31 + 5, 2**40))


def _doubles(log: EventWriter) -> None:
    for step in range(3):
        log.scalar_tensor("double", step / 3, step, START + step, dtype="float64")
        log.scalar_new_style("new double", step / 3, step, START + step, double=True)
        values(log, step, forms.tensor_value("no metadata", np.float32(step)))
    points(log, range(3))


CASES: dict[str, Callable[[Path], None]] = {
    "several files": _several_files,
    "profile-empty": _profile_empty,
    "header only": _header_only,
    "nothing": _nothing,
    "same step": _of(lambda log: points(log, (1, 2, 2, 2, 3))),
    "steps back": _of(lambda log: points(log, (1, 5, 9, 5, 6))),
    "purged": _purged,
    "restarted": _of(_restarted),
    "version 1": _version_1,
    "time back": _of(lambda log: [points(log, (s,), at=START - s) for s in range(4)] and None),
    "odd values": _of(lambda log: [log.scalar("a", v, s, START + s) for s, v in enumerate(
        (1.0, float("nan"), float("inf"), float("-inf")))] and None),
    "no time": _of(_no_time),
    "torn": _torn,
    "bad payload": _bad_payload,
    "bad length": _bad_length,
    "compressed": _compressed,
    "linked": _linked,
    "far steps": _of(_far_steps),
    "doubles": _of(_doubles),
}  # fmt: skip
