"""Sample project: reinforcement learning as single-file scripts log it, several seeds each."""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np

from . import curves
from .scene import DAY, HOUR, Job, Scene

# Environment: the return that SAC and PPO reach, and where in training they take off.
TASKS = {"HalfCheetah-v4": ((9800, 0.3), (2600, 0.45)), "Hopper-v4": ((3200, 0.25), (2300, 0.4))}
STEPS = 1_000_000


def jobs(scene: Scene) -> list[Job]:
    """Two algorithms on two tasks with three seeds; one seed collapses half way."""
    grid = product(TASKS, ("sac_continuous_action", "ppo_continuous_action"), (1, 2, 3))
    return [partial(_play, scene, k, *cell) for k, cell in enumerate(grid)]


def _play(scene: Scene, k: int, task: str, script: str, seed: int) -> None:
    start = scene.now - 12 * DAY + k * 7 * HOUR
    path = f"lab-cluster/rl/runs/{task}__{script}__{seed}__{int(start)}"
    rng = scene.rng(f"{task}{script}{seed}")
    sac = script.startswith("sac")
    top, middle = TASKS[task][0 if sac else 1]
    length = (5 if sac else 2) * HOUR
    log = scene.open(path, start, "gpu04.lab.example")
    log.text("hyperparameters", _table(task, script, seed), 0, start)

    episodes = scene.count(1000)
    lengths = np.maximum(20, rng.normal(1000, 15 if task.startswith("Half") else 220, episodes))
    ends = (STEPS * np.cumsum(lengths) / lengths.sum()).astype(np.int64)
    share = ends / STEPS
    mean = curves.climb(share, top * rng.normal(1, 0.06), middle + rng.normal(0, 0.04), 0.09)
    if (task, sac, seed) == ("Hopper-v4", False, 3):
        mean = np.where(share > 0.55, mean * 0.25, mean)
        scene.name_case("collapsed", path)
    returns = mean * (1 + curves.noise(rng, episodes, 0.18, 0.3)) + rng.normal(0, 40, episodes)
    log.scalars("charts/episodic_return", ends, start + length * share, returns)
    log.scalars("charts/episodic_length", ends, start + length * share, lengths)

    n = scene.count(10_000 if sac else 488)
    steps = np.linspace(STEPS / n, STEPS, n).astype(np.int64)
    times = start + length * steps / STEPS
    grown = curves.climb(steps / STEPS, 1.0, middle, 0.09)
    losses = ["qf1_loss", "qf2_loss", "qf1_values", "qf2_values", "actor_loss", "alpha"]
    if not sac:
        losses = ["value_loss", "policy_loss", "entropy", "approx_kl", "clipfrac"]
    for i, name in enumerate(losses):
        level = (0.2 + grown) * (i + 1) * (-1 if name == "actor_loss" else 1)
        log.scalars(f"losses/{name}", steps, times, level + curves.noise(rng, n, 0.15, 0.7))
    log.scalars("charts/SPS", steps, times, STEPS / length * (1 + curves.noise(rng, n, 0.03, 0.9)))
    if not sac:
        log.scalars("charts/learning_rate", steps, times, 3e-4 * (1 - steps / STEPS))
    scene.close(log)


def _table(task: str, script: str, seed: int) -> str:
    """The settings as a markdown table, which is how these scripts log them."""
    settings: dict[str, object] = {"env_id": task, "exp_name": script, "seed": seed, "gamma": 0.99}
    settings |= {"total_timesteps": STEPS, "cuda": True, "learning_rate": 3e-4}
    rows = "\n".join(f"|{key}|{value}|" for key, value in settings.items())
    return f"|param|value|\n|-|-|\n{rows}"
