"""Curves over HTTP: what charts get is what the lake has."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from flask.testing import FlaskClient

from boardlake.api.service import Service
from boardlake.lake.history import points, tags


def decode(frame: bytes) -> dict[str, Any]:
    """A frame read by its description."""
    (size,) = struct.unpack_from("<I", frame)
    header: dict[str, Any] = json.loads(frame[4 : 4 + size])

    def column(at: Any) -> Any:
        if not (isinstance(at, list) and len(at) == 3 and isinstance(at[2], str)):
            return at
        start = 4 + size + at[0]
        assert start % 8 == 0
        return np.frombuffer(frame, f"<{at[2]}", at[1], start)

    for chart in header["charts"]:
        chart["grid"] = column(chart["grid"])
        chart["series"] = [
            {name: column(value) for name, value in one.items()} for one in chart["series"]
        ]
    return header


@pytest.fixture
def longest(service: Service) -> tuple[str, list[int], pd.DataFrame]:
    """The tag with most points, the runs that have it and its points."""
    with service.cursor() as con:
        scalars = [one for one in tags(con).to_pylist() if one["kind"] == "scalar"]
        tag = max(scalars, key=lambda one: one["points"] / one["runs"])["tag"]
        table = con.execute("SELECT DISTINCT run_id FROM series WHERE tag = ?", [tag]).fetchall()
        runs = sorted(row[0] for row in table)
        return tag, runs, points(con, runs, [tag]).to_pandas()


def ask(client: FlaskClient, **body: object) -> dict[str, Any]:
    answer = client.post("/api/v1/series", json=body)
    assert answer.status_code == 200, answer.text
    return decode(answer.data)


@pytest.mark.parametrize("x", ["step", "relative", "wall"])
def test_exact_curves_are_the_points(
    client: FlaskClient, longest: tuple[str, list[int], pd.DataFrame], x: str
) -> None:
    tag, runs, truth = longest
    (chart,) = ask(client, runs=runs, tags=[tag], x=x, px=8192)["charts"]
    assert chart["exact"]
    found = {(one["run_id"], one["stream"]): one for one in chart["series"]}
    for key, group in truth.groupby(["run_id", "stream"]):
        wall = group["wall_time"] - group["wall_time"].min()
        at = {"step": group["step"], "relative": wall, "wall": group["wall_time"]}[x]
        order = np.argsort(at.to_numpy(), kind="stable")
        np.testing.assert_allclose(found[key]["x"], at.to_numpy()[order])
        assert np.array_equal(
            np.sort(found[key]["y"]), np.sort(group["value"].to_numpy()), equal_nan=True
        )
        assert found[key]["n"] == len(group)
    assert len(found) == truth.groupby(["run_id", "stream"]).ngroups


@pytest.mark.parametrize("x", ["step", "relative", "wall"])
def test_buckets_hold_every_finite_point(
    client: FlaskClient, longest: tuple[str, list[int], pd.DataFrame], x: str
) -> None:
    tag, runs, truth = longest
    (chart,) = ask(client, runs=runs, tags=[tag], x=x, px=64)["charts"]
    if chart["exact"]:
        pytest.skip("the samples have no series that is long enough")
    for one in chart["series"]:
        mask = (truth["run_id"] == one["run_id"]) & (truth["stream"] == one["stream"])
        values = truth[mask & np.isfinite(truth["value"])]["value"].to_numpy()
        filled = one["count"] > 0
        assert one["count"].sum() == len(values) == one["n"]
        mean = (one["y"][filled] * one["count"][filled]).sum() / len(values)
        np.testing.assert_allclose(mean, values.mean(), rtol=1e-9)
        np.testing.assert_allclose(one["min"][filled].min(), values.min(), rtol=1e-6)
        np.testing.assert_allclose(one["max"][filled].max(), values.max(), rtol=1e-6)
        assert np.isnan(one["y"][~filled]).all()
        assert len(one["y"]) == len(chart["grid"])


def test_a_window_gives_the_points_within(
    client: FlaskClient, longest: tuple[str, list[int], pd.DataFrame]
) -> None:
    tag, runs, truth = longest
    low, high = np.quantile(truth["step"], [0.25, 0.3])
    (chart,) = ask(client, runs=runs, tags=[tag], range=[low, high], px=2000)["charts"]
    inside = truth[(truth["step"] >= low) & (truth["step"] <= high)]
    assert sum(one["n"] for one in chart["series"]) == len(inside)


def test_a_group_is_the_mean_of_its_runs(
    client: FlaskClient, longest: tuple[str, list[int], pd.DataFrame]
) -> None:
    """Each member counts once wherever its curve goes, between its points by interpolation."""
    tag, runs, truth = longest
    (chart,) = ask(client, groups=[runs], tags=[tag], px=640)["charts"]
    finite = truth[np.isfinite(truth["value"])]
    low, high = chart["range"]
    size = len(chart["grid"])
    for one in chart["series"]:
        members = []
        for _, run in finite[finite["stream"] == one["stream"]].groupby("run_id"):
            bucket = ((run["step"] - int(low)) * size // int(high - low + 1)).to_numpy()
            mean = run["value"].groupby(bucket).mean()
            members.append(np.interp(np.arange(size), mean.index, mean, np.nan, np.nan))
        whole = np.stack(members)
        count = (~np.isnan(whole)).sum(axis=0)
        np.testing.assert_array_equal(one["count"], count)
        filled, several = count > 0, count > 1
        np.testing.assert_allclose(one["y"][filled], np.nanmean(whole[:, filled], axis=0))
        np.testing.assert_allclose(one["min"][filled], np.nanmin(whole[:, filled], 0), rtol=1e-6)
        np.testing.assert_allclose(one["max"][filled], np.nanmax(whole[:, filled], 0), rtol=1e-6)
        std = np.nanstd(whole[:, several], axis=0, ddof=1)
        np.testing.assert_allclose(one["std"][several], std, rtol=1e-4, atol=1e-9)
        assert one["n"] == count.max()


@pytest.mark.parametrize("form", ["csv", "arrow", "parquet", "json"])
def test_every_format_has_the_same_points(
    client: FlaskClient, longest: tuple[str, list[int], pd.DataFrame], form: str
) -> None:
    tag, runs, truth = longest
    answer = client.post(
        "/api/v1/series", json={"runs": runs, "tags": [tag], "every": True, "format": form}
    )
    if form == "json":
        rows = sum(one["n"] for one in answer.get_json()["charts"][0]["series"])
    elif form == "csv":
        frame = pd.read_csv(io.BytesIO(answer.data))
        rows = len(frame)
        asked = client.get("/api/v1/runs?columns=name&limit=1000").get_json()["rows"]
        names = {row[0]: row[1] for row in asked}
        assert set(zip(frame["run_id"], frame["run"], strict=True)) == {
            (run, names[run]) for run in frame["run_id"].unique()
        }
    elif form == "arrow":
        rows = pa.ipc.open_stream(answer.data).read_all().num_rows
    else:
        rows = len(pd.read_parquet(io.BytesIO(answer.data)))
    assert rows == len(truth)


def test_superseded_stretches_come_only_when_asked(service: Service, client: FlaskClient) -> None:
    with service.cursor() as con:
        row = con.execute(
            "SELECT run_id, tag, sum(superseded) FROM series WHERE superseded > 0"
            " AND kind = 'scalar' GROUP BY ALL ORDER BY 3 DESC LIMIT 1"
        ).fetchone()
    assert row is not None, "the samples have a restart"
    run, tag, lost = row
    for px in (64, 8192):
        (plain,) = ask(client, runs=[run], tags=[tag], px=px)["charts"]
        assert not any(one["superseded"] for one in plain["series"])
        assert any(one["restarts"] for one in plain["series"])
        (whole,) = ask(client, runs=[run], tags=[tag], px=px, superseded=True)["charts"]
        assert sum(one["n"] for one in whole["series"] if one["superseded"]) == lost


def test_values_that_are_not_finite_are_named(service: Service, client: FlaskClient) -> None:
    with service.cursor() as con:
        row = con.execute(
            "SELECT run_id, tag FROM series WHERE kind = 'scalar' AND nan_count + inf_count > 0"
        ).fetchone()
    assert row is not None, "the samples have a NaN"
    for px in (64, 8192):
        (chart,) = ask(client, runs=[row[0]], tags=[row[1]], px=px)["charts"]
        names = {name for one in chart["series"] for _, name in one["special"]}
        assert names and names <= {"NaN", "Infinity", "-Infinity"}


def test_members_of_a_group_are_found(client: FlaskClient) -> None:
    for key in ("project", "state", "hp.lr", "hp.model", "length(name)"):
        groups = client.get("/api/v1/groups", query_string={"group_by": key})
        if groups.status_code != 200:
            assert key == "length(name)"
            continue
        for row in groups.get_json()["rows"]:
            members = client.get(
                "/api/v1/runs",
                query_string={"members": json.dumps([[key, row[0]]]), "columns": "name"},
            ).get_json()
            assert members["total"] == row[1]


def test_a_window_without_points_is_an_empty_answer(
    client: FlaskClient, longest: tuple[str, list[int], pd.DataFrame]
) -> None:
    """Beyond every curve, with and without groups and superseded points, there is nothing, not an error."""
    tag, runs, _ = longest
    for more in ({}, {"groups": [runs]}, {"superseded": True}, {"x": "relative"}, {"x": "wall"}):
        found = ask(client, runs=runs, tags=[tag], range=[1e12, 1e12 + 5], px=64, **more)
        assert not any(one["n"] for chart in found["charts"] for one in chart["series"])


def test_series_without_points_in_the_window_of_restarts(
    service: Service, client: FlaskClient
) -> None:
    """A restart elsewhere than in the window takes nothing back in it."""
    with service.cursor() as con:
        row = con.execute(
            "SELECT run_id, tag, last_step FROM series WHERE superseded > 0 AND kind = 'scalar'"
            " ORDER BY points DESC LIMIT 1"
        ).fetchone()
    assert row is not None, "the samples have a restart"
    window = [row[2] - 5, row[2]]
    found = ask(client, runs=[row[0]], tags=[row[1]], range=window, superseded=True)
    assert not any(one["superseded"] for chart in found["charts"] for one in chart["series"])
