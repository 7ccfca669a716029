"""TensorBoard's Rust data server as a peer: started, waited for until everything is loaded, killed."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import tensorboard_data_server
from measure import Took, peak_mb

EVERY_POINT = ("--samples-per-plugin", "scalars=all", "--checksum")
_DONE = re.compile(rb"Finished load cycle")


def rust(logs: Path, *options: str, one_core: bool = False) -> Took:
    """How long the data server takes to load *logs*; the peak memory is its own."""
    command = [tensorboard_data_server.server_binary(), "--logdir", str(logs), "--port", "0"]
    start = time.perf_counter()
    with subprocess.Popen(
        [*command, "--reload", "once", "-v", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=_first_core if one_core else None,
    ) as server:
        assert server.stderr
        for line in server.stderr:
            if _DONE.search(line):
                break
        wall = time.perf_counter() - start
        peak = peak_mb(server.pid)
        server.kill()
    return Took(wall, 0.0, peak)


def _first_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
