"""Sample project: an image classification sweep, logged with PyTorch's SummaryWriter."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
from tensorboard.compat.proto import config_pb2

from . import curves, pictures
from .columns import Ints
from .curves import Floats
from .forms import HParams
from .scene import DAY, HOUR, Job, RunLog, Scene

SWEEP = "lab-cluster/vision/imagenet-sweep"
EPOCHS = 90
LAYERS = ["conv1", "layer1.0.conv2", "layer4.1.conv2", "fc"]


class Trial(NamedTuple):
    """One setting of the sweep and where and when it ran (Unix seconds, machine)."""

    model: str
    lr: float
    batch: int
    seed: int
    start: float
    host: str

    @property
    def name(self) -> str:
        return f"{self.model}_lr{self.lr:g}_bs{self.batch}_s{self.seed}"

    @property
    def steps(self) -> int:
        return EPOCHS * 1_281_167 // self.batch

    @property
    def duration(self) -> float:
        hours = 26 if self.model == "resnet50" else 14
        return hours * HOUR * (0.87 if self.batch > 256 else 1)


class Outcome(NamedTuple):
    """The curves of a trial: the rate and training loss where logged, validation per epoch."""

    rate: Floats
    loss: Floats
    val_loss: Floats
    val_acc: Floats


def jobs(scene: Scene) -> list[Job]:
    """The sweep of 24 trials, four at a time over the last nine days, and a diverged attempt."""
    grid = product((0, 1), ("resnet18", "resnet50"), (256, 512), (0.03, 0.1, 0.3))
    trials = [
        Trial(model, lr, batch, seed, _start(scene, k), f"gpu{k % 4 + 1:02d}.lab.example")
        for k, (seed, model, batch, lr) in enumerate(grid)
    ]
    return [*(partial(_train, scene, trial) for trial in trials), partial(_diverge, scene)]


def _start(scene: Scene, k: int) -> float:
    return scene.now - 9 * DAY + (k // 4) * 1.66 * DAY + (k % 4) * 40


def _outcome(rng: curves.Rng, trial: Trial, n: int) -> Outcome:
    """Small models stay above big ones; the best rate grows with the batch; big ones overfit."""
    big = trial.model == "resnet50"
    off = abs(np.log10(trial.lr / (0.1 * trial.batch / 256)))
    rate = curves.warmup_cosine(n, trial.lr) if big else curves.staircase(n, trial.lr)
    floor = (0.72 if big else 1.22) + 0.35 * off**2 + rng.normal(scale=0.015)
    smooth = curves.descend(rate, 6.95, floor, 45 / (1 + 2 * off), 0.55 + 0.4 * off)
    loss = smooth * (1 + curves.noise(rng, n, 0.035, 0.3))
    at = np.linspace(0, n - 1, EPOCHS + 1).astype(int)[1:]
    gap = 0.08 + curves.overfit(EPOCHS, 0.55, 0.9 if big else 0.25)
    val_loss = smooth[at] + gap + curves.noise(rng, EPOCHS, 0.03)
    val_acc = np.exp(-0.274 * val_loss) * (1 - np.clip(val_loss / 7.2, 0, 1) ** 4)
    return Outcome(rate, loss, val_loss, val_acc)


def _train(scene: Scene, trial: Trial) -> None:
    path, rng = f"{SWEEP}/{trial.name}", scene.rng(trial.name)
    n = scene.count(4500, least=2 * EPOCHS)
    steps = np.linspace(trial.steps / n, trial.steps, n).astype(np.int64)
    times = trial.start + 30 + trial.duration * np.linspace(1 / n, 1, n)
    out = _outcome(rng, trial, n)
    log = scene.open(path, trial.start, trial.host)
    log.scalars("train/loss", steps, times, out.loss)
    log.scalars("train/acc1", steps, times, np.exp(-0.27 * out.loss) * (1 - out.loss / 8.5))
    log.scalars("train/lr", steps, times, out.rate)
    norm = 0.4 + out.loss / 3 + np.abs(curves.noise(rng, n, 0.25, 0.5))
    log.scalars("train/grad_norm", steps, times, norm)
    speed = trial.steps * trial.batch / trial.duration
    log.scalars("perf/images_per_s", steps, times, speed * (1 + curves.noise(rng, n, 0.02, 0.9)))
    memory = trial.batch / 256 * (21.4 if trial.model == "resnet50" else 9.8)
    log.scalars("perf/gpu_memory_gb", steps, times, memory + curves.noise(rng, n, 0.05, 0.95))
    at = np.linspace(0, n - 1, EPOCHS + 1).astype(int)[1:]
    ends = times[at] + 20
    log.scalars("val/loss", steps[at], ends, out.val_loss)
    log.scalars("val/acc1", steps[at], ends, out.val_acc)
    log.scalars("val/acc5", steps[at], ends, 1 - (1 - out.val_acc) ** 2.2)
    if trial.seed == 0:
        _media(log, rng, out, steps[at], ends)
    if trial.name == "resnet50_lr0.1_bs256_s0":
        _structure(log, trial.start)
    _beside(scene, trial, out, steps[at], ends, _close(scene, trial, log))


def _close(scene: Scene, trial: Trial, log: RunLog) -> float:
    """The last wave is still going, except for one trial that is silent since the time returned."""
    path = f"{SWEEP}/{trial.name}"
    live = trial.start + 30 + trial.duration > scene.now
    if live and "stalled" not in scene.tree.cases:
        scene.name_case("stalled", path)
        silent = scene.now - 3 * HOUR
        scene.close(log, until=silent)
        return silent
    if live:
        scene.name_case("live", path)
    scene.close(log, live=live)
    return scene.now


def _media(log: RunLog, rng: curves.Rng, out: Outcome, steps: Ints, times: Floats) -> None:
    for epoch in range(8, EPOCHS, 9):
        step, when = int(steps[epoch]), float(times[epoch])
        for k, layer in enumerate(LAYERS):
            width = 0.02 * (1 + k) * (1 + 0.5 * epoch / EPOCHS)
            log.histogram(f"weights/{layer}", rng.normal(0.004 * k, width, 2000), step, when)
        picture = pictures.predictions(rng, float(out.val_acc[epoch]))
        height, width_px = picture.shape[:2]
        log.image("val/predictions", pictures.png(picture), width_px, height, step, when)
    for epoch in (29, 59, 89):
        labels = rng.random(600) < 0.3
        sharp = 1.2 + 3 * out.val_acc[epoch]
        scores = 1 / (1 + np.exp(-(sharp * (labels - 0.5) + rng.normal(size=600))))
        log.pr_curve("val/pr/dog", labels, scores, int(steps[epoch]), float(times[epoch]))


def _structure(log: RunLog, start: float) -> None:
    log.graph(pictures.network([f"ResNet/{layer}" for layer in LAYERS]), start + 1)
    log.run_metadata("step1", config_pb2.RunMetadata(), 0, start + 1)
    curves_together = {"train and val": ["train/loss", "val/loss"], "accuracy": [r"val/acc\d"]}
    log.custom_scalars({"quality": curves_together}, start + 2)


def _beside(
    scene: Scene, trial: Trial, out: Outcome, steps: Ints, times: Floats, silent: float
) -> None:
    """Configs by Hydra, checkpoints, and at the end the sub-run that `add_hparams` makes."""
    path = f"{SWEEP}/{trial.name}"
    overrides: dict[str, float | str] = {
        "model": trial.model,
        "lr": trial.lr,
        "batch_size": trial.batch,
    }
    overrides["seed"] = trial.seed
    lines = "".join(f"- {key}={value}\n" for key, value in overrides.items())
    scene.side_file(f"{path}/.hydra/overrides.yaml", lines, trial.start)
    config = "".join(f"{key}: {value}\n" for key, value in overrides.items())
    config += (
        f"epochs: {EPOCHS}\noptimizer:\n  name: sgd\n  momentum: 0.9\n  weight_decay: 0.0001\n"
    )
    scene.side_file(f"{path}/.hydra/config.yaml", config, trial.start)
    for epoch in (29, 59, 89):
        name = f"{path}/checkpoints/epoch={epoch}-step={steps[epoch]}.ckpt"
        if times[epoch] < silent:
            scene.side_file(name, bytes(256 + epoch), float(times[epoch]))
    if times[-1] + 60 > silent:
        return
    end = float(times[-1]) + 60
    log = scene.open(path, end, trial.host, stream=f"{end:.4f}")
    hparams: HParams = {**overrides, "optimizer": "sgd", "weight_decay": 1e-4, "augment": True}
    log.hparams(hparams, ["hparam/val_acc1", "hparam/val_loss"], end)
    log.scalar("hparam/val_acc1", float(out.val_acc[-1]), 0, end)
    log.scalar("hparam/val_loss", float(out.val_loss[-1]), 0, end)
    scene.close(log)


def _diverge(scene: Scene) -> None:
    """A rate far too high, tried on a laptop: the loss blows up, is NaN for a while, then ends."""
    path, start = "laptop/vision/scratch/resnet50_lr3", scene.now - 6 * DAY
    rng, n = scene.rng(path), scene.count(900, least=60)
    steps, times = np.arange(1, n + 1) * 10, start + 5 + np.arange(n) * 4.0
    share = np.linspace(0, 1, n)
    loss = 6.9 - 2 * share + curves.noise(rng, n, 0.2, 0.4) + 0.02 * np.exp(14 * share)
    loss[share > 0.82] = np.inf
    loss[share > 0.83] = np.nan
    log = scene.open(path, start, "mira-laptop")
    log.scalars("train/loss", steps, times, loss)
    log.scalars("train/grad_norm", steps, times, np.where(share > 0.82, np.nan, 0.3 * loss**2))
    log.scalars("train/lr", steps, times, np.full(n, 3.0))
    scene.close(log)
    scene.side_file(f"{path}/config.yaml", "model: resnet50\nlr: 3.0\nbatch_size: 64\n", start)
    scene.name_case("diverged", path)
