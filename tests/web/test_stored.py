"""Tensors as files, the list of what is stored, notes as safe HTML, sources."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import numpy as np
from flask.testing import FlaskClient

from boardlake.api.service import Service
from boardlake.ingest.sample.writer import EventWriter

Filled = Callable[..., tuple[FlaskClient, Service]]
T0 = 1_700_000_000.0


def _write(writer: EventWriter) -> None:
    for step in (0, 10, 20):
        writer.tensor("grid", np.full((2, 3), step, np.float32), step, T0 + step)
    writer.tensor("words", np.array([[b"a", b"b"]], dtype=object), 5, T0)
    writer.histogram("weights", [1.0, 2.0], 3, T0)
    writer.scalar("loss", 1.0, 0, T0)


def _key(client: FlaskClient) -> str:
    answer = client.get("/api/v1/runs?columns=run_key").get_json()
    return str(answer["rows"][0][1])


def test_what_is_stored_is_listed(filled: Filled) -> None:
    """Every series that is no scalar, with type, shape and steps."""
    client, _ = filled({"run": _write})
    series = client.get(f"/api/v1/runs/{_key(client)}/stored").get_json()["series"]
    told = {one["tag"]: one for one in series}
    assert set(told) == {"grid", "words", "weights"}
    grid = told["grid"]
    assert grid["shape"] == [2, 3] and grid["dtype"] == "float32" and grid["kind"] == "tensor"
    assert (grid["steps"], grid["first_step"], grid["last_step"]) == (3, 0, 20)
    assert grid["nbytes"] == 3 * 6 * 8


def test_a_tensor_is_a_file(filled: Filled) -> None:
    """Numbers come back in their shape, of the nearest step or the last; texts as JSON."""
    client, _ = filled({"run": _write})
    path = f"/api/v1/runs/{_key(client)}/tensor"
    last = client.get(f"{path}?tag=grid")
    assert last.headers["Content-Disposition"] == 'attachment; filename="grid-20.npy"'
    assert last.content_type == "application/octet-stream"
    assert np.array_equal(np.load(io.BytesIO(last.data)), np.full((2, 3), 20.0))
    near = client.get(f"{path}?tag=grid&step=13")
    assert np.array_equal(np.load(io.BytesIO(near.data)), np.full((2, 3), 10.0))
    far = client.get(f"{path}?tag=grid&step=-9223372036854775808")
    assert np.load(io.BytesIO(far.data)).max() == 0
    words = client.get(f"{path}?tag=words")
    assert words.headers["Content-Disposition"].endswith('"words-5.json"')
    assert json.loads(words.data) == {"shape": [1, 2], "strings": ["a", "b"]}


def test_what_is_not_there_is_refused(filled: Filled) -> None:
    """Unknown runs, tags and parameters are told apart, with what to do."""
    client, _ = filled({"run": _write})
    key = _key(client)
    assert client.get(f"/api/v1/runs/{key}/tensor?tag=none").status_code == 404
    assert client.get("/api/v1/runs/none/tensor?tag=grid").status_code == 404
    assert client.get("/api/v1/runs/none/stored").status_code == 404
    assert client.get(f"/api/v1/runs/{key}/tensor").status_code == 400
    assert client.get(f"/api/v1/runs/{key}/stored?more=1").status_code == 400
    assert client.get(f"/api/v1/runs/{key}/tensor?tag=grid&step=1.5").status_code == 400


def test_markdown_is_made_safe(client: FlaskClient) -> None:
    """The preview of notes is HTML in which nothing runs, and has an end."""
    text = "# T\n\n<script>alert(1)</script> [x](javascript:alert(1)) **b**"
    html = client.post("/api/v1/markdown", json={"text": text}).get_json()["html"]
    assert "<h1>T</h1>" in html and "<strong>b</strong>" in html
    assert "<script" not in html and 'href="javascript' not in html
    assert client.post("/api/v1/markdown", json={"text": "x" * 50_001}).status_code == 400
    assert client.post("/api/v1/markdown", json={"words": "x"}).status_code == 400


def test_sources_say_when_they_were_looked_at(client: FlaskClient) -> None:
    """Each source with its last cycle."""
    sources = client.get("/api/v1/sources").get_json()["sources"]
    assert {one["source"] for one in sources} == {"cloud", "lab-cluster", "laptop"}
    assert all(one["last_cycle_at"].endswith("Z") and one["files"] > 0 for one in sources)
