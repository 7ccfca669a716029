"""What `deploy/` and the guides show is well-formed, and calls commands and options that there are."""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from boardlake.cli.context import Context
from boardlake.cli.main import cli
from boardlake.core.settings import parse
from boardlake.core.tokens import ENVIRONMENT

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
IMAGE_USER = 10001


def understood(words: list[str]) -> None:
    """Parse the *words* behind `boardlake` as the command line does; what is unknown raises."""
    context = click.Context(cli, info_name="boardlake", obj=Context(None, None))
    _, rest, _ = cli.make_parser(context).parse_args(list(words))
    name, command, arguments = cli.resolve_command(context, rest)
    assert command is not None and name is not None
    command.make_context(name, arguments, parent=context)


def documents(path: Path) -> list[dict[str, Any]]:
    """The objects of a YAML file."""
    return [one for one in yaml.safe_load_all(path.read_text("utf-8")) if one]


def objects() -> dict[tuple[str, str], dict[str, Any]]:
    """All objects of the manifests by kind and name."""
    found = [one for path in MANIFESTS for one in documents(path)]
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


def pods() -> dict[str, dict[str, Any]]:
    """Specifications of pods by the name of what makes them."""
    found = {}
    for (kind, name), one in objects().items():
        if kind == "CronJob":
            found[name] = one["spec"]["jobTemplate"]["spec"]["template"]
        elif kind == "Deployment":
            found[name] = one["spec"]["template"]
    return found


def lines_of_cron() -> list[str]:
    """Entries of the crontab, those that are only offered, too."""
    text = (DEPLOY / "crontab").read_text("utf-8")
    return re.findall(r"^(?:# )?((?:[\d*/,-]+ ){5}.+)$", text, re.MULTILINE)


def shown(path: Path) -> Iterator[list[str]]:
    """The calls of boardlake in the shell blocks of a guide, as words."""
    for block in re.findall(r"```sh\n(.*?)```", path.read_text("utf-8"), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            call = re.search(r"(?:^|\| |&& |run .*)\bboardlake ([a-z-].*)", line.partition(" #")[0])
            if call and "docker build" not in line:
                yield words_of(call[1].replace("2>", ">"))


def words_of(line: str) -> list[str]:
    """The words of a call up to where another begins or its output goes; a sign in quotes is none."""
    found = shlex.shlex(line, posix=True, punctuation_chars="|&>")
    found.whitespace_split, found.commenters = True, ""
    return list(itertools.takewhile(lambda word: not word.startswith(("|", "&", ">")), found))


def test_every_line_for_cron_is_one() -> None:
    """Five fields, and a command that boardlake understands; % would end a line in cron."""
    lines = lines_of_cron()
    assert len(lines) >= 4
    for line in lines:
        fields, command = line.split(" ", 5)[:5], line.split(" ", 5)[5]
        for field, most in zip(fields, (59, 23, 31, 12, 7), strict=True):
            assert re.fullmatch(r"(\*|\d+(-\d+)?)(/\d+)?(,\d+)*", field), line
            assert all(int(number) <= most for number in re.findall(r"\d+", field)), line
        assert "%" not in command
        program, *words = shlex.split(command.partition(" 2>>")[0])
        assert program == "boardlake"
        understood(words)


def test_everything_in_the_crontab_is_a_comment_a_variable_or_an_entry() -> None:
    """cron refuses the whole table for one line."""
    for line in (DEPLOY / "crontab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            assert line in lines_of_cron() or re.fullmatch(r"[A-Z]+=\S+", line), line


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_call_what_there_is(path: Path) -> None:
    """The command and its options exist."""
    if path.suffix == ".timer":
        assert (path.parent / f"{path.stem}.service").exists()
        return
    (start,) = re.findall(r"^ExecStart=(.+)$", path.read_text("utf-8"), re.MULTILINE)
    program, *words = shlex.split(start)
    assert program == "/opt/boardlake/bin/boardlake"
    understood(words)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """By its own judge; only the program and the user are those of this machine."""
    for path in UNITS:
        text = path.read_text("utf-8").replace("/opt/boardlake/bin/boardlake", "/bin/true")
        (tmp_path / path.name).write_text(text.replace("=boardlake\n", "=root\n"), "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / path.name) for path in UNITS)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    told = [line for line in done.stderr.splitlines() if "boardlake" in line]
    assert not told, done.stderr


def test_the_image_is_made_of_what_there_is() -> None:
    """Sources of COPY exist, the one base is the plain image, it runs as a user, and is asked."""
    text = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    steps = [line.split(" ", 1) for line in text.splitlines() if line and line[0] not in "# "]
    known = {"FROM", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL"}
    known |= {"HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in steps} <= known
    assert {rest.split()[0] for name, rest in steps if name == "FROM"} == {"python:3.12-slim"}
    for name, rest in steps:
        if name == "COPY" and not rest.startswith("--from="):
            assert all((ROOT / source).exists() for source in rest.split()[:-1]), rest
    given = {name: rest for name, rest in steps}
    assert given["USER"] == str(IMAGE_USER) and f"--uid {IMAGE_USER}" in text
    assert "HEALTHCHECK" in given
    assert given["ENTRYPOINT"] == '["boardlake"]'
    understood(yaml.safe_load(given["CMD"]))
    extras = re.search(r"/src\[([a-z,]+)\]", text)
    assert extras
    setup = (ROOT / "setup.cfg").read_text("utf-8")
    assert all(f"\n{extra} =\n" in setup for extra in extras[1].split(","))


def test_the_image_leaves_out_what_is_large() -> None:
    """What is ignored is named, and nothing that the package needs is."""
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").split()
    assert {".git", ".venv", "tests"} <= set(ignored)
    assert not {"core", "web", "lake", "setup.cfg", "pyproject.toml", "README.md"} & set(ignored)


def test_objects_of_the_cluster_fit_each_other() -> None:
    """Mounts have volumes, volumes have claims and maps, selectors select."""
    there = objects()
    assert {kind for kind, _ in there} >= {
        "CronJob",
        "Deployment",
        "PersistentVolumeClaim",
        "Service",
    }
    for name, pod in pods().items():
        spec = pod["spec"]
        volumes = {one["name"]: one for one in spec["volumes"]}
        (container,) = spec["containers"]
        assert {one["name"] for one in container["volumeMounts"]} == set(volumes), name
        for volume in volumes.values():
            if claim := volume.get("persistentVolumeClaim"):
                own = ("PersistentVolumeClaim", claim["claimName"]) in there
                assert own or claim["claimName"] == "training-logs"
            if config := volume.get("configMap"):
                assert ("ConfigMap", config["name"]) in there
            if secret := volume.get("secret"):
                # The guide says how it is made.
                guide = (ROOT / "docs" / "deploy.md").read_text("utf-8")
                assert f"create secret generic {secret['secretName']} " in guide
        understood(container["args"])
        labels = pod["metadata"]["labels"]
        for other in there.values():
            if other["kind"] == "Deployment" and other["metadata"]["name"] == name:
                assert other["spec"]["selector"]["matchLabels"].items() <= labels.items()
    service = there["Service", "boardlake"]["spec"]
    pages = pods()["boardlake-pages"]
    assert service["selector"].items() <= pages["metadata"]["labels"].items()
    (container,) = pages["spec"]["containers"]
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    assert {one["targetPort"] for one in service["ports"]} <= set(ports)
    assert container["args"][-2:] == ["--port", str(ports["http"])]
    # Whoever is not on the machine needs a token.
    (tokens,) = [one["value"] for one in container["env"] if one["name"] == ENVIRONMENT]
    mounts = {one["mountPath"] for one in container["volumeMounts"]}
    assert str(Path(tokens).parent) in mounts
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/healthz", "port": "http"}
    (wanted,) = re.findall(
        r"matchLabels: (\{.*component: pages\})",
        (DEPLOY / "kubernetes" / "ingest.yaml").read_text("utf-8"),
    )
    assert yaml.safe_load(wanted).items() <= pods()["boardlake-pages"]["metadata"]["labels"].items()


def test_pods_may_do_little() -> None:
    """No root, no token, no writable image; logs are mounted read-only, twice over."""
    for name, pod in pods().items():
        spec = pod["spec"]
        (container,) = spec["containers"]
        assert spec["securityContext"]["runAsUser"] == IMAGE_USER
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["automountServiceAccountToken"] is False
        limits = container["securityContext"]
        assert limits["readOnlyRootFilesystem"] and not limits["allowPrivilegeEscalation"]
        assert limits["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"], name
    spec = pods()["boardlake-ingest"]["spec"]
    (mount,) = [m for m in spec["containers"][0]["volumeMounts"] if m["name"] == "logs"]
    (volume,) = [v for v in spec["volumes"] if v["name"] == "logs"]
    assert mount["readOnly"] and volume["persistentVolumeClaim"]["readOnly"]


def test_the_config_of_the_cluster_is_one() -> None:
    """It names the place where the logs are mounted."""
    (text,) = objects()["ConfigMap", "boardlake-config"]["data"].values()
    settings = parse(text, "boardlake.toml")
    places = {
        m["mountPath"] for m in pods()["boardlake-ingest"]["spec"]["containers"][0]["volumeMounts"]
    }
    assert {source.uri for source in settings.sources.values()} <= places


def test_alerts_ask_for_metrics_that_there_are(tmp_path: Path) -> None:
    """Every name in a rule is one that the server gives."""
    from boardlake.lake import gauges
    from boardlake.lake.database import open_lake
    from boardlake.lake.location import locate

    (group,) = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8"))["groups"]
    with open_lake(locate(str(tmp_path)), read_only=False, create=True) as lake:
        known = {family.name for family in gauges.families(lake.con, states=True)}
    known.add("boardlake_lake_up")
    for rule in group["rules"]:
        asked = set(re.findall(r"boardlake_\w+", rule["expr"]))
        assert asked and asked <= known, rule
        assert rule["annotations"]["summary"]


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)
def test_guides_call_what_there_is(path: Path) -> None:
    """Every call in a block for the shell parses, with its options."""
    for words in shown(path):
        understood(words)


def test_guides_are_looked_at() -> None:
    """The test above finds calls."""
    assert len([words for path in GUIDES for words in shown(path)]) > 8
