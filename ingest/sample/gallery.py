"""Sample projects with one writer each: Keras, Lightning, speech, point clouds, TF1 Estimator."""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np

from . import curves, forms, pictures
from .forms import HParams
from .scene import DAY, HOUR, Job, Scene
from .writer import TENSORFLOW

LAPTOP = "mira-laptop"


def jobs(scene: Scene) -> list[Job]:
    """Four Keras runs, five Lightning versions, two voices, one mesh, one Estimator."""
    settings = enumerate(product(("adam", "sgd"), (0.2, 0.5)))
    keras = [partial(_keras, scene, k, *cell) for k, cell in settings]
    lightning = [partial(_lightning, scene, version) for version in range(5)]
    speech = [partial(_speech, scene, k) for k in range(2)]
    return [*keras, *lightning, *speech, partial(_points, scene), partial(_estimator, scene)]


def _keras(scene: Scene, k: int, optimizer: str, dropout: float) -> None:
    """The Keras callback: a stream each for training and validation, tensors throughout."""
    path, start = f"laptop/keras/mnist-cnn/{optimizer}-{dropout}", scene.now - 3 * DAY + k * HOUR
    rng, epochs, n = scene.rng(path), 20, scene.count(4000, least=40)
    rate = np.full(n, 1.0)
    floor = (0.02 if optimizer == "adam" else 0.06) + 0.03 * dropout
    smooth = curves.descend(rate, 2.3, floor, 60 if optimizer == "adam" else 25, 0.0)
    times = start + 10 + np.arange(1, n + 1) * (1500 / n)
    at = np.linspace(n // epochs, n - 1, epochs).astype(int)
    gap = 0.02 + curves.overfit(epochs, 0.35, 0.25 * (1 - dropout))
    losses = {"train": smooth[at], "validation": smooth[at] + gap}
    # The callback's records repeat the metadata, as TF2's writer does.
    for stream, loss in losses.items():
        log = scene.open(path, start, LAPTOP, stream=stream, suffix=".v2", writer=TENSORFLOW)
        when, numbers = times[at], np.arange(epochs)
        log.scalars("epoch_loss", numbers, when, loss, forms.scalar_tensor)
        log.scalars("epoch_accuracy", numbers, when, np.exp(-loss / 3), forms.scalar_tensor)
        if stream == "validation":
            tag = "evaluation_loss_vs_iterations"
            log.scalars(tag, at, when, loss, forms.scalar_tensor)
        else:
            log.keras_model(pictures.keras_json(dropout), start + 1)
            noisy = smooth * np.exp(curves.noise(rng, n, 0.15))
            log.scalars("batch_loss", np.arange(n), times, noisy, forms.scalar_tensor)
            log.scalars("epoch_learning_rate", numbers, when, np.full(epochs, 1e-3))
            for i in range(epochs):
                weights = rng.normal(0, 0.05 + 0.004 * i, 800)
                log.histogram_tensor("conv2d/kernel_0/histogram", weights, i, float(when[i]))
            grid = pictures.predictions(rng, 0.9)
            png, (height, width) = pictures.png(grid), grid.shape[:2]
            log.image_tensor("mistakes", [png], width, height, epochs - 1, float(when[-1]))
            log.text_tensor("notes", [["optimizer", optimizer], ["dropout", dropout]], 0, start + 2)
        scene.close(log)
    log = scene.open(path, start - 1, LAPTOP, suffix=".v2", writer=TENSORFLOW)
    hparams: HParams = {"optimizer": optimizer, "dropout": dropout, "shuffle": True}
    session = forms.hparams_start(hparams, group_name=f"{optimizer}-{dropout}", start_time=start)
    log.values([session], 0, start)
    end = float(times[-1])
    log.values([forms.hparams_end("SUCCESS", end)], 0, end)
    scene.close(log)


def _lightning(scene: Scene, version: int) -> None:
    """Lightning: hparams in the run itself with a placeholder metric; version 2 ends early."""
    root = "cloud/segmentation/lightning_logs"
    path, start = f"{root}/version_{version}", scene.now - 7 * DAY + version * 22 * HOUR
    rng, epochs, n = scene.rng(path), 40, scene.count(3000, least=80)
    lr, encoder = (1e-4, 3e-4, 1e-3, 3e-4, 3e-4)[version], ("mit_b0", "mit_b2")[version > 2]
    hparams: HParams = {"lr": lr, "encoder": encoder, "crop": 512, "freeze_bn": version == 4}
    rate = curves.warmup_cosine(n, lr)
    floor = (0.22 if encoder == "mit_b2" else 0.31) + 0.06 * abs(np.log10(lr / 3e-4))
    smooth = curves.descend(rate, 2.1, floor, 35, 0.1)
    steps, times = np.arange(1, n + 1) * 50 - 1, start + 20 + np.arange(1, n + 1) * (9 * HOUR / n)
    at = np.linspace(n // epochs, n - 1, epochs).astype(int)
    val = smooth[at] + 0.04 + curves.overfit(epochs, 0.6, 0.3) + curves.noise(rng, epochs, 0.01)
    log = scene.open(path, start, "ip-10-0-7-4")
    log.hparams(hparams, ["hp_metric"], start)
    log.scalar("hp_metric", -1.0, 0, start)
    log.scalars("train_loss_step", steps, times, smooth * np.exp(curves.noise(rng, n, 0.12, 0.2)))
    log.scalars("lr-AdamW", steps, times, rate)
    log.scalars("epoch", steps, times, np.arange(n) * epochs // n)
    log.scalars("train_loss_epoch", steps[at], times[at] + 5, smooth[at])
    log.scalars("val_loss", steps[at], times[at] + 5, val)
    log.scalars("val_iou", steps[at], times[at] + 5, 0.92 * np.exp(-0.55 * val))
    end = float(times[n // 6]) if version == 2 else float(times[-1]) + 10
    scene.close(log, until=end)
    yaml = "".join(f"{key}: {str(value).lower()}\n" for key, value in hparams.items())
    scene.side_file(f"{path}/hparams.yaml", yaml, start)
    for epoch in (19, 39):
        if times[at[epoch]] < end:
            name = f"{path}/checkpoints/epoch={epoch}-step={steps[at[epoch]]}.ckpt"
            scene.side_file(name, bytes(1024), float(times[at[epoch]]) + 6)


def _speech(scene: Scene, k: int) -> None:
    """Sound and spectrograms that clear up; one voice in the old forms, one in the new."""
    path, start = f"laptop/speech/tts-voice{k}", scene.now - 30 * HOUR + k * 3 * HOUR
    rng, n = scene.rng(path), scene.count(2000)
    steps, times = np.arange(1, n + 1) * 25, start + np.arange(1, n + 1) * (2.5 * HOUR / n)
    log = scene.open(path, start, LAPTOP)
    smooth = curves.descend(np.full(n, 1.0), 1.9 - 0.2 * k, 0.32, 50, 0.0)
    form = (forms.simple, forms.scalar_new_style)[k]
    for tag, level in (("loss/mel", smooth), ("loss/duration", smooth**2 / 3)):
        log.scalars(tag, steps, times, level * np.exp(curves.noise(rng, n, 0.08, 0.4)), form)
    for i in np.linspace(0, n - 1, 5).astype(int):
        step, when, clarity = int(steps[i]), float(times[i]), i / n
        sound, mel = pictures.utterance(rng, clarity), pictures.spectrogram(rng, clarity)
        png, (height, width) = pictures.png(mel), mel.shape
        if k == 0:
            log.audio("eval/utterance", sound, 8000, step, when)
            log.image("eval/mel", png, width, height, step, when)
        else:
            log.audio_tensor("eval/utterance", [forms.wav(sound, 8000)], step, when)
            log.image_tensor("eval/mel", [png], width, height, step, when)
    scene.close(log)
    scene.side_file(f"{path}/cmd-args.log", f"train_tts.py --voice {k} --lr 0.001", start)
    scene.side_file(f"{path}/git-info.log", f"commit hash: {0x5EED0 + k:040x}\n", start)


def _points(scene: Scene) -> None:
    """A mesh that comes into shape, a raw tensor, and a plugin that nobody knows."""
    path, start = "lab-cluster/points/torus-recon", scene.now - 50 * HOUR
    rng, n = scene.rng(path), scene.count(1500)
    steps, times = np.arange(n) * 20, start + 5 + np.arange(n) * (3 * HOUR / n)
    log = scene.open(path, start, "gpu03.lab.example")
    chamfer = curves.descend(np.full(n, 1.0), 0.8, 0.01, 80, 0.0)
    log.scalars("chamfer", steps, times, chamfer * np.exp(curves.noise(rng, n, 0.1, 0.3)))
    for i in np.linspace(0, n - 1, 6).astype(int):
        vertices, faces, colors = pictures.torus(rng, 0.25 * float(chamfer[i]))
        step, when = int(steps[i]), float(times[i])
        log.mesh("shape", vertices, step, when, faces=faces, colors=colors)
        log.tensor("latent", rng.normal(size=(4, 8)).astype(np.float32), step, when)
    log.tensor("report", np.arange(3), 0, start + 1, plugin="lab_report", content=b"v1")
    scene.close(log)


def _estimator(scene: Scene) -> None:
    """TF1: several values in an event, session logs with checkpoints, an `eval` stream."""
    path, start = "laptop/recsys/wide-deep", scene.now - 10 * DAY
    rng, n = scene.rng(path), scene.count(300)
    log = scene.open(path, start, LAPTOP, writer="")
    log.session_log("START", 0, start + 1)
    smooth = curves.descend(np.full(n, 1.0), 0.7, 0.44, 30, 0.0)
    for i in range(n):
        pair = (("loss", smooth[i] + rng.normal(0, 0.01)), ("global_step/sec", rng.normal(91, 2)))
        values = [forms.simple(tag, float(value)) for tag, value in pair]
        log.values(values, i * 100 + 1, start + 2 + i)
        if i % 100 == 99:
            saved = f"model.ckpt-{i * 100 + 1}"
            log.session_log("CHECKPOINT", i * 100 + 1, start + 2.5 + i, checkpoint=saved)
            scene.side_file(f"{path}/{saved}.index", bytes(64), start + 2.5 + i)
    scene.close(log)
    log = scene.open(path, start + 60, LAPTOP, stream="eval", writer="")
    at = np.linspace(n // 5, n - 1, 5).astype(int)
    log.scalars("auc", at * 100 + 1, start + 62 + at, 0.9 - smooth[at] / 4)
    scene.close(log)
