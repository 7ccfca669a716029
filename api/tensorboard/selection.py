"""A selection: the runs that TensorBoard is opened on, by a filter, a list or a saved view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import UsageError
from ...lake import history
from ...lake.dashboard.index import known
from ...lake.detail import named
from ...lake.search import Query
from ..service import Service

PAGE = "tensorboard"
# TensorBoard's pages hold every run; above 500 it ticks none.
MAX_RUNS = 5_000
_PAGES = (PAGE, "workspace", "media", "analyze", "compare", "run")
# They are of some runs, never of all that there are.
_OF_RUNS = ("compare", "run")


class NoSuchSelection(UsageError):
    """No saved state leads to runs."""

    http_status = 404


@dataclass(frozen=True)
class Selection:
    """Which runs: those of *runs*, by key; without any, all that *filter* finds at the moment."""

    filter: str = ""
    runs: tuple[str, ...] = ()
    duplicates: bool = False
    archived: bool = False

    def state(self) -> dict[str, Any]:
        """What is kept of it in the state database: names as in the URL of the run table."""
        if self.runs:
            return {"sel": list(self.runs)}
        found: dict[str, Any] = {"q": self.filter.strip()}
        return found | {
            k: True for k, on in (("dup", self.duplicates), ("arch", self.archived)) if on
        }


def of_state(page: str, state: dict[str, Any]) -> Selection:
    """The selection that the saved state of a page means. Raises NoSuchSelection."""
    if page not in _PAGES:
        hint = "a view of the run table, or `/tensorboard?q=FILTER`, has runs"
        raise NoSuchSelection(f"a view of the page {page[:40]!r} selects no runs", hint=hint)
    keys = [*_texts(state.get("sel")), *_texts(state.get("runs"))]
    keys += _texts([state.get("run")])
    if page in _OF_RUNS and not keys:
        hint = "choose runs on the page, and share it again"
        raise NoSuchSelection(f"this view of the page {page!r} is of no runs", hint=hint)
    text = state.get("q")
    return Selection(
        text if isinstance(text, str) else "", tuple(dict.fromkeys(keys)),
        state.get("dup") is True, state.get("arch") is True,
    )  # fmt: skip


def keep(service: Service, selection: Selection) -> str:
    """The id under which the selection is found again; the same one has the same id."""
    return service.state.save_view(PAGE, selection.state())


def find(service: Service, id: str) -> Selection:
    """The selection of an id, or of a saved view. Raises NoSuchView, NoSuchSelection."""
    view = service.state.view(id)
    return of_state(view.page, view.state)


def run_keys(service: Service, wanted: Sequence[int | str]) -> tuple[str, ...]:
    """The run_keys of runs that are named by run_id, run_key or name; raises UsageError."""
    with service.cursor() as con:
        ids = history.run_ids(con, wanted)
        return tuple(key for key, _ in named(con, ids).values())


def run_ids(service: Service, selection: Selection) -> list[int]:
    """The runs at this moment; of a list those that are not in the lake (any more) are left out.

    Raises UsageError where there are more than MAX_RUNS, NoSuchSelection where none of a list is
    there, FilterError.
    """
    found = _found(service, selection, MAX_RUNS + 1)
    _few(len(found))
    return found


def any_runs(service: Service, selection: Selection) -> bool:
    """Whether there are runs at this moment. Raises what `run_ids` raises of the selection itself."""
    return bool(_found(service, selection, 1))


def _found(service: Service, selection: Selection, most: int) -> list[int]:
    with service.cursor() as con:
        if selection.runs:
            _few(len(selection.runs))
            found = known(con, selection.runs)
            if not found:
                raise _none(selection.runs)
            return found
        query = Query(
            selection.filter, ("run_id",), limit=most,
            duplicates=selection.duplicates, archived=selection.archived,
        )  # fmt: skip
        result: list[int] = history.find(con, query, service.names)["run_id"].to_pylist()
        return result


def _none(keys: tuple[str, ...]) -> NoSuchSelection:
    first = ", ".join(repr(key[:64]) for key in keys[:3])
    rest = f" and {len(keys) - 3:,} more" if len(keys) > 3 else ""
    hint = "runs are named by run_key; those that were deleted do not come back"
    return NoSuchSelection(f"none of the runs is in the lake: {first}{rest}", hint=hint)


def _few(count: int) -> None:
    if count > MAX_RUNS:
        raise UsageError(
            f"more than {MAX_RUNS:,} runs are selected: TensorBoard cannot show them",
            hint="narrow the filter, or select some of the runs",
        )


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [part for part in value.split(",") if part]
    values = value if isinstance(value, list) else []
    return [one for one in values if isinstance(one, str) and one]
