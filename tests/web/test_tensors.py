"""Histograms, texts and PR curves over HTTP: what the event files hold, thinned and cut as said."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from boardlake.api.service import Service
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake.tensors import MAX_BUCKETS, MAX_CHARS

Filled = Callable[..., tuple[FlaskClient, Service]]
WALL = 1_700_000_000.0


def key_of(service: Service, name: str) -> str:
    with service.cursor() as con:
        row = con.execute("SELECT run_key FROM runs WHERE name = ?", [name]).fetchone()
    assert row is not None
    return str(row[0])


def get(client: FlaskClient, path: str, **query: object) -> Any:
    answer = client.get(f"/api/v1/{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def longest(service: Service, plugin: str) -> dict[str, str]:
    """The series of a plugin with most steps, as a query names it."""
    with service.cursor() as con:
        row = con.execute(
            "SELECT r.run_key, s.tag, s.stream FROM series s JOIN runs r USING (run_id)"
            " WHERE s.plugin = ? ORDER BY s.points DESC LIMIT 1",
            [plugin],
        ).fetchone()
    assert row is not None
    return dict(zip(("run", "tag", "stream"), row, strict=True))


def test_histograms_are_those_of_the_lake(client: FlaskClient, service: Service) -> None:
    """All steps in order with their three lists."""
    series = longest(service, "histograms")
    found = get(client, "histograms", **series)
    with service.cursor() as con:
        truth = con.execute(
            'SELECT step, wall_time, "left", "right", "count" FROM histograms JOIN runs'
            " USING (run_id) WHERE run_key = $run AND tag = $tag AND stream = $stream"
            " ORDER BY step",
            series,
        ).fetchall()
    columns = [found[name] for name in ("steps", "wall_times", "left", "right", "count")]
    assert [tuple(row) for row in zip(*columns, strict=True)] == truth
    assert found["total"] == len(truth) > 3


@pytest.mark.parametrize("most", [2, 3, 7])
def test_thinning_keeps_first_and_last(client: FlaskClient, service: Service, most: int) -> None:
    """Evenly: no two gaps, counted in steps of the series, differ by more than one."""
    series = longest(service, "histograms")
    steps = get(client, "histograms", **series)["steps"]
    assert len(steps) > most
    found = get(client, "histograms", most=most, **series)
    places = [steps.index(step) for step in found["steps"]]
    assert (len(places), places[0], places[-1]) == (most, 0, len(steps) - 1)
    assert np.ptp(np.diff(places)) <= 1
    assert found["total"] == len(steps)


def test_one_step_is_the_nearest(client: FlaskClient, service: Service) -> None:
    """Exactly one, however far away it is asked for."""
    series = longest(service, "histograms")
    steps = get(client, "histograms", **series)["steps"]
    for asked, step in ((steps[2], steps[2]), (-(2**63), steps[0]), (2**63 - 1, steps[-1])):
        assert get(client, "histograms", step=asked, **series)["steps"] == [step]


def test_very_fine_histograms_are_merged(filled: Filled) -> None:
    """Neighbouring buckets become one, and nothing of the counts is lost."""
    buckets = 2 * MAX_BUCKETS + 7
    edges = np.arange(buckets + 1.0)
    rows = np.stack([edges[:-1], edges[1:], np.ones(buckets)], axis=1)
    client, service = filled(
        {"a": lambda w: w.tensor("h", rows, 1, WALL, plugin="histograms", content=b"")}
    )
    found = get(client, "histograms", run=key_of(service, "a"), tag="h")
    left, right, count = (found[name][0] for name in ("left", "right", "count"))
    assert len(count) <= MAX_BUCKETS and sum(count) == buckets
    assert left[1:] == right[:-1] and (left[0], right[-1]) == (0, buckets)
    assert [b - a for a, b in zip(left, right, strict=True)] == count


def test_values_that_are_not_finite_are_named(filled: Filled) -> None:
    """JSON has no NaN."""
    rows = np.array([[-np.inf, 0, 1], [0, np.nan, 2]])
    client, service = filled(
        {"a": lambda w: w.tensor("h", rows, 1, WALL, plugin="histograms", content=b"")}
    )
    found = get(client, "histograms", run=key_of(service, "a"), tag="h")
    assert found["left"] == [["-Infinity", 0]] and found["right"] == [[0, "NaN"]]


def write_texts(writer: EventWriter) -> None:
    for step in range(5):
        writer.text("notes", f"step **{step}** <script>alert(1)</script>", step, WALL + step)
    writer.text_tensor("grid", [["a", "*b*"], ["c", "d"], ["e", "f"]], 3, WALL)
    writer.text("long", "x" * (MAX_CHARS + 5), 0, WALL)


def test_texts(filled: Filled) -> None:
    """All steps are listed; the last texts come whole, as written and as HTML."""
    client, service = filled({"a": write_texts})
    run, tag = key_of(service, "a"), "notes/text_summary"
    found = get(client, "texts", run=run, tag=tag, most=2)
    assert found["steps"] == [0, 1, 2, 3, 4]
    assert [one["step"] for one in found["texts"]] == [3, 4]
    assert found["texts"][1]["text"] == "step **4** <script>alert(1)</script>"
    assert "<strong>4</strong>" in found["texts"][1]["html"]
    assert "<script" not in found["texts"][1]["html"]
    assert not found["texts"][1]["truncated"]
    one = get(client, "texts", run=run, tag=tag, step=1)
    assert [text["step"] for text in one["texts"]] == [1] and one["steps"] == [0, 1, 2, 3, 4]


def test_a_string_tensor_is_a_table(filled: Filled) -> None:
    """Rows and cells as TensorBoard shows them."""
    client, service = filled({"a": write_texts})
    (text,) = get(client, "texts", run=key_of(service, "a"), tag="grid")["texts"]
    assert text["html"].count("<tr>") == 3 and text["html"].count("<td>") == 6
    assert "<em>b</em>" in text["html"] and text["text"] == "a\t*b*\nc\td\ne\tf"


def test_long_texts_are_cut(filled: Filled) -> None:
    """A text has an end, and it is told that there was more."""
    client, service = filled({"a": write_texts})
    (text,) = get(client, "texts", run=key_of(service, "a"), tag="long/text_summary")["texts"]
    assert text["truncated"] and len(text["text"]) == MAX_CHARS


def test_pr_curves_are_those_of_tensorboard(client: FlaskClient, service: Service) -> None:
    """The same lists, trimmed where TensorBoard trims them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from tensorboard.plugins.pr_curve.pr_curves_plugin import PrCurvesPlugin
    series = longest(service, "pr_curves")
    found = get(client, "pr_curves", **series)
    with service.cursor() as con:
        rows = con.execute(
            "SELECT step, wall_time, data FROM tensors JOIN runs USING (run_id)"
            " WHERE run_key = $run AND tag = $tag AND stream = $stream ORDER BY step",
            series,
        ).fetchall()
    names = {"tp": "true_positives", "fp": "false_positives", "tn": "true_negatives"}
    names |= {"fn": "false_negatives"}
    names |= {name: name for name in ("precision", "recall", "thresholds")}
    assert found["total"] == len(rows) > 1
    for at, (step, wall, data) in enumerate(rows):
        entry = PrCurvesPlugin._make_pr_entry(None, step, wall, np.reshape(data, (6, -1)))
        assert (found["steps"][at], found["wall_times"][at]) == (step, wall)
        for name, theirs in names.items():
            np.testing.assert_allclose(found[name][at], entry[theirs], err_msg=name)


@pytest.mark.parametrize("path", ["histograms", "texts", "pr_curves"])
def test_what_is_not_there(client: FlaskClient, service: Service, path: str) -> None:
    """A run that is not there is refused; a series that it does not have is empty."""
    answer = client.get(f"/api/v1/{path}?run=none&tag=a")
    assert (answer.status_code, answer.get_json()["error"]["kind"]) == (404, "NoSuchRun")
    assert client.get(f"/api/v1/{path}?run=none").status_code == 400
    run = longest(service, "histograms")["run"]
    assert get(client, path, run=run, tag="no such tag")["steps"] == []
