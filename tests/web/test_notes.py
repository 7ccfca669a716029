"""What people write about runs, over HTTP: kept, searched for, shown in the table, gone with a word."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient


def runs(client: FlaskClient, **query: object) -> Any:
    answer = client.get("/api/v1/runs", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


@pytest.fixture
def keys(client: FlaskClient) -> list[str]:
    """Three runs."""
    return [row[1] for row in runs(client, columns="run_key", sort="run_id", limit=3)["rows"]]


def write(client: FlaskClient, keys: list[str], **changes: object) -> None:
    answer = client.patch("/api/v1/annotations", json={"runs": keys, **changes})
    assert answer.status_code == 200, answer.text


def test_words_find_what_people_wrote(client: FlaskClient, keys: list[str]) -> None:
    """A display name, a note, a tag: each at once, and no longer once it is taken back."""
    first, second, third = keys
    write(client, [first], set={"name": "Zebra crossing"})
    write(client, [second], set={"notes": "the zebra one"})
    write(client, [third], add_tags=["zebra-7"])
    for text in ("zebra", "ZEB*a", "search('zebra') and points >= 0"):
        found = runs(client, filter=text, columns="run_key")
        assert sorted(row[1] for row in found["rows"]) == sorted(keys), text
    write(client, [first], set={"name": ""})
    write(client, [third], remove_tags=["zebra-7"])
    assert [row[1] for row in runs(client, filter="zebra", columns="run_key")["rows"]] == [second]


def test_columns_of_what_people_wrote(client: FlaskClient, keys: list[str]) -> None:
    """The table has them as columns, sorts by them and groups by them."""
    write(client, keys[:1], set={"name": "aaa first", "colour": "#aabbcc", "notes": "n"})
    write(client, keys[:2], add_tags=["b", "a"])
    columns = "name,label,notes,tags,colour,archived,run_key"
    found = runs(client, columns=columns, sort="label", limit=1_000)
    kinds = {column["name"]: column["kind"] for column in found["columns"]}
    assert (kinds["tags"], kinds["archived"], kinds["label"]) == ("list", "boolean", "text")
    rows = {row[-1]: row[1:-1] for row in found["rows"]}
    assert rows[keys[0]][1:] == ["aaa first", "n", ["a", "b"], "#aabbcc", False]
    name, label, notes, tags, colour, archived = rows[keys[2]]
    assert (label, notes, tags, colour, archived) == (name, None, [], None, False)
    labels = [row[2] for row in found["rows"]]
    assert labels == sorted(labels)
    groups = client.get("/api/v1/groups?group_by=tags").get_json()["rows"]
    assert dict(groups)["a, b"] == 2
    fields = client.get("/api/v1/fields").get_json()["fields"]
    assert {"label", "notes", "tags", "colour", "archived"} <= {one["name"] for one in fields}


def test_archived_runs_can_be_told(client: FlaskClient, keys: list[str]) -> None:
    """They are left out unless asked for, and then a column says which they are."""
    total = runs(client)["total"]
    write(client, keys[:1], set={"archived": True})
    assert runs(client)["total"] == total - 1
    found = runs(client, filter="archived = true", archived=True, columns="run_key")
    assert [row[1] for row in found["rows"]] == keys[:1]


def test_comparisons_show_labels(client: FlaskClient, keys: list[str]) -> None:
    """Runs side by side have the names that people gave them."""
    write(client, keys[:1], set={"name": "Mine", "colour": "#112233"}, add_tags=["t"])
    rows = runs(client, columns="run_key", sort="run_id", limit=2)["rows"]
    for path in ("compare", "hparams"):
        query = {"runs": ",".join(str(row[0]) for row in rows)}
        first, second = client.get(f"/api/v1/{path}", query_string=query).get_json()["runs"]
        assert (first["label"], first["colour"], first["tags"]) == ("Mine", "#112233", ["t"])
        assert (second["label"], second["colour"], second["tags"]) == (second["name"], "", [])


def test_a_selection_that_is_kept_is_a_filter(client: FlaskClient, keys: list[str]) -> None:
    """However many runs it names; what it does not name is not found, nor what is not there."""
    many = [*keys, *(f"gone{i}" for i in range(99_997))]
    kept = client.post("/api/v1/views", json={"page": "selection", "state": {"sel": many}})
    assert kept.status_code == 201
    chosen = f"selected('{kept.get_json()['id']}')"
    found = runs(client, filter=chosen, columns="run_key")
    assert sorted(row[1] for row in found["rows"]) == sorted(keys) and found["total"] == 3
    some = runs(client, filter=f"{chosen} and run_key <> '{keys[0]}'", columns="run_key")
    assert sorted(row[1] for row in some["rows"]) == sorted(keys[1:])
    rest = runs(client, filter=f"not {chosen}", limit=0)["total"]
    assert rest == runs(client, limit=0)["total"] - 3
    assert runs(client, columns=f"{chosen} as mine", filter=chosen)["rows"][0][1] is True


@pytest.mark.parametrize(
    ("filter", "text"),
    [
        ("selected('nothing')", "there is no view 'nothing'"),
        ("selected(points)", "selected takes the id of a selection in quotes"),
        ("selected('a', 'b')", "selected takes one value"),
    ],
)
def test_a_selection_that_is_not_there(client: FlaskClient, filter: str, text: str) -> None:
    """It is told, with its place in the filter."""
    answer = client.get("/api/v1/runs", query_string={"filter": filter})
    error = answer.get_json()["error"]
    assert answer.status_code == 400 and text in error["message"]
    assert (error["text"], error["field"]) == (filter, "filter")


def test_a_view_without_a_selection_selects_nothing(client: FlaskClient) -> None:
    """Whatever its state says."""
    for state in ({}, {"sel": None}, {"sel": "abc"}, {"sel": [1, None, {"a": 1}]}):
        kept = client.post("/api/v1/views", json={"page": "workspace", "state": state})
        assert runs(client, filter=f"selected('{kept.get_json()['id']}')")["total"] == 0


def test_only_what_is_asked_for_of_annotations(client: FlaskClient, keys: list[str]) -> None:
    """Of the runs that are named; tags are counted, the commonest first."""
    first, second, third = keys
    write(client, [first, second], add_tags=["good"])
    write(client, [third], add_tags=["bad", "worse"], set={"notes": "hm"})
    asked = client.post("/api/v1/annotations", json={"runs": [third, first, third, "gone"]})
    told = {one["run_key"]: one["tags"] for one in asked.get_json()["annotations"]}
    assert told == {first: ["good"], third: ["bad", "worse"]}
    counted = client.get("/api/v1/annotations/tags?limit=2").get_json()["tags"]
    assert counted == [{"tag": "good", "runs": 2}, {"tag": "bad", "runs": 1}]
    assert client.post("/api/v1/annotations", json={"runs": []}).status_code == 400
    every = client.post("/api/v1/annotations", json={"runs": [f"{i}" for i in range(100_000)]})
    assert every.get_json() == {"annotations": []}
