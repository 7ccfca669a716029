"""The JSON twin of a media page: the same runs, tags and steps as its address shows."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from flask.testing import FlaskClient


def twin(client: FlaskClient, **given: str) -> Any:
    answer = client.get("/media.json", query_string=given)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_the_runs_that_are_drawn(client: FlaskClient) -> None:
    """The first of the order, less those hidden, and others besides."""
    query = "/api/v1/runs?columns=run_key&sort=name&limit=6"
    keys = [key for _, key in client.get(query).get_json()["rows"]]
    found = twin(client, sort="name", n="4", hide=keys[1], show=keys[5])
    assert found["runs"] == [keys[0], keys[2], keys[3], keys[5]]
    assert found["kind"] == "images"
    assert twin(client, n="0") == {"kind": "images", "runs": [], "tags": [], "series": []}


def test_tags_and_all_their_steps(client: FlaskClient) -> None:
    """Of images and sounds; of the other kinds the tags alone."""
    found = twin(client, n="200")
    assert {"val/predictions", "mistakes"} <= {one["tag"] for one in found["tags"]}
    assert {one["tag"] for one in found["series"]} == {one["tag"] for one in found["tags"]}
    assert all(one["items"] > 0 for one in found["series"])
    texts = twin(client, n="200", kind="texts")
    assert texts["tags"] and texts["series"] == []


@pytest.mark.parametrize(
    ("given", "tags"),
    [
        ({"tags": "^VAL/"}, {"val/predictions"}),
        ({"tags": "pred|mist"}, {"val/predictions", "mistakes"}),
        ({"tags": "(unclosed"}, set()),
        ({"pick": json.dumps(["mistakes", "no such"])}, {"mistakes"}),
        ({"pick": json.dumps(["mistakes"]), "tags": "val"}, set()),
    ],
)
def test_tags_that_are_chosen(client: FlaskClient, given: dict[str, str], tags: set[str]) -> None:
    """By a regular expression or one by one."""
    assert {one["tag"] for one in twin(client, n="200", **given)["tags"]} == tags


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "videos"},
        {"n": "many"},
        {"n": "-1"},
        {"many": "9" * 50},
        {"pick": "[1]"},
        {"pick": "[" * 10_000},
        {"q": "no such field = 1"},
    ],
)
def test_what_cannot_be_read(client: FlaskClient, given: dict[str, str]) -> None:
    """It is named."""
    answer = client.get("/media.json", query_string=given)
    assert answer.status_code == 400
    assert html.escape(next(iter(given))) in answer.text or "no such field" in answer.text


def test_a_run_that_is_not_there(client: FlaskClient) -> None:
    """It was deleted, perhaps."""
    answer = client.get("/media.json?show=nobody&n=0")
    assert answer.status_code == 404 and "nobody" in answer.text
