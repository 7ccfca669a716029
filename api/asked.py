"""What the routes on one run's tensors and media, on comparison, export and deletion take."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ..lake.sandbox.limits import MAX_PARAMETERS, MAX_QUERY, MAX_ROWS
from .models import Chosen, Id, Ids, RunKey, Taken, parted

Tag = Annotated[str, Field(min_length=1, max_length=4_096, description="As written.")]
Stream = Annotated[str, Field(max_length=4_096, description="'' is the run's own directory.")]
Step = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
MediaKinds = Literal["images", "audio", "texts", "histograms", "curves"]
RunKeys = Annotated[list[RunKey], Field(min_length=1, max_length=1_000, description="run_keys.")]


class OneSeries(Taken):
    """One series of a run."""

    run: RunKey
    tag: Tag
    stream: Stream = ""


class HistogramsAsked(OneSeries):
    """Histograms of a series."""

    most: int = Field(500, ge=2, le=2_000, description="Steps; more are thinned evenly.")
    step: Step | None = Field(None, description="Only the step nearest this one.")


class TextsAsked(OneSeries):
    """Texts of a series."""

    most: int = Field(100, ge=1, le=1_000, description="Only the last so many.")
    step: Step | None = Field(None, description="Only the text nearest this step.")


class PrCurvesAsked(OneSeries):
    """PR curves of a series."""

    most: int = Field(100, ge=2, le=1_000, description="Steps; more are thinned evenly.")


class MediaAsked(OneSeries):
    """A page of the images, sounds or other byte strings of a series."""

    limit: int = Field(100, ge=0, le=1_000)
    offset: int = Field(0, ge=0, lt=1 << 62)


class MediaTagsAsked(Taken):
    """Tags of what some runs logged besides scalars."""

    runs: RunKeys
    kind: MediaKinds | None = Field(None, description="None is all; curves are PR curves.")


class SeriesNamed(Taken):
    """A tag, of one stream or of any."""

    tag: Tag
    stream: Stream | None = None


class MediaStepsAsked(Taken):
    """Every step of some series of images or sounds."""

    runs: RunKeys
    tags: list[SeriesNamed] = Field(..., min_length=1, max_length=500)
    kind: Literal["images", "audio"]


class OneOfMany(Taken):
    """One byte string, as the columns of `media/steps` name it."""

    run: RunKey
    file: Id
    record: Id
    idx: Annotated[int, Field(ge=0, lt=1 << 31)]
    tag: Tag


class MediaBytesAsked(Taken):
    """Some images or sounds at once."""

    items: list[OneOfMany] = Field(..., min_length=1, max_length=256)


class MediaRunsAsked(Chosen):
    """Runs that have something of a kind."""

    kind: MediaKinds = Field(..., description="curves are PR curves.")
    limit: int = Field(200, ge=0, le=10_000)


class OneMedia(Taken):
    """One byte string: of which run, event file, record of the file and index in the record."""

    run_key: RunKey
    file_id: Id
    record: Id
    idx: Annotated[int, Field(ge=0, lt=1 << 31)]


class OfMedia(Taken):
    """What else is in the address of a byte string."""

    tag: Tag | None = Field(None, description="Where the record has several tags.")
    v: str = Field("", max_length=64, description="Changes when the bytes do; it is not looked at.")


class Listed(Chosen):
    """Runs of a list, of a filter, or those of the list that match."""

    runs: Ids = Field([], description="run_ids.")


class HparamsAsked(Listed):
    """Hyperparameters of some runs."""

    origins: bool = Field(False, description="Also what every origin says.")


class CompareAsked(Taken):
    """Runs side by side."""

    runs: Annotated[list[Id], BeforeValidator(parted)] = Field(
        ..., min_length=1, max_length=200, description="run_ids."
    )
    baseline: Id | None = Field(None, description="The run that the others are held against.")
    stat: Literal["last", "first", "min", "max", "mean"] = "last"


class Deletion(Taken):
    """Runs that go for good."""

    runs: list[RunKey] = Field(..., min_length=1, max_length=100_000, description="run_keys.")
    confirm: int = Field(0, ge=0, description="The number of runs, again; not for a dry run.")
    dry_run: bool = Field(False, description="Only say what would go.")


class ReceiptsAsked(Taken):
    """A page of what was deleted."""

    limit: int = Field(100, ge=0, le=1_000)
    offset: int = Field(0, ge=0, lt=1 << 62)


class ExportAsked(Listed):
    """Some runs, or all, as one download."""

    format: Literal["parquet", "csv", "arrow", "duckdb", "points"] = Field(
        "parquet", description="`points` is one Arrow stream of the scalar points."
    )
    tags: Annotated[
        list[Annotated[str, Field(max_length=4_096)]],
        BeforeValidator(parted),
        Field(max_length=1_000),
    ] = Field([], description="Only series of these tags; `*` stands for any characters.")


class ExportBegun(Chosen):
    """Runs that are wanted as a file: those of a list, of a filter, or those of the list that match."""

    runs: Annotated[list[RunKey], Field(max_length=100_000)] = Field(
        [], description="run_keys; without any, the runs of the filter."
    )
    format: Literal["parquet", "csv", "arrow", "duckdb"] = Field(
        "parquet", description="A ZIP of Parquet, CSV or Arrow IPC files, or one DuckDB file."
    )
    tags: list[Annotated[str, Field(min_length=1, max_length=4_096)]] = Field(
        [],
        max_length=1_000,
        description="Only series of these tags; `*` stands for any characters.",
    )
    tag_pattern: str = Field(
        "", max_length=4_096, description="Only series of tags that this regular expression finds."
    )


class OneExport(Taken):
    """An export by its id."""

    id: str = Field(..., min_length=1, max_length=64)


class SqlAsked(Taken):
    """One reading statement of SQL on the lake's tables and views."""

    query: str = Field(..., min_length=1, max_length=MAX_QUERY)
    parameters: list[Any] | dict[Annotated[str, Field(max_length=100)], Any] | None = Field(
        None,
        max_length=MAX_PARAMETERS,
        description="For ? (a list) or $name (an object): JSON values, lists of them, or"
        ' {"type": timestamp|date|time|decimal|double|blob (base64), "value": text}.',
    )
    limit: int = Field(10_000, ge=0, le=MAX_ROWS, description="Rows; more are cut off, and told.")
    format: Literal["arrow", "json"] = "arrow"
    clip: int | None = Field(
        None, ge=1, le=1_000_000,
        description="JSON only: of longer texts only so many characters are given, of bytes the"
        " first 64; `cut` names them.",
    )  # fmt: skip


class SqlGot(Taken):
    """One reading statement, in an address: for downloads and other programs."""

    query: str = Field(..., min_length=1, max_length=MAX_QUERY)
    limit: int = Field(10_000, ge=0, le=MAX_ROWS, description="Rows; more are cut off, and told.")
    format: Literal["json", "csv", "parquet", "arrow"] = "json"


class TensorBoardAsked(Chosen):
    """Which runs TensorBoard is opened on: a view, a list, or else those of the filter."""

    runs: list[RunKey] = Field(
        [], max_length=100_000, description="run_keys; without any, those of filter."
    )
    view: str = Field(
        "", max_length=64, description="Id of a saved view; runs and filter are empty then."
    )
