"""Sample runs that go on from their files alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event

from boardlake.ingest.sample import SampleTree, still_going, write_samples

NOW = 1_790_000_000.0
TICKS = 150


@pytest.fixture
def tree(tmp_path: Path) -> SampleTree:
    """Sample logs at a small scale."""
    return write_samples(tmp_path / "logs", scale=0.1, now=NOW)


def scalars(path: Path) -> dict[str, list[tuple[int, float, float]]]:
    """(step, wall time, value) of each tag, by TensorBoard's loader."""
    found: dict[str, list[tuple[int, float, float]]] = {}
    for record in RawEventFileLoader(str(path)).Load():
        event = Event.FromString(record)
        for value in event.summary.value:
            if value.HasField("simple_value"):
                point = (event.step, event.wall_time, value.simple_value)
                found.setdefault(value.tag, []).append(point)
    return found


def test_running_runs_go_on_where_they_were(tree: SampleTree) -> None:
    """Steps count on at their pace, values stay near, finished and torn files rest."""
    files = {path: path.read_bytes() for path in tree.root.rglob("*tfevents*")}
    before = {file.path: scalars(file.path) for file in tree.live}
    live = still_going(tree.root)
    assert {one.path for one in live} == set(before)
    added = sum(one.tick(NOW + tick) for tick in range(1, TICKS + 1) for one in live)
    assert added >= TICKS * len(live)
    for path, data in files.items():
        after = path.read_bytes()
        assert after.startswith(data)
        assert (after != data) == (path in before)
    for path, tags in before.items():
        for tag, points in scalars(path).items():
            old, new = tags[tag], points[len(tags[tag]) :]
            steps = np.array([step for step, _, _ in points[-len(new) - 10 :]])
            assert (np.diff(steps) > 0).all()
            assert all(wall > NOW for _, wall, _ in new)
            recent = np.array([value for _, _, value in old[-50:]])
            if new and len(recent) == 50:
                middle = float(np.mean([value for _, _, value in new]))
                assert abs(middle - recent.mean()) <= 3 * np.ptp(recent) + 1e-9
            # A meter that wobbles goes on wobbling around where it was.
            if new and tag == "perf/images_per_s":
                spread = 4.5 * float(np.std(recent))
                assert all(abs(value - recent.mean()) <= spread for _, _, value in new)


def test_a_second_start_goes_on_after_the_first(tree: SampleTree) -> None:
    """Nothing but the files is remembered."""
    first = still_going(tree.root)
    for one in first:
        one.tick(NOW + 1)
    again = still_going(tree.root)
    assert {one.path for one in again} == {one.path for one in first}
    for one in again:
        before = scalars(one.path)
        one.tick(NOW + 2)
        for tag, points in scalars(one.path).items():
            assert [step for step, _, _ in points[-2:]] == sorted({s for s, _, _ in points[-2:]})
            assert len(points) - len(before[tag]) in (0, 1)


def test_nothing_goes_on_where_nothing_is(tmp_path: Path) -> None:
    """An empty directory has no live file."""
    assert still_going(tmp_path) == []
