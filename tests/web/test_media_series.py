"""Tags and steps of media over many runs: every step, in one answer, in few characters."""

from __future__ import annotations

import io
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from boardlake.api import packed
from boardlake.api.service import Service
from boardlake.ingest.sample import forms
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake import history, media_series, write
from boardlake.lake import media as lake

Filled = Callable[..., tuple[FlaskClient, Service]]
WALL = 1_700_000_000.0
WAV = forms.wav(np.sin(np.arange(400) / 9), 8000)


def png(colour: int, size: tuple[int, int] = (3, 2)) -> bytes:
    out = io.BytesIO()
    Image.new("L", size, colour).save(out, "PNG")
    return out.getvalue()


def unpacked(value: Any, items: int) -> list[Any]:
    """A column as the list that it stands for."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return [value["first"] + i * value["by"] for i in range(items)]
    return [value] * items


def logged(first: int, steps: int, idx: int = 1) -> Callable[[EventWriter], None]:
    def write(writer: EventWriter) -> None:
        for step in range(steps):
            pictures = [png((first + step + i) % 256) for i in range(idx)]
            writer.image_tensor("grid", pictures, 3, 2, 10 * step, WALL + step)
        writer.audio_tensor("beep", [WAV], 5, WALL)

    return write


def keys(client: FlaskClient) -> dict[str, str]:
    rows = client.get("/api/v1/runs?columns=run_key,name&sort=name").get_json()["rows"]
    return {name: key for _, key, name in rows}


def ask(client: FlaskClient, path: str, status: int = 200, **body: object) -> Any:
    answer = client.post(f"/api/v1/media/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_tags_of_some_runs(filled: Filled) -> None:
    """By kind, counted over those runs alone."""
    client, _ = filled({"a": logged(0, 3), "b": logged(50, 5), "c/d": logged(9, 1)})
    runs = keys(client)
    found = ask(client, "tags", runs=[runs["a"], runs["b"]])
    assert [(one["kind"], one["tag"], one["plugin"]) for one in found["tags"]] == [
        ("images", "grid", "images"), ("audio", "beep", "audio"),
    ]  # fmt: skip
    grid = found["tags"][0]
    assert (grid["runs"], grid["steps"], grid["points"]) == (2, 5, 8)
    assert (grid["first_step"], grid["last_step"]) == (0, 40)
    (only,) = ask(client, "tags", runs=[runs["a"]], kind="audio")["tags"]
    assert (only["tag"], only["runs"], only["steps"]) == ("beep", 1, 1)
    assert ask(client, "tags", runs=[runs["a"]], kind="curves") == {"tags": [], "truncated": False}


def test_more_runs_than_a_statement_lists(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their bounds are not those of what is asked for."""
    client, _ = filled({"a": logged(0, 3), "b": logged(50, 5), "c/d": logged(9, 1)})
    runs = list(keys(client).values())
    steps = {"runs": runs, "tags": [{"tag": "grid"}], "kind": "images"}
    found = [ask(client, "tags", runs=runs), ask(client, "steps", **steps)]
    monkeypatch.setattr(history, "_LISTED", 1)
    again = [ask(client, "tags", runs=runs), ask(client, "steps", **steps)]
    assert again == found and len(found[0]["tags"]) == 2 and not found[0]["truncated"]


def test_all_steps_in_one_answer(filled: Filled) -> None:
    """In the order of the runs that are asked for; each item's bytes are those that were logged."""
    client, _ = filled({"a": logged(0, 3, 2), "b": logged(50, 4, 2)})
    runs = keys(client)
    body = {"runs": [runs["b"], runs["a"]], "tags": [{"tag": "grid"}, {"tag": "none"}]}
    series = ask(client, "steps", kind="images", **body)["series"]
    assert [(one["run"], one["items"], one["steps"]) for one in series] == [
        (runs["b"], 8, 4), (runs["a"], 6, 3),
    ]  # fmt: skip
    for one, first in zip(series, (50, 0), strict=True):
        assert one["truncated"] is False and one["wall_time"] == WALL
        assert (one["mime"], one["width"], one["height"]) == ("image/png", 3, 2)
        columns = [
            unpacked(one[name], one["items"])
            for name in ("step", "after_ms", "idx", "file", "record", "nbytes")
        ]
        for step, after, idx, file, record, nbytes in zip(*columns, strict=True):
            place = f"{one['run']}/{file}/{record}/{idx}?tag={one['tag']}"
            data = client.get(f"/api/v1/media/{place}").data
            assert data == png(first + step // 10 + idx)
            assert (len(data), after) == (nbytes, step * 100)


def test_streams_are_told_apart(filled: Filled) -> None:
    """A tag alone is of any stream; with a stream it is of that one."""
    client, _ = filled({"a": logged(0, 2), "a/train": logged(50, 3)})
    runs = list(keys(client).values())
    series = ask(client, "steps", runs=runs, tags=[{"tag": "grid"}], kind="images")["series"]
    assert [(one["stream"], one["steps"]) for one in series] == [("", 2), ("train", 3)]
    for stream, steps in (("", 2), ("train", 3)):
        tag = {"tag": "grid", "stream": stream}
        (one,) = ask(client, "steps", runs=runs, tags=[tag], kind="images")["series"]
        assert (one["stream"], one["steps"]) == (stream, steps)


def test_too_many_items_are_thinned_evenly(filled: Filled) -> None:
    """First and last stay, and it is said."""
    client, service = filled({"a": logged(0, 40, 2), "b": logged(50, 10, 2)})
    with service.cursor() as con:
        found = media_series.steps(con, list(keys(client).values()), [("grid", None)], "images", 50)
    assert [(one.steps, one.given, one.truncated) for one in found] == [
        (40, 20, True), (10, 5, True),
    ]  # fmt: skip
    for one in found:
        assert (one.step[0], one.step[-1]) == (0, 10 * (one.steps - 1))
        assert one.columns["idx"] == [0, 1] * one.given


def test_images_are_written_in_parts(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large for one statement is all there, and only once."""
    monkeypatch.setattr(write, "_INSERT_BYTES", 1_000)
    client, _ = filled({"a": logged(0, 40), "b": logged(50, 30)})
    for run, steps, first in (
        (key, *what) for key, what in zip(keys(client).values(), ((40, 0), (30, 50)), strict=True)
    ):
        asked = items(client, [run], "grid", "images")
        data = unframed(client.post("/api/v1/media/bytes", json={"items": asked}).data)
        assert data == [png(first + step) for step in range(steps)]


def test_thousands_of_steps_stay_small(filled: Filled) -> None:
    """An item costs few characters: what repeats is said once."""
    client, _ = filled({"a": logged(0, 3_000)})
    body = {"runs": list(keys(client).values()), "tags": [{"tag": "grid"}], "kind": "images"}
    answer = client.post("/api/v1/media/steps", json=body)
    (one,) = answer.get_json()["series"]
    assert one["items"] == 3_000 and one["step"] == {"first": 0, "by": 10}
    assert len(answer.data) < 10 * 3_000


def unframed(data: bytes) -> list[dict[str, Any] | bytes]:
    """What a frame holds, in order."""
    (size,) = struct.unpack_from("<I", data)
    at, found = 4 + size, []
    for one in json.loads(data[4:at]):
        found.append(data[at : at + one["size"]] if "size" in one else one)
        at += one.get("size", 0)
    assert at == len(data)
    return found


def items(client: FlaskClient, runs: list[str], tag: str, kind: str) -> list[dict[str, Any]]:
    """Every item of a tag, as `bytes` takes it."""
    found = []
    for one in ask(client, "steps", runs=runs, tags=[{"tag": tag}], kind=kind)["series"]:
        columns = [unpacked(one[name], one["items"]) for name in ("file", "record", "idx")]
        for file, record, idx in zip(*columns, strict=True):
            named = {"run": one["run"], "tag": tag, "file": file, "record": record, "idx": idx}
            found.append(named)
    return found


@pytest.mark.parametrize("media", ["copy", "reference"])
def test_many_images_in_one_answer(filled: Filled, media: str) -> None:
    """In the order that was asked for, with a reason where there is none."""
    client, _ = filled({"a": logged(0, 3, 2), "b": logged(50, 4)}, media=media)
    runs = keys(client)
    asked = items(client, [runs["b"], runs["a"]], "grid", "images")
    asked += items(client, [runs["a"]], "beep", "audio") + [asked[0] | {"record": 999}, asked[1]]
    found = unframed(client.post("/api/v1/media/bytes", json={"items": asked}).data)
    expected = [png(50 + i) for i in range(4)] + [png(i + j) for i in range(3) for j in range(2)]
    assert found[:11] == [*expected, WAV] and found[12] == png(51)
    assert isinstance(found[11], dict) and "there is nothing" in found[11]["error"]["message"]


def test_many_images_whose_files_are_gone(filled: Filled, tmp_path: Path) -> None:
    """Each says why; the others of the answer are given."""
    files = {"a": logged(0, 1), "b": logged(50, 1)}
    client, _ = filled(files, media="reference")
    runs = keys(client)
    shutil.rmtree(tmp_path / "logs" / "a")
    asked = items(client, [runs["a"], runs["b"]], "grid", "images")
    gone, there = unframed(client.post("/api/v1/media/bytes", json={"items": asked}).data)
    assert there == png(50)
    assert isinstance(gone, dict) and "left at the source" in gone["error"]["message"]
    assert "media = 'copy'" in gone["error"]["hint"]


def test_an_answer_has_room_for_so_many_bytes(filled: Filled) -> None:
    """The first is always given; the others are told to be asked for again."""
    client, service = filled({"a": logged(0, 5)})
    asked = items(client, list(keys(client).values()), "grid", "images")
    wanted = [lake.Wanted(o["run"], o["file"], o["record"], o["idx"], o["tag"]) for o in asked]
    with service.cursor() as con:
        found = lake.several(con, wanted, len(png(0)) + len(png(1)) + 3)
        assert found == [png(0), png(1), None, None, None]
        assert lake.several(con, wanted, 1) == [png(0), None, None, None, None]


def test_which_runs_have_some(filled: Filled) -> None:
    """Those of a filter, in the order of the run table."""
    client, _ = filled(
        {
            "pictures": logged(0, 1),
            "none": lambda writer: writer.scalar("loss", 1.0, 1, WALL),
        }
    )
    found = client.get("/api/v1/media/runs?kind=images").get_json()
    assert found == {"total": 1, "looked_at": 2, "runs": [keys(client)["pictures"]]}
    query = {"kind": "images", "filter": "name = 'none'"}
    found = client.get("/api/v1/media/runs", query_string=query).get_json()
    assert found == {"total": 0, "looked_at": 1, "runs": []}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("tags", {"runs": []}, 400),
        ("tags", {"runs": ["nobody"]}, 404),
        ("tags", {"runs": ["x"] * 1_001}, 400),
        ("tags", {"runs": ["a"], "kind": "pictures"}, 400),
        ("tags", {"runs": ["a"], "more": 1}, 400),
        ("steps", {"runs": ["nobody"], "tags": [{"tag": "a"}], "kind": "images"}, 404),
        ("steps", {"runs": ["a"], "tags": [], "kind": "images"}, 400),
        ("steps", {"runs": ["a"], "tags": [{"tag": "a"}], "kind": "texts"}, 400),
        ("steps", {"runs": ["a"], "tags": [{"tag": "a\0"}], "kind": "audio"}, 400),
    ],
)
def test_what_is_refused(
    client: FlaskClient, path: str, body: dict[str, object], status: int
) -> None:
    """With the reason, and never as a fault of the server."""
    assert ask(client, path, status, **body)["error"]["message"]


@given(
    st.lists(st.integers(-(2**62), 2**62) | st.none() | st.text(max_size=2))
    | st.builds(
        lambda first, by, n: [first + i * by for i in range(n)],
        st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 9),
    )
)  # fmt: skip
def test_packed_columns_say_the_same(values: list[Any]) -> None:
    """Whatever a column holds."""
    assert unpacked(packed.column(values), len(values)) == values
