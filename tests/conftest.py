"""Fixtures for all tests: the corpus of real event files, and compiled code that is never stale."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

_ROOT = Path(__file__).resolve().parent.parent

# A cached kernel is keyed by its own file only, not by those it calls: key the cache by them all.
_sources = b"".join(path.read_bytes() for path in sorted((_ROOT / "kernels").glob("*.py")))
_cache = _ROOT / ".pytest_cache" / f"kernels-{hashlib.sha256(_sources).hexdigest()[:16]}"
os.environ.setdefault("NUMBA_CACHE_DIR", str(_cache))

# The first example of a test may compile a kernel: time says nothing here.
settings.register_profile("boardlake", deadline=None)
settings.load_profile("boardlake")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real event files beside the checkout, with its golden counts."""
    path = _ROOT.parent / "shared" / "corpus"
    if not (path / "GOLDEN_FILES.csv").is_file():
        pytest.skip("no corpus of real event files at ../shared/corpus beside the checkout")
    return path


@pytest.fixture(scope="session")
def empty_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake without a row, to be copied: that takes a tenth of the time of making one."""
    from boardlake.lake.database import open_lake
    from boardlake.lake.location import locate

    root = tmp_path_factory.mktemp("empty") / "lake"
    with open_lake(locate(str(root)), read_only=False, create=True):
        pass
    return root


@pytest.fixture(scope="session")
def corpus_lake(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of the corpus, not to be written to: all processes of a test run share it."""
    from boardlake.cli.main import main

    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "corpus lake"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "done").exists():
            assert main(["--lake", str(shared / "lake"), "ingest", str(corpus)]) == 0
            (shared / "done").touch()
    return shared / "lake"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where many tests have run: which files take longest, for each stays with one process."""
    spent: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                spent[report.nodeid.partition("::")[0]] += report.duration
    if len(spent) > 25:
        terminalreporter.section(f"{sum(spent.values()):.0f} s in all, slowest 25 files")
        for file, seconds in spent.most_common(25):
            terminalreporter.write_line(f"{seconds:7.1f} s {file}")
