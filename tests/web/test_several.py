"""Tensors of several runs over HTTP: what one run's routes give, for many at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import compress
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from boardlake.api.service import Service
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake import across

Filled = Callable[..., tuple[FlaskClient, Service]]
WALL = 1_700_000_000.0


def keys_of(service: Service) -> dict[str, str]:
    """Run keys by name."""
    with service.cursor() as con:
        return dict(con.execute("SELECT name, run_key FROM runs").fetchall())


def post(client: FlaskClient, path: str, **body: Any) -> Any:
    answer = client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def widest(service: Service, plugin: str) -> dict[str, Any]:
    """The series of a plugin that most runs have, as a question names it."""
    with service.cursor() as con:
        row = con.execute(
            "SELECT list(run_key ORDER BY run_key DESC), tag, stream FROM series"
            " JOIN runs USING (run_id) WHERE plugin = ? GROUP BY tag, stream"
            " ORDER BY count(*) DESC, tag LIMIT 1",
            [plugin],
        ).fetchone()
    assert row is not None
    return dict(zip(("runs", "tag", "stream"), row, strict=True))


@pytest.mark.parametrize(
    ("path", "plugin"), [("histograms", "histograms"), ("pr_curves", "pr_curves")]
)
def test_each_run_has_what_it_has_alone(
    client: FlaskClient, service: Service, path: str, plugin: str
) -> None:
    """In the order asked for; every list as the route of one run gives it, but for empty buckets."""
    series = widest(service, plugin)
    assert len(series["runs"]) > 2
    more = {"fine": True} if path == "histograms" else {"thresholds": 1_000}
    found = post(client, path, **series, most=200, **more)["runs"]
    assert [one["run_key"] for one in found] == series["runs"]
    for one in found:
        query = {"run": one["run_key"], "tag": series["tag"], "stream": series["stream"]}
        alone = client.get(f"/api/v1/{path}", query_string=query).get_json()
        if path == "histograms":
            full = [[bool(n) for n in row] for row in alone["count"]]
            for name in ("left", "right", "count"):
                pairs = zip(alone[name], full, strict=True)
                alone[name] = [[*compress(row, keep)] for row, keep in pairs]
        assert one.pop("all_steps") == alone["steps"] == one["steps"]
        assert {name: alone[name] for name in one if name != "run_key"} == {
            name: value for name, value in one.items() if name != "run_key"
        }


@pytest.mark.parametrize("path", ["histograms", "pr_curves"])
def test_the_nearest_step_of_each(client: FlaskClient, service: Service, path: str) -> None:
    """One step of each run, however far away; all steps are told all the same."""
    series = widest(service, path)
    for asked in (-(2**63), 0, 2**63 - 1):
        for one in post(client, path, **series, step=asked)["runs"]:
            nearest = min(one["all_steps"], key=lambda step: (abs(step - asked), step))
            assert one["steps"] == [nearest]


def write_steps(writer: EventWriter) -> None:
    for step in range(300):
        writer.tensor("h", np.array([[0.0, 1.0, step]]), step, WALL, plugin="histograms")


def test_many_runs_share_what_one_answer_holds(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has fewer steps, its first and last among them."""
    monkeypatch.setattr(across, "MAX_HISTOGRAMS", 40)
    monkeypatch.setattr(across, "MAX_STEPS", 20)
    client, service = filled({"a": write_steps, "b": write_steps})
    keys = keys_of(service)
    for one in post(client, "histograms", runs=[*keys.values()], tag="h")["runs"]:
        assert one["total"] == 300
        assert (len(one["steps"]), one["steps"][0], one["steps"][-1]) == (20, 0, 299)
        assert (len(one["all_steps"]), one["all_steps"][0], one["all_steps"][-1]) == (10, 0, 299)


def test_values_that_are_not_finite_are_named(filled: Filled) -> None:
    """JSON has no NaN."""
    rows = np.array([[-np.inf, 0, 1], [0, np.nan, 2]])
    client, service = filled(
        {"a": lambda w: w.tensor("h", rows, 1, WALL, plugin="histograms", content=b"")}
    )
    (one,) = post(client, "histograms", runs=[*keys_of(service).values()], tag="h")["runs"]
    assert one["left"] == [["-Infinity", 0]] and one["right"] == [[0, "NaN"]]


def test_a_run_without_the_series_is_empty(client: FlaskClient, service: Service) -> None:
    """It stands in its place."""
    series = widest(service, "pr_curves")
    other = next(key for key in keys_of(service).values() if key not in series["runs"])
    runs = [series["runs"][0], other, series["runs"][1]]
    found = post(client, "pr_curves", **series | {"runs": runs})["runs"]
    assert [one["total"] > 0 for one in found] == [True, False, True]
    assert found[1] == {
        "run_key": other, "total": 0, "all_steps": [], "steps": [], "wall_times": [],
        **{name: [] for name in ("precision", "recall", "thresholds", "tp", "fp", "tn", "fn")},
    }  # fmt: skip
    found = post(client, "texts", runs=[other], tag="no such tag")["runs"]
    assert found == [{"run_key": other, "total": 0, "all_steps": [], "text": None}]


def test_texts_of_runs(filled: Filled) -> None:
    """The last of each run, or the nearest; safe HTML; what is cut says so."""

    def write(word: str, most: int) -> Callable[[EventWriter], None]:
        def one(writer: EventWriter) -> None:
            for step in range(most):
                writer.text("t", f"**{word}** {step} <script>alert(1)</script>", step, WALL)
            writer.text("long", word * 200_001, 0, WALL)

        return one

    client, service = filled({"a": write("x", 3), "b": write("y", 9)})
    keys = keys_of(service)
    asked = {"runs": [keys["b"], keys["a"]], "tag": "t/text_summary"}
    found = post(client, "texts", **asked)["runs"]
    assert [one["text"]["step"] for one in found] == [8, 2]
    assert [one["all_steps"] for one in found] == [[*range(9)], [*range(3)]]
    for one, word in zip(found, "yx", strict=True):
        assert f"<strong>{word}</strong>" in one["text"]["html"]
        assert "<script" not in one["text"]["html"]
        assert not one["text"]["truncated"]
    found = post(client, "texts", **asked, step=5)["runs"]
    assert [one["text"]["step"] for one in found] == [5, 2]
    found = post(client, "texts", **asked | {"tag": "long/text_summary"})["runs"]
    assert [one["text"]["truncated"] for one in found] == [True, True]


@pytest.mark.parametrize("path", ["histograms", "pr_curves", "texts"])
def test_what_cannot_be_asked(client: FlaskClient, service: Service, path: str) -> None:
    """Unknown runs are not there; no runs, too many, and unknown names are refused."""
    key = next(iter(keys_of(service).values()))
    for body, status in (
        ({"runs": ["none"], "tag": "a"}, 404),
        ({"runs": [], "tag": "a"}, 400),
        ({"runs": [key] * 201, "tag": "a"}, 400),
        ({"runs": [key]}, 400),
        ({"runs": [key], "tag": "a", "more": 1}, 400),
    ):
        answer = client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == status, (body, answer.text)


def test_search_in_texts(filled: Filled) -> None:
    """Hits by run in the order asked for, with their places; a filter chooses runs too."""

    def write(*texts: str) -> Callable[[EventWriter], None]:
        def one(writer: EventWriter) -> None:
            for step, text in enumerate(texts):
                writer.text("t", text, step, WALL + step)

        return one

    client, service = filled(
        {
            "a": write("The learning rate\nis 0.1", "nothing"),
            "b": write("learning", "RATE Learning"),
        }
    )
    keys = keys_of(service)
    both = [keys["b"], keys["a"]]
    found = post(client, "texts/search", query="rate learning", runs=both)
    assert (found["total"], found["truncated"], found["searched"]) == (2, False, 2)
    first, second = found["hits"]
    assert (first["run_key"], first["run"], first["step"]) == (keys["b"], "b", 1)
    assert first["tag"] == "t/text_summary" and first["places"] == 2
    assert [first["snippet"][a:b] for a, b in first["matches"]] == ["RATE", "Learning"]
    assert [second["snippet"][a:b] for a, b in second["matches"]] == ["learning", "rate"]
    found = post(client, "texts/search", query='"learning rate"', runs=both)
    assert [hit["run"] for hit in found["hits"]] == ["a"]
    found = post(client, "texts/search", query="learning", filter="name = 'a'")
    assert [hit["run"] for hit in found["hits"]] == ["a"] and found["searched"] == 1
    found = post(client, "texts/search", query="learning", limit=1)
    assert (found["total"], found["truncated"], len(found["hits"])) == (3, True, 1)
    found = post(client, "texts/search", query="learning", limit=0)
    assert (found["total"], found["truncated"], found["hits"]) == (3, True, [])
    found = post(client, "texts/search", query=r"0\.\d", regex=True)
    assert [found["hits"][0]["snippet"][a:b] for a, b in found["hits"][0]["matches"]] == ["0.1"]
    found = post(client, "texts/search", query="learning", tags=["other"])
    assert found["total"] == 0 and found["hits"] == []
    service.state.annotate([keys["a"]], {"name": "my own"})
    found = post(client, "texts/search", query="learning", runs=[keys["a"]])
    assert found["hits"][0]["run"] == "my own"


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"query": "("}, 200, ""),
        ({"query": "(", "regex": True}, 400, "missing )"),
        ({"query": '""', "regex": False}, 200, ""),
        ({"query": "  "}, 400, "no word"),
        ({"query": "a " * 30}, 400, "too many"),
        ({"query": "a", "runs": ["none"]}, 404, "no run"),
        ({"query": "a", "filter": "name ="}, 400, ""),
        ({"query": "a{1,1001}", "regex": True}, 400, "repetition"),
    ],
)
def test_queries(client: FlaskClient, body: dict[str, Any], status: int, says: str) -> None:
    """What cannot be searched for is refused with the reason."""
    answer = client.post("/api/v1/texts/search", json=body)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert says in answer.get_json()["error"]["message"]
