"""Ways to TensorBoard: the route that makes selections, the address for links, and what they refuse."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from boardlake.api.service import Service
from boardlake.api.tensorboard import index
from boardlake.api.tensorboard import selection as selections
from boardlake.api.tensorboard.index import Indexes
from boardlake.core import tokens
from boardlake.core.tokens import Tokens
from boardlake.ingest.sample.writer import EventWriter
from boardlake.state.store import FILE
from boardlake.web.app import create_app

Filled = Callable[..., tuple[FlaskClient, Service]]
VISION = "project = 'vision'"


def run_keys(client: FlaskClient, filter: str = VISION, **more: Any) -> list[str]:
    """The keys of the runs that match."""
    asked = {"filter": filter, "columns": "run_key", **more}
    answer = client.get("/api/v1/runs", query_string=asked).json
    place = [column["name"] for column in answer["columns"]].index("run_key")
    return [row[place] for row in answer["rows"]]


def told(response: TestResponse, status: int) -> str:
    """What a page of an error says, on one line."""
    assert response.status_code == status, response.text
    assert response.content_type.startswith("text/html")
    body = response.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def kept(tmp_path: Path) -> int:
    """How many selections are in the state database."""
    with closing(sqlite3.connect(tmp_path / FILE)) as con:
        ((count,),) = con.execute("SELECT count(*) FROM views")
    return int(count)


def test_a_filter_a_list_and_a_view(client: FlaskClient, service: Service) -> None:
    """Each leads to the runs that it means, and the address shows those."""
    keys = run_keys(client)
    saved = {"page": "workspace", "name": "mine", "state": {"q": VISION, "sel": keys[:3]}}
    view = client.post("/api/v1/views", json=saved).json["id"]
    for asked, runs in (
        ({"filter": VISION}, len(keys)), ({"runs": keys[:2]}, 2), ({"view": view}, 3),
        ({"runs": [*keys[:2], "0" * 12]}, 2), ({"runs": keys[:1] * 3, "filter": "x"}, 1),
        ({"filter": "project = 'none'"}, 0),
    ):  # fmt: skip
        answer = client.post("/api/v1/tensorboard", json=asked)
        assert answer.status_code == 201, answer.text
        given = answer.json
        assert given == {"id": given["id"], "url": f"/tb/{given['id']}/", "runs": runs}
        assert given["id"] == view or "view" not in asked
        index = Indexes(service).get(given["id"])
        assert len(index.runs) == runs
        assert set(client.get(f"{given['url']}data/runs").json) == set(index.started)
    assert client.post("/api/v1/tensorboard", json={"filter": VISION}).json["runs"] == len(keys)


def test_copies_and_archived_runs(client: FlaskClient, service: Service) -> None:
    """They are left out unless they are asked for, and each choice has an id of its own."""
    keys = run_keys(client)
    service.state.annotate(keys[:2], {"archived": True})
    found = {
        (dup, arch): client.post(
            "/api/v1/tensorboard", json={"filter": VISION, "duplicates": dup, "archived": arch}
        ).json
        for dup in (False, True)
        for arch in (False, True)
    }
    assert len({one["id"] for one in found.values()}) == 4
    assert found[False, True]["runs"] == found[False, False]["runs"] + 2 == len(keys)
    for (dup, arch), one in found.items():
        there = client.get(
            "/tensorboard", query_string={"q": VISION, "dup": int(dup), "arch": int(arch)}
        )
        assert there.headers["Location"] == one["url"]


@pytest.mark.parametrize(
    ("asked", "status", "kind", "words"),
    [
        ({"filter": "hp.lrr > 1"}, 400, "FilterError", "lrr"),
        ({"runs": ["0" * 12, "1" * 12]}, 404, "NoSuchSelection", "'000000000000', '111111111111'"),
        ({"view": "nosuch"}, 404, "NoSuchView", "nosuch"),
        ({"view": "v", "filter": "x"}, 400, "UsageError", "cannot stand beside"),
        ({"view": "v", "runs": ["k"]}, 400, "UsageError", "cannot stand beside"),
        ({"runs": [""]}, 400, "UsageError", "runs"),
        ({"runs": [f"k{i}" for i in range(5_001)]}, 400, "UsageError", "more than 5,000 runs"),
        ({"runs": ["k"] * 100_001}, 400, "UsageError", "runs"),
        ({"filter": "x" * 10_001}, 400, "UsageError", "filter"),
        ({"filter": "a\0b"}, 400, "UsageError", "NUL"),
        ({"filters": VISION}, 400, "UsageError", "filters"),
        ({"duplicates": "perhaps"}, 400, "UsageError", "duplicates"),
    ],
)  # fmt: skip
def test_what_the_route_refuses(
    client: FlaskClient, tmp_path: Path, asked: dict[str, Any], status: int, kind: str, words: str
) -> None:
    """By name, and nothing is kept of it."""
    answer = client.post("/api/v1/tensorboard", json=asked)
    error = answer.json["error"]
    assert (answer.status_code, error["kind"]) == (status, kind)
    assert words in error["message"] + str(error["field"]) and kept(tmp_path) == 0


def test_a_view_that_selects_no_runs(client: FlaskClient) -> None:
    """A saved query of the SQL page is none of runs, on either way."""
    saved = {"page": "sql", "name": "mine", "state": {"q": "SELECT 1"}}
    view = client.post("/api/v1/views", json=saved).json["id"]
    error = client.post("/api/v1/tensorboard", json={"view": view}).json["error"]
    assert error["kind"] == "NoSuchSelection" and "'sql' selects no runs" in error["message"]
    assert "selects no runs" in told(client.get(f"/tensorboard?view={view}"), 404)
    assert "selects no runs" in told(client.get(f"/tb/{view}/"), 404)


def test_more_runs_than_tensorboard_can_show(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The route refuses it; the page of such a selection says what to do."""
    monkeypatch.setattr(selections, "MAX_RUNS", 3)
    error = client.post("/api/v1/tensorboard", json={"filter": VISION}).json["error"]
    assert "more than 3 runs" in error["message"] and "narrow the filter" in error["hint"]
    page = client.get("/tensorboard", query_string={"q": VISION}, follow_redirects=True)
    assert "More than 3 runs are selected" in told(page, 400).replace("more", "More")


def test_links_lead_to_the_selection(client: FlaskClient) -> None:
    """By filter, runs or view; what TensorBoard takes itself goes along."""
    keys = run_keys(client)
    id = client.post("/api/v1/tensorboard", json={"runs": keys[:2]}).json["id"]
    for query in (f"runs={keys[0]},{keys[1]}", f"runs={keys[0]}%2C{keys[1]}%2C", f"view={id}"):
        answer = client.get(f"/tensorboard?{query}")
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/tb/{id}/")
    more = client.get(f"/tensorboard?view={id}&tagFilter=loss&smoothing=0.9")
    assert more.headers["Location"] == f"/tb/{id}/?tagFilter=loss&smoothing=0.9"
    page = client.get(f"/tensorboard?view={id}", follow_redirects=True)
    assert page.status_code == 200 and "<title>TensorBoard</title>" in page.text


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("x=1", 400, "There is no parameter 'x'"),
        ("rums=1", 400, "Did you mean runs?"),
        ("filter=x", 400, "There is no parameter 'filter'"),
        ("dup=perhaps", 400, "dup: 'perhaps', expected 1 or 0"),
        (f"q={quote(VISION)}%20and%20hp.lrr%20%3E%201", 400, "hp.lrr > 1 ^ What to do"),
        (f"q={'x' * 10_001}", 400, "q: 10001 characters"),
        ("q=a%00b", 400, "NUL"),
        ("runs=nobody", 404, "None of the runs is in the lake: 'nobody'"),
        (f"runs={','.join(f'k{i}' for i in range(5_001))}", 400, "More than 5,000 runs"),
        ("view=nosuch", 404, "There is no view 'nosuch'"),
        ("view=v&q=x", 400, "cannot stand beside"),
        ("view=v&runs=k", 400, "cannot stand beside"),
        ("runs=", 400, "no run is named"),
        ("runs=,,&q=resnet", 400, "no run is named"),
        ("q=%3Cscript%3E%20%3D%201%20and", 400, "<script> = 1 and"),
    ],
)  # fmt: skip
def test_links_that_lead_nowhere(
    client: FlaskClient, tmp_path: Path, query: str, status: int, words: str
) -> None:
    """Each has a page that says why, points at the place in a filter, and keeps nothing."""
    answer = client.get(f"/tensorboard?{query}")
    assert words.lower() in told(answer, status).lower()
    assert "<script> =" not in answer.text and kept(tmp_path) == 0


def test_a_download_from_an_address_that_is_none(client: FlaskClient) -> None:
    """A referrer is what anybody writes."""
    for referrer in ("http://[", "http://[::1/tb/x/", "", "http://elsewhere/tb/x/"):
        given = {"Referer": referrer}
        path = "/experiment/defaultExperimentId/data/plugin/scalars/tags"
        assert client.get(path, headers=given).status_code == 404


def test_an_id_that_nobody_has(client: FlaskClient) -> None:
    """Our page with a way back, at every address below; without the slash one is led there."""
    for path in ("", "data/runs", "data/plugin/scalars/tags"):
        page = client.get(f"/tb/nosuch/{path}")
        assert "There is no view 'nosuch'" in told(page, 404).replace("there", "There")
        assert 'href="/"' in page.text
    assert client.post("/tb/nosuch/data/plugin/scalars/scalars_multirun").status_code == 404
    answer = client.get("/tb/nosuch")
    assert answer.status_code == 308 and answer.headers["Location"].endswith("/tb/nosuch/")


def test_a_filter_that_finds_nothing_yet(filled: Filled) -> None:
    """A page of ours shows it, with a way to change it; the lists are empty, not an error."""

    def write(writer: EventWriter) -> None:
        writer.scalar("loss", 1.0, 1, 1_700_000_000.0)

    client, _ = filled({"a": write})
    filter = "name = '<b>&later'"
    given = client.post("/api/v1/tensorboard", json={"filter": filter, "duplicates": True}).json
    page = client.get(given["url"])
    assert given["runs"] == 0 and filter in told(page, 200) and "<b>" not in page.text
    assert f"/?q={quote(filter).replace('%20', '+')}&amp;dup=1" in page.text
    assert "frame-ancestors" in page.headers["Content-Security-Policy"]
    assert "unsafe-eval" not in page.headers["Content-Security-Policy"]
    assert client.get(f"{given['url']}data/runs").json == []
    other = client.get("/tensorboard?q=name+%3D+'a'", follow_redirects=True)
    assert "<title>TensorBoard</title>" in other.text


def test_an_empty_lake(filled: Filled, tmp_path: Path) -> None:
    """It says so, on the address of all runs as well."""
    (tmp_path / "logs").mkdir()
    client, _ = filled({})
    assert "The lake has no runs" in told(client.get("/tensorboard", follow_redirects=True), 200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "script"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}, 302),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "iframe"}, 302),
        ({}, 302),
    ],
)
def test_pages_elsewhere_cannot_embed_it(
    client: FlaskClient, tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    """A link may be followed from anywhere; whatever else makes no selection."""
    assert client.get("/tensorboard?q=", headers=headers).status_code == status
    assert kept(tmp_path) == (status == 302)


def test_who_may(service: Service, client: FlaskClient, tmp_path: Path) -> None:
    """A token for reading makes selections and sees TensorBoard; one for pushing and none do not."""
    key = run_keys(client)[0]
    file = tmp_path / "tokens"
    secrets = {role: tokens.add(file, f"a-{role}", role) for role in tokens.ROLES}
    guarded = create_app(service, Tokens(file)).test_client()
    multirun = {"tag": "train/loss", "runs": ["x"]}
    for role, status in (("read", 201), ("full", 201), ("push", 403), ("", 401)):
        shown = {"Authorization": f"Bearer {secrets[role]}"} if role else {}
        answer = guarded.post("/api/v1/tensorboard", json={"runs": [key]}, headers=shown)
        assert answer.status_code == status, role
        id = selections.keep(service, selections.Selection(runs=(key,)))
        page = guarded.get(f"/tb/{id}/data/runs", headers=shown)
        posted = guarded.post(
            f"/tb/{id}/data/plugin/scalars/scalars_multirun", data=multirun, headers=shown
        )
        made = guarded.get("/tensorboard", headers=shown)
        found = [page.status_code, posted.status_code, made.status_code]
        refused = [status] * 3
        assert found == ([200, 200, 302] if status == 201 else refused), role


def test_posts_of_pages_elsewhere(client: FlaskClient) -> None:
    """TensorBoard posts forms, and takes them from its own pages alone."""
    id = client.post("/api/v1/tensorboard", json={"filter": VISION}).json["id"]
    where = f"/tb/{id}/data/plugin/scalars/scalars_multirun"
    form = {"tag": "train/loss", "runs": ["x"]}
    assert client.post(where, data=form).status_code == 200
    here = {"Origin": "http://localhost"}
    assert client.post(where, data=form, headers=here).status_code == 200
    there = {"Origin": "http://evil.example"}
    assert client.post(where, data=form, headers=there).status_code == 403


def test_more_series_than_the_pages_can_hold(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said instead of held in memory."""
    monkeypatch.setattr(index, "_MOST_SERIES", 10)
    url = client.post("/api/v1/tensorboard", json={}).json["url"]
    assert "have more than 10 series" in told(client.get(f"{url}data/runs"), 400)
