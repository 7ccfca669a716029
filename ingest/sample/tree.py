"""Writes the whole tree of sample logs, and lets its running runs grow."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ...core.errors import UsageError
from . import control, gallery, language, vision
from .scene import SampleTree, Scene


def write_samples(
    root: Path,
    *,
    seed: int = 0,
    scale: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
    now: float | None = None,
) -> SampleTree:
    """About sixty runs of seven projects on three machines, below *root*.

    They end around *now* (Unix seconds, default: the present), and some are still running.
    The same *seed*, *scale* and *now* give the same bytes. *scale* multiplies the points per
    series, 1.0 gives about 1.4 million in all. *progress* is told runs done and runs in all.
    Raises UsageError for a folder with anything in it: two trees in one would be neither.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UsageError(
            f"{root}: expected an empty or a new folder for the sample logs",
            hint="name another folder, or remove this one",
        )
    if not scale > 0:
        raise UsageError(f"scale {scale}: expected a number above 0", hint="1.0 is the full size")
    moment = time.time() if now is None else now
    tree = SampleTree(root, moment)
    scene = Scene(root, moment, seed, scale, tree)
    projects = (vision, language, control, gallery)
    jobs = [job for project in projects for job in project.jobs(scene)]
    jobs.append(partial(_copy, scene))
    for done, job in enumerate(jobs, start=1):
        job()
        if progress is not None:
            progress(done, len(jobs))
    return tree


def append_live(tree: SampleTree, now: float | None = None) -> int:
    """Let the running runs of *tree* log up to *now* (Unix seconds); how many records that were."""
    moment = time.time() if now is None else now
    return sum(file.advance(moment) for file in tree.live)


def _copy(scene: Scene) -> None:
    """One finished run of the cluster was fetched to a laptop: the same bytes and times."""
    source = f"{vision.SWEEP}/resnet50_lr0.1_bs256_s0"
    target = "laptop/from-cluster/resnet50_lr0.1_bs256_s0"
    shutil.copytree(scene.root / source, scene.root / target)
    scene.tree.runs.append(target)
    scene.name_case("original", source)
    scene.name_case("copied", target)
