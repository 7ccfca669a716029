"""Facets are the groups of each field, in the same order."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

_FIELDS = [
    "state", "project", "machine", "source", "name", "host", "created_at", "points", "duplicate_of",
    "git_commit", "hp.lr", "tags",
]  # fmt: skip


@pytest.mark.parametrize("filter", ["", "points > 1000", "hp.lr > 0 or project = 'rl'", "resnet50"])
@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("duplicates", ["false", "true"])
def test_facets_are_groups(client: FlaskClient, filter: str, limit: int, duplicates: str) -> None:
    """Whichever fields are asked for together."""
    common = {"filter": filter, "limit": limit, "duplicates": duplicates}
    asked = client.get("/api/v1/facets", query_string=common | {"fields": ",".join(_FIELDS)})
    found = {one["field"]: one["values"] for one in asked.get_json()["facets"]}
    assert list(found) == _FIELDS
    for field in _FIELDS:
        groups = client.get("/api/v1/groups", query_string=common | {"group_by": field})
        rows = [[row[0], row[1]] for row in groups.get_json()["rows"]]
        assert [[one["value"], one["runs"]] for one in found[field]] == rows, field
