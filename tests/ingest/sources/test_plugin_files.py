"""Files of TensorBoard's projector and profiler are found where those leave them, wherever the logs lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from boardlake.core.settings import SourceSettings
from boardlake.ingest.cycle import run
from boardlake.ingest.report import Options
from boardlake.ingest.setup import setups
from boardlake.tests.servers.base import Served

EVENTS = "events.out.tfevents.1700000000.host.1.0"
CAPTURE = "plugins/profile/2024_01_02_03_04_05"
PROJECTOR = "plugins/org_tensorflow_tensorboard_projector"
ASKED = """
    SELECT r.path, a.kind, a.path, a.size FROM artifacts a JOIN run_facts r USING (run_id)
    WHERE a.kind IN ('profile', 'projector') ORDER BY ALL
"""


def filled(served: Any, events: bytes) -> None:
    """Runs as PyTorch, Keras, JAX and TF1 leave them, and directories that are nobody's."""
    for name in ("torch", "keras/train", "keras/validation", "odd/plugins/mine"):
        served.put(f"{name}/{EVENTS}", events)
    for path in (
        "torch/projector_config.pbtxt",
        "torch/00000/default/tensors.tsv",
        f"torch/{CAPTURE}/gpu1.xplane.pb",
        f"keras/train/{CAPTURE}/gpu1.xplane.pb",
        f"keras/train/{CAPTURE}/gpu1.trace.json.gz",
        f"keras/{PROJECTOR}/projector_config.pbtxt",
        f"odd/plugins/mine/{CAPTURE}/a.xplane.pb",
        f"nobody/{CAPTURE}/a.xplane.pb",
        f"torch/deep/a/b/{CAPTURE}/a.xplane.pb",
    ):
        served.put(path, path.encode())


EXPECTED = [
    ("keras", "profile", f"keras/train/{CAPTURE}/gpu1.trace.json.gz"),
    ("keras", "profile", f"keras/train/{CAPTURE}/gpu1.xplane.pb"),
    ("keras", "projector", f"keras/{PROJECTOR}/projector_config.pbtxt"),
    ("odd/plugins/mine", "profile", f"odd/plugins/mine/{CAPTURE}/a.xplane.pb"),
    ("torch", "profile", f"torch/{CAPTURE}/gpu1.xplane.pb"),
    ("torch", "projector", "torch/00000/default/tensors.tsv"),
    ("torch", "projector", "torch/projector_config.pbtxt"),
]


def test_of_every_kind_of_source(
    build: Any, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is an artifact of the run in whose directory, or its stream's, the plugin keeps it."""
    house = build()
    with house.lake:
        events: Path = house.write("made", [("loss", 1, 1.0)])
        filled(served, events.read_bytes())
        for name, value in served.environ.items():
            monkeypatch.setenv(name, value)
        source = SourceSettings(**{**served.settings(), "machine": "cloud", "timeout": 10.0})
        (report,) = run(house.lake, setups({"src": source}), Options())
        assert not report.error
        assert [row[:3] for row in house.query(ASKED)] == EXPECTED
        assert all(size == len(path) for _, _, path, size in house.query(ASKED))


def test_they_come_later(house: Any) -> None:
    """A capture of a run that is known already is found by the next cycle."""
    file = house.write(f"run/{EVENTS}", [("loss", 1, 1.0)])
    house.cycle()
    assert house.query(ASKED) == []
    capture = file.parent / CAPTURE / "gpu1.xplane.pb"
    capture.parent.mkdir(parents=True)
    capture.write_bytes(b"later")
    house.cycle()
    assert house.query(ASKED) == [("run", "profile", f"run/{CAPTURE}/gpu1.xplane.pb", 5)]
