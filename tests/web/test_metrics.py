"""`/metrics`: read by Prometheus' own parser, named by its conventions, and true."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from boardlake.api.service import Service
from boardlake.cli.main import main
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake.database import open_lake

Filled = Callable[..., tuple[FlaskClient, Service]]
Samples = dict[str, dict[tuple[tuple[str, str], ...], float]]


def scraped(client: FlaskClient) -> tuple[Samples, list[Any]]:
    """Values by name and labels, and the families."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    families = list(text_string_to_metric_families(answer.text))
    found: Samples = {}
    for family in families:
        for sample in family.samples:
            key = tuple(sorted(sample.labels.items()))
            assert key not in found.setdefault(sample.name, {}), "a sample comes once"
            found[sample.name][key] = sample.value
    return found, families


def test_names_follow_the_conventions(client: FlaskClient) -> None:
    """What `promtool check metrics` looks at: help, suffixes, base units, labels."""
    client.get("/api/v1/info")
    _, families = scraped(client)
    assert len(families) > 30
    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert family.documentation and not family.documentation.startswith(family.name)
        assert re.fullmatch(r"(boardlake|process)_[a-z0-9_]+", family.name), family.name
        assert not re.search(r"_(gauge|counter|histogram|count|sum|bucket|total)$", family.name)
        assert not re.search(r"milli|micro|_ms|_mb|kilo|minutes|hours", family.name), family.name
        # The parser takes the suffix of a counter off its family.
        totals = {sample.name.endswith("_total") for sample in family.samples}
        assert totals == {family.type == "counter"}, family.name
        for sample in family.samples:
            assert all(re.fullmatch(r"[a-z_]+", label) for label in sample.labels)


def test_figures_are_those_of_the_sources_page(client: FlaskClient) -> None:
    """Every source, by the same numbers."""
    found, _ = scraped(client)
    sources = client.get("/api/v1/sources").get_json()["sources"]
    assert len(sources) == 3
    for one in sources:
        own = (("source", one["source"]),)
        for name, told in {
            "up": 1,
            "files": one["files"],
            "files_missing": one["files_missing"],
            "files_bytes": one["size"],
            "behind_bytes": one["behind"],
            "points": one["points"],
            "problems": one["problems"],
            "last_cycle_files_listed": one["cycle"]["files_listed"],
            "last_cycle_files_changed": one["cycle"]["files_changed"],
            "last_cycle_read_bytes": one["cycle"]["bytes_read"],
            "last_cycle_points": one["cycle"]["points"],
            "last_cycle_requests": one["cycle"]["requests"],
            "last_cycle_duration_seconds": one["cycle"]["seconds"],
            "last_cycle_files_looked": one["cycle"]["files_looked"],
            "last_cycle_received_bytes": one["cycle"]["bytes_received"],
            "requests_within_day": one["requests_day"],
            "requests_allowed_per_day": one["requests_per_day"] or 0,
            "failed_cycles_total": 0,
            "put_off_cycles_total": 0,
            "cycles_total": 1,
            "requests_total": one["cycle"]["requests"],
        }.items():
            assert found[f"boardlake_source_{name}"][own] == told, name
        about = (("kind", one["kind"]), ("machine", one["machine"]), ("source", one["source"]))
        assert found["boardlake_source_info"][about] == 1
        for state in ("running", "stalled", "failed", "finished"):
            key = (("source", one["source"]), ("state", state))
            assert found["boardlake_source_runs"].get(key, 0) == one[state]
    info = client.get("/api/v1/info").get_json()
    assert found["boardlake_lake_runs"][()] == info["runs"]
    assert found["boardlake_lake_points"][()] == info["points"]
    assert found["boardlake_lake_up"][()] == 1


def test_a_source_that_is_down_shows(filled: Filled, tmp_path: Path) -> None:
    """And it is up again when it is back."""

    def write(writer: EventWriter) -> None:
        writer.scalar("loss", 1.0, 1, 1.7e9)

    client, service = filled({"a": write})
    own = (("source", "here"),)
    (tmp_path / "logs").rename(tmp_path / "away")
    assert main(["--config", str(tmp_path / "boardlake.toml"), "ingest"]) == 6
    service.readers.look()
    found, _ = scraped(client)
    assert found["boardlake_source_up"][own] == 0
    assert found["boardlake_source_failed_cycles_total"][own] == 1
    assert found["boardlake_source_cycles_total"][own] == 2
    (tmp_path / "away").rename(tmp_path / "logs")
    assert main(["--config", str(tmp_path / "boardlake.toml"), "ingest"]) == 0
    service.readers.look()
    assert scraped(client)[0]["boardlake_source_up"][own] == 1


def test_a_lake_without_cycles_has_metrics(filled: Filled) -> None:
    """What is not known is left out."""

    def write(writer: EventWriter) -> None:
        writer.scalar("loss", 1.0, 1, 1.7e9)

    client, service = filled({"a": write})
    with open_lake(service.readers.lake.location, read_only=False) as lake:
        with lake.transaction() as con:
            con.execute("DELETE FROM cycles")
    service.readers.look()
    found, _ = scraped(client)
    assert "boardlake_source_lag_seconds" not in found
    assert found["boardlake_source_files"][(("source", "here"),)] == 1


def test_requests_are_counted_by_route(client: FlaskClient) -> None:
    """Addresses that people make up add no series."""
    for path in ("/api/v1/info", "/api/v1/runs/none", "/api/v1/runs/other", "/none", "/x/y"):
        client.get(path)
    client.open("/api/v1/info", method="BREW")
    found, _ = scraped(client)
    counts = found["boardlake_http_requests_total"]

    def count(route: str, method: str, status: int) -> float:
        return counts[("method", method), ("route", route), ("status", str(status))]

    assert count("/api/v1/info", "GET", 200) == 1
    assert count("/api/v1/runs/<run_key>", "GET", 404) == 2
    assert count("other", "GET", 404) == 2
    assert not any("BREW" in dict(key).values() for key in counts)
    routes = {dict(key)["route"] for key in counts}
    assert routes == {"/api/v1/info", "/api/v1/runs/<run_key>", "other"}
    took = found["boardlake_http_request_duration_seconds_count"]
    assert sum(took.values()) == sum(counts.values()) == 6


def test_the_process_is_measured(client: FlaskClient) -> None:
    """Memory and processor time, under the names that dashboards know."""
    found, _ = scraped(client)
    assert found["process_cpu_seconds_total"][()] > 0
    assert found["process_resident_memory_bytes"][()] > 10e6
    assert found["process_open_fds"][()] > 3
