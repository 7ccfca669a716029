"""What is answered again without being computed again, and what is not."""

from __future__ import annotations

import pytest
from flask import Flask, Response, jsonify
from flask.testing import FlaskClient

from boardlake.web.kept import Kept


class World:
    """What answers depend on, and how often one was computed."""

    def __init__(self) -> None:
        self.version = "1"
        self.computed = 0


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def small(world: World) -> FlaskClient:
    """An application with one answer of the API, one too large to keep, and one that fails."""
    app = Flask("kept")
    kept = Kept(lambda: world.version)
    app.before_request(kept.before)

    def finish(response: Response) -> Response:
        kept.after(response)
        return response

    app.after_request(finish)

    def answer(size: int) -> Response:
        world.computed += 1
        return jsonify({"number": world.computed, "text": "x" * size})

    app.add_url_rule("/api/small", "small", lambda: answer(1))
    app.add_url_rule("/api/large", "large", lambda: answer(3 << 20))
    app.add_url_rule("/api/wrong", "wrong", lambda: (answer(1), 500))
    app.add_url_rule("/page", "page", lambda: answer(1))
    return app.test_client()


def test_an_answer_is_computed_once_for_a_version(world: World, small: FlaskClient) -> None:
    first = small.get("/api/small?a=1")
    again = small.get("/api/small?a=1")
    assert (first.data, first.headers["ETag"]) == (again.data, again.headers["ETag"])
    assert (again.content_type, world.computed) == ("application/json", 1)
    other = small.get("/api/small?a=2")
    assert (other.get_json()["number"], world.computed) == (2, 2)
    world.version = "2"
    newer = small.get("/api/small?a=1")
    assert (newer.get_json()["number"], world.computed) == (3, 3)
    assert newer.headers["ETag"] != first.headers["ETag"]


def test_a_client_that_has_it_gets_nothing(world: World, small: FlaskClient) -> None:
    tag = small.get("/api/large").headers["ETag"]
    again = small.get("/api/large", headers={"If-None-Match": tag})
    assert (again.status_code, again.data, world.computed) == (304, b"", 1)
    assert again.headers["ETag"] == tag
    world.version = "2"
    changed = small.get("/api/large", headers={"If-None-Match": tag})
    assert (changed.status_code, world.computed) == (200, 2)


@pytest.mark.parametrize(
    "path", ["/api/large", "/api/wrong", "/page", "/api/small?filter=created_at%20%3E%20NOW%28%29"]
)
def test_what_is_large_or_wrong_or_of_the_moment_is_made_anew(
    world: World, small: FlaskClient, path: str
) -> None:
    small.get(path)
    small.get(path)
    assert world.computed == 2


def test_what_people_write_changes_the_answer(client: FlaskClient) -> None:
    path = "/api/v1/runs?columns=run_key,archived&archived=true&sort=run_id"
    before = client.get(path)
    assert client.get(path).data == before.data
    key = before.get_json()["rows"][0][1]
    written = client.patch("/api/v1/annotations", json={"runs": [key], "set": {"archived": True}})
    assert written.status_code == 200, written.text
    after = client.get(path)
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.get_json()["rows"][0][2] is True
