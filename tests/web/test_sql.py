"""SQL over HTTP: answers in both forms, limits that are told, errors with their place."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
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


TYPES = (
    "SELECT 1::TINYINT AS tiny, 9007199254740993 AS big, -9007199254740993::HUGEINT AS huge,"
    " 18446744073709551615::UBIGINT AS ubig, 1.5::DOUBLE AS d, 'nan'::FLOAT AS f,"
    " 12345678901234567890.123::DECIMAL(38, 3) AS wide, 1.50::DECIMAL(9, 2) AS dec, true AS yes,"
    " '' AS empty, NULL AS none, NULL::VARCHAR AS novarchar, 'x,\"y\"\nz' AS odd, '=1+1' AS formula,"
    " TIMESTAMP '2024-01-02 03:04:05.123456' AS micro, TIMESTAMPTZ '2024-01-02 03:04:05+00' AS tz,"
    " TIMESTAMP_NS '2024-01-01 00:00:00.123456789' AS ns, DATE '2024-01-01' AS day,"
    " 'infinity'::DATE AS never, TIME '12:00' AS noon, INTERVAL 1 DAY AS span, '\\xFF\\x00'::BLOB AS raw,"
    " [1, NULL, 3] AS list, [9007199254740993] AS bigs, {'a': 1, 'b': [{'c': 'x'}]} AS struct,"
    " MAP {'k': 1} AS map, [[1.0::DOUBLE], ['inf'::DOUBLE]] AS nested, 'b'::ENUM('a', 'b') AS enum,"
    " '101'::BIT AS bits, '00000000-0000-0000-0000-000000000001'::UUID AS uuid,"
    " '{\"j\": 1}'::JSON AS json, 1::UNION(num INT, str VARCHAR) AS either, [1, 2]::INT[2] AS arr,"
    " INTERVAL '1 month 2 days' AS months, [INTERVAL 1 DAY] AS spans"
)


def test_every_type_has_a_form(client: FlaskClient) -> None:
    """Rows as JSON with DuckDB's types; what JSON would lose is text."""
    told = client.post(SQL, json={"query": TYPES, "format": "json"}).get_json()
    row = dict(zip([one["name"] for one in told["columns"]], told["rows"][0], strict=True))
    types = {one["name"]: one["type"] for one in told["columns"]}
    assert (row["big"], row["huge"], row["ubig"]) == (
        "9007199254740993", "-9007199254740993", "18446744073709551615",
    )  # fmt: skip
    assert (row["tiny"], row["d"], row["f"], row["dec"], row["yes"]) == (1, 1.5, "NaN", 1.5, True)
    assert row["wide"] == "12345678901234567890.123" and row["bigs"] == ["9007199254740993"]
    assert (row["empty"], row["none"], row["novarchar"]) == ("", None, None)
    assert row["micro"] == "2024-01-02T03:04:05.123456Z" and row["raw"] == "ff00"
    assert row["struct"] == {"a": 1, "b": [{"c": "x"}]} and row["nested"] == [[1.0], ["Infinity"]]
    assert (row["span"], row["months"], row["spans"]) == ("1 day", "1 month 2 days", ["1 day"])
    assert (
        types["tiny"] == "TINYINT"
        and types["list"] == "INTEGER[]"
        and types["dec"] == "DECIMAL(9,2)"
    )
    assert types["struct"].startswith("STRUCT(") and told["cut"] == []


def test_every_type_fits_a_file(client: FlaskClient) -> None:
    """CSV keeps exact texts and tells NULL from an empty one; Parquet and Arrow can be read."""
    got = {
        form: client.get(SQL, query_string={"query": TYPES, "format": form})
        for form in ("csv", "parquet", "arrow", "json")
    }
    for form, answer in got.items():
        assert answer.status_code == 200, (form, answer.get_data(as_text=True))
        assert answer.headers["X-Boardlake-Rows"] == "1"
        named = answer.headers.get("Content-Disposition", "")
        assert (f'attachment; filename="boardlake-sql.{form}"' == named) == (form != "json")
        assert answer.headers["Cache-Control"] == "private, no-store"
    (row,) = list(csv.DictReader(io.StringIO(got["csv"].get_data(as_text=True))))
    assert (
        row["odd"] == 'x,"y"\nz' and row["formula"] == "=1+1" and row["big"] == "9007199254740993"
    )
    assert json.loads(row["struct"]) == {"a": 1, "b": [{"c": "x"}]} and row["raw"] == "ff00"
    assert json.loads(row["list"]) == [1, None, 3] and row["enum"] == "b"
    assert ',"",,,' in got["csv"].get_data(as_text=True)
    parquet = pq.read_table(io.BytesIO(got["parquet"].data)).select(["big", "struct", "raw"])
    assert parquet.to_pylist() == [
        {"big": 9007199254740993, "struct": {"a": 1, "b": [{"c": "x"}]}, "raw": b"\xff\x00"}
    ]
    assert pa.ipc.open_stream(got["arrow"].data).read_all()["tiny"].to_pylist() == [1]


def test_long_values_are_clipped_where_asked(client: FlaskClient) -> None:
    """Texts, nested values and bytes, each with its place and size; short ones stay whole."""
    query = (
        "SELECT repeat('ä', 100) AS t, 'short' AS s, range(1000) AS l, repeat('x', 100)::BLOB AS b"
        " UNION ALL SELECT 'a', NULL, [1], 'x'::BLOB"
    )
    told = client.post(SQL, json={"query": query, "format": "json", "clip": 10}).get_json()
    assert told["cut"] == [
        [0, 0, 100],
        [0, 2, len(json.dumps(list(range(1000)), separators=(",", ":")))],
        [0, 3, 100],
    ]
    assert told["rows"][0] == ["ä" * 10, "short", "[0,1,2,3,4", "78" * 64]
    assert told["rows"][1] == ["a", None, [1], "78"]
    whole = client.post(SQL, json={"query": query, "format": "json"}).get_json()
    assert whole["cut"] == [] and len(whole["rows"][0][2]) == 1000


@pytest.mark.parametrize(
    "columns", [", ".join(["i % 2 = 0"] * 60), "[i % 2 = 0 for j in range(60)]", "{'a': range(60)}"]
)
def test_values_that_json_has_no_room_for(client: FlaskClient, columns: str) -> None:
    """A flag is a bit in the answer's bytes and much more as JSON; files have room for it."""
    query = f"SELECT {columns} FROM range(100_000) t(i)"
    given = {"query": query, "limit": 100_000}
    answer = client.post(SQL, json=given | {"format": "json"})
    assert answer.status_code == 400 and "too many for JSON" in answer.text
    answer = client.get(SQL, query_string=given | {"format": "arrow"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("query", "limit", "by"),
    [
        ("FROM range(5000)", 5000, ""),
        ("FROM range(5001)", 5000, "rows"),
        ("SELECT repeat('x', 60_000) FROM range(2000)", 2000, "bytes"),
    ],
)
def test_what_was_cut_is_told(client: FlaskClient, query: str, limit: int, by: str) -> None:
    """By rows or by bytes, in headers and in JSON."""
    answer = client.get(SQL, query_string={"query": query, "limit": limit, "format": "arrow"})
    assert answer.headers["X-Boardlake-Truncated-By"] == by
    assert answer.headers["X-Boardlake-Truncated"] == ("true" if by else "false")


def test_addresses_cannot_be_embedded_by_others(client: FlaskClient) -> None:
    """An image of another page would cost a worker; a link may be followed, a program may ask."""
    given = {"query": "SELECT 1"}
    for site, dest, status in (
        ("cross-site", "image", 403), ("same-site", "empty", 403), ("cross-site", "iframe", 403),
        ("cross-site", "document", 200), ("same-origin", "empty", 200), ("none", "document", 200),
    ):  # fmt: skip
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": dest}
        assert client.get(SQL, query_string=given, headers=headers).status_code == status
    assert client.get(SQL, query_string=given).status_code == 200


def test_answers_by_address_are_not_kept(client: FlaskClient) -> None:
    """The same statement may have another answer."""
    given = {"query": "SELECT uuid()::VARCHAR AS u"}
    first, second = (client.get(SQL, query_string=given).get_json()["rows"] for _ in range(2))
    assert first != second


def test_the_twin_is_a_download(client: FlaskClient) -> None:
    """By the page's address and a suffix, in each form; without a statement, what can be asked."""
    for form, mime in (
        ("json", "application/json"), ("csv", "text/csv"),
        ("parquet", "application/vnd.apache.parquet"), ("arrow", "application/vnd.apache.arrow.stream"),
    ):  # fmt: skip
        answer = client.get(f"/sql.{form}?q=FROM range(3)&limit=2&chart=x", follow_redirects=True)
        assert answer.status_code == 200 and answer.mimetype == mime
        assert answer.headers["X-Boardlake-Truncated"] == "true"
    told = client.get("/sql.json", follow_redirects=True).get_json()
    assert told["tables"][0]["name"] == "runs"
    assert client.get("/sql.xml?q=x").status_code == 404


def test_the_schema_is_told_in_words(client: FlaskClient) -> None:
    """Every table with its columns, functions that can be called, and limits as they are."""
    told = client.get("/api/v1/schema").get_json()
    tables = {one["name"]: one for one in told["tables"]}
    assert tables["runs"]["kind"] == "view" and not tables["runs"]["behind"]
    assert tables["series_parts"]["behind"]
    for table in told["tables"]:
        assert table["says"] and all(one["says"] and one["type"] for one in table["columns"])
    functions = {one["name"]: one for one in told["functions"]}
    assert functions["arg_max"]["kind"] == "aggregate" and "unnest" in functions
    assert not {"read_csv", "current_setting", "query", "getenv"} & set(functions)
    assert {"select", "qualify", "pivot", "asof"} <= set(told["keywords"])
    assert told["limits"]["seconds"] == 10 and told["limits"]["rows"] == 1_000_000
    # What is offered can be called.
    for call in ("arg_max(name, points)", "list_transform([1], lambda x: x + 1)"):
        asked = {"query": f"SELECT {call} FROM runs", "format": "json"}
        assert client.post(SQL, json=asked).status_code == 200


def test_intervals_are_written_as_duckdb_does(client: FlaskClient) -> None:
    """The cast to text is the same, whatever they hold."""
    spans = (
        "INTERVAL '14 months', INTERVAL '-1 month', INTERVAL '3 days 04:05:06.789', INTERVAL 0 SECONDS,"
        " INTERVAL '-90 seconds', INTERVAL '25 hours', INTERVAL '1 year 1 day', INTERVAL '-2 days'"
    )
    query = f"SELECT i, i::VARCHAR AS t FROM (SELECT unnest([{spans}]) AS i)"
    told = client.post(SQL, json={"query": query, "format": "json"}).get_json()
    assert len(told["rows"]) == 8 and all(i == t for i, t in told["rows"]), told["rows"]


def test_times_are_exact(client: FlaskClient) -> None:
    """To the microsecond where there is one, alone or among others, with and without a zone."""
    times = "'2024-01-02 03:04:05.123456', '1969-12-31 23:59:59.999', '0001-01-01', NULL, '9999-12-31 23:59:59'"
    query = f"SELECT t::TIMESTAMP AS t, t::TIMESTAMPTZ AS z FROM (SELECT unnest([{times}]) AS t)"
    told = client.post(SQL, json={"query": query, "format": "json"}).get_json()
    assert [row[0] for row in told["rows"]] == [
        "2024-01-02T03:04:05.123456Z", "1969-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000Z", None,
        "9999-12-31T23:59:59.000Z",
    ]  # fmt: skip
    assert all(plain == zoned for plain, zoned in told["rows"])
    query = "SELECT unnest(['infinity'::TIMESTAMP, '12000-01-01'::TIMESTAMP, NULL]) AS t"
    told = client.post(SQL, json={"query": query, "format": "json"}).get_json()
    assert len(told["rows"]) == 3 and told["rows"][2] == [None]
