"""Checkpoints, configs and logs beside the event files are told by their names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.ingest.artifacts import Artifact, checkpoint_directory, classify

FILES = [
    ("checkpoints/epoch=3-step=400.ckpt", "checkpoint", 400),
    ("checkpoints/epoch=79-step=547279-val_ExpRate=0.4047.ckpt", "checkpoint", 547279),
    ("checkpoints/epoch=3-step=400-v1.ckpt", "checkpoint", 400),
    ("checkpoints/epoch=9.ckpt", "checkpoint", None),
    ("checkpoints/last.ckpt", "checkpoint", None),
    ("model.ckpt-1000.index", "checkpoint", 1000),
    ("model.ckpt-1000.meta", None, None),
    ("model.ckpt-1000.data-00000-of-00001", None, None),
    ("cp-0005.ckpt.index", "checkpoint", None),
    ("ckpt-500.index", "checkpoint", 500),
    ("ckpt-500.pt", "checkpoint", 500),
    ("model_0004999.pth", "checkpoint", 4999),
    ("model_final.pth", "checkpoint", None),
    ("model_3.pt", "checkpoint", None),
    ("weights/best.pt", "checkpoint", None),
    ("weights/epoch10.pt", "checkpoint", None),
    ("epoch_12.pth", "checkpoint", None),
    ("iter_20000.pth", "checkpoint", 20000),
    ("checkpoint_0050.pth.tar", "checkpoint", None),
    ("checkpoint12.pt", "checkpoint", None),
    ("checkpoint_12_5000.pt", "checkpoint", 5000),
    ("checkpoint_best.pt", "checkpoint", None),
    ("checkpoint_1000", "checkpoint", 1000),
    ("model.safetensors", "checkpoint", None),
    ("pytorch_model-00001-of-00002.bin", "checkpoint", None),
    ("rl_model_10000_steps.zip", "checkpoint", 10000),
    ("best_model.zip", "checkpoint", None),
    ("network-snapshot-001000.pkl", "checkpoint", 1000),
    ("G_40000.pth", "checkpoint", 40000),
    ("weights.10-0.53.h5", "checkpoint", None),
    ("step=99999999999999999999.ckpt", "checkpoint", None),
    ("optimizer.pt", None, None),
    ("rng_state_0.pth", None, None),
    ("CubeAgent/CubeAgent-499950.onnx", "model", 499950),
    ("CubeAgent.onnx", "model", None),
    ("export/saved_model.pb", "model", None),
    ("checkpoint", "pointer", None),
    ("last_checkpoint", "pointer", None),
    ("latest_checkpointed_iteration.txt", "pointer", None),
    ("hparams.yaml", "config", None),
    ("configs/model.yaml", "config", None),
    ("code/a/b/model.yaml", None, None),
    (".hydra/overrides.yaml", "config", None),
    ("params.json", "config", None),
    ("params.pkl", "config", None),
    ("training_args.bin", "config", None),
    ("operative_config-0.gin", "config", None),
    ("wandb/latest-run/files/wandb-metadata.json", "config", None),
    ("progress.csv", "metrics", None),
    ("results.csv", "metrics", None),
    ("result.json", "metrics", None),
    ("metrics.json", "metrics", None),
    ("trainer_state.json", "metrics", None),
    ("0.monitor.csv", "metrics", None),
    ("train.log", "log", None),
    ("slurm-123.out", "log", None),
    ("cmd-args.log", "log", None),
    ("log.txt", "log", None),
    ("error.txt", "log", None),
    ("nemo_log_globalrank-0_localrank-0.txt", "log", None),
    ("plugins/profile/2024_01_01/host.xplane.pb", "profile", None),
    ("train/plugins/profile/2024_01_01/host.trace.json.gz", "profile", None),
    ("host_1.1700000000.pt.trace.json", "profile", None),
    ("projector_config.pbtxt", "projector", None),
    ("00000/default/tensors.tsv", "projector", None),
    ("events.out.tfevents.1600000000.host.1.0", None, None),
    ("notes.md", None, None),
    ("data.npz", None, None),
    ("train.py", None, None),
    ("image.png", None, None),
    ("", None, None),
]


@pytest.mark.parametrize(("path", "kind", "step"), FILES)
def test_files(path: str, kind: str | None, step: int | None) -> None:
    """Real names of many tools; an epoch is never taken for a step."""
    found = classify(path, is_dir=False)
    assert (found.kind if found else None) == kind
    assert (found.step if found else None) == step


DIRECTORIES = [
    ("checkpoint-500", "checkpoint", 500),
    ("checkpoint_000010", "checkpoint", 10),
    ("out/global_step1000", "checkpoint", 1000),
    ("iter_0001000", "checkpoint", 1000),
    ("checkpoints/1000", "checkpoint", 1000),
    ("ckpts/step_1000", "checkpoint", 1000),
    ("checkpoints/epoch=1-step=20.ckpt", "checkpoint", 20),
    ("checkpoints/1000.orbax-checkpoint-tmp-123", None, None),
    ("1000", None, None),
    ("images/1000", None, None),
    ("step_1000", None, None),
    ("checkpoints", None, None),
    ("weights", None, None),
    ("train", None, None),
    ("checkpoint-500/global_step500", None, None),
]


@pytest.mark.parametrize(("path", "kind", "step"), DIRECTORIES)
def test_directories(path: str, kind: str | None, step: int | None) -> None:
    """A directory is a checkpoint only where its name leaves no doubt, and only the outermost."""
    found = classify(path, is_dir=True)
    assert (found.kind if found else None) == kind
    assert (found.step if found else None) == step


@pytest.mark.parametrize(
    ("path", "directory"),
    [
        ("checkpoint-500/model.safetensors", "checkpoint-500"),
        ("out/checkpoint-500/a/b.bin", "out/checkpoint-500"),
        ("checkpoints/1000/params/d/x", "checkpoints/1000"),
        ("checkpoints/1000", None),
        ("checkpoints/last.ckpt", None),
        ("a/b/c", None),
    ],
)
def test_files_of_a_checkpoint_directory(path: str, directory: str | None) -> None:
    """What lies in a checkpoint directory belongs to it, and the directory is an artifact."""
    assert checkpoint_directory(path) == directory
    if directory is not None:
        assert classify(path, is_dir=False) is None
        assert isinstance(classify(directory, is_dir=True), Artifact)


@given(st.text(alphabet="checkpoint-_=0123456789/.stepmodl", max_size=60), st.booleans())
def test_any_path(path: str, is_dir: bool) -> None:
    """No path makes it fail, and a step fits the 64 bits of its column."""
    found = classify(path, is_dir)
    assert found is None or found.step is None or 0 <= found.step < 2**63


def test_real_files(corpus: Path) -> None:
    """Of the files beside real logs every settings, metrics and projector file is listed."""
    kinds = {
        path.name: found.kind if (found := classify(path.name, is_dir=False)) else None
        for path in corpus.rglob("*/*/*")
        if path.is_file() and "tfevents" not in path.name
    }
    assert set(kinds.values()) == {"config", "metrics", "projector"}
