"""Byte strings of late: fetched by the series, for what costs is a block of the file, not the image in it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from ...lake import media
from ..service import Service
from .keys import Key

# Bytes kept, bytes fetched ahead at a time, and keys that are remembered with their series.
_KEPT, _AHEAD, _TOLD = 32 << 20, 4 << 20, 20_000


class KeptBytes:
    """What was asked for, and what an answer named beside it, for any number of threads.

    All is forgotten when the lake or an annotation changes: no copy stays of a run that is deleted.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._version = ""
        self._bytes: OrderedDict[Key, bytes] = OrderedDict()
        self._size = 0
        self._series: OrderedDict[Key, tuple[Key, ...]] = OrderedDict()

    def tell(self, keys: Sequence[Key]) -> None:
        """Remember that *keys* belong to one series: whoever asks for one may ask for the others."""
        series = tuple(keys)
        with self._lock:
            for key in series:
                self._series[key] = series
                self._series.move_to_end(key)
            while len(self._series) > _TOLD:
                self._series.popitem(last=False)

    def get(self, key: Key) -> bytes:
        """The bytes of *key*. Raises NoSuchRun, NoSuchMedia."""
        version = self._service.version()
        with self._lock:
            if version != self._version:
                self._bytes.clear()
                self._size, self._version = 0, version
            found = self._bytes.get(key)
            if found is not None:
                self._bytes.move_to_end(key)
                return found
            rest = [one for one in self._series.get(key, ()) if one != key]
            wanted = [key, *(one for one in rest if one not in self._bytes)]
        with self._service.cursor() as con:
            answers = media.several(con, [media.Wanted(*one[:5]) for one in wanted], _AHEAD)
        first = answers[0]
        if not isinstance(first, bytes):
            raise first or media.NoSuchMedia("the bytes cannot be had")
        with self._lock:
            if version == self._version:
                self._keep(zip(wanted, answers, strict=True))
        return first

    def _keep(self, answers: Iterable[tuple[Key, object]]) -> None:
        for key, data in answers:
            if isinstance(data, bytes) and len(data) <= _AHEAD and key not in self._bytes:
                self._bytes[key] = data
                self._size += len(data)
        while self._size > _KEPT:
            self._size -= len(self._bytes.popitem(last=False)[1])
