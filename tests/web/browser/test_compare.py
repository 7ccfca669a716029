"""The compare page: runs side by side, what differs, what is best, and texts line by line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect

Compare = Callable[..., None]


@pytest.fixture(scope="module")
def runs(server_url: str) -> dict[str, str]:
    """The key of each sample run by its name."""
    with urlopen(f"{server_url}/api/v1/runs?columns=run_key,name&limit=1000") as answer:
        return {name: key for _, key, name in json.load(answer)["rows"]}


@pytest.fixture
def two(runs: dict[str, str]) -> list[str]:
    """Two runs that differ in their model and share the other hyperparameters."""
    return [runs["resnet18_lr0.1_bs256_s0"], runs["resnet50_lr0.1_bs256_s0"]]


@pytest.fixture
def compare(server_url: str, page: Page) -> Compare:
    """Opens the page for some runs."""

    def show(keys: list[str], **more: str) -> None:
        rest = "".join(f"&{name}={value}" for name, value in more.items())
        page.goto(f"{server_url}/compare?runs={','.join(keys)}{rest}")
        if len(keys) > 1:
            expect(
                page.locator("table.compare th.run").nth(min(len(keys), 20) - 1)
            ).to_be_attached()

    return show


def asked(page: Page, name: str) -> str | None:
    """What the address says of *name*."""
    found: str | None = page.evaluate("(name) => new URL(location).searchParams.get(name)", name)
    return found


def rows(page: Page) -> list[str]:
    """The names of the rows that are shown."""
    return page.locator("table.compare tbody th[scope=row] .name").all_inner_texts()


def values(page: Page, name: str) -> list[str]:
    """What the cells of a row say."""
    row = page.locator("table.compare tr", has=page.get_by_title(name, exact=True))
    return [text.strip() for text in row.locator("td").all_inner_texts()]


def test_only_what_differs_is_shown_at_first(page: Page, compare: Compare, two: list[str]) -> None:
    """Equal hyperparameters appear when the switch is turned off, and the address says so."""
    compare(two)
    assert "model" in rows(page) and "epochs" not in rows(page)
    assert values(page, "model") == ["resnet18", "resnet50"]
    page.get_by_role("checkbox", name="Differences only").uncheck()
    expect(page.get_by_title("epochs", exact=True)).to_be_visible()
    assert asked(page, "diff") == "0"
    page.go_back()
    expect(page.get_by_title("epochs", exact=True)).to_have_count(0)


def test_a_baseline_gives_deltas(page: Page, compare: Compare, two: list[str]) -> None:
    """Each metric says how far it is from the baseline's, also as a share of it."""
    compare(two)
    name = page.locator("th.run a").nth(0).inner_text()
    page.get_by_role("button", name=f"Options of {name}").click()
    page.get_by_role("menuitem", name="Make it the baseline").click()
    expect(page.locator("th.run.base")).to_have_count(1)
    assert asked(page, "base") == two[0]
    row = page.locator("table.compare tr", has=page.get_by_title("val/acc1", exact=True))
    first, second = (float(text) for text in row.locator(".value").evaluate_all(
        "(all) => all.map((one) => one.closest('td').title.split(' ')[0])"))  # fmt: skip
    text = row.locator(".delta").nth(1).inner_text().replace("−", "-").replace(",", "")
    match = re.fullmatch(r"([+-][\d.e-]+) \(([+-][\d.e-]+) %\)", text)
    assert match
    assert float(match[1]) == pytest.approx(second - first, rel=0.01)
    assert float(match[2]) == pytest.approx(100 * (second - first) / first, rel=0.01)


@pytest.mark.parametrize(("tag", "best"), [("val/acc1", max), ("val/loss", min)])
def test_the_best_of_a_row_is_marked(
    page: Page, compare: Compare, two: list[str], tag: str, best: Callable[..., float]
) -> None:
    """Accuracy is best where it is highest, loss where it is lowest; one value has the mark."""
    compare(two, stat="best")
    row = page.locator("table.compare tr", has=page.get_by_title(tag, exact=True))
    numbers = row.locator("td.metric").evaluate_all(
        "(all) => all.map((one) => Number(one.title.split(' ')[0]))"
    )
    marked = row.locator("td.metric").evaluate_all(
        "(all) => all.map((one) => one.querySelector('.best') !== null)"
    )
    assert marked == [one == best(numbers) for one in numbers] and marked.count(True) == 1


def test_the_direction_is_the_readers_to_choose(
    page: Page, compare: Compare, two: list[str]
) -> None:
    """A click turns what is better round, and with it the mark."""
    compare(two)
    row = page.locator("table.compare tr", has=page.get_by_title("val/acc1", exact=True))
    before = row.locator("td.metric").nth(0).locator(".best").count()
    row.get_by_role("button", name="val/acc1: higher is better").click()
    expect(row.get_by_role("button", name="val/acc1: lower is better")).to_be_visible()
    assert row.locator("td.metric").nth(0).locator(".best").count() != before


def test_runs_are_added_moved_and_removed(
    page: Page, compare: Compare, two: list[str], runs: dict[str, str]
) -> None:
    """The box finds runs by words; the menu moves them; the cross removes them; undo brings back."""
    compare(two)
    box = page.get_by_role("combobox", name="Add a run")
    box.fill("wide-deep")
    option = page.get_by_role("option", name=re.compile("wide-deep"))
    expect(option).to_have_count(1)
    box.press("Enter")
    expect(page.locator("th.run")).to_have_count(3)
    assert asked(page, "runs") == ",".join([*two, runs["wide-deep"]])
    page.get_by_role("button", name="Options of wide-deep").click()
    page.get_by_role("menuitem", name="Move to the begin").click()
    expect(page.locator("th.run a").first).to_have_text("wide-deep")
    page.get_by_role("button", name="Remove wide-deep").click()
    expect(page.locator("th.run")).to_have_count(2)
    page.keyboard.press("Control+z")
    expect(page.locator("th.run")).to_have_count(3)


def test_a_run_is_dragged_to_its_place(page: Page, compare: Compare, two: list[str]) -> None:
    """Dropping the second on the left half of the first puts it there."""
    compare(two)
    first, second = page.locator("th.run").nth(0), page.locator("th.run").nth(1)
    name = second.locator("a").inner_text()
    second.locator(".under").drag_to(first, target_position={"x": 5, "y": 20})
    expect(page.locator("th.run a").first).to_have_text(name)
    assert asked(page, "runs") == f"{two[1]},{two[0]}"


def test_names_are_searched_and_sections_shut(page: Page, compare: Compare, two: list[str]) -> None:
    """Words leave the rows that have them; a shut section stays shut in the link."""
    compare(two)
    page.get_by_role("searchbox", name="Search names").fill("acc1")
    expect(page.get_by_title("model", exact=True)).to_have_count(0)
    assert rows(page) and all("acc1" in name for name in rows(page))
    page.get_by_role("button", name=re.compile("^Metrics")).click()
    expect(page.locator("table.compare tbody th[scope=row]")).to_have_count(0)
    page.reload()
    shut = page.get_by_role("button", name=re.compile("^Metrics"))
    expect(shut).to_have_attribute("aria-expanded", "false")
    assert asked(page, "q") == "acc1" and asked(page, "closed") == "metrics"


def test_many_runs_have_a_row_each(page: Page, compare: Compare, runs: dict[str, str]) -> None:
    """From fifty on the table is turned; the switch turns it back."""
    keys = list(runs.values())[:52]
    compare(keys)
    expect(page.locator("table.compare.flip")).to_have_count(1)
    page.wait_for_function(
        """(count) => {
          const place = document.querySelector(".compare-scroll");
          place.scrollTo(0, place.scrollHeight);
          return place.querySelectorAll("th.run").length === count;
        }""",
        arg=len(keys),
    )
    button = page.get_by_role("button", name="A row for each run")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(page.locator("table.compare:not(.flip)")).to_have_count(1)
    assert asked(page, "flip") == "no"


def test_it_is_copied_with_every_digit(page: Page, compare: Compare, two: list[str]) -> None:
    """CSV, Markdown and JSON hold what is seen; JSON tells steps and the runs' keys."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    compare(two, base=two[0])
    copied: dict[str, str] = {}
    for kind in ("CSV", "Markdown", "JSON"):
        page.get_by_role("button", name="Copy", exact=True).click()
        page.get_by_role("menuitem", name=f"Copy as {kind}").click()
        expect(page.get_by_text(f"{kind} copied")).to_be_visible()
        copied[kind] = page.evaluate("navigator.clipboard.readText()")
    told: dict[str, Any] = json.loads(copied["JSON"])
    assert [run["run_key"] for run in told["runs"]] == two and told["baseline"] == two[0]
    metrics = {row["name"]: row for row in told["sections"][2]["rows"]}
    accuracy = metrics["val/acc1"]
    assert accuracy["deltas"] == [None, accuracy["values"][1] - accuracy["values"][0]]
    assert all(isinstance(step, int) for step in accuracy["steps"])
    first, second = accuracy["values"]
    assert f"metrics,val/acc1,{first},{second}" in copied["CSV"].splitlines()
    assert "| model | resnet18 | resnet50 |" in copied["Markdown"].splitlines()


def test_texts_are_compared_by_line(page: Page, compare: Compare, two: list[str]) -> None:
    """The command differs in one argument, and in it by one word; both forms say so."""
    compare(two)
    part = page.get_by_role("region", name="Texts")
    expect(part.get_by_text("1 line changed")).to_be_visible()
    assert part.locator("del").all_inner_texts() == ["resnet18"]
    assert part.locator("ins").all_inner_texts() == ["resnet50"]
    part.get_by_role("button", name="Unified").click()
    expect(part.locator("table.unified")).to_be_visible()
    assert part.locator("del").all_inner_texts() == ["resnet18"]
    part.get_by_role("button", name="Swap left and right").click()
    expect(part.locator("ins")).to_have_text(["resnet18"])


def test_logged_texts_are_compared(page: Page, compare: Compare, runs: dict[str, str]) -> None:
    """A text tag of two runs is fetched and compared; a run without it is told."""
    one = next(key for name, key in runs.items() if "Hopper-v4__ppo_continuous_action__1" in name)
    two = next(key for name, key in runs.items() if "Hopper-v4__sac_continuous_action__1" in name)
    compare([one, two, runs["wide-deep"]])
    part = page.get_by_role("region", name="Texts")
    part.get_by_label("Text", exact=True).select_option(label="hyperparameters")
    expect(part.locator("del").first).to_be_visible()
    assert "sac_continuous_action" in "".join(part.locator("td.text.come").all_inner_texts())
    part.get_by_label("Right run").select_option(label="wide-deep")
    expect(part.get_by_text("The right run does not have this text.")).to_be_visible()


def test_nothing_chosen_offers_recent_runs(page: Page, compare: Compare) -> None:
    """Without runs the page says what to do, and two ticks lead to a comparison."""
    compare([])
    offer = page.get_by_role("region", name="Recent runs")
    expect(offer).to_contain_text("Pick two or more runs")
    button = offer.get_by_role("button", name="Compare")
    expect(button).to_be_disabled()
    offer.get_by_role("checkbox").nth(0).check()
    offer.get_by_role("checkbox").nth(1).check()
    button.click()
    expect(page.locator("th.run")).to_have_count(2)


def test_one_run_asks_for_another(page: Page, compare: Compare, two: list[str]) -> None:
    """A single run is shown whole, with others beside it to choose."""
    compare(two[:1])
    expect(page.locator("th.run")).to_have_count(1)
    expect(page.get_by_text("One run alone")).to_be_visible()
    expect(page.get_by_title("epochs", exact=True)).to_be_visible()


def test_runs_that_are_gone_are_told(server_url: str, page: Page, two: list[str]) -> None:
    """A key that the lake does not have is named, and can be left out of the link."""
    page.goto(f"{server_url}/compare?runs={','.join([*two, '0123456789ab'])}")
    expect(page.get_by_text("0123456789ab")).to_be_visible()
    page.get_by_role("button", name="Leave out").click()
    expect(page.get_by_text("0123456789ab")).to_have_count(0)
    assert asked(page, "runs") == ",".join(two)


def test_a_short_link_leads_back(
    server_url: str, page: Page, compare: Compare, two: list[str]
) -> None:
    """What Share copies shows the same comparison."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    compare(two, base=two[1], diff="0")
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_text("Link copied")).to_be_visible()
    page.goto(page.evaluate("navigator.clipboard.readText()"))
    expect(page.locator("th.run.base")).to_have_count(1)
    expect(page.get_by_role("checkbox", name="Differences only")).not_to_be_checked()


def test_charts_of_the_compared_runs_are_below(
    page: Page, compare: Compare, two: list[str]
) -> None:
    """Scrolling down draws the curves of these runs."""
    compare(two)
    charts = page.get_by_role("region", name="Charts")
    charts.scroll_into_view_if_needed()
    expect(charts.get_by_role("heading", name="acc1").first).to_be_visible()
    expect(charts.locator(".canvas canvas, .canvas *").first).to_be_attached()
