"""The API page and its document: what is there can be read, and nothing else is promised."""

from __future__ import annotations

import html
import re
import shlex
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from boardlake.web import apidoc


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    """The API's OpenAPI document."""
    found: dict[str, Any] = client.get("/openapi.json").get_json()
    return found


def test_every_operation_can_be_read(client: FlaskClient, document: dict[str, Any]) -> None:
    """The page has each method of each path once, with all its parameters."""
    page = client.get("/api").get_data(as_text=True)
    ids = re.findall(r'<article class="operation" id="([^"]+)"', page)
    assert len(ids) == len(set(ids)) == sum(len(methods) for methods in document["paths"].values())
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            attributes = f'data-method="{method.upper()}" data-path="{path}"'
            article = page.split(attributes)[1].split("</article>")[0]
            for given in told.get("parameters", []):
                assert f'data-name="{given["name"]}"' in article


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    """Each schema that is named is in the document."""
    names = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert names and names <= set(document["components"]["schemas"])


def test_refusals_are_as_the_document_says(client: FlaskClient, document: dict[str, Any]) -> None:
    """A refused question has the shape that every operation promises for 400."""
    for methods in document["paths"].values():
        for told in methods.values():
            content = told["responses"]["400"]["content"]["application/json"]
            assert content["schema"]["$ref"].endswith("/Refused")
    error = client.get("/api/v1/runs?limit=x").get_json()["error"]
    needed = document["components"]["schemas"]["Wrong"]["required"]
    assert (
        set(needed) <= set(error) == set(document["components"]["schemas"]["Wrong"]["properties"])
    )


def test_get_snippets_are_questions_that_are_taken(
    client: FlaskClient, document: dict[str, Any]
) -> None:
    """A snippet without a run or filter of its own is answered; none names an unknown parameter."""
    answered = 0
    for group in apidoc.operations(document, "http://lake.example").values():
        for operation in group:
            if operation.method != "GET":
                continue
            parts = urlsplit(shlex.split(operation.curl)[1])
            answer = client.get(f"{parts.path}?{parts.query}")
            assert answer.status_code < 500
            if answer.status_code == 400:
                assert "there is no parameter" not in answer.get_json()["error"]["message"]
            answered += answer.status_code == 200
            answer.close()
    assert answered >= 8


def test_a_host_name_cannot_break_out_of_a_snippet(client: FlaskClient) -> None:
    """What a client calls the server is one word of the shell, and text of the page."""
    answer = client.get("/api", headers={"Host": "127.0.0.1"})
    assert answer.status_code == 200
    found = apidoc.operations(client.get("/openapi.json").get_json(), "http://h';rm -r x;'")
    for group in found.values():
        for operation in group:
            words = shlex.split(operation.curl.replace("\\\n", " "))
            assert words[0] == "curl" and ";rm" not in words
    page = html.unescape(answer.get_data(as_text=True))
    assert "curl http://127.0.0.1/api/v1/runs" in page


def test_schemas_that_hold_themselves_end() -> None:
    """A schema may refer to itself: it is unfolded a few times."""
    schemas = {"Tree": {"type": "object", "properties": {"below": {"$ref": "#/c/Tree"}}}}
    made = apidoc.shape({"$ref": "#/c/Tree"}, schemas)
    depth = 0
    while made.fields:
        made, depth = made.fields[0], depth + 1
    assert 2 < depth < 20


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "array", "items": {"type": "integer"}}, "list of integer"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"enum": ["a", "b"], "type": "string"}, "one of a, b"),
        ({"type": "string", "format": "binary"}, "bytes"),
        ({}, "anything"),
        (
            {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]}},
            "list of (integer or string)",
        ),
    ],
)
def test_types_read_as_words(schema: dict[str, Any], kind: str) -> None:
    """A type is said in words."""
    assert apidoc.shape(schema, {}).type == kind
