"""The plugins of ours among TensorBoard's, as its application loads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorboard.plugins import base_plugin

from ..reach import Reach
from .files import Ways
from .profile import Profile
from .projector import Projector


class _Loader(base_plugin.TBLoader):  # type: ignore[misc]
    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make

    def load(self, context: Any) -> Any:
        return self._make(context)


def file_plugins(reach: Reach | None) -> list[Any]:
    """Loaders of the projector and of the profiler's dashboard, over files of this machine and by *reach*."""
    ways = Ways(reach)
    return [
        _Loader(lambda context: Projector(context, ways)),
        _Loader(lambda context: Profile(ways)),
    ]
