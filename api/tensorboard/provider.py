"""TensorBoard's data provider over the lake: what its plugins list and read of the runs of a selection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, TypeVar

import pyarrow as pa
from tensorboard import errors
from tensorboard.data import provider as tb

from ...core.errors import UsageError
from ...lake.dashboard import points
from ..service import Service
from . import files, keys, shown, values
from .index import Index, Series
from .kept_bytes import KeptBytes

ENVIRON = "boardlake.index"
"""Where the request's environment holds the lists of its selection."""

# TensorBoard makes an object and JSON of every point of a card: 10 us each.
POINTS_A_CARD, LEAST = 100_000, 50
# The hparams plugin puts steps in 32 bits.
_MAX_STEP = (1 << 31) - 1

T = TypeVar("T")
Found = dict[str, dict[str, T]]


def index_of(ctx: Any) -> Index:
    """The lists of the selection that a request is for: its address alone says which."""
    environ = ctx.auth.get("environ") if ctx is not None else None
    found = environ.get(ENVIRON) if environ is not None else None
    if not isinstance(found, Index):
        raise errors.NotFoundError("no selection is asked for")
    return found


class LakeProvider(tb.DataProvider):  # type: ignore[misc]
    """Answers from the lists of the request's selection, and from the lake."""

    def __init__(self, service: Service, points_a_card: int = POINTS_A_CARD) -> None:
        self._service = service
        self._points_a_card = points_a_card
        self._bytes = KeptBytes(service)

    def experiment_metadata(self, ctx: Any = None, *, experiment_id: str) -> Any:
        """Nothing of a selection is kept besides its runs."""
        index = index_of(ctx)
        count = len(index.runs)
        return tb.ExperimentMetadata(data_location=f"{count:,} run{'' if count == 1 else 's'}")

    def list_plugins(self, ctx: Any = None, *, experiment_id: str) -> list[str]:
        """The plugins that have series."""
        index = index_of(ctx)
        found = {plugin for plugin, of in index.by_plugin.items() if plugin and of}
        found.update(files.kinds(index))
        return sorted(found | ({"hparams"} if index.has_hparams else set()))

    def list_runs(self, ctx: Any = None, *, experiment_id: str) -> list[Any]:
        """Every directory with events."""
        return [tb.Run(name, name, started) for name, started in index_of(ctx).started.items()]

    def list_scalars(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> Found[Any]:
        """Scalar series; see `DataProvider`."""
        found = wanted(index_of(ctx), plugin_name, run_tag_filter, "scalar")
        return _nested((one, _listed(tb.ScalarTimeSeries, one)) for one in found)

    def list_tensors(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> Found[Any]:
        """Tensor series; see `DataProvider`."""
        found = wanted(index_of(ctx), plugin_name, run_tag_filter, "tensor")
        return _nested((one, _listed(tb.TensorTimeSeries, one)) for one in found)

    def list_blob_sequences(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> Found[Any]:
        """Series of byte strings; see `DataProvider`."""
        index = index_of(ctx)
        lengths = index.lengths
        # An image comes behind its width and its height.
        head = 2 if plugin_name == "images" else 0
        return _nested(
            (one, _listed(tb.BlobSequenceTimeSeries, one, max_length=head + length))
            for one in wanted(index, plugin_name, run_tag_filter, "blob")
            if (length := lengths.get((one.run_id, one.stream, one.tag), 0))
        )

    def read_scalars(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, downsample: int | None = None,
        run_tag_filter: Any = None,
    ) -> Found[list[Any]]:  # fmt: skip
        """Points of the curves; see `DataProvider`."""
        return self._read(
            ctx, "scalar_points", "scalar", plugin_name, downsample, run_tag_filter,
            lambda step, wall_time, value: tb.ScalarDatum(step, wall_time, value),
        )  # fmt: skip

    def read_last_scalars(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> Found[Any]:
        """The last point of each curve; see `DataProvider`."""
        found = wanted(index_of(ctx), plugin_name, run_tag_filter, "scalar")
        return _nested((one, last(one)) for one in found)

    def read_tensors(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, downsample: int | None = None,
        run_tag_filter: Any = None,
    ) -> Found[list[Any]]:  # fmt: skip
        """Tensors; see `DataProvider`."""
        # What is no UTF-8 its plugin fails at: texts are shown as they were made readable.
        array = values.words if plugin_name == "text" else values.array
        found = self._read(
            ctx, "tensors", "tensor", plugin_name, downsample, run_tag_filter,
            lambda step, wall_time, *rest: tb.TensorDatum(step, wall_time, array(*rest)),
        )  # fmt: skip
        fit: Found[list[Any]] = {}
        for run, of_run in found.items():
            for tag, data in of_run.items():
                kept = [one for one in data if shown.fits(plugin_name, one.numpy)]
                if kept:
                    fit.setdefault(run, {})[tag] = kept
        return fit

    def read_blob_sequences(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, downsample: int | None = None,
        run_tag_filter: Any = None,
    ) -> Found[list[Any]]:  # fmt: skip
        """Byte strings by their keys; see `DataProvider`."""
        index = index_of(ctx)
        key_of = {run.run_id: run.run_key for run in index.runs}
        asked = wanted(index, plugin_name, run_tag_filter, "blob")
        return _nested(
            (one, self._sequences(rows, one, key_of[one.run_id]))
            for one, rows in self._rows(index, "blobs", asked, downsample)
        )

    def read_blob(self, ctx: Any = None, *, blob_key: str) -> bytes:
        """The bytes of a key, if its run is one of the selection's; see `DataProvider`."""
        index = index_of(ctx)
        key = keys.read(blob_key)
        if key is None or (not key.literal and key.run_key not in index.run_of_key):
            raise errors.NotFoundError("this selection has nothing of that key")
        if key.literal:
            return key.literal.encode()
        try:
            return self._bytes.get(key)
        except UsageError as error:
            raise errors.NotFoundError(error.message) from error

    def _sequences(self, rows: list[tuple[Any, ...]], one: Series, run_key: str) -> list[Any]:
        """The byte strings of each step, as references."""
        found, told = [], list[keys.Key]()
        for (step, wall_time), of_step in groupby(rows, lambda row: row[:2]):
            items = list(of_step)
            refs = [
                keys.Key(run_key, file_id, record, idx, one.tag)
                for *_, idx, _, _, file_id, record in items
            ]
            told += refs
            if one.plugin == "images":
                sizes = (str(size or 0) for size in items[0][4:6])
                refs[:0] = [keys.Key("", 0, 0, 0, "", literal=size) for size in sizes]
            references = [tb.BlobReference(keys.write(key)) for key in refs]
            found.append(tb.BlobSequenceDatum(step, wall_time, references))
        self._bytes.tell(told)
        return found

    def _read(
        self, ctx: Any, table: points.Table, kind: str, plugin: str, most: int | None, given: Any,
        datum: Callable[..., Any],
    ) -> Found[list[Any]]:  # fmt: skip
        index = index_of(ctx)
        found = self._rows(index, table, wanted(index, plugin, given, kind), most)
        return _nested((one, [datum(*row) for row in rows]) for one, rows in found)

    def _rows(
        self, index: Index, table: points.Table, asked: Iterable[Series], most: int | None
    ) -> Iterator[tuple[Series, list[tuple[Any, ...]]]]:
        """The rows of each of *asked*, without run_id, stream and tag."""
        found, parts = self.points(index, table, asked, most)
        columns = [_values(column) for column in found.columns[3:]]
        for one, begin, end in parts:
            rows = zip(*(column[begin:end] for column in columns), strict=True)
            yield one, list(rows)

    def points(
        self, index: Index, table: points.Table, asked: Iterable[Series], most: int | None
    ) -> tuple[pa.Table, list[tuple[Series, int, int]]]:
        """What `points.read` finds of *asked*, and from where to where each of them stands there."""
        by_key = {(one.run_id, one.stream, one.tag): one for one in asked}
        if not by_key:
            return pa.table({}), []
        each = [points.Wanted(*key, one.points) for key, one in by_key.items()]
        with self._service.cursor() as con:
            found = points.read(con, table, each, self._room(most, len(index.runs)))
        begin = points.starts(found)
        first = found.select(["run_id", "stream", "tag"]).take(begin[:-1])
        owners = zip(*(column.to_pylist() for column in first.columns), strict=True)
        parts = zip(owners, begin[:-1].tolist(), begin[1:].tolist(), strict=True)
        return found, [(by_key[key], *ends) for key, *ends in parts if key in by_key]

    def _room(self, most: int | None, runs: int) -> int:
        """How many steps of each series are given where *most* are asked for."""
        cap = max(LEAST, self._points_a_card // max(runs, 1))
        return cap if most is None else max(1, min(most, cap))


def last(one: Series) -> Any:
    """The last point of a scalar series."""
    value = float("nan") if one.last is None else one.last
    step = max(-_MAX_STEP - 1, min(one.last_step, _MAX_STEP))
    return tb.ScalarDatum(step, one.last_wall_time, value)


def wanted(index: Index, plugin: str, given: Any, kind: str) -> Iterator[Series]:
    """The series of a plugin of one kind (`scalar`, `tensor`, `blob`) that a filter lets through."""
    runs, tags = (given.runs, given.tags) if given is not None else (None, None)
    return (one for one in index.series(plugin, runs, tags) if one.kind == kind)


def _values(column: pa.ChunkedArray) -> list[Any]:
    # Ten times as fast as `to_pylist`, where all are numbers.
    plain = pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
    found: list[Any] = (
        column.to_numpy().tolist() if plain and not column.null_count else column.to_pylist()
    )
    return found


def _listed(make: Callable[..., Any], one: Series, **more: int) -> Any:
    return make(
        max_step=one.last_step, max_wall_time=one.last_wall_time, plugin_content=one.content,
        description=one.description, display_name=one.display_name, **more,
    )  # fmt: skip


def _nested(found: Iterable[tuple[Series, T]]) -> Found[T]:
    result: Found[T] = {}
    for one, value in found:
        result.setdefault(one.run, {})[one.tag] = value
    return result
