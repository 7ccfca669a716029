"""Where a job may have written its logs: its directory, that of its output, and what its script names. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .words import MAX_FIELD, Said

MAX_ROOTS = 64
MAX_SCRIPT = 1 << 18

# Directories in a home that are looked into where the home itself is too much.
USUAL = (
    ("runs", "logs", "log", "lightning_logs", "tb_logs", "tensorboard", "tensorboard_logs")
    + ("outputs", "output", "multirun", "results", "experiments", "exps", "work_dirs")
    + ("ray_results", "mlruns", "models", "train", "training")
)
_SAYING_NOTHING = frozenset(
    (*USUAL, "job", "jobs", "slurm", "scripts", "script", "src", "version_0")
)
_NAMES = frozenset(
    ("logdir", "log_dir", "logs_dir", "logging_dir", "tensorboard_dir", "tensorboard_logdir")
    + ("tensorboard_log_dir", "tensorboard_log", "tb_dir", "tb_logdir", "tb_log_dir", "tblogdir")
    + ("output_dir", "outputdir", "outdir", "out_dir", "output_path", "save_dir", "savedir")
    + ("work_dir", "workdir", "results_dir", "result_dir", "exp_dir", "experiment_dir", "run_dir")
    + ("runs_dir", "model_dir", "train_dir", "job_dir", "default_root_dir", "storage_path")
)
_DOTTED = ("logging.dir", "log.dir", "run.dir", "sweep.dir", "output.dir", "tensorboard.dir")
_VALUE = r"""((?:"(?:[^"\\]|\\.){0,4096}"|'[^']{0,4096}'|\\.|[^\s"'\\;|&<>()`#])+)"""
_NAME = r"([A-Za-z][A-Za-z0-9_.-]{1,63})"
_OPTION = re.compile(
    rf"(?:^|(?<=[\s\"']))(?:(?:--?|\+{{0,2}}){_NAME}=|--?{_NAME}[ \t]+(?!-)){_VALUE}"
)
_SETS = re.compile(r"^\s*(?:export\s+|declare\s+-x\s+)?([A-Za-z_][A-Za-z0-9_]{0,63})=" + _VALUE)
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*)|(.?))")
_PATTERN = re.compile(r"%(\d{0,2})([%AaJjNnstux])")
_SYSTEM = frozenset(("dev", "proc", "sys", "etc", "run", "boot", "bin", "sbin", "lib", "usr"))
_HOMES = frozenset(("home", "homes", "users", "Users", "user", "u"))
_UNFIT = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Homes:
    """What is too much to be scanned as a whole, unless *whole* says that it is meant."""

    own: str = ""
    whole: bool = False

    def too_much(self, path: str, user: str) -> bool:
        """Whether *path* is a home, lies above homes, or is as wide as `/scratch`."""
        parts = path.strip("/").split("/")
        if parts[0] in _SYSTEM or path == "/":
            return True
        if self.whole:
            return False
        above_own = bool(self.own) and (self.own + "/").startswith(path.rstrip("/") + "/")
        return len(parts) < 2 or above_own or parts[-1] == user or parts[-2] in _HOMES

    def instead(self, path: str) -> list[str]:
        """What is looked at in a directory that is too much."""
        if path == "/" or path.strip("/").split("/")[0] in _SYSTEM:
            return []
        return [f"{path.rstrip('/')}/{name}" for name in USUAL]


def candidates(job: Said, script: str, homes: Homes) -> list[str]:
    """Absolute paths of directories that may hold the logs of *job*, at most MAX_ROOTS."""
    known = _variables(job, homes)
    found: dict[str, None] = {}
    given = [job.directory, _directory_of(job.stdout, job), *_named(job, script, known)]
    for path in given:
        if path is None or not _fits(path := posixpath.normpath(path)):
            continue
        too_much = homes.too_much(path, job.user)
        found |= dict.fromkeys(homes.instead(path) if too_much else [path])
    return list(found)[:MAX_ROOTS]


def project(directory: str, root: str) -> str:
    """What the runs below *root* are of: the job's own directory, or else the first name above that
    says something."""
    for path in (directory, root):
        parts = [part for part in posixpath.normpath(path).split("/") if part not in ("", ".")]
        while parts and (parts[-1].lower() in _SAYING_NOTHING or parts[-1].isdecimal()):
            parts.pop()
        if len(parts) > (2 if parts and parts[0] in _HOMES else 1):
            return parts[-1]
    return ""


def outermost(paths: Iterable[str]) -> list[str]:
    """*paths* without those that lie below another one."""
    found: list[str] = []
    for path in sorted(set(paths), key=lambda path: path.split("/")):
        if not found or not (path + "/").startswith(found[-1].rstrip("/") + "/"):
            found.append(path)
    return found


def _named(job: Said, script: str, known: dict[str, str]) -> Iterator[str | None]:
    """What arguments in the job's command and script name, in absolute paths."""
    for line in _lines(script):
        # The variables of a script count from where they are set.
        if (sets := _SETS.match(line)) and sets[1] not in ("HOME", "PWD"):
            value = _plain(sets[2], known)
            if value is None:
                known.pop(sets[1], None)
            else:
                known[sets[1]] = value
        for value in _options(line):
            yield _absolute(_plain(value, known), job.directory)
    for value in _options(job.command):
        yield _absolute(_plain(value, known), job.directory)


def _lines(script: str) -> Iterator[str]:
    whole = re.sub(r"\\\r?\n", " ", script[:MAX_SCRIPT])
    return (line for line in whole.splitlines() if not line.lstrip().startswith("#"))


def _options(line: str) -> Iterator[str]:
    for joined, apart, value in _OPTION.findall(line):
        key = (joined or apart).replace("-", "_").lower()
        if key.rpartition(".")[2] in _NAMES or key.endswith(_DOTTED):
            yield value


def _plain(value: str, known: Mapping[str, str]) -> str | None:
    """A word of the shell as it would be given; None where a variable in it is not known."""
    out: list[str] = []
    for single, double, other in re.findall(
        r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|((?:\\.|[^'\"])+)", value
    ):
        if single:
            out.append(single)
            continue
        filled = _filled(double or other, known)
        if filled is None:
            return None
        out.append(re.sub(r"\\(.)", r"\1", filled))
    text = "".join(out)
    if text.startswith("~"):
        return known["HOME"] + text[1:] if "HOME" in known and text[1:2] in ("", "/") else None
    return text if not re.search(r"[*?{}`]", text) else None


def _filled(text: str, known: Mapping[str, str]) -> str | None:
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        name = match[1] or match[2]
        missing |= name not in known
        return known.get(name, "")

    filled = _VARIABLE.sub(value, text)
    return None if missing else filled


def _variables(job: Said, homes: Homes) -> dict[str, str]:
    known = {
        "SLURM_JOB_ID": job.raw,
        "SLURM_JOBID": job.raw,
        "SLURM_JOB_NAME": job.name,
        "SLURM_JOB_USER": job.user,
        "SLURM_JOB_PARTITION": job.partition,
        "SLURM_SUBMIT_DIR": job.directory,
        "PWD": job.directory,
        "USER": job.user,
        "LOGNAME": job.user,
    }
    array, _, task = job.job_id.partition("_")
    if task:
        known |= {"SLURM_ARRAY_JOB_ID": array, "SLURM_ARRAY_TASK_ID": task}
    if homes.own.rpartition("/")[2] == job.user:
        known["HOME"] = homes.own
    return known


def _directory_of(stdout: str, job: Said) -> str | None:
    """The directory of a job's output; scontrol fills in patterns, old and new ones not all."""
    array, _, task = job.job_id.partition("_")
    known = {
        "%": "%",
        "A": array,
        "a": task,
        "j": job.raw,
        "J": job.raw,
        "u": job.user,
        "x": job.name,
    }
    known |= {"n": "0", "s": "0", "t": "0"}
    if not stdout or stdout.startswith("/dev/"):
        return None
    folder = posixpath.dirname(stdout)
    if not all(known.get(code) for _, code in _PATTERN.findall(folder)):
        return None
    return _absolute(
        _PATTERN.sub(lambda m: known[m[2]].zfill(int(m[1] or 0)), folder), job.directory
    )


def _absolute(path: str | None, base: str) -> str | None:
    return posixpath.join(base, path) if path else None


def _fits(path: str) -> bool:
    return path.startswith("/") and len(path) <= MAX_FIELD and not _UNFIT.search(path)
