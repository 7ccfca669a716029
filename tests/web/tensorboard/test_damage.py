"""What one run's file holds by mistake or on purpose hides that run's series, never the others'."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from tensorboard.compat.proto import summary_pb2, types_pb2
from werkzeug.test import TestResponse

from boardlake.api.service import Service
from boardlake.api.tensorboard import cards
from boardlake.ingest.sample import forms
from boardlake.ingest.sample.writer import EventWriter

AT = 1_700_000_000.0
GARBAGE = b"\xff\xff\xff"
Filled = Callable[..., tuple[FlaskClient, Service]]


def bad(log: EventWriter) -> None:
    """Under each plugin's name what it cannot show."""
    for plugin in ("histograms", "pr_curves", "mesh", "text", "custom_scalars", "hparams"):
        log.tensor(f"{plugin}/content", np.zeros((2, 2)), 1, AT, plugin=plugin, content=GARBAGE)
        log.tensor(f"{plugin}/value", np.zeros((2, 2)), 1, AT, plugin=plugin)
    for plugin in ("images", "audio", "graphs", "scalars"):
        log.tensor(
            f"{plugin}/value", np.array([b"x"], object), 1, AT, plugin=plugin, content=GARBAGE
        )
    log.tensor(
        "custom_scalars__config__", np.array(GARBAGE, object), 1, AT, plugin="custom_scalars"
    )
    log.scalar("loss", 1.0, 1, AT)


def good(log: EventWriter) -> None:
    """One of everything."""
    log.scalar("loss", 2.0, 1, AT)
    log.histogram("weights", [1.0, 2.0, 3.0], 1, AT)
    log.text("notes", "words", 1, AT)
    log.custom_scalars({"c": {"losses": ["loss"]}}, AT)


ROUTES = {
    "scalars/tags": "loss", "histograms/tags": "weights", "distributions/tags": "weights",
    "text/tags": "notes", "pr_curves/tags": "", "mesh/tags": "", "images/tags": "",
    "audio/tags": "", "graphs/info": "", "custom_scalars/layout": "losses",
    "timeseries/tags": "weights",
}  # fmt: skip


def test_a_list_has_the_good_run(filled: Filled) -> None:
    """Each dashboard's list answers, and so do the values: those of the bad run are missing."""
    client, _ = filled({"bad": bad, "good": good})
    url = client.post("/api/v1/tensorboard", json={}).json["url"]
    for route, word in ROUTES.items():
        answer = client.get(f"{url}data/plugin/{route}")
        assert answer.status_code == 200, route
        assert word in answer.text
    asked: list[tuple[str, Any]] = []
    for plugin, what in (
        ("histograms", "histograms"), ("distributions", "distributions"), ("text", "text"),
        ("pr_curves", "pr_curves"), ("mesh", "meshes"), ("images", "images"), ("audio", "audio"),
    ):  # fmt: skip
        listed = client.get(f"{url}data/plugin/{plugin}/tags").get_json(force=True)
        for tag in listed.get("bad", []):
            query = {"run": "bad", "tag": tag, "sample": 0}
            asked.append(
                (
                    f"{plugin}/{what}",
                    client.get(f"{url}data/plugin/{plugin}/{what}", query_string=query),
                )
            )
    assert asked
    assert [name for name, answer in asked if answer.status_code >= 500] == []


def test_a_value_that_unpacks_to_millions(filled: Filled) -> None:
    """A hundred bytes that declare a large tensor are not shown; what is no UTF-8 is, made readable."""

    def write(log: EventWriter) -> None:
        for tag, plugin, dtype, sizes in (
            ("weights", "histograms", types_pb2.DT_FLOAT, (1 << 40, 3)),
            ("many", "text", types_pb2.DT_STRING, (1 << 30,)),
            ("weights2", "histograms", types_pb2.DT_FLOAT, (1 << 22, 3)),
        ):
            value = summary_pb2.Summary.Value(tag=tag)
            value.metadata.plugin_data.plugin_name = plugin
            value.tensor.dtype = dtype
            for size in sizes:
                value.tensor.tensor_shape.dim.add(size=size)
            if dtype == types_pb2.DT_FLOAT:
                value.tensor.float_val.append(1.0)
            else:
                value.tensor.string_val.append(b"x")
            log.values([value], 1, AT)
        log.tensor("odd", np.array(b"a\xff", object), 1, AT, plugin="text")

    client, _ = filled({"run": write})
    url = client.post("/api/v1/tensorboard", json={}).json["url"]
    for route, tag, shown in (
        ("histograms/histograms", "weights", ""), ("histograms/histograms", "weights2", ""),
        ("text/text", "many", ""), ("text/text", "odd", "a"),
    ):  # fmt: skip
        query = {"run": "run", "tag": tag}
        answer = client.get(f"{url}data/plugin/{route}", query_string=query)
        assert answer.status_code < 500
        assert len(answer.data) < 10_000
        assert shown in answer.text


def test_cards_that_nobody_asks_for(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is no text is no run; more than an answer may hold is refused, and never 500."""
    client, _ = filled({"good": good})
    url = client.post("/api/v1/tensorboard", json={}).json["url"]

    def ask(*given: dict[str, Any]) -> TestResponse:
        at = f"{url}data/plugin/timeseries/timeSeries"
        return client.post(at, data={"requests": json.dumps(given)})

    card = {"plugin": "scalars", "tag": "loss"}
    answer = ask(card | {"run": 1}, card)
    assert answer.status_code == 200
    assert [len(one["runToSeries"]) for one in answer.json] == [0, 1]
    monkeypatch.setattr(cards, "_MOST", 1_000)
    assert ask(*[card] * 3).status_code == 200
    refused = ask(*[card] * 300)
    assert refused.status_code == 400 and "ask for fewer" in refused.text


def test_a_pattern_of_a_layout_that_explodes(filled: Filled) -> None:
    """An event file brings a pattern and a tag for it; the page's question ends."""

    def write(log: EventWriter) -> None:
        log.custom_scalars({"c": {"slow": ["(?!x)(a+)+$"]}}, AT)
        log.scalar("a" * 60 + "b", 1.0, 1, AT)

    client, _ = filled({"run": write})
    url = client.post("/api/v1/tensorboard", json={}).json["url"]
    layout = client.get(f"{url}data/plugin/custom_scalars/layout").text
    pattern = re.search(r'"\(\?!x\)[^"]*"', layout)
    assert pattern
    for text in (pattern[0].strip('"'), "(a+)+$", "(", "a*b"):
        query = {"run": "run", "tag": text}
        answer = client.get(
            f"{url}data/plugin/custom_scalars/scalars", query_string=query
        ).get_json(force=True)
        assert answer["regex_valid"] is (text in ("(a+)+$", "a*b"))
        assert bool(answer["tag_to_events"]) is (text == "a*b")


def test_questions_that_do_not_fit_are_the_questions_fault(filled: Filled) -> None:
    """TensorBoard itself fails at them; the answer says so, and is no failure of the server."""
    client, _ = filled({"good": good})
    url = client.post("/api/v1/tensorboard", json={}).json["url"]
    for question in (
        "images/images?run=good&tag=x&sample=q", "hparams/download_data?format=csv",
        "pr_curves/pr_curves?run=good&tag=x", "histograms/histograms?run=good",
    ):  # fmt: skip
        answer = client.get(f"{url}data/plugin/{question}")
        assert 400 <= answer.status_code < 500, question


def test_a_chart_of_many_tags_is_bounded(filled: Filled) -> None:
    """A pattern may find all tags of a run: its lines share the points of a card, and some are left out."""

    def write(log: EventWriter) -> None:
        for step in range(120):
            log.values(
                [forms.scalar_tensor(f"t{tag}", 1.0) for tag in range(1_100)], step, AT + step
            )

    client, _ = filled({"run": write})
    url = client.post("/api/v1/tensorboard", json={}).json["url"]
    query = {"run": "run", "tag": ".*"}
    answer = client.get(f"{url}data/plugin/custom_scalars/scalars", query_string=query)
    found = answer.get_json(force=True)["tag_to_events"]
    assert len(found) == 1_000
    assert {len(points) for points in found.values()} == {100}
    assert {(points[0][1], points[-1][1]) for points in found.values()} == {(0, 119)}
