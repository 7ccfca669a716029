"""Every page has its JSON, and the server answers to its own name only."""

from __future__ import annotations

import html
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
