"""A fleet in one cycle: 20 machines, buckets and a directory, of which some do not answer."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.settings import SourceSettings
from boardlake.ingest.cycle import run
from boardlake.ingest.report import Options
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.setup import setups
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.tests.servers import moto, sshd
from boardlake.tests.servers.base import put_tree
from boardlake.tests.servers.faulty import faulty

from .conftest import COLUMNS, POINTS, WALL

HOSTS = [f"node{n:02}" for n in range(1, 21)]
NAME = "events.out.tfevents.1700000000.host.7.0"
AWAY = {"gpu.down-refused", "gpu.down-silent", "ailing"}
RUNS = "SELECT * EXCLUDE (run_id, discovered_at, state) FROM runs"


@dataclass
class Fleet:
    """Where everything lies: the config file of all, and for each source that answers its tree."""

    config: Path
    environ: dict[str, str]
    trees: dict[str, Path]
    lake: Path

    def ingest(self) -> tuple[int, dict[str, dict[str, Any]], str]:
        """One cycle of the command: its exit code, its reports by source, and all it said."""
        command = [sys.executable, "-m", "boardlake", "--config", str(self.config), "ingest"]
        done = subprocess.run(
            [*command, "--json"],
            env={**os.environ, **self.environ, "BOARDLAKE_CONFIG": ""},
            capture_output=True,
            text=True,
        )
        reports = json.loads(done.stdout)["sources"]
        return done.returncode, {r["source"]: r for r in reports}, done.stdout + done.stderr

    def rows(self) -> dict[str, list[str]]:
        """Everything that the lake tells of points, and of runs."""
        return rows(self.lake)


def rows(lake: Path) -> dict[str, list[str]]:
    """Points and runs of a lake, in one order; NaN equals NaN."""
    with open_lake(locate(str(lake)), read_only=True) as opened:
        asked = {t: POINTS.format(table=t, columns=c) for t, c in COLUMNS.items()}
        return {n: sorted(map(repr, opened.query(q))) for n, q in {**asked, "runs": RUNS}.items()}


def grow(tree: Path, seed: int, steps: range) -> None:
    """Two runs, unlike each other and those of any other machine; and what lies beside them."""
    for number, run_name in enumerate(("a", f"b{seed}/deep")):
        file = tree / run_name / NAME
        with EventWriter(file, append=file.exists()) as writer:
            if not steps.start:
                writer.file_version(WALL)
            for step in steps:
                writer.scalar("loss", seed + number / 2 + 1 / (step + 3), step, WALL + seed + step)
    (tree / "a" / "hparams.yaml").write_text(f"lr: 0.{seed + 1}\n")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """20 hosts of one sshd, two that are dead, a bucket, another that is ill, and a directory."""
    (refused,) = sshd.free_ports(1)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        moto.moto() as buckets,
        faulty(buckets.port, status=503, delay_s=0.2) as ailing,
        sshd.cluster(
            HOSTS,
            client=f"Host down-refused\n  Port {refused}\n"
            f"Host down-silent\n  Port {silent.getsockname()[1]}\n",
        ) as machines,
    ):
        trees = {f"gpu.{host.alias}": host.tree for host in machines.hosts}
        trees |= {"cloud": tmp_path / "cloud", "here": tmp_path / "here"}
        for seed, tree in enumerate(trees.values()):
            grow(tree, seed, range(20))
        bucket, ill = buckets.bucket(), buckets.bucket()
        put_tree(bucket, trees["cloud"])
        put_tree(ill, trees["cloud"])
        ill.endpoint = ailing.url
        tables: dict[str, dict[str, object]] = {
            "gpu": {
                "uri": "ssh:///~/runs",
                "hosts": ["node[01-20]", "down-*"],
                "ssh_config": str(machines.ssh_config),
                "timeout": 8,
            },
            "cloud": bucket.settings(),
            "ailing": ill.settings() | {"timeout": 8},
            "here": {"uri": str(trees["here"])},
        }
        config = tmp_path / "boardlake.toml"
        config.write_text(f'[lake]\npath = "{tmp_path / "lake"}"\n' + toml(tables))
        yield Fleet(config, bucket.environ, trees, tmp_path / "lake")


def toml(tables: dict[str, dict[str, object]]) -> str:
    """Sources as the config file has them; JSON's values are TOML's."""
    lines = []
    for name, table in tables.items():
        lines += [f"[sources.{name}]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def local_lake(folder: Path, fleet: Fleet) -> dict[str, list[str]]:
    """What a lake holds that read the same trees as local directories."""
    sources = {
        name: SourceSettings(uri=str(tree), machine=machine(name))
        for name, tree in fleet.trees.items()
    }
    with open_lake(locate(str(folder)), read_only=False, create=True) as lake:
        for report in run(lake, setups(sources), Options()):
            assert not report.error
    return rows(folder)


def machine(source: str) -> str:
    """The machine that a source's runs come from."""
    if source == "here":
        return socket.gethostname()
    return source.removeprefix("gpu.") if source.startswith("gpu.") else "bucket0"


def test_a_fleet(fleet: Fleet, tmp_path: Path) -> None:
    """What could be reached is in the lake, row for row; what could not is named, and costs itself."""
    code, reports, said = fleet.ingest()
    assert code == 6, said
    assert set(reports) == {*fleet.trees, *AWAY}
    assert {name for name, report in reports.items() if report["error"]} == AWAY
    assert fleet.rows() == local_lake(tmp_path / "local", fleet)
    for name, part in (
        ("gpu.down-refused", "ssh://down-refused/~/runs: connection refused"),
        ("gpu.down-silent", "ssh://down-silent/~/runs: no answer within 8 s"),
        ("ailing", "s3://bucket1/runs/of the lab"),
    ):
        assert part in reports[name]["error"]
    with open_lake(locate(str(fleet.lake)), read_only=True) as lake:
        told = lake.query("SELECT DISTINCT source FROM problems")
        assert {source for (source,) in told} == AWAY
        stored = lake.query("SELECT source, error FROM cycles")
        assert {source for source, error in stored if error} == AWAY
    # Nobody stood in line behind who did not answer.
    first_end = min(reports[name]["ended_at"] for name in ("gpu.down-silent", "ailing"))
    assert max(report["started_at"] for report in reports.values()) < first_end
    for secret in (moto.SECRET, moto.ACCESS_KEY):
        assert secret not in said

    # What grew is read from where it was, whoever else is still away.
    for seed, tree in enumerate(fleet.trees.values()):
        if tree.parent.name in ("node07", "node20"):
            grow(tree, seed, range(20, 30))
    code, reports, said = fleet.ingest()
    assert code == 6, said
    grown = {name for name, report in reports.items() if report["points"]}
    assert grown == {"gpu.node07", "gpu.node20"}
    assert all(reports[name]["points"] == 20 for name in grown)
    assert not [n for n, r in reports.items() if r["bytes_read"] and n not in grown]
    assert fleet.rows() == local_lake(tmp_path / "local again", fleet)
