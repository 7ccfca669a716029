"""A fault of DuckDB's own, after which it refuses every statement, costs the request that met it."""

from __future__ import annotations

import duckdb
import pytest
from flask.testing import FlaskClient

from boardlake.api.service import Service


def test_the_lake_is_opened_anew(
    client: FlaskClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs, what people wrote about them, and SQL are answered as before; other errors change nothing."""
    key = client.get("/api/v1/runs?limit=1&columns=run_key").json["rows"][0][-1]
    body = {"runs": [key], "set": {"name": "mine"}}
    assert client.patch("/api/v1/annotations", json=body).status_code == 200
    asked = "/api/v1/runs?filter=label%20%3D%20%27mine%27&columns=run_key,label"
    before = client.get(asked).json
    assert len(before["rows"]) == 1
    lake = service.readers.lake
    with pytest.raises(duckdb.Error), service.cursor() as con:
        con.execute("SELECT nothing")
    assert service.readers.lake is lake
    with pytest.raises(duckdb.FatalException), service.cursor():
        raise duckdb.FatalException("database has been invalidated")
    with pytest.raises(RuntimeError), service.cursor():
        raise RuntimeError from duckdb.InternalException("index 0 within vector of size 0")
    assert service.readers.lake is not lake
    assert service.readers.lives == 2
    service.state.annotate([key], {"notes": "x"})
    assert client.get(asked).json["rows"] == before["rows"]
    answer = client.post("/api/v1/sql", json={"query": "SELECT count(*) FROM runs"})
    assert answer.status_code == 200
