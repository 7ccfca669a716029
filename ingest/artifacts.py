"""Files and directories beside the logs that people look for: told by their names alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .provenance import recognise

Kind = Literal["checkpoint", "pointer", "model", "config", "log", "metrics", "profile", "projector"]


@dataclass(frozen=True)
class Artifact:
    """What a path is; `step` as its name says, None where it says none or only an epoch."""

    kind: Kind
    step: int | None = None


_NUMBER = r"0*([0-9]{1,15})(?![0-9])"
# A step that the name spells out, most certain first; an epoch is no step.
_STEPS = [
    re.compile(pattern + _NUMBER, re.IGNORECASE)
    for pattern in (
        r"steps?[=_-]?",
        r"(?<![a-z])(?:iter|iters|iteration|iterations|update|updates)[=_-]?",
        r"(?:ckpt|checkpoint)[-_]epoch[-_]?\d{1,6}[-_]",
        r"(?<![a-z])checkpoint_\d{1,6}_",
        r"(?<![a-z])(?:checkpoint|ckpt|network-snapshot)-",
    )
]
# With an extension, `checkpoint_0050.pth.tar` is mostly an epoch.
_BARE = re.compile(r"^(?:checkpoint|ckpt)_([0-9]{1,15})$")
_BEFORE_STEPS = re.compile(r"(?<![0-9])0*([0-9]{1,15})_steps?(?![a-z])", re.IGNORECASE)
# detectron2 pads model_0004999.pth with zeros, unlike model_3.pt of an epoch; VITS has G_40000.pth.
_PADDED = re.compile(r"^(?:(?:model|ckpt|snapshot)_(?=[0-9]{6})|[GD]_)([0-9]{1,15})\.")
_ML_AGENTS = re.compile(r"-([0-9]{3,15})\.(?:onnx|nn|pt)$")

_CHECKPOINT_DIR = re.compile(
    r"checkpoint[-_][0-9]{1,15}|checkpoint_epoch_?[0-9]{1,9}|ckpt[-_][0-9]{1,15}"
    r"|global_step[-_]?[0-9]{1,15}|iter_[0-9]{4,15}"
    r"|epoch=[0-9]{1,9}[^/]*\.ckpt|[^/]{1,200}\.ckpt|[^/]{1,200}\.orbax"
)
# A bare number is a step only under a directory that holds checkpoints (orbax, flax).
_STEP_UNDER = re.compile(r"(?:.*/)?(?:checkpoints?|ckpts?)/(?:step[-_=]?)?([0-9]{1,15})")
_CHECKPOINT_FILE = re.compile(
    r".*\.(?:ckpt|pt|pth|pth\.tar|safetensors|pdparams|keras|h5|hdf5|msgpack|nemo)"
    r"|.*\.ckpt(?:-[0-9]{1,15})?\.index|(?:ckpt|cp)-[0-9]{1,15}\.index"
    r"|(?:pytorch_model|adapter_model|diffusion_pytorch_model)[^/]*\.bin"
    r"|(?:checkpoint|ckpt|network-snapshot)[-_][0-9][^/]*(?:\.(?:pkl|npz|bin|tar))?"
    r"|(?:rl_model|best_model|final_model|model)[^/]{0,100}\.zip"
)
_MODEL_FILE = re.compile(r".*\.(?:onnx|tflite|nn|mlmodel|torchscript|engine)|saved_model\.pb")
# Parts of a checkpoint that another file stands for, and what is not ready or no weights.
_PART = re.compile(
    r".*\.data-[0-9]{5}-of-[0-9]{5}|.*\.meta|.*\.orbax-checkpoint-tmp.*|.*\.tmp|\..*"
    r"|(?:optimizer|scheduler|rng_state|scaler|training_args|optim_states|tokenizer)[^/]*"
    r"|.*\.pt\.trace\.json(?:\.gz)?"
)
_POINTER = re.compile(r"checkpoint|last_checkpoint|latest(?:_checkpointed_iteration\.txt)?")
_METRICS = re.compile(
    r"(?:progress|results?|metrics|history|log)\.(?:csv|jsonl)|(?:result|metrics)\.json"
    r"|(?:.*\.)?monitor\.csv|evaluations\.npz|trainer_state\.json|(?:all|train|eval)_results\.json"
    r"|wandb-summary\.json"
)
_LOG = re.compile(
    r".*\.(?:log|out|err)(?:\.[0-9]{1,6})?|(?:log|error|stdout|stderr)(?:\.txt)?"
    r"|nemo_[^/]*log[^/]*\.txt|(?:.*[_-])?logs?\.txt"
)
_CONFIG = re.compile(
    r".*\.(?:ya?ml|gin|toml)|training_args\.bin|params\.pkl|.*config\.json|args\.txt"
)
_PROFILE = re.compile(
    r"(?:.*/)?plugins/profile/[^/]+/[^/]+|(?:.*/)?[^/]+\.(?:pt\.trace|trace)\.json(?:\.gz)?"
    r"|(?:.*/)?[^/]+\.xplane\.pb"
)
_PROJECTOR = re.compile(r"(?:.*/)?(?:projector_config\.pbtxt|[^/]+/(?:tensors|metadata)\.tsv)")
# Where TensorBoard's plugins keep the files of a log directory: captures of the profiler lie deeper.
_PLUGINS = re.compile(r"(?:(?P<home>.*)/)?plugins(?:/profile/[^/]+|/[^/]+)?")


def classify(relative_path: str, is_dir: bool) -> Artifact | None:
    """What *relative_path* (below the run's directory) is, or None for nothing worth listing.

    A checkpoint directory is one artifact, and what lies in it is None: where a listing has no
    directories, ask `checkpoint_directory` for the one that a file belongs to.
    """
    path = relative_path[:4096].strip("/")
    base = path.rpartition("/")[2]
    if is_dir:
        whole = _is_checkpoint_dir(path) and not checkpoint_directory(path)
        return Artifact("checkpoint", step_of(path)) if whole else None
    if checkpoint_directory(path) or "tfevents" in base:
        return None
    if _PROFILE.fullmatch(path):
        return Artifact("profile")
    if _PROJECTOR.fullmatch(path):
        return Artifact("projector")
    return _classify_file(path, base)


def _classify_file(path: str, base: str) -> Artifact | None:
    if recognise(path) not in (None, "error", "command_args", "git_info", "exported"):
        return Artifact("config")
    # Deeper down lie copies of code, full of settings that are nobody's.
    if _CONFIG.fullmatch(base) and path.count("/") <= 1:
        return Artifact("config")
    if _METRICS.fullmatch(base):
        return Artifact("metrics")
    if _LOG.fullmatch(base):
        return Artifact("log")
    if _POINTER.fullmatch(base):
        return Artifact("pointer")
    if _PART.fullmatch(base):
        return None
    if _MODEL_FILE.fullmatch(base):
        return Artifact("model", step_of(path))
    if _CHECKPOINT_FILE.fullmatch(base):
        return Artifact("checkpoint", step_of(path))
    return None


def checkpoint_directory(relative_path: str) -> str | None:
    """The outermost checkpoint directory above *relative_path*, or None."""
    parts = relative_path[:4096].strip("/").split("/")
    for depth in range(1, min(len(parts), 32)):
        above = "/".join(parts[:depth])
        if _is_checkpoint_dir(above):
            return above
    return None


def plugin_home(directory: str) -> str:
    """The log directory whose plugins' files *directory* holds; *directory* itself if it holds none."""
    found = _PLUGINS.fullmatch(directory)
    return found["home"] or "" if found else directory


def _is_checkpoint_dir(path: str) -> bool:
    base = path.rpartition("/")[2]
    return bool(_CHECKPOINT_DIR.fullmatch(base) or _STEP_UNDER.fullmatch(path))


def step_of(path: str) -> int | None:
    """The training step in the name of a checkpoint, None where it is not certain."""
    base = path.rpartition("/")[2]
    found = (
        _STEP_UNDER.fullmatch(path)
        or _PADDED.match(base)
        or _BARE.match(base)
        or _ML_AGENTS.search(base)
    )
    found = found or _BEFORE_STEPS.search(base)
    for pattern in _STEPS:
        found = found or pattern.search(base)
    return int(found[1]) if found else None
