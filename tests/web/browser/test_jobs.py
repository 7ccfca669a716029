"""The job of a run: on its page, as columns of the run table, and in filters."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from boardlake.cli.main import main
from boardlake.core.values import Job
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake import jobs
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate

Serve = Callable[[Path, Path], Any]
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def cluster(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over two runs, of which one has a job that ran out of time."""
    root = tmp_path_factory.mktemp("jobs")
    now = int(time.time()) - 600
    for value, name in enumerate(("of a job", "alone")):
        file = root / "logs" / name / f"events.out.tfevents.{now}.gpu01.1.0"
        with EventWriter(file) as writer:
            writer.file_version(now)
            writer.scalar("loss", value, 1, now + 1)
    assert main(["--lake", str(root / "lake"), "ingest", str(root / "logs")]) == 0
    job = Job(
        "4711_2", "4712", HOSTILE, "ada", "TIMEOUT", "gpu[01-04]", "long", now - 60, now - 5,
        now - 5, now + 300, "0:0", roots=("of a job",),
    )  # fmt: skip
    with open_lake(locate(str(root / "lake")), read_only=False) as lake:
        ((source,),) = lake.query("SELECT source FROM source_facts")
        assert jobs.settle(lake, source, [job]) == 1
    with serve(root / "lake", root / "state") as at:
        yield at


def test_the_page_of_a_run_says_whose_job_it_is(cluster: str, page: Page) -> None:
    """Number, name as it is written, state, user and nodes; a run without a job says nothing of one."""
    rows = page.request.get(f"{cluster}/api/v1/runs?columns=run_key,job_id").json()["rows"]
    keys = {job: key for _, key, job in rows}
    page.goto(f"{cluster}/run/{keys['4711_2']}")
    facts = page.locator("dl.facts")
    for text in ("4711_2", HOSTILE, "TIMEOUT", "ada", "gpu[01-04]", "reached its time limit"):
        expect(facts.get_by_text(text).first).to_be_visible()
    expect(page.locator(".where .state")).to_have_text("failed")
    page.goto(f"{cluster}/run/{keys[None]}")
    expect(facts).to_be_visible()
    expect(facts.get_by_text("Job", exact=True)).to_have_count(0)


def test_jobs_in_the_run_table(cluster: str, page: Page) -> None:
    """Columns and filters know them."""
    page.goto(f"{cluster}/?q=job_user = 'ada' and job_state = 'TIMEOUT'&cols=label,job_id,job_name")
    expect(page.get_by_role("columnheader", name="Job", exact=True)).to_be_visible()
    expect(page.get_by_text("4711_2")).to_be_visible()
    expect(page.get_by_text("alone")).to_have_count(0)
