"""How long the server takes for what the pages ask, and how much memory it holds.

A real server process over lakes of 10,000 and 100,000 runs, one connection, answers read whole.
The lakes are made in --lakes where they are missing, and stay there.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import serving
from measure import peak_mb, report
from serving import Answer, Client, Server, check, timed

_METRICS = ["train/metric0", "val/metric1", "train/metric2", "val/metric3", "train/metric4"]
_COLUMNS = ",".join([
    "name", "project", "created_at", "state",
    *(f"hp.param{k}" for k in range(1, 6)), *(f'last("{tag}")' for tag in _METRICS),
])  # fmt: skip


def table(server: Server, client: Client, times: int) -> dict[str, dict[str, float]]:
    """What the run table asks; requests differ, so that no answer is an old one, but for `again`."""

    def runs(**given: object) -> Answer:
        return client.get("/api/v1/runs", **({"limit": 50} | given))

    def filtered(i: int) -> Answer:
        some = f"project in ('project1', 'project2') and hp.param1 > {10 + i}"
        return runs(columns=_COLUMNS, sort='-last("val/metric3")', filter=some)

    def by_metric(i: int) -> Answer:
        some = f'min("val/metric3") < {0.1 + i / 1000}'
        return runs(columns=_COLUMNS, sort='min("val/metric3")', filter=some)

    def groups(i: int) -> Answer:
        return client.get(
            "/api/v1/groups", group_by="project,hp.param4", columns='last("train/metric0")',
            filter=f"hp.param1 >= {10 + i}", sort="-runs", limit=50,
        )  # fmt: skip

    asked: dict[str, Callable[[int], Answer]] = {
        "first_page": lambda i: runs(limit=60 + i),
        "filter_sort_page": filtered,
        "metric_filter_sort_page": by_metric,
        "words": lambda i: runs(filter=f"resnet50 trial_{30 + i}"),
        "faults_filter_sort_page": lambda i: runs(
            columns="name,nan_tags,problems,hparams",
            sort="-nan_tags,-problems",
            filter=f"(nan_tags > 0 or problems > 0) and run_id > {i}",
        ),
        "first_nan_filter_sort_page": lambda i: runs(
            columns='name,first_nan("train/metric4")',
            sort='first_nan("train/metric4")',
            filter=f'first_nan("train/metric4") < {500 + i}',
        ),
        "quality": lambda i: client.get("/api/v1/quality", filter=f"run_id > {i}"),
        "group_by": groups,
        "best": lambda i: client.get(
            "/api/v1/best",
            group_by="project,hp.param4",
            metric='min("val/metric3")',
            direction="min",
            filter=f"hp.param1 >= {10 + i}",
        ),
        "boxes": lambda i: client.get(
            "/api/v1/boxes",
            group_by="project",
            metric='last("val/metric3")',
            filter=f"hp.param1 >= {10 + i}",
        ),
        "rank_correlations": lambda i: client.post(
            "/api/v1/importance",
            target='last("val/metric3")',
            method="rank",
            filter=f"hp.param1 >= {10 + i}",
        ),
        "facets": lambda i: client.get("/api/v1/facets", filter=f"hp.param2 >= {10 + i}"),
        "facets_again": lambda i: client.get("/api/v1/facets"),
        "tags": lambda i: client.get("/api/v1/tags", filter=f"last_step > {900 + i}"),
        "page_of_html": lambda i: client.get("/"),
    }
    found = {name: timed(server, ask, times) for name, ask in asked.items()}
    for path in ("tags", "fields"):
        # Known from then on until the lake changes.
        once = timed(server, lambda i, path=path: client.get(f"/api/v1/{path}"), 1, warm=0)
        found[f"{path}_first"] = {"ms": once["median_ms"], "cpu_ms": once["cpu_ms"]}
    return found


def charts(server: Server, client: Client, runs: int, times: int) -> dict[str, dict[str, float]]:
    """50 charts of 20 runs: tags of two selections, 10 at a time, as a browser asks for them."""
    some = [1 + i * (runs // 20) for i in range(20)]
    every = [f"metric/{tag:02}" for tag in range(20)]
    requests = [(every[:10], 0), (every[10:], 0), (every[:10], 1), (every[10:], 1), (every[:10], 2)]

    def page(turn: int) -> tuple[float, float]:
        start = time.perf_counter()
        first = 0.0
        for tags, more in requests:
            chosen = [one + more + 3 * (turn % 50) for one in some]
            check(client.post("/api/v1/series", runs=chosen, tags=tags, px=600))
            first = first or 1000 * (time.perf_counter() - start)
        return first, 1000 * (time.perf_counter() - start)

    page(99)
    before = server.cpu_s()
    found = [page(turn) for turn in range(times)]
    cpu = 1000 * (server.cpu_s() - before) / times
    firsts, whole = zip(*found, strict=True)
    return {
        "charts_50x20x1000_first_10": {"median_ms": statistics.median(firsts)},
        "charts_50x20x1000_all": {
            "median_ms": statistics.median(whole),
            "worst_ms": max(whole),
            "cpu_ms": cpu,
        },
    }


def bands(server: Server, client: Client, runs: int, times: int) -> dict[str, dict[str, float]]:
    """One tag of 1,000 runs in one group and in ten."""

    def ask(i: int, parts: int) -> Answer:
        members = [1 + (i + k * (runs // 1_000)) % (runs - 1) for k in range(1_000)]
        groups = [members[part::parts] for part in range(parts)]
        return client.post("/api/v1/series", groups=groups, tags=[f"metric/{i % 20:02}"], px=600)

    return {
        f"band_1000_runs_{parts}_groups": timed(server, lambda i, p=parts: ask(i, p), times, warm=1)
        for parts in (1, 10)
    }


def long(
    server: Server, client: Client, runs: int, steps: int, times: int
) -> dict[str, dict[str, float]]:
    """A chart of 20 runs of a million points, and zooms into it."""
    every = list(range(1, runs + 1))

    def ask(i: int, x: str, part: float) -> Answer:
        length = steps * (0.25 if x == "relative" else 1.0)
        begin = length * (0.1 + 0.005 * (i % 100))
        window = {} if part == 1.0 else {"range": [begin, begin + part * length]}
        return client.post(
            "/api/v1/series", runs=every, tags=["train/loss"], px=600 + 64 * (i % 5), x=x, **window
        )

    asked = {
        "long_whole": ("step", 1.0), "long_zoom_10%": ("step", 0.1),
        "long_zoom_0.05%": ("step", 0.0005), "long_relative_whole": ("relative", 1.0),
        "long_relative_zoom_10%": ("relative", 0.1), "long_wall_whole": ("wall", 1.0),
    }  # fmt: skip
    return {
        name: timed(server, lambda i, x=x, part=part: ask(i, x, part), times)
        for name, (x, part) in asked.items()
    }


def idle(server: Server, client: Client) -> float:
    """Its memory once it has shown its first page and had a moment."""
    check(client.get("/"))
    time.sleep(2)
    return server.rss_mb()


def main() -> None:
    """Build what is missing, ask, print one line for each lake."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--lakes", type=Path, default=Path(tempfile.gettempdir()) / "boardlake-bench"
    )
    parser.add_argument("--runs", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument(
        "--points", type=int, nargs=2, default=[10_000, 1_000], metavar=("RUNS", "STEPS")
    )
    parser.add_argument(
        "--long", type=int, nargs=2, default=[20, 1_000_000], metavar=("RUNS", "STEPS")
    )
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--only", choices=("runs", "points", "long"))
    options = parser.parse_args()
    times = options.times
    for runs in options.runs if options.only in (None, "runs") else []:
        lake = serving.many_runs(options.lakes, runs)
        with serving.serving(lake) as server:
            client = Client(server.port)
            rss = idle(server, client)
            figures = table(server, client, times)
            _report("service_runs", server, rss, figures, runs=runs)
    if options.only in (None, "points"):
        runs, steps = options.points
        with serving.serving(serving.many_points(options.lakes, runs, steps)) as server:
            client = Client(server.port)
            rss = idle(server, client)
            figures = charts(server, client, runs, max(3, times // 4))
            figures |= bands(server, client, runs, max(3, times // 4))
            _report("service_points", server, rss, figures, runs=runs, steps=steps)
    if options.only in (None, "long"):
        runs, steps = options.long
        with serving.serving(serving.long_runs(options.lakes, runs, steps)) as server:
            client = Client(server.port)
            rss = idle(server, client)
            figures = long(server, client, runs, steps, times)
            _report("service_long", server, rss, figures, runs=runs, steps=steps)


def _report(
    name: str, server: Server, rss: float, figures: dict[str, dict[str, float]], **shape: int
) -> None:
    report(
        name, **shape, rss_idle_mb=rss, rss_after_mb=server.rss_mb(), rss_peak_mb=peak_mb(server.pid),
        **figures,
    )  # fmt: skip


if __name__ == "__main__":
    main()
