"""A real browser at a running server over the sample logs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from waitress import wasyncore

from boardlake.api.service import Service
from boardlake.cli.serve import bind, server_of, url
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.state.store import open_state

# The shell is the same browser without a desktop around it: it takes a third less of the processor.
_BROWSERS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
_ARGS = [
    # WebGL, which some of TensorBoard's charts take, is computed.
    "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

# What is awaited comes sooner; five seconds, as it is by default, are little where others take the processor.
expect.set_options(timeout=15_000)

# Addresses of servers that have ended: a page may ask one as long as it is open.
_ENDED: set[str] = set()


@contextmanager
def serving(lake: Path, state: Path) -> Iterator[str]:
    """The address of a server over *lake* that keeps what people write in *state*."""
    state.mkdir(parents=True, exist_ok=True)
    service = Service(open_lake(locate(str(lake)), read_only=True), open_state(state))
    bound = bind("127.0.0.1", 0)
    running = server_of(service, bound)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    address = url(bound).rstrip("/")
    # Ports are given out again.
    _ENDED.discard(address)
    try:
        yield address
    finally:
        _ENDED.add(address)
        # Closed by its own loop, once no answer is being written: from here it may be in a select.
        # It goes on as long as a browser holds a connection.
        running.task_dispatcher.shutdown()
        running.trigger.pull_trigger(lambda: wasyncore.close_all(running._map, ignore_all=True))
        thread.join(10)
        assert not thread.is_alive()
        bound.close()
        service.close()


@pytest.fixture(scope="session")
def serve() -> Callable[[Path, Path], object]:
    """`with serve(lake, state) as url`: a server over another lake."""
    return serving


@pytest.fixture(scope="session")
def server_url(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over the sample logs, without a slash at its end.

    All tests share it: what one writes about runs it takes back.
    """
    with serving(samples, tmp_path_factory.mktemp("browser-state")) as at:
        yield at


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    found = next((path for path in _BROWSERS if path.exists()), None)
    if found is None:
        pytest.skip(f"no browser at {_BROWSERS[0]}: install Debian's package of that name")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(found), args=_ARGS)
        yield opened
        opened.close()


@pytest.fixture
def expected_errors() -> list[str]:
    """Parts of console messages that a test provokes: it adds them, and they do not fail it."""
    return []


@pytest.fixture
def page(browser: Browser, expected_errors: list[str]) -> Iterator[Page]:
    """A page in a context of its own, 1640 x 900; whatever goes wrong in it fails the test.

    That is an error in a script or on the console, and a request that leaves the host.
    """
    context = browser.new_context(viewport={"width": 1640, "height": 900})
    context.set_default_timeout(15_000)
    opened = context.new_page()
    wrong: list[str] = []

    def note(text: str) -> None:
        if not any(part in text for part in expected_errors):
            wrong.append(text)

    def console(kind: str, text: str, where: str) -> None:
        if kind == "error" and not any(where.startswith(f"{one}/") for one in _ENDED):
            note(f"console: {text}")

    def asked(address: str) -> None:
        if not address.startswith(("http://127.0.0.1:", "data:", "blob:", "about:")):
            note(f"leaves the host: {address}")

    opened.on("pageerror", lambda error: note(f"script: {error}"))
    opened.on("console", lambda m: console(m.type, m.text, m.location["url"]))
    opened.on("request", lambda request: asked(request.url))
    yield opened
    context.close()
    assert not wrong, wrong
