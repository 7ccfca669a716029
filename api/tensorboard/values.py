"""Rows of tensors as the arrays that TensorBoard's plugins take. Pure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from tensorboard.compat.proto import tensor_pb2
from tensorboard.util import tensor_util

# A tensor may declare any shape and hold one value to repeat: of more elements nothing is shown.
MAX_ELEMENTS = 1 << 22
_TYPES = {"bfloat16": np.float32}


def array(
    dtype: str, shape: list[int] | None, data: Any, strings: list[str] | None, raw: bytes | None
) -> np.ndarray:
    """The value of a row of `tensors`: of its own type and shape, strings as bytes.

    What has neither numbers nor strings (a record of hyperparameters, a value without payload) is
    the empty array that TensorBoard has for it.
    """
    if raw is not None and dtype not in ("hparams", "none"):
        return _unpacked(raw)
    if strings is not None:
        items = np.empty(len(strings), object)
        items[:] = [text.encode("utf-8", "surrogatepass") for text in strings]
        return items.reshape(shape or ())
    if data is not None and dtype != "hparams":
        return np.asarray(data, np.float64).astype(_type(dtype)).reshape(shape or ())
    return np.zeros(0, np.float32)


def words(
    dtype: str, shape: list[int] | None, data: Any, strings: list[str] | None, raw: bytes | None
) -> np.ndarray:
    """The same for texts, which are UTF-8 in any case."""
    return array(dtype, shape, data, strings, None if strings is not None else raw)


def _unpacked(raw: bytes) -> np.ndarray:
    try:
        proto = tensor_pb2.TensorProto.FromString(raw)
        sizes = (max(dim.size, 0) for dim in proto.tensor_shape.dim)
        if math.prod(sizes) > MAX_ELEMENTS:
            return np.zeros(0, np.float32)
        return np.asarray(tensor_util.make_ndarray(proto))
    except (TypeError, ValueError, KeyError, OverflowError, AttributeError, DecodeError):
        return np.zeros(0, np.float32)


def _type(dtype: str) -> Any:
    try:
        return _TYPES.get(dtype) or np.dtype(dtype)
    except TypeError:
        return np.float64
