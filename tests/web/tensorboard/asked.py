"""Everything that the front end can ask a TensorBoard for: one function for each dashboard's routes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlencode

from werkzeug.test import Client, TestResponse

Key = tuple[str, ...]
"""A route, and what it was asked for: run, tag, ..."""
Answers = dict[Key, Any]
Asked = Iterator[tuple[Key, Any]]
T = TypeVar("T")

# What is no data of runs: pages, and dashboards that read files below a log directory.
ASIDE = ("/data/plugin_entry.html", "/data/plugin/projector/", "/data/plugin/debugger-v2/")


class Board:
    """A TensorBoard, asked over WSGI; *routes* gathers what it was asked for."""

    def __init__(self, app: Any, prefix: str = "", provider: Any = None) -> None:
        self.client = app if isinstance(app, Client) else Client(app)
        self.prefix = prefix
        self.app = app
        self.provider = provider
        self.routes: set[str] = set()

    def send(self, route: str, **given: Any) -> TestResponse:
        """The response to a GET, or to a POST where there is *data*."""
        self.routes.add(route)
        method = self.client.post if "data" in given else self.client.get
        return method(self.prefix + route, **given)

    def get(self, route: str, **args: Any) -> Any:
        """What a GET of a data route says: JSON, CSV as rows, text, bytes; an error as its status."""
        query = urlencode([pair for pair in args.items() if pair[1] is not None], doseq=True)
        return said(self.send(route, query_string=query))

    def post(self, route: str, data: Any) -> Any:
        """The same of a POST of form fields, or of JSON where *data* is text."""
        return said(self.send(route, data=data))

    def blob(self, route: str, query: str) -> tuple[str, str]:
        """The type of what lies behind an address, and a hash of it."""
        answer = self.send(route, query_string=query)
        assert answer.status_code == 200, f"{route}?{query}: {answer.status}"
        return answer.mimetype, hashlib.sha256(answer.data).hexdigest()


def said(response: TestResponse) -> Any:
    """The content of a response, comparable between TensorBoards."""
    if response.status_code != 200:
        return f"status {response.status_code}"
    if response.mimetype == "application/json":
        return json.loads(response.get_data())
    if response.mimetype == "text/csv":
        return list(csv.reader(io.StringIO(response.get_data(as_text=True))))
    if response.mimetype.startswith("text/") or response.mimetype.endswith("latex"):
        return response.get_data(as_text=True)
    return response.mimetype, response.get_data()


def core(board: Board, thorough: bool) -> Asked:
    """What the frame asks for: runs, and which dashboards are there."""
    yield ("runs",), board.get("/data/runs")
    listing = board.get("/data/plugins_listing")
    yield ("dashboards",), {name: told for name, told in listing.items() if _of_data(name)}
    told = board.get("/data/environment")
    yield ("environment",), {name: told[name] for name in ("version", "experiment_description")}
    for route in ("experiments", "experiment_runs"):
        yield (route,), board.get(f"/data/{route}")
    for route in ("logdir", "window_properties"):
        yield (route,), sorted(board.get(f"/data/{route}"))
    # It leads to a note among the assets.
    yield ("notifications",), board.send("/data/notifications").headers["Location"].split("/")[-1]


def _of_data(dashboard: str) -> bool:
    return dashboard not in (
        "projector",
        "debugger-v2",
        "profile",
        "profile_redirect",
        "wit_redirect",
    )


def scalars(board: Board, thorough: bool) -> Asked:
    """Scalars: of one run as JSON and CSV, of many runs at once."""
    at = "/data/plugin/scalars"
    tags = board.get(f"{at}/tags")
    yield ("scalars/tags",), tags
    for run, tag in _some(_each(tags), thorough):
        yield ("scalars/scalars", run, tag), board.get(f"{at}/scalars", run=run, tag=tag)
        yield (
            ("scalars/scalars csv", run, tag),
            _rows(board.get(f"{at}/scalars", run=run, tag=tag, format="csv")),
        )
    for tag, runs in _some(sorted(_runs(tags).items()), thorough):
        form = {"tag": tag, "runs": runs}
        yield ("scalars/scalars_multirun", tag), board.post(f"{at}/scalars_multirun", form)


def time_series(board: Board, thorough: bool) -> Asked:
    """The Time Series dashboard: scalars of all runs, histograms and images of one."""
    at = "/data/plugin/timeseries"
    tags = board.get(f"{at}/tags")
    yield ("timeseries/tags",), tags
    requests: list[dict[str, Any]] = []
    names = {tag for found in tags["scalars"]["runTagInfo"].values() for tag in found}
    requests += [{"plugin": "scalars", "tag": tag} for tag in _some(sorted(names), thorough)]
    for run, tag in _some(_each(tags["histograms"]["runTagInfo"]), thorough):
        requests.append({"plugin": "histograms", "run": run, "tag": tag})
    for tag, run in _some(_each(tags["images"]["tagRunSampledInfo"]), thorough):
        samples = range(tags["images"]["tagRunSampledInfo"][tag][run]["maxSamplesPerStep"])
        requests += [
            {"plugin": "images", "run": run, "tag": tag, "sample": sample} for sample in samples
        ]
    requests += [
        {"plugin": "scalars"},
        {"plugin": "histograms", "tag": "no run"},
        {"plugin": "images", "tag": "no sample", "run": "a"},
        {"plugin": "scalars", "tag": "there is no such tag"},
    ]
    answer = board.post(f"{at}/timeSeries", {"requests": json.dumps(requests)})
    assert len(answer) == len(requests)
    for request, found in zip(requests, answer, strict=True):
        if request["plugin"] == "images":
            for number, datum in enumerate(_flat(found.get("runToSeries", {}))):
                key = datum.pop("imageId")
                if thorough or (not number and not request["sample"]):
                    datum["blob"] = board.blob(f"{at}/imageData", urlencode({"imageId": key}))
        asked = (request.get(name, "") for name in ("plugin", "run", "tag", "sample"))
        yield ("timeseries/timeSeries", *map(str, asked)), found


def custom_scalars(board: Board, thorough: bool) -> Asked:
    """Custom Scalars: the layout, and what its charts ask for."""
    at = "/data/plugin/custom_scalars"
    layout = board.get(f"{at}/layout")
    yield ("custom_scalars/layout",), layout
    runs = board.get("/data/runs")
    wanted = set(_regexes(layout)) | {"(", "", ".*loss"}
    tags = board.get("/data/plugin/scalars/tags")
    for run in _some(sorted(runs), thorough)[: None if thorough or layout else 1]:
        for regex in sorted(wanted):
            key = ("custom_scalars/scalars", run, regex)
            yield key, board.get(f"{at}/scalars", run=run, tag=regex)
        for tag in _some(sorted(tags.get(run, {})), thorough):
            for form in ("json", "csv"):
                answer = board.get(f"{at}/download_data", run=run, tag=tag, format=form)
                yield ("custom_scalars/download_data", form, run, tag), _rows(answer)


def _regexes(layout: dict[str, Any]) -> Iterator[str]:
    for category in layout.get("category", []):
        for chart in category.get("chart", []):
            yield from chart.get("multiline", {}).get("tag", [])
            for series in chart.get("margin", {}).get("series", []):
                yield from (series[name] for name in ("value", "lower", "upper"))


def images(board: Board, thorough: bool) -> Asked:
    """Images: the steps of each sample, and the bytes."""
    return _clips(board, "images", "images", "individualImage", thorough)


def audio(board: Board, thorough: bool) -> Asked:
    """Audio: likewise."""
    return _clips(board, "audio", "audio", "individualAudio", thorough)


def _clips(board: Board, plugin: str, listing: str, one: str, thorough: bool) -> Asked:
    at = f"/data/plugin/{plugin}"
    tags = board.get(f"{at}/tags")
    yield (f"{plugin}/tags",), tags
    for run, tag in _some(_each(tags), thorough):
        for sample in range(tags[run][tag]["samples"]):
            found = board.get(f"{at}/{listing}", run=run, tag=tag, sample=sample)
            for number, datum in enumerate(found if isinstance(found, list) else ()):
                query = datum.pop("query")
                if thorough or (number == len(found) - 1 and not sample):
                    datum["blob"] = board.blob(f"{at}/{one}", query)
            yield (f"{plugin}/{listing}", run, tag, str(sample)), found


def graphs(board: Board, thorough: bool) -> Asked:
    """Graphs: of the run, of a trace, of a Keras model, and what a step cost."""
    at = "/data/plugin/graphs"
    info = board.get(f"{at}/info")
    yield ("graphs/info",), info
    limits = {"limit_attr_size": 1024, "large_attrs_key": "_too_large_attrs"}
    for run, told in _some(sorted(info.items()), thorough):
        asked: list[tuple[str, dict[str, Any]]] = []
        if told["run_graph"]:
            asked.append(("graph", {}))
        for tag, has in sorted(told["tags"].items()):
            if has["conceptual_graph"]:
                asked.append(("graph", {"tag": tag, "conceptual": "true"}))
            if has["op_graph"]:
                asked.append(("graph", {"tag": tag}))
            if has["profile"]:
                asked.append(("run_metadata", {"tag": tag}))
        for route, args in asked:
            given = args | (limits if route == "graph" else {})
            key = (f"graphs/{route}", run, *map(str, args.values()))
            yield key, board.get(f"{at}/{route}", run=run, **given)


def histograms(board: Board, thorough: bool) -> Asked:
    """Histograms."""
    return _series(board, "histograms", "histograms", thorough)


def distributions(board: Board, thorough: bool) -> Asked:
    """Distributions: histograms as percentiles."""
    return _series(board, "distributions", "distributions", thorough)


def _series(board: Board, plugin: str, route: str, thorough: bool) -> Asked:
    at = f"/data/plugin/{plugin}"
    tags = board.get(f"{at}/tags")
    yield (f"{plugin}/tags",), tags
    for run, tag in _some(_each(tags), thorough):
        yield (f"{plugin}/{route}", run, tag), board.get(f"{at}/{route}", run=run, tag=tag)


def text(board: Board, thorough: bool) -> Asked:
    """Texts, with Markdown and without."""
    at = "/data/plugin/text"
    tags = board.get(f"{at}/tags")
    yield ("text/tags",), {run: sorted(found) for run, found in tags.items()}
    for run, tag in _some(_each(tags), thorough):
        for markdown in ("true", "false"):
            answer = board.get(f"{at}/text", run=run, tag=tag, markdown=markdown)
            yield ("text/text", run, tag, markdown), answer


def pr_curves(board: Board, thorough: bool) -> Asked:
    """PR curves of all runs that have the tag."""
    at = "/data/plugin/pr_curves"
    tags = board.get(f"{at}/tags")
    yield ("pr_curves/tags",), tags
    for tag, runs in sorted(_runs(tags).items()):
        yield ("pr_curves/pr_curves", tag), board.get(f"{at}/pr_curves", run=runs, tag=tag)


def mesh(board: Board, thorough: bool) -> Asked:
    """Meshes: their parts, and each part's numbers."""
    at = "/data/plugin/mesh"
    tags = board.get(f"{at}/tags")
    yield ("mesh/tags",), tags
    kinds = {0: "UNDEFINED", 1: "VERTEX", 2: "FACE", 3: "COLOR"}
    for run, tag in _some(_each(tags), thorough):
        parts = board.get(f"{at}/meshes", run=run, tag=tag)
        yield ("mesh/meshes", run, tag), parts
        for part in parts:
            for sample in range(part["data_shape"][0]):
                step, kind = part["step"], kinds[part["content_type"]]
                key = ("mesh/data", run, tag, str(step), kind, str(sample))
                yield (
                    key,
                    board.get(
                        f"{at}/data", run=run, tag=tag, step=step, content_type=kind, sample=sample
                    ),
                )


def hparams(board: Board, thorough: bool) -> Asked:
    """HParams: columns, rows, the metrics of a session, downloads."""
    at = "/data/plugin/hparams"
    experiment = board.post(f"{at}/experiment", "{}")
    yield ("hparams/experiment",), experiment
    request = sessions_request(experiment)
    groups = board.post(f"{at}/session_groups", json.dumps(request))
    yield ("hparams/session_groups",), groups
    for group in _some(groups.get("sessionGroups", []), thorough):
        for session in group["sessions"]:
            for metric in session.get("metricValues", []):
                asked = {"sessionName": session["name"], "metricName": metric["name"]}
                key = ("hparams/metric_evals", session["name"], json.dumps(metric["name"]))
                yield key, board.post(f"{at}/metric_evals", json.dumps(asked))
    columns = len(experiment.get("hparamInfos", [])) + len(experiment.get("metricInfos", []))
    for form in ("csv", "json", "latex"):
        answer = board.get(
            f"{at}/download_data",
            request=json.dumps(request),
            format=form,
            columnsVisibility=json.dumps([True] * columns),
        )
        yield ("hparams/download_data", form), answer


def sessions_request(experiment: dict[str, Any]) -> dict[str, Any]:
    """The request for all rows with all columns, as the dashboard sends it."""
    hparams = [{"hparam": one["name"]} for one in experiment.get("hparamInfos", [])]
    metrics = [{"metric": one["name"]} for one in experiment.get("metricInfos", [])]
    return {
        "startIndex": 0,
        "sliceSize": 10_000,
        "colParams": hparams + metrics,
        "allowedStatuses": [
            "STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING",
        ],
        "aggregationType": "AGGREGATION_AVG",
    }  # fmt: skip


DASHBOARDS: tuple[Callable[[Board, bool], Asked], ...] = (
    core, scalars, time_series, custom_scalars, images, audio, graphs, distributions, histograms,
    text, pr_curves, mesh, hparams,
)  # fmt: skip


def answers(board: Board, *, thorough: bool = True) -> Answers:
    """All that a TensorBoard says.

    Without *thorough*, of what is asked for one by one the first and the last are, and of the images and
    sounds of each of these one is fetched.
    """
    return {key: answer for one in DASHBOARDS for key, answer in one(board, thorough)}


def _some(found: Iterable[T], thorough: bool) -> list[T]:
    """All of it, or the first and the last."""
    every = list(found)
    return every if thorough or len(every) < 3 else [every[0], every[-1]]


def _each(tags: Any) -> Iterator[tuple[str, str]]:
    for run, found in sorted(tags.items()):
        yield from ((run, tag) for tag in sorted(found))


def _runs(tags: dict[str, Any]) -> dict[str, list[str]]:
    runs: dict[str, list[str]] = {}
    for run, tag in _each(tags):
        runs.setdefault(tag, []).append(run)
    return runs


def _rows(answer: Any) -> Any:
    """Points as lists of texts; the names of columns above them are those of TensorBoard."""
    if isinstance(answer, list) and answer and answer[0] == ["Wall time", "Step", "Value"]:
        return answer[1:]
    return answer


def _flat(runs: dict[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    for found in runs.values():
        yield from found
