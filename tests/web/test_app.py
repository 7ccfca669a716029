"""The API as clients see it: answers, refusals, headers."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from boardlake.api.tags import tree


def test_a_page_of_runs(client: FlaskClient) -> None:
    """Columns, rows and the whole number; run_id comes first."""
    found = client.get('/api/v1/runs?limit=5&columns=name,hp.lr as lr,last("loss")').get_json()
    assert [column["name"] for column in found["columns"]][:3] == ["run_id", "name", "lr"]
    assert len(found["rows"]) == 5 < found["total"]


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/api/v1/runs?limt=5", 400, "limt"),
        ("/api/v1/runs?limit=x", 400, "limit"),
        ("/api/v1/runs?filter=pints > 3", 400, "filter"),
        ("/api/v1/runs/none", 404, None),
        ("/api/v1/nothing", 404, None),
    ],
)
def test_refusals_have_one_shape(
    client: FlaskClient, path: str, status: int, field: str | None
) -> None:
    """Whatever is wrong, the error names it in the same form."""
    answer = client.get(path)
    assert answer.status_code == status
    error = answer.get_json()["error"]
    assert error["message"] and error["field"] == field


def test_a_filter_error_says_where(client: FlaskClient) -> None:
    """The position is that of the name, and the nearest name is offered."""
    error = client.get("/api/v1/runs?filter=name = 'a' and pints > 3").get_json()["error"]
    assert error["position"] == 15 and "points" in error["hint"]


def test_an_unchanged_answer_is_not_sent_again(client: FlaskClient) -> None:
    """The ETag holds until the lake or a note changes."""
    first = client.get("/api/v1/runs")
    again = client.get("/api/v1/runs", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)


def test_writes_from_elsewhere_are_refused(client: FlaskClient) -> None:
    """Neither a form nor another origin may change anything."""
    assert client.post("/api/v1/views", data={"page": "workspace"}).status_code == 403
    answer = client.post("/api/v1/views", json={}, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403


def test_groups_and_facets_count_all_runs(client: FlaskClient) -> None:
    """Both add up to the number of runs."""
    total = client.get("/api/v1/runs?limit=1").get_json()["total"]
    groups = client.get("/api/v1/groups?group_by=machine").get_json()
    facets = client.get("/api/v1/facets?fields=machine").get_json()["facets"][0]
    assert sum(row[1] for row in groups["rows"]) == total
    assert sum(value["runs"] for value in facets["values"]) == total


def test_one_run_in_full(client: FlaskClient) -> None:
    """Its row, its series and where its hyperparameters come from."""
    table = client.get("/api/v1/runs?columns=run_key&limit=1").get_json()
    found = client.get(f"/api/v1/runs/{table['rows'][0][1]}").get_json()
    assert found["run"]["run_id"] == table["rows"][0][0]
    assert found["series"] and found["files"]


def test_the_document_is_openapi_3_1(client: FlaskClient) -> None:
    """It lists every route of the API."""
    document = client.get("/openapi.json").get_json()
    assert document["openapi"].startswith("3.1")
    assert {"/api/v1/runs", "/api/v1/runs/{run_key}"} <= set(document["paths"])


@pytest.mark.parametrize("depth", [900, 3_000, 100_000])
def test_bodies_of_any_depth(client: FlaskClient, depth: int) -> None:
    """JSON that nests too deep is refused, and never a failure of the server."""
    body = f'{{"page": "a", "state": {{"a": {"[" * depth}{"]" * depth}}}}}'
    answer = client.post("/api/v1/views", data=body, content_type="application/json")
    assert answer.status_code in (201, 400)
    assert answer.status_code == 201 or answer.get_json()["error"]["message"] == "nested too deep"


def test_a_nul_is_not_taken(client: FlaskClient) -> None:
    """Nowhere: the catalog's statements end at it."""
    for path in ("/api/v1/runs?filter=a%00", "/api/v1/runs/a%00b", "/api/v1/texts?run=a&tag=%00"):
        assert "NUL" in client.get(path).get_json()["error"]["message"]
    answer = client.post("/api/v1/ask/history", json={"runs": ["a"], "tags": ["a\0b"]})
    assert answer.status_code == 400 and "NUL" in answer.get_json()["error"]["message"]


def test_tags_as_a_tree(client: FlaskClient) -> None:
    """Each tag stands at its place, and every node counts what is at and below it."""
    told = client.get("/api/v1/tags?kind=scalar&tree=true").get_json()

    def walk(nodes: list[dict[str, Any]], path: str) -> list[str]:
        found = []
        for node in nodes:
            at = f"{path}{node['name']}"
            below = walk(node["children"], f"{at}/")
            here = [node["tag"]] if "tag" in node else []
            assert here in ([], [at]) and node["count"] == len(below) + len(here)
            found += here + below
        return found

    assert sorted(walk(told["tree"], "")) == sorted(one["tag"] for one in told["tags"])
    assert "tree" not in client.get("/api/v1/tags").get_json()


@given(st.lists(st.text("a/", max_size=60), unique=True, max_size=20))
def test_any_tag_has_a_place_in_the_tree(names: list[str]) -> None:
    """However many slashes it has, empty parts included."""

    def walk(nodes: list[dict[str, Any]]) -> list[str]:
        return [
            tag
            for node in nodes
            for tag in ([node["tag"]] if "tag" in node else []) + walk(node["children"])
        ]

    assert sorted(walk(tree([{"tag": name} for name in names]))) == sorted(names)
