"""What the routes on one series in several runs take, and what they give."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..lake.across import MAX_RUNS
from .asked import Step, Stream, Tag
from .given import Number, Numbers, Text
from .models import Chosen, Given, RunKey, Taken


class SeveralAsked(Taken):
    """One series of some runs."""

    runs: list[RunKey] = Field(..., min_length=1, max_length=MAX_RUNS, description="run_keys.")
    tag: Tag
    stream: Stream = ""
    step: Step | None = Field(None, description="Only the step of each run nearest this one.")


class HistogramsOfRuns(SeveralAsked):
    """Histograms of some runs."""

    most: int = Field(
        200, ge=2, le=2_000, description="Steps of each run; of all together at most 6,000."
    )
    fine: bool = Field(
        False, description="Also buckets that are too narrow to be told apart on a linear axis."
    )


class PrCurvesOfRuns(SeveralAsked):
    """PR curves of some runs."""

    most: int = Field(
        20, ge=2, le=1_000, description="Steps of each run; of all together at most 1,500."
    )
    thresholds: int = Field(250, ge=2, le=1_000, description="More are thinned evenly.")


class TextsOfRuns(SeveralAsked):
    """The last text of some runs, or that nearest a step."""


class TextsSearched(Chosen):
    """A search within texts; all runs of the filter are searched where none are listed."""

    query: str = Field(
        ..., min_length=1, max_length=1_000,
        description='Words and "phrases" that must all occur; case does not matter.',
    )  # fmt: skip
    regex: bool = Field(False, description="The query is a regular expression (RE2).")
    runs: Annotated[list[RunKey], Field(max_length=2_000)] = Field([], description="run_keys.")
    tags: Annotated[list[Tag], Field(max_length=1_000)] = Field(
        [], description="Only texts of these tags."
    )
    limit: int = Field(100, ge=0, le=1_000)


class OfRun(Given):
    """What one run has of a series: how many steps, and which; very many are thinned evenly."""

    run_key: str
    total: int
    all_steps: list[int]


class RunHistograms(OfRun):
    """Some histograms of a run by step, a number for each bucket in the three lists of a step."""

    steps: list[int]
    wall_times: Numbers
    left: list[Numbers]
    right: list[Numbers]
    count: list[Numbers]


class RunPrCurves(OfRun):
    """Some PR curves of a run by step, a number for each threshold in the lists of a step."""

    steps: list[int]
    wall_times: Numbers
    precision: list[Numbers]
    recall: list[Numbers]
    thresholds: list[Numbers]
    tp: list[Numbers]
    fp: list[Numbers]
    tn: list[Numbers]
    fn: list[Numbers]


class RunText(OfRun):
    """A text of a run."""

    text: Text | None


class HistogramsGiven(Given):
    """Histograms of each run, in the order in which runs were asked for."""

    tag: str
    stream: str
    runs: list[RunHistograms]


class PrCurvesGiven(Given):
    """PR curves of each run, in the order in which runs were asked for."""

    tag: str
    stream: str
    runs: list[RunPrCurves]


class TextsGiven(Given):
    """A text of each run, in the order in which runs were asked for."""

    tag: str
    stream: str
    runs: list[RunText]


class TextHit(Given):
    """A text that was found.

    `matches` are [from, to) in the snippet, counted in characters (code points); `places` is how
    many there are in the text, 0 where the expression matches nothing of any length. `before` and
    `after` say whether the text goes on there, `cut` that only its beginning was searched.
    """

    run_key: str
    run: str
    tag: str
    stream: str
    step: int
    wall_time: Number
    places: int
    snippet: str
    matches: list[list[int]]
    before: bool
    after: bool
    cut: bool


class TextsFound(Given):
    """Texts that match: how many, the first of them, and how many runs were searched."""

    total: int
    truncated: bool
    searched: int
    hits: list[TextHit]
