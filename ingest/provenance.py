"""What files beside the logs, text summaries and hparams say of a run's code, command and end.

Where several say the same thing, `find_side_files` gives the order and `merge` takes the first: by
kind as in KINDS (logs of Weights & Biases, NeMo, MLflow and Sacred before Hydra), then the file
nearest to the run. A failure weighs more than a success.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..core.values import Hparam
from ..lake.logdir.side import SIDE_FILE
from . import hparams as hp
from . import plain, sidefile
from .masks import mask_arguments, mask_command, mask_text

SideKind = Literal[
    "error",
    "wandb_metadata",
    "command_args",
    "git_info",
    "mlflow_commit",
    "mlflow_command",
    "sacred_run",
    "hydra_job",
    "hydra_overrides",
    "hparams",
    "hydra_config",
    "args",
    "params",
    "config",
    "options",
    "gin",
    "wandb_config",
    "exported",
]
EndState = Literal["failed", "finished"]

MAX_PARENTS = 3
MAX_SIDE_FILES = 40
_MAX_TEXT = 8192

_TABLE = r"\.(?:ya?ml|json|toml)"
# (kind, where it may lie, pattern of the path from there). `.` = the run's directory itself, `..` =
# also its parents, `*` = also one directory down, as with the sub-runs of add_hparams.
_RULES: tuple[tuple[SideKind, str, str], ...] = (
    ("error", ".", r"error\.txt"),
    ("wandb_metadata", "..", r"wandb/(?:[^/]+/)?files/wandb-metadata\.json"),
    ("command_args", "..", r"cmd-args\.log"),
    ("git_info", "..", r"git-info\.log"),
    ("mlflow_commit", "..", r"(?:mlruns/[^/]+/[^/]+/)?tags/mlflow\.source\.git\.commit"),
    ("mlflow_command", "..", r"(?:mlruns/[^/]+/[^/]+/)?tags/mlflow\.source\.name"),
    ("sacred_run", "..", r"run\.json"),
    ("hydra_job", "..", r"\.hydra/hydra\.yaml"),
    ("hydra_overrides", "..", r"\.hydra/overrides\.yaml"),
    ("hparams", "*", r"(?:hparams|hyperparams|hyperparameters|hyper_params)" + _TABLE),
    ("hydra_config", "..", r"\.hydra/config\.yaml"),
    ("args", "..", r"(?:args|arguments|train(?:ing)?_args|commandline_args|flags)" + _TABLE),
    ("params", "..", r"(?:params|parameters)" + _TABLE),
    ("config", "..", r"(?:config|cfg|(?:train(?:ing)?|exp|experiment|run)_config)" + _TABLE),
    ("options", "..", r"(?:opt|hyp|options|configuration)" + _TABLE),
    ("gin", "..", r"(?:operative_config[^/]*|config)\.gin"),
    ("wandb_config", "..", r"wandb/(?:[^/]+/)?files/config\.yaml"),
    # Last, for it is what the others said once.
    ("exported", ".", re.escape(SIDE_FILE)),
)
KINDS: tuple[SideKind, ...] = tuple(kind for kind, _, _ in _RULES)
_PATTERNS = [(kind, where, re.compile(pattern)) for kind, where, pattern in _RULES]
_UP = re.compile(r"(?:\.\./)*")

_RANKS: dict[SideKind, int] = {
    "hparams": 30,
    "hydra_config": 31,
    "args": 32,
    "params": 33,
    "config": 34,
    "options": 35,
    "gin": 36,
    "wandb_config": 60,
}
# One of these for each of several runs may lie in a shared directory.
_ONE_PER_RUN = ("wandb_metadata", "wandb_config", "mlflow_commit", "mlflow_command")

_SACRED_ENDS: dict[str, EndState] = {
    "COMPLETED": "finished",
    "INTERRUPTED": "finished",  # by a person
    "FAILED": "failed",
    "TIMEOUT_DIED": "failed",
}
_FULL_SHA = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-fA-F])")
_SHA = re.compile(r"(?=.*[0-9])[0-9a-f]{7,40}|[0-9a-f]{64}")
_SHA_NAME = re.compile(
    r"(?:.*[/._ -])?(?:git|code|source|repo)?[/._ -]?"
    r"(?:git|commit|sha1?|hexsha|githash|hash|rev|revision)"
    r"(?:[/._ -](?:hash|sha1?|id|hexsha|commit))?",
    re.IGNORECASE,
)
_GIT_WORD = re.compile(r"git|commit|sha|code_?rev|source_?rev", re.IGNORECASE)
# Commits of things that are not the run's code; Transformers stores `_commit_hash` of a model.
_OTHER_CODE = re.compile(r"^_|[./]_|model|data|tokeni|hub|cache|weights|checkpoint", re.IGNORECASE)
_COMMAND_TAG = re.compile(
    r"(?:.*[/._ -])?(?:cmd|command|command[-_ ]?line|cmd[-_ ]?line|cli|sys[._]argv|argv)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SideFile:
    """A file to read: its path relative to the run's directory, and a name for it as an origin."""

    path_relative: str
    name: str
    kind: SideKind


@dataclass(frozen=True)
class SideFacts:
    """What one origin says of a run; None and '' = nothing. *problem*: what is wrong with it.

    `returned` is what a side file of an export says besides.
    """

    hparams: tuple[Hparam, ...] = ()
    git_commit: str | None = None
    command: str | None = None
    host: str | None = None
    end_state: EndState | None = None
    end_reason: str = ""
    problem: str | None = None
    returned: sidefile.Returned | None = None


def recognise(relative_path: str) -> SideKind | None:
    """What to read a file as, by its path relative to the run's directory (`../config.yaml`).

    None = not at all. Files lie in the directory, in one of three parents, or in the folders that
    their tools make there (`.hydra`, `wandb/*/files`, `mlruns`).
    """
    ups = _UP.match(relative_path[:4096])
    up = ups.end() // 3 if ups else 0
    below = relative_path[3 * up :]
    if up > MAX_PARENTS:
        return None
    for kind, where, pattern in _PATTERNS:
        if pattern.fullmatch(below):
            return None if where == "." and up else kind
        if where == "*" and not up and pattern.fullmatch(below.partition("/")[2]):
            return kind
    return None


def find_side_files(relative_paths: Iterable[str]) -> list[SideFile]:
    """The files to read among *relative_paths*, in the order of precedence; at most MAX_SIDE_FILES.

    Several Weights & Biases or MLflow folders in a parent belong to different runs: none is taken.
    """
    found: dict[tuple[SideKind, int], list[str]] = {}
    for path in relative_paths:
        kind = recognise(path)
        if kind is not None:
            found.setdefault((kind, path.count("../")), []).append(path)
    files: list[SideFile] = []
    for kind, up in sorted(found, key=lambda key: (KINDS.index(key[0]), key[1])):
        paths = sorted(found[kind, up])
        if kind in _ONE_PER_RUN:
            paths = paths[-1:] if not up or len(paths) == 1 else []
        files += [SideFile(path, path, kind) for path in paths]
    return files[:MAX_SIDE_FILES]


def read_side_file(kind: SideKind, name: str, data: bytes) -> SideFacts:
    """Read a file that `recognise` calls *kind*; *name* becomes the origin of its hparams.

    Never raises: what is wrong comes back as `problem`.
    """
    try:
        return _READERS.get(kind, _read_settings)(kind, name, data)
    except (ValueError, RecursionError) as error:
        return SideFacts(problem=f"{name}: {_one_line(str(error) or type(error).__name__)}")


def _read_settings(kind: SideKind, name: str, data: bytes) -> SideFacts:
    parse = hp.from_yaml
    if name.endswith(".json"):
        parse = hp.from_json
    elif name.endswith(".toml"):
        parse = hp.from_toml
    return _with_hparams(name, parse(data, name, _RANKS[kind]))


def _with_hparams(name: str, found: list[Hparam]) -> SideFacts:
    cut = f"{name}: only the first {hp.MAX_NAMES} names are kept"
    commit = facts_from_hparams(found).git_commit
    return SideFacts(tuple(found), commit, problem=cut if len(found) >= hp.MAX_NAMES else None)


def _read_wandb_config(kind: SideKind, name: str, data: bytes) -> SideFacts:
    """Weights & Biases: {key: {desc: ..., value: ...}}, and entries of its own."""
    raw = _dict(plain.from_yaml(hp.decode(data)), "settings")
    values = {
        key: item["value"] if isinstance(item, dict) and "value" in item else item
        for key, item in raw.items()
        if key not in ("_wandb", "wandb_version")
    }
    return _with_hparams(name, hp.from_mapping(values, name, _RANKS[kind]))


def _read_wandb_metadata(kind: SideKind, name: str, data: bytes) -> SideFacts:
    """wandb-metadata.json: git.commit, program, args, host."""
    meta = _dict(plain.from_json(hp.decode(data)), "metadata")
    git = meta.get("git")
    words = [meta.get("program") or meta.get("codePath") or "", *_list(meta.get("args"))]
    return SideFacts(
        git_commit=_sha(git.get("commit")) if isinstance(git, dict) else None,
        command=_join(words),
        host=_host(meta.get("host")),
    )


def _read_sacred(kind: SideKind, name: str, data: bytes) -> SideFacts:
    """Sacred's run.json: experiment.repositories, command, host.hostname, status, fail_trace."""
    run = _dict(plain.from_json(hp.decode(data)), "a Sacred run")
    experiment = run.get("experiment")
    if not isinstance(experiment, dict):
        return SideFacts()  # some other program's run.json
    repositories = _list(experiment.get("repositories"))
    commits = [_sha(each.get("commit")) for each in repositories if isinstance(each, dict)]
    host, status = run.get("host"), str(run.get("status"))
    ended = _SACRED_ENDS.get(status)
    reason = _last_line("".join(map(str, _list(run.get("fail_trace"))[-20:])))
    return SideFacts(
        git_commit=next(filter(None, commits), None),
        command=_join([experiment.get("mainfile") or "", run.get("command") or ""]),
        host=_host(host.get("hostname")) if isinstance(host, dict) else None,
        end_state=ended,
        end_reason=f"{name}: {status} {reason}".strip() if ended else "",
    )


def _read_hydra_job(kind: SideKind, name: str, data: bytes) -> SideFacts:
    """.hydra/hydra.yaml: hydra.job.name and hydra.overrides.task make the command."""
    whole = _dict(plain.from_yaml(hp.decode(data)), "hydra")
    hydra = _dict(whole.get("hydra", whole), "hydra")
    program = _dict(hydra.get("job"), "hydra.job").get("name")
    task = _dict(hydra.get("overrides", {}), "hydra.overrides").get("task")
    return SideFacts(command=_join([program, *_list(task)]) if program else None)


def _read_hydra_overrides(kind: SideKind, name: str, data: bytes) -> SideFacts:
    values = plain.from_yaml(hp.decode(data))
    if values is not None and not isinstance(values, list):
        raise ValueError("expected a list of overrides")
    return SideFacts(command=_join(_list(values)))


def _read_command(kind: SideKind, name: str, data: bytes) -> SideFacts:
    text = data[: 4 * _MAX_TEXT].decode("utf-8", "replace").strip()
    return SideFacts(command=_command(text))


def _read_commit(kind: SideKind, name: str, data: bytes) -> SideFacts:
    """MLflow's tag is the hash alone; NeMo's log begins `commit hash: ...`, then a diff."""
    return SideFacts(git_commit=_find_sha(data[:4096].decode("utf-8", "replace")))


def _read_error(kind: SideKind, name: str, data: bytes) -> SideFacts:
    """Ray writes error.txt when a trial fails: the last line of the trace is the reason."""
    reason = _last_line(data[-_MAX_TEXT:].decode("utf-8", "replace"))
    return SideFacts(end_state="failed", end_reason=f"{name}: {reason}") if reason else SideFacts()


def _read_gin(kind: SideKind, name: str, data: bytes) -> SideFacts:
    """gin: `scope/name.parameter = value`; a value goes on in indented lines or after `\\`."""
    values: dict[str, Any] = {}
    text = re.sub(r"(?m)^[ \t]*#.*$", "", hp.decode(data))
    text = re.sub(r"\\\r?\n\s*", "", text)
    for block in re.split(r"\n(?=[^\s)\]}])", text)[: hp.MAX_NAMES]:
        key, equals, value = block.strip().partition("=")
        if equals and re.fullmatch(r"[\w./]{1,200}\s*", key):
            values[key.strip()] = plain.typed(value)
    return _with_hparams(name, hp.from_mapping(values, name, _RANKS[kind]))


def _read_exported(kind: SideKind, name: str, data: bytes) -> SideFacts:
    """What an export wrote beside the event files of a run."""
    found = sidefile.read(data)
    return SideFacts(
        found.hparams,
        found.git_commit,
        found.command,
        end_state=found.end_state,
        end_reason=found.end_reason,
        returned=found,
    )


_READERS: dict[SideKind, Callable[[SideKind, str, bytes], SideFacts]] = {
    "error": _read_error,
    "wandb_metadata": _read_wandb_metadata,
    "command_args": _read_command,
    "git_info": _read_commit,
    "mlflow_commit": _read_commit,
    "mlflow_command": _read_command,
    "sacred_run": _read_sacred,
    "hydra_job": _read_hydra_job,
    "hydra_overrides": _read_hydra_overrides,
    "gin": _read_gin,
    "wandb_config": _read_wandb_config,
    "exported": _read_exported,
}


def facts_from_text_summary(tag: str, text: str) -> SideFacts:
    """Commit, command and hparams that a run logged as text (`git/commit`, `sys.argv`, `args`)."""
    name = hp.tag_name(tag)
    commit = _find_sha(text[:4096]) if _is_commit_name(name) else None
    command = _command(text) if _COMMAND_TAG.fullmatch(name) else None
    found = hp.from_text_summary(tag, text)
    return SideFacts(tuple(found), commit or facts_from_hparams(found).git_commit, command)


def facts_from_hparams(hparams: Iterable[Hparam]) -> SideFacts:
    """The commit among hparams (`git_sha`, `commit`), where its value is a hash."""
    texts = [each for each in hparams if each.type in ("string", "int")]
    for hparam in sorted(texts, key=lambda each: each.rank):
        ours = _GIT_WORD.search(hparam.name) and _is_commit_name(hparam.name)
        if ours and _sha(hparam.value):
            return SideFacts(git_commit=_sha(hparam.value))
    return SideFacts()


def _is_commit_name(name: str) -> bool:
    return bool(_SHA_NAME.fullmatch(name)) and not _OTHER_CODE.search(name)


def merge(facts: Sequence[SideFacts]) -> SideFacts:
    """All facts as one: the first that says something wins, `failed` before `finished`.

    Hparams keep every origin, by rank, then in the order given.
    """
    ends = [fact for fact in facts if fact.end_state]
    ends.sort(key=lambda fact: fact.end_state != "failed")
    end = ends[0] if ends else SideFacts()
    unique: dict[tuple[str, str], Hparam] = {}
    for hparam in (each for fact in facts for each in fact.hparams):
        unique.setdefault((hparam.name, hparam.origin), hparam)
    problems = [fact.problem for fact in facts if fact.problem]
    return SideFacts(
        hparams=tuple(sorted(unique.values(), key=lambda each: each.rank)),
        git_commit=next((fact.git_commit for fact in facts if fact.git_commit), None),
        command=next((fact.command for fact in facts if fact.command), None),
        host=next((fact.host for fact in facts if fact.host), None),
        end_state=end.end_state,
        end_reason=end.end_reason,
        problem="; ".join(problems) or None,
    )


def _dict(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"expected {what} as names and values, found {type(value).__name__}")
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _sha(value: Any) -> str | None:
    """A commit hash: 7 to 40 hex digits with a decimal one among them, or 64."""
    text = str(value).strip().lower()[:80] if value is not None else ""
    return text if _SHA.fullmatch(text) else None


def _find_sha(text: str) -> str | None:
    """A whole hash anywhere in *text*, or a short one among its first three words."""
    found = _FULL_SHA.search(text)
    return found[0] if found else next(filter(None, map(_sha, text.split()[:3])), None)


def _join(values: Sequence[Any]) -> str | None:
    # No lists or dicts: aliases of YAML may repeat them without end.
    plain_values = [each for each in values[:2000] if not isinstance(each, list | dict)]
    words = [plain.to_text(value) for value in plain_values if value != ""]
    return _command_text(shlex.join(mask_arguments(words)))


def _command(text: str) -> str | None:
    """A command line from text, also from the repr of a list as `str(sys.argv)` gives."""
    text = text.strip().strip("`")[: 4 * _MAX_TEXT]
    if text.startswith("["):
        try:
            return _join(_list(plain.from_python(text)))
        except ValueError:
            pass
    return _command_text(mask_command(text))


def _command_text(text: str) -> str | None:
    text = hp.clean(text.strip())
    return (text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + plain.CUT) or None


def _host(value: Any) -> str | None:
    return hp.clean(value[:253]) if isinstance(value, str) and value else None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _one_line(lines[-1]) if lines else ""


def _one_line(text: str) -> str:
    return hp.clean(mask_text(" ".join(text[:_MAX_TEXT].split())))[:500]
