"""What those routes give: the shapes of their answers in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from .models import Column, Given

# JSON has no NaN or infinities: they are given by name.
Number = float | Literal["NaN", "Infinity", "-Infinity"]
Numbers = list[Number]


class Histograms(Given):
    """Histograms by step; the three lists of a step have one number for each bucket."""

    tag: str
    stream: str
    total: int
    steps: list[int]
    wall_times: Numbers
    left: list[Numbers]
    right: list[Numbers]
    count: list[Numbers]


class Text(Given):
    """A text as written, and as safe HTML."""

    step: int
    wall_time: Number
    text: str
    html: str
    truncated: bool


class Texts(Given):
    """All steps of a series and some of its texts, in order of steps."""

    tag: str
    stream: str
    steps: list[int]
    texts: list[Text]


class PrCurves(Given):
    """PR curves by step; the lists of a step have one number for each threshold."""

    tag: str
    stream: str
    total: int
    steps: list[int]
    wall_times: Numbers
    precision: list[Numbers]
    recall: list[Numbers]
    thresholds: list[Numbers]
    tp: list[Numbers]
    fp: list[Numbers]
    tn: list[Numbers]
    fn: list[Numbers]


class Media(Given):
    """An image, a sound or another byte string, and where its bytes are to be had."""

    step: int
    wall_time: Number
    idx: int
    mime: str
    width: int | None
    height: int | None
    nbytes: int
    label: str | None
    url: str


class MediaPage(Given):
    """Some of what a series shows, by step, wall time and index."""

    tag: str
    stream: str
    plugin: str
    total: int
    items: list[Media]


Value = bool | float | str | None


class Origin(Given):
    """What one origin says of a hyperparameter."""

    origin: str
    value: Value


class Hparam(Given):
    """A hyperparameter in each run, null where it has none."""

    name: str
    expr: str
    differs: bool
    numeric: bool
    values: list[Value]
    origins: list[list[Origin]] | None


class RunNamed(Given):
    """Which run a value is of."""

    model_config = ConfigDict(extra="allow")
    run_id: int
    run_key: str
    name: str
    project: str | None
    machine: str | None
    state: str | None
    label: str
    colour: str
    tags: list[str]


class HparamTable(Given):
    """Hyperparameters by name; values are aligned with runs."""

    hparams: list[Hparam]
    runs: list[RunNamed]


class Field(Given):
    """A field in each run."""

    name: str
    differs: bool
    values: list[Value]


class Metric(Given):
    """A statistic of a series in each run; deltas are against the baseline."""

    tag: str
    stream: str
    differs: bool
    values: list[Number | None]
    steps: list[int | None]
    deltas: list[Number | None] | None
    relative: list[Number | None] | None


class Comparison(Given):
    """Runs side by side; every list is aligned with runs."""

    runs: list[RunNamed]
    baseline: int | None
    stat: str
    fields: list[Field]
    hparams: list[Hparam]
    metrics: list[Metric]
    metrics_total: int


class RunGone(Given):
    """A run that was deleted, or would be."""

    run_key: str
    name: str
    source: str
    path: str


class Deleted(Given):
    """The receipt of a deletion; `erased` is false where the next upkeep has some left to erase."""

    at: str
    dry_run: bool
    runs: list[RunGone]
    rows: dict[str, int]
    files_removed: int
    bytes_before: int
    bytes_after: int
    erased: bool
    seconds: float
    note: str


class SqlAnswer(Given):
    """Rows of an answer to SQL; `truncated` if there are more."""

    columns: list[Column]
    rows: list[list[Any]]
    truncated: bool
    seconds: float
    snapshot: int
