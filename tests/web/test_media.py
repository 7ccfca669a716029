"""Images and sounds over HTTP: the bytes that were logged, and nothing that a browser would run."""

from __future__ import annotations

import gzip
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from tensorboard.compat.proto import config_pb2, graph_pb2, node_def_pb2

from boardlake.api.service import Service
from boardlake.core.mime import MEDIA, UNKNOWN, sniff
from boardlake.ingest.sample import forms
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake import outside

Filled = Callable[..., tuple[FlaskClient, Service]]
WALL = 1_700_000_000.0
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
WAV = forms.wav(np.sin(np.arange(4000) / 9), 8000)


def png(colour: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (3, 2), colour).save(out, "PNG")
    return out.getvalue()


def write(writer: EventWriter) -> None:
    """Several pictures of a step, several tags of a record, a sound, and a wolf."""
    for step in range(3):
        pictures = [png(step * 10), png(step * 10 + 1)]
        writer.image_tensor("grid", pictures, 3, 2, step, WALL + step)
    both = [
        forms.image(f"{name}/image", png(colour), 3, 2) for name, colour in (("a", 200), ("b", 201))
    ]
    writer.values(both, 7, WALL)
    writer.image("wolf", SVG, 3, 2, 1, WALL)
    writer.audio_tensor("beep", [WAV], 1, WALL)


def run_of(service: Service) -> str:
    with service.cursor() as con:
        ((key,),) = con.execute("SELECT run_key FROM runs").fetchall()
    return str(key)


def page(client: FlaskClient, service: Service, tag: str, **query: object) -> dict[str, Any]:
    answer = client.get("/api/v1/media", query_string={"run": run_of(service), "tag": tag} | query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.mark.parametrize("media", ["copy", "reference"])
def test_the_bytes_are_those_that_were_logged(filled: Filled, media: str) -> None:
    """From the lake, or from the event file where they were left."""
    client, service = filled({"run": write}, media=media)
    found = page(client, service, "grid")
    assert (found["total"], found["plugin"]) == (6, "images")
    assert [(one["step"], one["idx"]) for one in found["items"]] == [
        (step, idx) for step in range(3) for idx in range(2)
    ]
    for one in found["items"]:
        answer = client.get(one["url"])
        assert answer.data == png(one["step"] * 10 + one["idx"])
        assert len(answer.data) == one["nbytes"]
        assert answer.content_type == one["mime"] == "image/png"
        assert (one["width"], one["height"]) == (3, 2)
    for tag, colour in (("a/image", 200), ("b/image", 201)):
        (one,) = page(client, service, tag)["items"]
        assert client.get(one["url"]).data == png(colour)
    (sound,) = page(client, service, "beep")["items"]
    answer = client.get(sound["url"])
    assert (answer.data, answer.content_type) == (WAV, "audio/wav")


def test_pages_of_media(filled: Filled) -> None:
    """A page past the end is empty and still says how many there are."""
    client, service = filled({"run": write})
    found = page(client, service, "grid", limit=2, offset=3)
    assert [(one["step"], one["idx"]) for one in found["items"]] == [(1, 1), (2, 0)]
    for offset in (6, 99):
        found = page(client, service, "grid", offset=offset)
        assert (found["total"], found["items"]) == (6, [])
    assert page(client, service, "nothing") == {
        "tag": "nothing", "stream": "", "plugin": "", "total": 0, "items": [],
    }  # fmt: skip


def test_pictures_may_be_kept_for_ever(filled: Filled) -> None:
    """They never change under their address; a page that shows one cannot do anything."""
    client, service = filled({"run": write})
    url = page(client, service, "grid")["items"][0]["url"]
    answer = client.get(url)
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again = client.get(url, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_what_is_no_picture_is_saved_not_shown(filled: Filled) -> None:
    """Whatever the writer called it: a script in an SVG never runs here."""
    client, service = filled({"run": write})
    (one,) = page(client, service, "wolf")["items"]
    answer = client.get(one["url"])
    assert (answer.content_type, answer.data) == (UNKNOWN, SVG)
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_parts_of_a_sound(filled: Filled) -> None:
    """Players ask for ranges; one that is not there is refused."""
    client, service = filled({"run": write})
    (one,) = page(client, service, "beep")["items"]
    answer = client.get(one["url"], headers={"Range": "bytes=10-19"})
    assert (answer.status_code, answer.data) == (206, WAV[10:20])
    assert answer.headers["Content-Range"] == f"bytes 10-19/{len(WAV)}"
    assert client.get(one["url"], headers={"Range": "bytes=-5"}).data == WAV[-5:]
    assert client.get(one["url"], headers={"Range": "bytes=9999999-"}).status_code == 416


def reason(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 404
    return str(answer.get_json()["error"]["message"])


def test_bytes_that_cannot_be_reached(filled: Filled, tmp_path: Path) -> None:
    """It is said why, and no other file is ever given away."""
    client, service = filled({"run": write}, media="reference")
    (one,) = page(client, service, "wolf")["items"]
    (file,) = (tmp_path / "logs" / "run").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-100] + b"x" * 100)
    assert "checksum is wrong" in reason(client, page(client, service, "beep")["items"][0]["url"])
    file.write_bytes(b"\0" * len(whole))
    assert "another one now" in reason(client, one["url"])
    file.unlink()
    os.mkfifo(file)
    assert "no file" in reason(client, one["url"])
    file.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(whole)
    file.symlink_to(elsewhere)
    assert "leads out of the source" in reason(client, one["url"])
    shutil.rmtree(tmp_path / "logs")
    assert "left at the source, which cannot be reached" in reason(client, one["url"])


def test_bytes_that_were_not_kept(filled: Filled) -> None:
    """`media = "skip"` is a reason of its own."""
    client, service = filled({"run": write}, media="skip")
    (one,) = page(client, service, "wolf")["items"]
    assert "not kept" in reason(client, one["url"])


def test_what_is_not_there(filled: Filled) -> None:
    """No run, no file, no index: each is refused, never another's bytes given."""
    client, service = filled({"run": write})
    url = page(client, service, "grid")["items"][0]["url"].split("?")[0]
    assert client.get(url).data == png(0)
    parts = url.rsplit("/", 4)
    for at in range(1, 5):
        wrong = "/".join("777" if i == at else part for i, part in enumerate(parts))
        assert client.get(wrong).status_code == 404
    assert client.get(url + "?tag=other").status_code == 404
    assert client.get("/api/v1/media?run=none&tag=a").status_code == 404


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (b"\xff\xfb\x90\x64" + b"\0" * 20, "audio/mpeg"),
        (b"\xff\xff\xff\xff", UNKNOWN),
        (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
        (b"\0\0\0\x20ftypisom", UNKNOWN),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0AVI ", UNKNOWN),
        (b"<!doctype html>", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_bytes_tell_what_they_are(data: bytes, mime: str) -> None:
    """By their first bytes alone."""
    assert sniff(data) == mime and (mime in MEDIA or mime == UNKNOWN)


def write_all(writer: EventWriter) -> None:
    """Every form in which a writer stores byte strings."""
    write(writer)
    graph = graph_pb2.GraphDef(node=[node_def_pb2.NodeDef(name="x", op="Const")])
    writer.graph(graph, WALL)
    writer.run_metadata("step1", config_pb2.RunMetadata(partition_graphs=[graph]), 1, WALL)
    writer.keras_model('{"class_name": "Model"}', WALL)
    writer.session_log("START", 3, WALL)
    writer.audio("legacy", np.sin(np.arange(400) / 9), 8000, 1, WALL)


@pytest.mark.parametrize("packed", [False, True])
def test_every_form_is_found_again(filled: Filled, tmp_path: Path, packed: bool) -> None:
    """Bytes cut out of an event file, gzipped or not, are those that a copy in the lake has."""
    _, service = filled({"run": write_all})
    (file,) = (tmp_path / "logs" / "run").iterdir()
    content = file.read_bytes()
    if packed:
        file.unlink()
        file = file.with_name(file.name + ".gz")
        file.write_bytes(gzip.compress(content))
    starts, at = [], 0
    while at < len(content):
        starts.append(at)
        at += int.from_bytes(content[at : at + 8], "little") + 16
    ends = [*starts[1:], len(content)]
    with service.cursor() as con:
        rows = con.execute("SELECT tag, plugin, idx, nbytes, data, record FROM blobs").fetchall()
    assert {plugin for _, plugin, *_ in rows} >= {
        "images", "audio", "graphs", "graph_keras_model", "graph_tagged_run_metadata", "session_log",
    }  # fmt: skip
    for tag, plugin, idx, size, data, record in rows:
        place = f"run/{file.name}#{starts[record]}+{ends[record] - starts[record]}"
        found = outside.read(str(tmp_path / "logs"), place, outside.Blob(tag, plugin, idx, size))
        assert found == data, (tag, plugin)
