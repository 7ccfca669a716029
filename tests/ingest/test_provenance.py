"""Side files, text summaries and hparams give commit, command, host, end and settings of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.core.values import Hparam
from boardlake.ingest import hparams as hp
from boardlake.ingest import provenance as pv
from boardlake.ingest.provenance import SideFacts, SideKind

SHA = "d670460b4b4aece5915caf5c68d12f560a9fe3e4"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("hparams.yaml", "hparams"),
        ("hparams.yml", "hparams"),
        ("../hparams.yaml", "hparams"),
        ("1700000000.123/hparams.yml", "hparams"),
        ("hyperparameters.json", "hparams"),
        (".hydra/config.yaml", "hydra_config"),
        ("../../.hydra/overrides.yaml", "hydra_overrides"),
        (".hydra/hydra.yaml", "hydra_job"),
        ("args.yaml", "args"),
        ("training_args.json", "args"),
        ("params.json", "params"),
        ("config.yaml", "config"),
        ("../../../config.toml", "config"),
        ("opt.yaml", "options"),
        ("hyp.yaml", "options"),
        ("../configuration.yaml", "options"),
        ("operative_config-0.gin", "gin"),
        ("git-info.log", "git_info"),
        ("../cmd-args.log", "command_args"),
        ("wandb/run-20230101_000000-abc/files/wandb-metadata.json", "wandb_metadata"),
        ("wandb/latest-run/files/config.yaml", "wandb_config"),
        ("../wandb/run-1-a/files/config.yaml", "wandb_config"),
        ("../mlruns/0/abc/tags/mlflow.source.git.commit", "mlflow_commit"),
        ("tags/mlflow.source.name", "mlflow_command"),
        ("run.json", "sacred_run"),
        ("error.txt", "error"),
        ("../error.txt", None),
        ("../../../../config.yaml", None),
        ("a/b/hparams.yaml", None),
        ("code/config.yaml", None),
        ("../other/hparams.yaml", None),
        ("checkpoint-500/trainer_state.json", None),
        ("trainer_state.json", None),
        ("params.pkl", None),
        ("config.py", None),
        ("myconfig.yaml", None),
        ("config.yaml.bak", None),
        ("", None),
        ("..", None),
    ],
)
def test_recognise(path: str, kind: SideKind | None) -> None:
    """A file is read for what its name says, in the run's directory and three parents only."""
    assert pv.recognise(path) == kind


def test_order_of_side_files() -> None:
    """By kind, then nearest first; folders of several runs in a parent belong to nobody."""
    paths = ["../config.yaml", "config.yaml", "model.pt", ".hydra/overrides.yaml", "error.txt"]
    paths += [f"wandb/run-{i}/files/wandb-metadata.json" for i in range(3)]
    paths += [f"../wandb/run-{i}/files/config.yaml" for i in range(3)]
    paths += ["../mlruns/0/a/tags/mlflow.source.git.commit"]
    found = pv.find_side_files(paths)
    assert [each.path_relative for each in found] == [
        "error.txt",
        "wandb/run-2/files/wandb-metadata.json",
        "../mlruns/0/a/tags/mlflow.source.git.commit",
        ".hydra/overrides.yaml",
        "config.yaml",
        "../config.yaml",
    ]
    assert pv.find_side_files(reversed(paths)) == found


def test_count_of_side_files() -> None:
    """However many sub-runs a directory has, the files to read are few."""
    many = [f"{i}/hparams.yaml" for i in range(1000)]
    assert len(pv.find_side_files(many)) == pv.MAX_SIDE_FILES


def values(facts: SideFacts) -> dict[str, str]:
    """name -> value of the hparams of *facts*."""
    return {each.name: each.value for each in facts.hparams}


@pytest.mark.parametrize(
    ("path", "data", "rank"),
    [
        ("hparams.yaml", b"lr: 1e-4", 30),
        (".hydra/config.yaml", b"lr: 1e-4", 31),
        ("args.json", b'{"lr": 1e-4}', 32),
        ("params.json", b'{"lr": 1e-4}', 33),
        ("config.toml", b"lr = 1e-4", 34),
        ("opt.yaml", b"lr: 1e-4", 35),
        ("operative_config.gin", b"lr = 1e-4", 36),
        ("wandb/a/files/config.yaml", b"lr: {desc: null, value: 1e-4}", 60),
    ],
)
def test_settings(path: str, data: bytes, rank: int) -> None:
    """Every kind of settings file gives the same value under its own origin and rank."""
    kind = pv.recognise(path)
    assert kind is not None
    facts = pv.read_side_file(kind, path, data)
    assert facts.hparams == (Hparam("lr", "float", "0.0001", 1e-4, path, rank),)
    assert facts.problem is None


def test_wandb_config() -> None:
    """Values are unwrapped, also nested and plain ones; entries of its own are left out."""
    data = b"wandb_version: 1\n_wandb: {value: {cli: 1}}\na: {desc: x, value: {b: 2}}\nc: 3\n"
    assert values(pv.read_side_file("wandb_config", "c", data)) == {"a.b": "2", "c": "3"}


def test_wandb_metadata() -> None:
    """Commit, command and host; secrets in the arguments are masked."""
    data = {
        "host": "node1",
        "program": "/x/train.py",
        "args": ["--lr", "0.1", "--api_key", "abc", "a b"],
        "git": {"remote": "https://me:pw@host/x", "commit": SHA},
    }
    facts = pv.read_side_file("wandb_metadata", "m", json.dumps(data).encode())
    command = "/x/train.py --lr 0.1 --api_key '***' 'a b'"
    assert facts == SideFacts(git_commit=SHA, command=command, host="node1")
    bare = pv.read_side_file("wandb_metadata", "m", b'{"git": null, "args": null}')
    assert bare == SideFacts()


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("COMPLETED", "finished"),
        ("INTERRUPTED", "finished"),
        ("FAILED", "failed"),
        ("TIMEOUT_DIED", "failed"),
        ("RUNNING", None),
    ],
)
def test_sacred(status: str, state: str | None) -> None:
    """Sacred's run.json gives commit, command, host and how the run ended."""
    data = {
        "command": "main",
        "experiment": {"mainfile": "train.py", "repositories": [{"commit": SHA, "dirty": True}]},
        "host": {"hostname": "h"},
        "status": status,
        "fail_trace": ["Traceback\n", "ValueError: bad lr\n"] if state == "failed" else None,
    }
    facts = pv.read_side_file("sacred_run", "run.json", json.dumps(data).encode())
    assert (facts.git_commit, facts.command, facts.host) == (SHA, "train.py main", "h")
    assert facts.end_state == state
    reason = {"failed": f"run.json: {status} ValueError: bad lr", "finished": f"run.json: {status}"}
    assert facts.end_reason == reason.get(state or "", "")


def test_run_json_of_another_program() -> None:
    """A run.json without an experiment is not Sacred's and says nothing."""
    assert pv.read_side_file("sacred_run", "run.json", b'{"status": "FAILED"}') == SideFacts()


def test_hydra() -> None:
    """The job's name and its overrides are the command; overrides alone are one without a name."""
    task = b"overrides: {task: [lr=0.1, +db.password=x]}"
    job = b"hydra:\n  job: {name: train}\n  " + task
    assert pv.read_side_file("hydra_job", "h", job).command == "train lr=0.1 '+db.password=***'"
    overrides = pv.read_side_file("hydra_overrides", "o", b"- lr=0.1\n- name='a b'\n")
    assert overrides.command == "lr=0.1 'name='\"'\"'a b'\"'\"''"
    assert pv.read_side_file("hydra_overrides", "o", b"[]\n") == SideFacts()


def test_logs_of_nemo() -> None:
    """git-info.log begins with the hash and goes on with a diff; cmd-args.log is the command."""
    log = f"commit hash: {SHA}\ndiff --git a/x b/x\nindex 1234567..89abcde\n".encode()
    assert pv.read_side_file("git_info", "git-info.log", log) == SideFacts(git_commit=SHA)
    facts = pv.read_side_file("command_args", "cmd-args.log", b"train.py  --password x --lr 1\n")
    assert facts == SideFacts(command="train.py  --password *** --lr 1")


def test_mlflow() -> None:
    """The tags of an MLflow run hold the hash and the program."""
    read = pv.read_side_file
    assert read("mlflow_commit", "c", f"{SHA}\n".encode()).git_commit == SHA
    assert read("mlflow_commit", "c", b"").git_commit is None
    assert read("mlflow_command", "n", b"train.py").command == "train.py"


def test_error_of_ray() -> None:
    """error.txt is evidence of failure, its last line the reason; an empty one is none."""
    trace = b"Traceback:\n  File x\nRuntimeError: no https://u:pw@h\n\n"
    facts = pv.read_side_file("error", "error.txt", trace)
    assert (facts.end_state, facts.end_reason) == (
        "failed",
        "error.txt: RuntimeError: no https://***@h",
    )
    assert pv.read_side_file("error", "error.txt", b" \n") == SideFacts()
    long = pv.read_side_file("error", "error.txt", b"x" * 3_000_000)
    assert len(long.end_reason) < 600


GIN = rb"""
import models
# Parameters for A:
# ==============
A.lr = 0.1
A.fn = @relu
A.name = 'adam'

# Parameters for B:
train/B.sizes = \
    [1,
     2]
B.pair = (
    1,
    2,
)
B.m = %MACRO
"""


def test_gin() -> None:
    """gin's values may go on over lines; references stay as they are."""
    assert values(pv.read_side_file("gin", "g", GIN)) == {
        "A.lr": "0.1",
        "A.fn": "@relu",
        "A.name": "adam",
        "train/B.sizes": "[1, 2]",
        "B.pair": "[1, 2]",
        "B.m": "%MACRO",
    }


@pytest.mark.parametrize(
    ("kind", "name", "data", "message"),
    [
        ("hparams", "hparams.yaml", b"a: [1", "hparams.yaml: not YAML in line"),
        ("config", "config.json", b"[1]", "config.json: expected names and values at the top"),
        ("config", "config.json", b" " * 2_000_000, "config.json: 2000000 bytes"),
        ("wandb_metadata", "m.json", b"3", "m.json: expected metadata as names and values"),
        ("hydra_overrides", "o.yaml", b"a: 1", "o.yaml: expected a list of overrides"),
        ("hydra_job", "h.yaml", b"hydra: 1", "h.yaml: expected hydra as names and values"),
        ("params", "p.json", b'{"a":' * 100_000, "p.json: JSON nested too deep"),
    ],
)
def test_problems(kind: SideKind, name: str, data: bytes, message: str) -> None:
    """What is wrong with a file comes back with its name, and nothing is raised."""
    facts = pv.read_side_file(kind, name, data)
    assert facts.problem is not None
    assert facts.problem.startswith(message)
    assert facts == SideFacts(problem=facts.problem)


def test_too_many_names() -> None:
    """A file of more names than are kept says so, and keeps the first."""
    data = json.dumps({f"k{i}": i for i in range(3000)}).encode()
    facts = pv.read_side_file("params", "params.json", data)
    assert facts.problem == "params.json: only the first 2000 names are kept"
    assert len(facts.hparams) == hp.MAX_NAMES


def test_aliases_in_a_command() -> None:
    """Overrides that refer to each other without end do not become a command."""
    bomb = "- &a [x, x]\n" + "".join(
        f"- &{new} [{', '.join([f'*{old}'] * 9)}]\n"
        for old, new in zip("abcdefghijkl", "bcdefghijklm", strict=True)
    )
    facts = pv.read_side_file("hydra_overrides", "o", (bomb + "- lr=1\n").encode())
    assert facts == SideFacts(command="lr=1")


json_text = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "git commit args program host hostname experiment repositories status hydra job "
                "name overrides task fail_trace value a".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode())


@given(st.sampled_from(pv.KINDS), st.binary(max_size=300) | json_text)
def test_any_side_file(kind: SideKind, data: bytes) -> None:
    """No bytes make a reader raise, under any kind, and what comes back is text for a store."""
    for name in ("x.yaml", "x.json", "x.toml"):
        facts = pv.read_side_file(kind, name, data)
        texts = (facts.git_commit, facts.command, facts.host, facts.end_reason, facts.problem)
        for text in filter(None, texts):
            assert "\0" not in text
            text.encode()


@pytest.mark.parametrize(
    ("tag", "text", "commit", "command"),
    [
        ("git/commit", SHA, SHA, None),
        ("git/text_summary", f"commit {SHA}\nAuthor: x\n", SHA, None),
        ("commit", "1a2b3c4", "1a2b3c4", None),
        ("git_sha/text_summary", "main 1a2b3c4", "1a2b3c4", None),
        ("git", "no hash here", None, None),
        ("model_revision", SHA, None, None),
        ("sys.argv/text_summary", "train.py --lr 1", None, "train.py --lr 1"),
        ("argv", "['train.py', '--token', 'x']", None, "train.py --token '***'"),
        ("Description/Command line/text_summary", "s.py -c a.yml", None, "s.py -c a.yml"),
        ("cmd", "`python t.py`", None, "python t.py"),
        ("commands", "x", None, None),
        ("config", f"lr: 1\ngit_commit: {SHA}\n", SHA, None),
    ],
)
def test_text_summaries(tag: str, text: str, commit: str | None, command: str | None) -> None:
    """Commit and command are found under the tags by which people log them."""
    facts = pv.facts_from_text_summary(tag, text)
    assert (facts.git_commit, facts.command) == (commit, command)


def test_command_line_is_settings_too() -> None:
    """The options of a logged command line are hparams as well."""
    facts = pv.facts_from_text_summary("sys.argv/text_summary", "train.py --lr 0.1 --fp16")
    assert values(facts) == {"lr": "0.1", "fp16": "true"}


@given(st.text(max_size=50), st.text(max_size=200))
def test_any_text_summary(tag: str, text: str) -> None:
    """No tag and no text make the reader raise."""
    for name in (tag, "git/commit", "cmd", "args"):
        pv.facts_from_text_summary(name, text)


@pytest.mark.parametrize(
    ("name", "value", "commit"),
    [
        ("git_commit", SHA, SHA),
        ("git.sha", SHA.upper(), SHA),
        ("commit", "1234567", "1234567"),
        ("commit", "1234e12", "1234e12"),
        ("code/commit_id", "abc1234", "abc1234"),
        ("gitHash", "abc1234", "abc1234"),
        ("GIT_REV", "abc1234", "abc1234"),
        ("git_commit", "main", None),
        ("git_commit", "deadbeef", None),
        ("revision", SHA, None),
        ("model_commit", SHA, None),
        ("_commit_hash", SHA, None),
        ("dataset.git_sha", SHA, None),
        ("commit", True, None),
        ("digits", "1234567", None),
    ],
)
def test_commit_among_hparams(name: str, value: object, commit: str | None) -> None:
    """A hash under a name of git is the commit; hashes of models and data are not."""
    assert pv.facts_from_hparams(hp.from_mapping({name: value}, "", 0)).git_commit == commit


def test_commit_of_the_best_rank() -> None:
    """Where hparams disagree, the origin of the smallest rank wins."""
    late = hp.from_mapping({"commit": "1111111"}, "text", 50)
    early = hp.from_mapping({"git_sha": "2222222"}, "plugin", 10)
    assert pv.facts_from_hparams([*late, *early]).git_commit == "2222222"


def test_merge() -> None:
    """The first fact of each sort wins, failure before success, hparams keep every origin."""
    one = hp.from_mapping({"lr": 1, "x": 1}, "config.yaml", 34)
    two = hp.from_mapping({"lr": 2}, "hparams.yaml", 30)
    merged = pv.merge(
        [
            SideFacts(tuple(one), command="a", end_state="finished", end_reason="r", problem="p"),
            SideFacts(tuple(two), "c1", "b", end_state="failed", end_reason="e", problem="q"),
            SideFacts(tuple(one), "c2", "c", "h"),
        ]
    )
    assert merged == SideFacts((*two, *one), "c1", "a", "h", "failed", "e", "p; q")
    assert pv.merge([]) == SideFacts()


def test_real_side_files(corpus: Path) -> None:
    """Every settings file beside real logs is recognised, read without a problem and not empty."""
    found = 0
    for path in sorted(corpus.rglob("*.y*ml")):
        kind = pv.recognise(path.name)
        assert kind is not None, path.name
        facts = pv.read_side_file(kind, path.name, path.read_bytes())
        assert facts.problem is None
        assert len(facts.hparams) >= 20
        assert facts.end_state is None
        found += 1
    assert found > 30


def test_real_yolo(corpus: Path) -> None:
    """YOLO's opt.yaml and hyp.yaml lie beside the log; each value has its file as origin."""
    folder = corpus / "mkang315-rcs-yolo/runs/train/exp"
    files = pv.find_side_files(path.name for path in folder.iterdir())
    assert [each.name for each in files] == ["hyp.yaml", "opt.yaml"]
    read = [
        pv.read_side_file(each.kind, each.name, (folder / each.name).read_bytes()) for each in files
    ]
    merged = {each.name: (each.value, each.origin) for each in pv.merge(read).hparams}
    assert merged["lr0"] == ("0.01", "hyp.yaml")
    assert merged["img_size"] == ("[640, 640]", "opt.yaml")
    assert merged["artifact_alias"] == ("latest", "opt.yaml")
