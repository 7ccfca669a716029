"""A lake with everything that can be wrong with sources, and the page of sources over it."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page

from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate

Serve = Callable[[Path, Path], AbstractContextManager[str]]

HOSTILE = "<img src=x onerror=alert(1)>"

TABS = ["Sources", "Runs in trouble", "Problems", "Copies", "Disk", "Data quality"]

DAMAGED = 260  # records whose bytes are flipped


def write(
    run: Path, start: float, steps: int, value: Callable[[int], float] = float, tag: str = "loss"
) -> Path:
    """A run of *steps* points, one each second."""
    file = run / f"events.out.tfevents.{int(start)}.host.{abs(hash(run)) % 1000}.0"
    with EventWriter(file) as writer:
        writer.file_version(start)
        for step in range(steps):
            writer.scalar(tag, value(step), step, start + step)
    return file


def damage(file: Path) -> None:
    """Flip a byte in the payload of most records."""
    data, at, seen = bytearray(file.read_bytes()), 0, 0
    while at + 12 < len(data) and seen <= DAMAGED:
        length = int.from_bytes(data[at : at + 8], "little")
        if seen:
            data[at + 14] ^= 0xFF
        at, seen = at + length + 16, seen + 1
    file.write_bytes(data)


class Logs:
    """Event files below a folder, and the lake that they are read into."""

    def __init__(self, root: Path, sources: dict[str, str]) -> None:
        self.root, self.lake = root, root / "lake"
        self.config = root / "boardlake.toml"
        lines = [f'[lake]\npath = "{self.lake}"']
        for name, machine in sources.items():
            lines.append(
                f'[sources."{name}"]\nuri = "{root / name}"\nmachine = {json.dumps(machine)}'
            )
        self.config.write_text("\n".join(lines) + "\n", "utf-8")

    def ingest(self) -> None:
        """One cycle by a process of its own, which may fail to read a source."""
        command = [sys.executable, "-m", "boardlake", "--config", str(self.config), "ingest"]
        subprocess.run(command, check=False, capture_output=True)


def change(logs: Logs, *statements: str) -> None:
    """Statements on the lake as if an ingester had made them."""
    with open_lake(locate(str(logs.lake)), read_only=False) as lake, lake.transaction() as con:
        for statement in statements:
            con.execute(statement)


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """Two machines with three sources, one of which is not there, and much that is wrong."""
    root = tmp_path_factory.mktemp("trouble")
    logs = Logs(root, {"north": "alpha", "south": "beta", "nowhere": "alpha"})
    now = time.time()
    write(root / "north" / "good", now - 60, 50)
    for number in range(3):
        write(root / "north" / f"silent{number}", now - 7200, 30)
    write(root / "south" / "crashed", now - 7200, 30)
    (root / "south" / "crashed" / "error.txt").write_text("Traceback\nValueError: out of luck\n")
    write(root / "south" / "nan", now - 90, 50, lambda step: math.nan if step >= 20 else 1.0)
    write(root / "south" / HOSTILE.replace("/", ""), now - 80, 40, tag="constructor")
    damage(write(root / "north" / "damaged", now - 7000, DAMAGED + 40))
    shutil.copytree(root / "north" / "silent0", root / "south" / "kept" / "silent0")
    logs.ingest()
    file = write(root / "north" / "good", now - 10, 5)
    os.utime(file, (now + 900, now + 900))
    logs.ingest()
    return logs


@pytest.fixture(scope="module")
def at(trouble: Logs, serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over it."""
    with serve(trouble.lake, tmp_path_factory.mktemp("trouble-state")) as url:
        yield url


def ask(url: str, path: str, **given: Any) -> Any:
    """What the API answers."""
    with urlopen(f"{url}/api/v1/{path}?{urlencode(given)}") as answer:
        return json.load(answer)


def table(page: Page, name: str) -> Any:
    """The rows of a table by its name."""
    return page.get_by_role("table", name=name, exact=True).locator("tbody tr")


def state(page: Page) -> dict[str, str]:
    """What the address says."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
