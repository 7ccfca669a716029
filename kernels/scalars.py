"""One Event to points of scalars in compiled code, or the verdict that it is not purely that.

Formats: tensorflow/core/util/event.proto, framework/summary.proto, framework/tensor.proto.
The twin that says the rules simply is `decode_plain`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .decoded import FLOAT, MAX_TAG
from .load import Bytes, load_f32, load_f64, load_u8, pointer
from .tags import Tags, find, forget, is_tag
from .tensor import SLOW, tensor
from .wire import is_utf8, same, short, skip, span, varint

# Instead of a count of points, as SLOW.
MORE_POINTS, MORE_TAGS = -2, -3
# The state a piece is decoded with: position, counts, the last tag seen, and where the last value
# lies if it is a float of four bytes.
AT, RECORDS, POINTS, TAGS, SLOWS, PROBLEMS, LAST, PLACE = range(8)
STATE = 8
_ABSENT = -1

_PLUGIN = np.frombuffer(b"scalars", np.uint8)


class Columns(NamedTuple):
    """Room for points, as in `Decoded`: arrays of one length."""

    step: NDArray[np.int64]
    wall_time: NDArray[np.float64]
    value: NDArray[np.float64]
    tag: NDArray[np.int32]
    record: NDArray[np.int64]


class Points(NamedTuple):
    """Pointers to `Columns`."""

    step: NDArray[np.int64]
    wall_time: NDArray[np.float64]
    value: NDArray[np.float64]
    tag: NDArray[np.int32]
    record: NDArray[np.int64]
    capacity: int


@njit(cache=True, nogil=True)
def points_in(columns: Columns) -> Points:
    """The room in *columns*."""
    return Points(
        pointer(columns.step), pointer(columns.wall_time), pointer(columns.value),
        pointer(columns.tag), pointer(columns.record), columns.step.size,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _value(buf: Bytes, at: int, end: int) -> tuple[int, float, int, int, int, int, int]:
    """(form, value, its place, tag, its end, metadata or -1, its end) of a Summary.Value.

    The form is below 0 where the value is not a scalar.
    """
    form, value, place = _ABSENT, 0.0, 0
    tag = tag_end = meta_end = 0
    meta = _ABSENT
    while at < end:
        key, at = short(buf, at, end)
        if at < 0:
            return SLOW, value, place, tag, tag_end, meta, meta_end
        if key == 0x0A:  # tag
            tag, at = span(buf, at, end)
            tag_end = at
        elif key == 0x15 and form <= 0 and end - at >= 4:  # simple_value
            form, value, place, at = 0, np.float64(load_f32(buf, at)), at, at + 4
        elif key == 0x42 and form == _ABSENT:  # tensor
            start, at = span(buf, at, end)
            if at >= 0:
                form, value, place = tensor(buf, start, at)
                at = at if form != SLOW else -1
        elif key == 0x4A and meta == _ABSENT:  # metadata
            meta, at = span(buf, at, end)
            meta_end = at
        else:
            at = skip(buf, key & 7, at, end) if key >> 3 > 9 else -1
        if at < 0:
            return SLOW, value, place, tag, tag_end, meta, meta_end
    return form, value, place, tag, tag_end, meta, meta_end


@njit(cache=True, nogil=True)
def _is_scalars_plugin(buf: Bytes, at: int, end: int) -> bool:
    """Whether a PluginData is well-formed and its one plugin_name is `scalars`."""
    names = 0
    while at < end:
        key, at = short(buf, at, end)
        if at < 0:
            return False
        if key == 0x0A:  # plugin_name
            start, at = span(buf, at, end)
            if at - start != len(_PLUGIN):
                return False
            for i in range(len(_PLUGIN)):
                if load_u8(buf, start + i) != _PLUGIN[i]:
                    return False
            names += 1
        else:
            at = skip(buf, key & 7, at, end) if key == 0x12 or key >> 3 > 2 else -1
            if at < 0:
                return False
    return names == 1


@njit(cache=True, nogil=True)
def _is_scalars_metadata(buf: Bytes, at: int, end: int) -> bool:
    """Whether a SummaryMetadata is well-formed and of the plugin `scalars`."""
    plugins = 0
    while at < end:
        key, at = short(buf, at, end)
        if at < 0:
            return False
        if key == 0x0A:  # plugin_data
            start, at = span(buf, at, end)
            if at < 0 or not _is_scalars_plugin(buf, start, at):
                return False
            plugins += 1
        elif key == 0x12 or key == 0x1A:  # display_name, summary_description
            start, at = span(buf, at, end)
            if at < 0 or not is_utf8(buf, start, at):
                return False
        else:
            at = skip(buf, key & 7, at, end) if key == 0x20 or key >> 3 > 4 else -1
            if at < 0:
                return False
    return plugins == 1


@njit(cache=True, nogil=True)
def _new_tag(
    buf: Bytes, tags: Tags, tag: int, at: int, end: int, form: int, meta: int, meta_end: int
) -> int:
    """*tag*, now an entry of the table (not of its slots), or SLOW, or MORE_TAGS."""
    if end - at > MAX_TAG or not is_utf8(buf, at, end):
        return SLOW
    if meta != _ABSENT and not _is_scalars_metadata(buf, meta, meta_end):
        return SLOW
    if tag == tags.capacity:
        return MORE_TAGS
    tags.offset[tag], tags.size[tag], tags.form[tag] = at, end - at, form
    tags.meta[tag] = 0 if meta == _ABSENT else meta
    tags.meta_size[tag] = 0 if meta == _ABSENT else meta_end - meta
    tags.next[tag], tags.like_size[tag] = 0, -1
    return tag


@njit(cache=True, nogil=True)
def _tag(
    buf: Bytes, tags: Tags, state: NDArray[np.int64],
    at: int, end: int, form: int, meta: int, meta_end: int,
) -> int:  # fmt: skip
    """The number of a value's tag, new or known, or SLOW, or MORE_TAGS."""
    last, count = state[LAST], state[TAGS]
    tag = tags.next[last]
    if tag >= count or not is_tag(buf, tags, tag, at, end - at, form):
        if at == end:
            return SLOW
        slot = find(buf, tags, at, end - at, form)
        tag = tags.slots[slot] - np.int64(1)
        if tag < 0:
            tag = _new_tag(buf, tags, count, at, end, form, meta, meta_end)
            if tag < 0:
                return tag
            tags.slots[slot] = tag + 1
            state[TAGS] = count + 1
        tags.next[last] = tag
    state[LAST] = tag
    if meta != _ABSENT:
        size = tags.meta_size[tag]
        if meta_end - meta != size or size == 0 or not same(buf, tags.meta[tag], meta, size):
            return SLOW
    return int(tag)


@njit(cache=True, nogil=True)
def _summary(
    buf: Bytes, at: int, end: int, points: Points, tags: Tags, state: NDArray[np.int64], count: int
) -> int:
    """How many points there are once the values are added to *count*, or SLOW or MORE_*."""
    while at < end:
        key, at = short(buf, at, end)
        if at >= 0 and key >> 3 > 1:
            at = skip(buf, key & 7, at, end)
            if at >= 0:
                continue
        if at < 0 or key != 0x0A:
            return SLOW
        start, at = span(buf, at, end)
        if at < 0:
            return SLOW
        form, value, place, tag_at, tag_end, meta, meta_end = _value(buf, start, at)
        if form < 0:
            return SLOW
        tag = _tag(buf, tags, state, tag_at, tag_end, form, meta, meta_end)
        if tag < 0:
            return tag
        if count == points.capacity:
            return MORE_POINTS
        points.value[count] = value
        points.tag[count] = tag
        count += 1
        state[PLACE] = place if form == 0 or form == FLOAT else _ABSENT
    return count


@njit(cache=True, nogil=True)
def _event(
    buf: Bytes, at: int, end: int, points: Points, tags: Tags, state: NDArray[np.int64]
) -> tuple[int, float]:
    count = first = state[POINTS]
    step, wall = 0, 0.0
    field = at
    while at < end:
        field = at
        key, at = short(buf, at, end)
        if at < 0:
            return SLOW, wall
        if key == 0x09 and end - at >= 8:  # wall_time
            wall, at = load_f64(buf, at), at + 8
        elif key == 0x10:  # step
            step, at = varint(buf, at, end)
        elif key == 0x2A:  # summary
            start, at = span(buf, at, end)
            if at >= 0:
                count = _summary(buf, start, at, points, tags, state, count)
                if count < 0:
                    return count, wall
        else:
            at = skip(buf, key & 7, at, end) if key >> 3 > 10 else -1
        if at < 0:
            return SLOW, wall
    for point in range(first, count):
        points.step[point] = step
        points.wall_time[point] = wall
        points.record[point] = state[RECORDS]
    if count == first:
        return SLOW, wall
    if count == first + 1 and key == 0x2A and state[PLACE] > field:
        tags.like[state[LAST]], tags.like_size[state[LAST]] = field, end - field
        tags.like_value[state[LAST]] = state[PLACE] - field
    return count, wall


@njit(cache=True, nogil=True)
def _repeat(
    buf: Bytes, at: int, end: int, points: Points, tags: Tags, state: NDArray[np.int64]
) -> tuple[int, float]:
    """`_event` for what nearly all are: wall time, step, and a summary that repeats an earlier one.

    When all its bytes but the four of the value are those of an event read before, so is what
    they mean. SLOW says only that this is not such an event.
    """
    if end - at < 12 or load_u8(buf, at) != 0x09 or load_u8(buf, at + 9) != 0x10:
        return SLOW, 0.0
    step, summary = varint(buf, at + 10, end)
    tag, count = tags.next[state[LAST]], state[POINTS]
    if summary < 0 or tag >= state[TAGS] or end - summary != tags.like_size[tag]:
        return SLOW, 0.0
    like, place = tags.like[tag], tags.like_value[tag]
    rest = place + 4
    if not same(buf, like, summary, place):
        return SLOW, 0.0
    if not same(buf, like + rest, summary + rest, end - summary - rest):
        return SLOW, 0.0
    if count == points.capacity:
        return MORE_POINTS, 0.0
    wall = load_f64(buf, at + 1)
    points.step[count], points.wall_time[count] = step, wall
    points.value[count] = np.float64(load_f32(buf, summary + place))
    points.tag[count], points.record[count] = tag, state[RECORDS]
    state[LAST] = tag
    return count + 1, wall


@njit(cache=True, nogil=True)
def read_event(
    buf: Bytes, at: int, end: int, points: Points, tags: Tags, state: NDArray[np.int64]
) -> tuple[int, float]:
    """(how many points there are with this event's, its wall time) for the payload `[at, end)`.

    SLOW, MORE_POINTS or MORE_TAGS in place of the count leave everything as it was.
    """
    count, wall = _repeat(buf, at, end, points, tags, state)
    if count != SLOW:
        return count, wall
    before, last = state[TAGS], state[LAST]
    count, wall = _event(buf, at, end, points, tags, state)
    if count < 0:
        forget(buf, tags, before, state[TAGS])
        state[TAGS], state[LAST] = before, last
    return count, wall
