"""Sample project: language models, fine-tuned with a Hugging Face trainer and trained from zero."""

from __future__ import annotations

import json
import time
from functools import partial
from itertools import product

import numpy as np

from . import curves
from .scene import DAY, HOUR, Job, Scene

HOST = "ip-10-0-3-17"
SAVED = 40_000  # the step of the checkpoint that the restarted run goes back to
WORDS = (
    "the lake keeps every point of all runs and nothing is lost when a machine goes away".split()
)


def jobs(scene: Scene) -> list[Job]:
    """Six fine-tunings (the last one cut off), a multi-rank and a restarted training."""
    grid = list(enumerate(product(("gpt2-medium", "pythia-410m"), (1e-5, 5e-5, 2e-4))))
    tuned = [partial(_finetune, scene, k, model, lr) for k, (model, lr) in grid]
    return [*tuned, partial(_pretrain, scene), partial(_restart, scene)]


def _arguments(model: str, lr: float, steps: int, output: str) -> dict[str, object]:
    return {
        "output_dir": output,
        "model_name_or_path": model,
        "learning_rate": lr,
        "per_device_train_batch_size": 16,
        "gradient_accumulation_steps": 4,
        "max_steps": steps,
        "warmup_ratio": 0.05,
        "lr_scheduler_type": "cosine",
        "weight_decay": 0.01,
        "bf16": True,
        "seed": 42,
        "logging_steps": 5,
        "report_to": ["tensorboard"],
    }


def _finetune(scene: Scene, k: int, model: str, lr: float) -> None:
    output = f"cloud/language/sft/{model}-lr{lr:.0e}"
    start = scene.now - (5 - k) * 9 * HOUR - 2 * HOUR
    stamp = time.strftime("%b%d_%H-%M-%S", time.gmtime(start))
    path, rng = f"{output}/runs/{stamp}_{HOST}", scene.rng(output)
    n, every = scene.count(2400), 5
    steps, times = np.arange(1, n + 1) * every, start + 40 + np.arange(1, n + 1) * (4 * HOUR / n)
    rate = curves.warmup_cosine(n, lr)
    off = abs(np.log10(lr / 5e-5))
    floor = (1.92 if model == "gpt2-medium" else 1.71) + 0.12 * off
    smooth = curves.descend(rate, 3.4, floor, 30 / (1 + off), 0.05)
    log = scene.open(path, start, HOST)
    arguments = _arguments(model, lr, n * every, output)
    log.text("args", json.dumps(arguments, indent=2), 0, start)
    log.text("model_config", json.dumps({"model_type": model, "vocab_size": 50257}), 0, start)
    log.scalars("train/loss", steps, times, smooth * (1 + curves.noise(rng, n, 0.02, 0.2)))
    log.scalars("train/grad_norm", steps, times, 1 + np.abs(curves.noise(rng, n, 0.4, 0.5)))
    log.scalars("train/learning_rate", steps, times, rate)
    log.scalars("train/epoch", steps, times, 3 * np.arange(1, n + 1) / n)
    at = np.linspace(n // 15, n - 1, 15).astype(int)
    gain = curves.overfit(15, 0.4, 0.9 * (lr / 2e-4) ** 0.5)
    log.scalars("eval/loss", steps[at], times[at] + 25, smooth[at] + 0.05 + gain)
    log.scalars("eval/samples_per_second", steps[at], times[at] + 25, rng.normal(212, 3, 15))
    for i in at[::5]:
        log.text("samples", _sample(rng, i / n), int(steps[i]), float(times[i]) + 26)
    torn = k == 5
    scene.close(log, torn=torn)
    if torn:
        scene.name_case("torn", path)
    for i in at[4::5]:
        state = json.dumps({"global_step": int(steps[i]), "epoch": 3 * i / n, "log_history": []})
        name = f"{output}/checkpoint-{steps[i]}/trainer_state.json"
        scene.side_file(name, state, float(times[i]) + 30)


def _sample(rng: curves.Rng, share: float) -> str:
    """Words that fall into place as training goes on."""
    words = [w if rng.random() < share else str(rng.choice(WORDS)) for w in WORDS]
    return "**prompt:** What is boardlake?\n\n**answer:** " + " ".join(words)


def _pretrain(scene: Scene) -> None:
    """Four ranks log for themselves; they still run, with a loss spike behind them."""
    path, start = "cloud/language/pretrain-160m", scene.now - 2.2 * DAY
    n = scene.count(18_000)
    steps, times = np.arange(1, n + 1) * 10, start + 90 + np.arange(1, n + 1) * (2.6 * DAY / n)
    smooth = curves.descend(curves.warmup_cosine(n, 6e-4, 0.01), 10.8, 2.75, 160, 0.12)
    smooth += (
        0.9
        * np.exp(-np.clip(np.arange(n) - 0.43 * n, 0, None) / (0.01 * n))
        * (np.arange(n) > 0.43 * n)
    )
    for rank in range(4):
        rng = scene.rng(f"{path}/{rank}")
        log = scene.open(path, start + rank * 0.4, f"{HOST}-{rank}", stream=f"rank{rank}")
        log.scalars("lm_loss", steps, times, smooth + curves.noise(rng, n, 0.04, 0.3))
        log.scalars("tokens_per_s", steps, times, 41_000 * (1 + curves.noise(rng, n, 0.01, 0.97)))
        if rank == 0:
            log.scalars("learning_rate", steps, times, curves.warmup_cosine(n, 6e-4, 0.01))
            log.scalars("grad_norm", steps, times, 0.3 + np.abs(curves.noise(rng, n, 0.1, 0.6)))
            hundredth = slice(None, None, max(1, n // 180))
            late = smooth[hundredth] + 0.06
            log.scalars("lm_loss_validation", steps[hundredth], times[hundredth] + 8, late)
        scene.close(log, live=True)
    config = "layers: 12\nhidden: 768\nlr: 0.0006\ntokens: 300000000000\nworld_size: 4\nseed: 1\n"
    scene.side_file(f"{path}/config.yaml", config, start)
    scene.name_case("ranks", path)


def _restart(scene: Scene) -> None:
    """Killed at step 47,300, taken up from the checkpoint at step 40,000 by another process."""
    path, start = "lab-cluster/language/pretrain-70m", scene.now - 4 * DAY
    n = scene.count(8000, least=400)
    steps = np.linspace(80_000 / n, 80_000, n).astype(np.int64)
    smooth = curves.descend(curves.warmup_cosine(n, 1e-3, 0.01), 10.8, 3.1, 120, 0.15)
    parts = [(steps <= 47_300, start, start), (steps > SAVED, start + 20 * HOUR, start + 7 * HOUR)]
    for part, (chosen, begun, zero) in enumerate(parts):
        rng = scene.rng(f"{path}/{part}")
        some = steps[chosen]
        times = zero + 60 + some * (26 * HOUR / 80_000)
        log = scene.open(path, begun, "gpu02.lab.example")
        loss = smooth[chosen] + curves.noise(rng, some.size, 0.05, 0.3)
        log.scalars("lm_loss", some, times, loss)
        log.scalars("tokens_per_s", some, times, rng.normal(88_000, 900, some.size))
        log.scalars("learning_rate", some, times, curves.warmup_cosine(n, 1e-3, 0.01)[chosen])
        scene.close(log)
    for step in (20_000, SAVED, 60_000, 80_000):
        name = f"{path}/checkpoint-{step}/model.safetensors"
        scene.side_file(name, bytes(512), start + step * (26 * HOUR / 80_000))
    args = {"layers": 6, "hidden": 512, "lr": 1e-3, "seed": 7}
    scene.side_file(f"{path}/args.json", json.dumps(args), start)
    scene.name_case("restarted", path)
