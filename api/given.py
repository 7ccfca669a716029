"""What those routes give: the shapes of their answers in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from .answers import MIME
from .models import FORMATS, Column, Given

# JSON has no NaN or infinities: they are given by name.
_ARROW = MIME["arrow"]
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


class MediaTag(Given):
    """A tag of one kind in some runs; `steps` is of the run that has most, `points` of all."""

    kind: Literal["images", "audio", "texts", "histograms", "curves"]
    tag: str
    stream: str
    plugin: str
    runs: int
    steps: int
    points: int
    first_step: int | None
    last_step: int | None
    display_name: str | None
    description: str | None


class MediaTags(Given):
    """Tags by kind; truncated where there are more than 5,000."""

    tags: list[MediaTag]
    truncated: bool


class MediaRuns(Given):
    """How many runs have something of a kind, and the first of them."""

    total: int
    looked_at: int
    runs: list[str]


class Progression(Given):
    """Whole numbers that count up evenly: the first, and by how much."""

    first: int
    by: int


class MediaSeries(Given):
    """All images or sounds of a series by step and index.

    A column is one value where all are equal, a progression where it is one, else a list.
    `wall_time` is that of the first item, `after_ms` what passed since. `steps` is how many there
    are; where the answer became too long they are thinned evenly (`truncated`). The bytes of an item
    are at `/api/v1/media/<run>/<file>/<record>/<idx>?tag=<tag>`.
    """

    run: str
    tag: str
    stream: str
    items: int
    steps: int
    truncated: bool
    step: int | Progression | list[int]
    wall_time: float | None
    after_ms: int | None | Progression | list[int | None]
    idx: int | Progression | list[int]
    file: int | Progression | list[int]
    record: int | Progression | list[int]
    nbytes: int | Progression | list[int]
    width: int | None | Progression | list[int | None]
    height: int | None | Progression | list[int | None]
    mime: str | list[str]
    label: str | None | list[str | None]


class MediaSteps(Given):
    """Series by run, tag and stream; one that no run has is left out."""

    series: list[MediaSeries]


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


class SqlColumn(Column):
    """A column of an answer to SQL, with its type as DuckDB calls it."""

    type: str


SQL_HEADERS = {
    "X-Boardlake-Rows": {"schema": {"type": "integer"}, "description": "Rows of the answer."},
    "X-Boardlake-Truncated": {
        "schema": {"type": "string", "enum": ["true", "false"]},
        "description": "Whether there are more rows.",
    },
    "X-Boardlake-Truncated-By": {
        "schema": {"type": "string", "enum": ["", "rows", "bytes"]},
        "description": "Which limit kept the others out.",
    },
    "X-Boardlake-Seconds": {"schema": {"type": "number"}, "description": "Waiting included."},
    "X-Boardlake-Snapshot": {"schema": {"type": "integer"}, "description": "State of the lake."},
}


class Receipt(Given):
    """A deletion; `erased_at` is null while old pages or files may hold some of it."""

    at: str
    runs: int
    run_keys: list[str]
    rows: dict[str, int]
    files_removed: int
    erased_at: str | None


class Receipts(Given):
    """Deletions, the newest first."""

    total: int
    receipts: list[Receipt]


class ExportFailed(Given):
    """Why an export did not come to its end."""

    kind: str
    message: str
    hint: str


class ExportTold(Given):
    """How far an export is; `rows` by table once it is ready, `bytes` are those on the disk."""

    id: str
    state: Literal["writing", "ready", "failed", "stopped"]
    format: str
    name: str
    runs: int
    table: str
    rows_done: int
    rows_total: int
    bytes: int
    seconds: float
    snapshot: int | None
    rows: dict[str, int]
    error: ExportFailed | None


class ExportFigures(Given):
    """What an export would hold, and about how many bytes it would take of those that are free."""

    runs: int
    points: int
    rows: dict[str, int]
    rows_total: int
    bytes: int
    free: int


class SqlAnswer(Given):
    """Rows of an answer to SQL; `truncated` if there are more, by the limit of rows or of bytes.

    Numbers that not every reader of JSON would have exactly are texts, bytes are hexadecimal.
    """

    model_config = {"openapi_extra": {"headers": SQL_HEADERS, "content": {_ARROW: FORMATS[_ARROW]}}}  # type: ignore[typeddict-unknown-key]
    columns: list[SqlColumn]
    rows: list[list[Any]]
    cut: list[tuple[int, int, int]]
    truncated: bool
    truncated_by: Literal["", "rows", "bytes"]
    seconds: float
    snapshot: int


class SqlFile(SqlAnswer):
    """The same where it can be a file as well."""

    model_config = {"openapi_extra": {"headers": SQL_HEADERS, "content": FORMATS}}  # type: ignore[typeddict-unknown-key]


class ColumnSaid(Given):
    """A column of the lake in words."""

    name: str
    type: str
    says: str


class TableSaid(Given):
    """A table or view of the lake in words; `behind` for one that views put together."""

    name: str
    kind: Literal["table", "view"]
    behind: bool
    says: str
    columns: list[ColumnSaid]


class FunctionSaid(Given):
    """A function that a statement may call."""

    name: str
    kind: str
    call: str
    says: str


class SqlLimits(Given):
    """What one statement may take."""

    seconds: float
    memory: str
    rows: int
    bytes: int
    characters: int


class Schema(Given):
    """All that a statement may name, and what it may take."""

    tables: list[TableSaid]
    functions: list[FunctionSaid]
    keywords: list[str]
    limits: SqlLimits


class SelectionGiven(Given):
    """A selection of runs."""

    id: str
    # Where TensorBoard is on it, on this server.
    url: str
    # How many runs it has now.
    runs: int
