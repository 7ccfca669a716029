"""The API page in a browser: search, copying, questions; and that it can be read without scripts."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect


def test_search_leaves_what_matches(server_url: str, page: Page) -> None:
    """Words find operations by path, parameter and description; nothing found says so."""
    page.goto(f"{server_url}/api")
    box = page.get_by_role("searchbox", name="Search operations")
    box.fill("baseline")
    expect(page.locator("article:visible")).to_have_count(1)
    assert page.locator("article:visible").get_attribute("id") == "get-compare"
    expect(page.locator(".index li:visible")).to_have_count(1)
    box.fill("nosuchthing")
    expect(page.get_by_text("No operation matches.")).to_be_visible()


def test_a_question_is_asked(server_url: str, page: Page) -> None:
    """Try it shows status, time and the answer of the question that the fields make."""
    page.goto(f"{server_url}/api#get-runs")
    form = page.locator("#get-runs")
    form.get_by_role("button", name="Try it").click()
    form.get_by_role("textbox", name="limit").fill("1")
    form.get_by_role("textbox", name="columns").fill("name, state")
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_text("200 OK")).to_be_visible()
    expect(form.get_by_label("Answer")).to_contain_text('"total"')
    link = form.locator(".result a").get_attribute("href")
    assert link == "/api/v1/runs?columns=name%2C+state&limit=1"


def test_a_refusal_is_shown(server_url: str, page: Page, expected_errors: list[str]) -> None:
    """What the server refuses is an answer with its status, not a failure of the page."""
    expected_errors.append("400")
    page.goto(f"{server_url}/api")
    form = page.locator("#get-runs")
    form.get_by_role("button", name="Try it").click()
    form.get_by_role("textbox", name="limit").fill("many")
    form.get_by_role("button", name="Send").click()
    expect(form.locator(".result")).to_contain_text("400")
    expect(form.get_by_label("Answer")).to_contain_text("limit")


def test_snippets_are_copied(server_url: str, page: Page) -> None:
    """The button puts the very snippet on the clipboard."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{server_url}/api")
    page.locator("#get-tags").get_by_role("button", name="Copy Python").click()
    expect(page.get_by_text("Python copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#get-tags .snippet code").nth(1).inner_text()
    assert f"boardlake.open('{server_url}')" in copied


def test_it_can_be_read_without_scripts(server_url: str, browser: Browser) -> None:
    """Parameters, answers and snippets are in the page itself; schemas unfold."""
    context = browser.new_context(java_script_enabled=False)
    try:
        plain = context.new_page()
        plain.goto(f"{server_url}/api")
        operation = plain.locator("#get-compare")
        expect(operation.locator("tr[data-name]")).not_to_have_count(0)
        operation.locator("details summary").first.click()
        expect(operation.get_by_text("metrics", exact=True).first).to_be_visible()
        expect(operation.locator("code", has_text="curl")).to_be_visible()
    finally:
        context.close()
