"""The page that asks for a token: typed once, kept for links from elsewhere, and given back."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from waitress import wasyncore

from boardlake.api.service import Service
from boardlake.cli.serve import bind, server_of, url
from boardlake.core import tokens
from boardlake.core.tokens import Tokens
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.state.store import open_state
from boardlake.tests.web.browser.test_accessibility import check

_PATIENCE_MS = 20_000


@pytest.fixture(scope="module")
def guarded(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a server that asks for a token, and the token."""
    folder = tmp_path_factory.mktemp("login")
    secret = tokens.add(folder / "tokens", "someone", "read")
    service = Service(open_lake(locate(str(samples))), open_state(folder))
    bound = bind("127.0.0.1", 0)
    running = server_of(service, bound, Tokens(folder / "tokens"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    yield url(bound).rstrip("/"), secret
    running.task_dispatcher.shutdown()
    running.trigger.pull_trigger(lambda: wasyncore.close_all(running._map, ignore_all=True))
    thread.join(10)
    bound.close()
    service.close()


def test_a_token_is_typed_once(
    page: Page, guarded: tuple[str, str], expected_errors: list[str]
) -> None:
    """A wrong one is told, a right one leads on; a link from another site needs none again."""
    expected_errors.append("401")
    at, secret = guarded
    page.goto(f"{at}/sources?x=1")
    expect(page.get_by_label("Token")).to_be_focused()
    check(page)
    page.get_by_label("Token").fill("bl_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("That token is not known here.")
    page.get_by_label("Token").fill(secret)
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("Sources"), timeout=_PATIENCE_MS)
    assert page.url == f"{at}/sources?x=1"

    page.goto(f"data:text/html,<a href='{at}/api'>a link</a>")
    page.get_by_text("a link").click()
    expect(page).to_have_title(re.compile("^API"), timeout=_PATIENCE_MS)

    page.goto(f"{at}/login")
    expect(page.get_by_role("heading")).to_have_text("Logged in")
    check(page)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.goto(f"{at}/")
    expect(page.get_by_label("Token")).to_be_visible()
