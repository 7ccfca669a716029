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
