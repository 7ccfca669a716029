"""`/metrics`: the lake, its sources, the requests of this server and its process, for Prometheus."""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections import Counter
from pathlib import Path

import duckdb
from flask import Blueprint, Flask, Response, g, request

from .. import __version__
from ..api.service import Service
from ..core.errors import BoardlakeError
from ..core.exposition import CONTENT_TYPE, Family, text
from ..lake import gauges

_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_PROC = Path("/proc/self")


class Requests:
    """Requests of an application by route, method and status, and how long each took to answer."""

    def __init__(self, app: Flask) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, int]] = Counter()
        self._times: dict[str, tuple[list[int], float]] = {}
        app.before_request(self._begin)
        app.after_request(self._end)

    def _begin(self) -> None:
        g.began = time.perf_counter()

    def _end(self, response: Response) -> Response:
        # Only routes: whatever else is asked for has as many addresses as it likes.
        route = request.url_rule.rule if request.url_rule else "other"
        method = request.method if request.method in _METHODS else "other"
        took = time.perf_counter() - g.pop("began", time.perf_counter())
        with self._lock:
            self._counts[route, method, response.status_code] += 1
            counts, total = self._times.get(route, ([0] * (len(_BOUNDS_S) + 1), 0.0))
            counts[bisect_left(_BOUNDS_S, took)] += 1
            self._times[route] = counts, total + took
        return response

    def families(self) -> list[Family]:
        """What was counted so far."""
        answered = Family("boardlake_http_requests_total", "counter", "Requests answered.")
        took = Family(
            "boardlake_http_request_duration_seconds", "histogram",
            "Time from a request to the begin of its answer.",
        )  # fmt: skip
        with self._lock:
            counts = sorted(self._counts.items())
            times = sorted((route, [*each], total) for route, (each, total) in self._times.items())
        for (route, method, status), count in counts:
            answered.add(count, {"route": route, "method": method, "status": status})
        for route, each, total in times:
            took.add_histogram(_BOUNDS_S, each, total, {"route": route})
        return [answered, took]


def metrics(service: Service, requests: Requests) -> Blueprint:
    """The route over *service*."""
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    def show() -> Response:
        """Everything that is measured, in Prometheus' text format."""
        there = Family("boardlake_lake_up", "gauge", "Whether the lake could be read: 1 or 0.")
        try:
            with service.cursor() as con:
                found = gauges.families(con, states=True)
            there.add(1)
        except (BoardlakeError, duckdb.Error):
            # The rest is what tells why.
            found = []
            there.add(0)
        answer = text([there, *found, *requests.families(), *_process()])
        return Response(answer, content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})

    return blueprint


def _process() -> list[Family]:
    about = Family("boardlake_build_info", "gauge", "The version; always 1.")
    about.add(1, {"version": __version__})
    cpu = Family("process_cpu_seconds_total", "counter", "User and system time of this process.")
    cpu.add(time.process_time())
    memory = Family("process_resident_memory_bytes", "gauge", "Resident memory.")
    files = Family("process_open_fds", "gauge", "Open file descriptors.")
    threads = Family("process_threads", "gauge", "Threads.")
    try:
        memory.add(int((_PROC / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
        files.add(len(os.listdir(_PROC / "fd")))
    except (OSError, ValueError, IndexError):
        # Not Linux.
        pass
    threads.add(threading.active_count())
    return [about, cpu, memory, files, threads]
