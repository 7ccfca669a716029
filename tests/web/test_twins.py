"""Every page has its JSON, and the server answers to its own name only."""

from __future__ import annotations

import html
import json
import re

import pytest
from flask.testing import FlaskClient


def test_every_page_names_its_twin(client: FlaskClient) -> None:
    """The address in the page's head leads to JSON about the same."""
    found = client.get("/api/v1/runs?limit=2&columns=run_key").get_json()
    ids, keys = zip(*found["rows"], strict=True)
    saved = client.post("/api/v1/views", json={"page": "workspace", "state": {"q": "x"}}).get_json()
    pages = {
        "/?q=state <> 'none'&sort=name": lambda told: told["total"] >= 2,
        f"/run/{keys[0]}": lambda told: told["run"]["run_key"] == keys[0],
        f"/compare?runs={','.join(keys)}": lambda told: (
            [r["run_id"] for r in told["runs"]] == list(ids)
        ),
        f"/v/{saved['id']}": lambda told: told["state"] == {"q": "x"},
        "/sources?tab=problems": lambda told: told["sources"] and told["machines"],
        "/api": lambda told: told["openapi"].startswith("3.1"),
    }
    for page, holds in pages.items():
        text = client.get(page).get_data(as_text=True)
        twin = re.search(r'rel="alternate" type="application/json" href="([^"]+)"', text)
        assert twin, page
        answer = client.get(html.unescape(twin[1]), follow_redirects=True)
        assert answer.status_code == 200 and holds(answer.get_json()), page


def test_groups_have_a_twin_too(client: FlaskClient) -> None:
    """A grouped workspace is a page of groups."""
    told = client.get("/index.json?group=machine", follow_redirects=True).get_json()
    assert told["columns"][0]["name"] == "machine"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8470", 200),
        ("localhost", 200),
        ("[::1]:8470", 200),
        ("evil.example:8470", 403),
        ("localhost.evil.example", 403),
        ("", 200),
    ],
)
def test_a_name_from_elsewhere_is_refused(client: FlaskClient, host: str, status: int) -> None:
    """So that no page of another site can ask through a name that it gave this machine."""
    headers = {"Host": host} if host else {}
    assert client.get("/api/v1/info", headers=headers).status_code == status


@pytest.mark.parametrize(
    "part", ["[0.0001, 0.2]", '["2020-01-01", "2040-01-01T00:00:00Z"]', '"x"', "true", "null", "[]"]
)
def test_brushes_of_an_analysis_are_a_condition(client: FlaskClient, part: str) -> None:
    """Every kind of part is one that the API understands, and leaves no more runs than all."""
    expr = {"[": "hp.lr", "t": "archived", '"': "hp.model", "n": "hp.lr"}[part[0]]
    expr = "created_at" if "2020" in part else expr
    brush = json.dumps({expr: [json.loads(part)], 'last("loss") - first("loss")': [[], [-9, 9]]})
    told = client.get("/analyze.json", query_string={"brush": brush}, follow_redirects=True)
    assert told.status_code == 200, told.get_json()
    every = client.get("/analyze.json", follow_redirects=True).get_json()["total"]
    assert told.get_json()["total"] <= every


def test_a_brush_leaves_what_it_says(client: FlaskClient) -> None:
    """The runs of a brush are those whose value lies in it."""
    rows = client.get("/api/v1/runs?columns=hp.lr&limit=1000").get_json()["rows"]
    rates = sorted({row[1] for row in rows if row[1] is not None})
    low, high = rates[0], rates[len(rates) // 2]
    for parts, holds in (
        ([[low, high]], lambda v: v is not None and low <= v <= high),
        ([[]], lambda v: v is None),
        ([[high, high], None], lambda v: v is None or v == high),
    ):
        asked = {"brush": json.dumps({"hp.lr": parts})}
        told = client.get("/analyze.json", query_string=asked, follow_redirects=True).get_json()
        expected = sum(holds(row[1]) for row in rows)
        assert told["total"] == expected, parts
        for filter in ("state <> 'none' or points < 0", "resnet50", "'it''s' \"a b\""):
            asked["q"] = filter
            told = client.get("/analyze.json", query_string=asked, follow_redirects=True).get_json()
            every = client.get("/analyze.json", query_string={"q": filter}, follow_redirects=True)
            assert told["total"] <= min(expected, every.get_json()["total"])
        groups = client.get("/analyze.json", query_string=asked | {"group": "machine", "q": ""},
                            follow_redirects=True).get_json()  # fmt: skip
        at = [one["name"] for one in groups["columns"]].index("runs")
        assert sum(row[at] for row in groups["rows"]) == expected


@pytest.mark.parametrize(
    "brush", ["x", "[]", '{"hp.lr": 1}', '{"hp.lr": []}', '{"hp.lr": [[1]]}', '{"hp.lr": [{}]}',
              '{"hp.lr": [[true, false]]}', '{"no such": [[0, 1]]}', "[" * 9000]
)  # fmt: skip
def test_what_is_no_brush_is_refused(client: FlaskClient, brush: str) -> None:
    """With a word on what is expected."""
    told = client.get("/analyze.json", query_string={"brush": brush}, follow_redirects=True)
    assert told.status_code == 400
    assert re.search("are no brushes|no such", told.get_data(as_text=True))
