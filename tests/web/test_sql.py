"""SQL over HTTP: answers in both forms, limits that are told, errors with their place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from flask.testing import FlaskClient

from boardlake.api.service import Service
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.state.store import open_state
from boardlake.web.app import create_app

SQL = "/api/v1/sql"


@pytest.fixture(scope="module")
def client(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """One application for all tests here: its workers take a moment to start."""
    service = Service(open_lake(locate(str(samples))), open_state(tmp_path_factory.mktemp("sql")))
    yield create_app(service).test_client()
    service.close()


def test_rows_as_an_arrow_stream(client: FlaskClient) -> None:
    """The default, with what is told of it in the headers."""
    answer = client.post(SQL, json={"query": "SELECT * FROM runs ORDER BY run_id", "limit": 3})
    assert answer.mimetype == "application/vnd.apache.arrow.stream"
    assert answer.headers["X-Boardlake-Rows"] == "3"
    assert answer.headers["X-Boardlake-Truncated"] == "true"
    assert float(answer.headers["X-Boardlake-Seconds"]) >= 0
    table = pa.ipc.open_stream(answer.data).read_all()
    assert table["run_id"].to_pylist() == [1, 2, 3]


def test_rows_as_json(client: FlaskClient) -> None:
    """The same by name, and awkward values in words."""
    query = (
        "SELECT ? AS n, 'nan'::DOUBLE AS x, 'infinity'::TIMESTAMP AS t, INTERVAL 1 DAY AS i,"
        " TIME '12:00' AS at, uuid() AS u, MAP {'a': 1} AS m, {'b': [1]} AS s, 'x'::BLOB AS raw,"
        " TIMESTAMP_NS '2024-01-01 00:00:00.123456789' AS ns, 2::HUGEINT AS h, DATE '2024-01-01' AS d"
    )
    told = client.post(SQL, json={"query": query, "parameters": [7], "format": "json"}).get_json()
    assert told["truncated"] is False and told["seconds"] >= 0 and told["snapshot"] > 0
    row = dict(zip([one["name"] for one in told["columns"]], told["rows"][0], strict=True))
    assert (row["n"], row["x"], row["s"], row["raw"]) == (7, "NaN", {"b": [1]}, "78")
    assert row["at"] == "12:00:00" and row["d"] == "2024-01-01" and row["h"] == 2


def test_what_has_no_form_in_json_is_told(client: FlaskClient) -> None:
    """A struct without names can be had as Arrow."""
    asked = {"query": "SELECT list_zip([1], ['a']) AS pairs"}
    assert client.post(SQL, json=asked).status_code == 200
    answer = client.post(SQL, json=asked | {"format": "json"})
    assert answer.status_code == 400 and "pairs" in answer.get_json()["error"]["message"]


@pytest.mark.parametrize(
    ("asked", "kind", "field", "position", "says"),
    [
        ({"query": "SELECT nme FROM runs"}, "SqlError", "query", 7, "Candidate bindings"),
        ({"query": "SELECT 1 +"}, "SqlError", "query", 10, "syntax error"),
        ({"query": "FROM read_text('/etc/passwd')"}, "SqlError", "query", 5, "read_text"),
        ({"query": "COPY runs TO 'x'"}, "UsageError", None, None, "COPY"),
        ({"query": "SELECT ?", "parameters": [{}]}, "UsageError", None, None, "parameter"),
        ({"query": "SELECT 1", "limit": 10**9}, "UsageError", "limit", None, "limit"),
        ({"query": "x" * 60_000}, "UsageError", "query", None, "50000"),
        ({"query": ""}, "UsageError", "query", None, "query"),
        ({"query": "SELECT 1", "paramters": []}, "UsageError", "paramters", None, "paramters"),
        ({"query": "SELECT 1", "parameters": 3}, "UsageError", None, None, "parameters"),
        ({"query": b"SELECT '\\ud800'".decode("unicode_escape")}, None, None, None, ""),
        ({}, "UsageError", "query", None, "query"),
    ],
)
def test_refusals_have_the_one_shape(
    client: FlaskClient, asked: dict[str, Any], kind: str, field: str, position: int, says: str
) -> None:
    """With DuckDB's words, and the place where there is one."""
    answer = client.post(SQL, json=asked)
    assert answer.status_code == 400
    error = answer.get_json()["error"]
    assert says in error["message"] and error["message"]
    if kind is not None:
        assert error["kind"] == kind and error["position"] == position
        assert field is None or error["field"] == field


def test_it_is_part_of_the_document(client: FlaskClient) -> None:
    """What is taken, and the headers and both forms of what is given."""
    document = client.get("/openapi.json").get_json()
    given = document["paths"][SQL]["post"]["responses"]["200"]
    for name in re.findall(r'"#/([^"]+)"', json.dumps(given)):
        found = document
        for part in name.split("/"):
            found = found[part]
    assert {"application/vnd.apache.arrow.stream", "application/json"} <= set(given["content"])
    assert "X-Boardlake-Truncated" in given["headers"]


def test_pages_of_other_origins_cannot_ask(client: FlaskClient) -> None:
    """Like all that is not a GET."""
    asked = {"query": "SELECT 1"}
    assert client.post(SQL, json=asked, headers={"Origin": "http://x.example"}).status_code == 403
    assert client.post(SQL, data=asked).status_code == 403


def test_sql_sees_no_deleted_run(filled: Any) -> None:
    """Workers forget a run with the lake."""

    def write(writer: Any) -> None:
        writer.scalar("loss", 1.0, 1, 1_700_000_001.0)

    client, service = filled({"a": write, "b": write})
    count = {"query": "SELECT run_key FROM runs ORDER BY 1", "format": "json"}
    keys = [row[0] for row in client.post(SQL, json=count).get_json()["rows"]]
    assert len(keys) == 2
    service.delete([keys[0]])
    assert client.post(SQL, json=count).get_json()["rows"] == [[keys[1]]]


def test_closing_the_service_ends_its_workers(filled: Any) -> None:
    """No process and no folder is left."""

    def write(writer: Any) -> None:
        writer.scalar("loss", 1.0, 1, 1_700_000_001.0)

    client, service = filled({"a": write})
    assert client.post(SQL, json={"query": "SELECT 1"}).status_code == 200
    assert isinstance(service, Service)
    folder, workers = service.sandbox._folder.path, set(service.sandbox._all)
    service.close()
    assert not Path(folder).exists() and all(one._process.poll() is not None for one in workers)
