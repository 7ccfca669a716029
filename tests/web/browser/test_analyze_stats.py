"""Importance, groups and best runs on the analysis page, as a person sees and uses them."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Locator, Page, expect

# On a busy machine; nothing is measured here.
_PATIENCE_MS = 60_000
_VISION = "project = 'vision'"
_PANELS = ("scatter", "parallel", "importance", "groups", "best")


def ask(server_url: str, path: str, **query: object) -> Any:
    with urlopen(f"{server_url}/api/v1/{path}?{urlencode(query)}") as answer:
        return json.load(answer)


def table(answer: Any) -> list[dict[str, Any]]:
    names = [one["name"] for one in answer["columns"]]
    return [dict(zip(names, row, strict=True)) for row in answer["rows"]]


def keys_of(server_url: str, query: str) -> set[str]:
    rows = ask(server_url, "runs", columns="run_key", filter=query, limit=1000)["rows"]
    return {row[1] for row in rows}


def selected(page: Page, keys: set[str]) -> None:
    """Wait until these runs are selected, and no others."""
    page.wait_for_url(
        lambda url: set(parse_qs(urlsplit(url).query).get("sel", [""])[0].split(",")) == keys
    )


def numbers(cells: Locator) -> list[float]:
    """What is written in some cells, as numbers."""
    texts = cells.all_text_contents()
    return [float(re.sub("[^0-9.−]", "", text).replace("−", "-")) for text in texts]


def value(page: Page, name: str) -> str:
    """What the page's address says of *name*."""
    return parse_qs(urlsplit(page.url).query).get(name, [""])[0]


def show(page: Page, server_url: str, panel: str, **state: str) -> Locator:
    """The page with one panel open."""
    closed = json.dumps([one for one in _PANELS if one != panel])
    page.goto(f"{server_url}/analyze?{urlencode({'q': _VISION, 'closed': closed} | state)}")
    return page.locator(f"#{panel}")


def marks(panel: Locator) -> Locator:
    return panel.locator(".group-mark")


# Groups


def test_groups_say_what_the_lake_says(page: Page, server_url: str) -> None:
    """A box for each group in the order of its key, with the numbers of all its runs in words."""
    metric = 'min("val/loss")'
    panel = show(page, server_url, "groups", boxOf=metric, boxBy="hp.lr")
    rows = table(ask(server_url, "boxes", group_by="hp.lr", metric=metric, filter=_VISION))
    expect(marks(panel)).to_have_count(len(rows), timeout=_PATIENCE_MS)
    for mark, row in zip(marks(panel).all(), rows, strict=True):
        label = mark.get_attribute("aria-label") or ""
        assert label.startswith(f"{row['hp.lr']:g}: runs {row['runs']}")
        if row["values"]:
            assert f"median {row['median']:.5g}" in label.replace(",", "", 0)
        # Small groups show every run.
        if row["values"] <= 12:
            assert mark.locator(".dot-run").count() == row["values"]
    expect(panel.get_by_role("status")).to_contain_text(f"in {len(rows)} groups")


def test_a_click_on_a_group_selects_its_runs(page: Page, server_url: str) -> None:
    """All of them; Shift adds those of another; keys do the same; a dot is one run."""
    panel = show(page, server_url, "groups", boxOf='max("val/acc1")', boxBy="hp.model")
    expect(marks(panel)).to_have_count(2, timeout=_PATIENCE_MS)
    keys = {
        model: keys_of(server_url, f"{_VISION} and hp.model = '{model}'")
        for model in ("resnet18", "resnet50")
    }
    marks(panel).nth(0).locator(".name").click()
    selected(page, keys["resnet18"])
    marks(panel).nth(0).focus()
    page.keyboard.press("ArrowRight")
    expect(marks(panel).nth(1)).to_be_focused()
    page.keyboard.press("Shift+Enter")
    selected(page, keys["resnet18"] | keys["resnet50"])
    dot = marks(panel).nth(0).locator(".dot-run").first
    key = dot.get_attribute("data-key")
    dot.click(force=True)
    selected(page, {key or ""})
    expect(panel.locator(".dot-run.selected")).to_have_count(1)
    page.go_back()
    expect(panel.locator(".dot-run.selected").nth(1)).to_be_attached()


def test_runs_without_a_key_are_a_group(page: Page, server_url: str) -> None:
    """It is called (none), and selects like others."""
    panel = show(page, server_url, "groups", q="", boxOf="points", boxBy="hp.model")
    expect(marks(panel).first).to_be_visible(timeout=_PATIENCE_MS)
    none = panel.get_by_role("button", name=re.compile(r"^\(none\): runs"))
    none.locator(".name").click()
    selected(page, keys_of(server_url, "hp.model is null"))


def test_groups_are_those_of_the_run_table(page: Page, server_url: str) -> None:
    """Unless others are chosen; they have its colours then. Keys are added and taken away."""
    panel = show(page, server_url, "groups", group="hp.model", boxOf='min("val/loss")')
    expect(marks(panel)).to_have_count(2, timeout=_PATIENCE_MS)
    expect(marks(panel).first).to_have_attribute("style", re.compile("--tint: *#"))
    box = panel.get_by_role("combobox", name="Group by")
    expect(box).to_have_attribute("placeholder", "model")
    box.fill("hp.batch_size")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("boxBy=hp.batch_size"), timeout=_PATIENCE_MS)
    expect(marks(panel).first).to_have_attribute("aria-label", re.compile("^64: "))
    panel.get_by_role("button", name="Do not group by batch_size").click()
    expect(marks(panel).first).to_have_attribute("aria-label", re.compile("^resnet18: "))


def test_bars_scales_and_orders(page: Page, server_url: str) -> None:
    """Bars have the error that is asked for; the order is the server's; a log axis says what it leaves out."""
    panel = show(page, server_url, "groups", boxOf='min("val/loss")', boxBy="hp.model,hp.lr")
    expect(marks(panel).first).to_be_visible(timeout=_PATIENCE_MS)
    assert marks(panel).locator(".box").count() > 3
    panel.get_by_role("button", name="Bars").click()
    expect(panel.locator(".box")).to_have_count(0)
    assert panel.locator(".pillar").count() > 3
    panel.get_by_label("Whiskers of the bars").select_option("ci95")
    expect(marks(panel).first).to_have_attribute("aria-label", re.compile("95 % interval ± "))
    panel.get_by_label("Order of the groups").select_option("-median")
    asked = {"group_by": "hp.model,hp.lr", "metric": 'min("val/loss")', "filter": _VISION}
    rows = table(ask(server_url, "boxes", **asked, sort="-median"))
    first = f"^{rows[0]['hp.model']} · {rows[0]['hp.lr']:g}: "
    expect(marks(panel).first).to_have_attribute("aria-label", re.compile(first))
    page.go_back()
    expect(panel.get_by_label("Order of the groups")).to_have_value("key")
    zero = show(
        page, server_url, "groups", boxOf="points - points", boxBy="hp.model", boxScale="log"
    )
    expect(zero.get_by_role("status")).to_contain_text(
        "0 or less, which a logarithmic axis does not show", timeout=_PATIENCE_MS
    )


def test_a_metric_that_nobody_has(page: Page, server_url: str) -> None:
    """It is said, with what to do."""
    panel = show(page, server_url, "groups", q="project = 'rl'", boxOf='min("val/loss")')
    expect(panel).to_contain_text("Choose another metric", timeout=_PATIENCE_MS)


# The best run of each group


def test_the_best_of_each_group(page: Page, server_url: str) -> None:
    """As the API has it: a loss is best where it is smallest; the run is a link; the best are selected."""
    metric = 'min("val/loss")'
    panel = show(page, server_url, "best", bestOf=metric, bestBy="hp.model,hp.lr")
    asked = {"group_by": "hp.model,hp.lr", "metric": metric, "filter": _VISION}
    rows = table(ask(server_url, "best", **asked, direction="min"))
    shown = panel.locator("tbody tr")
    expect(shown).to_have_count(len(rows), timeout=_PATIENCE_MS)
    expect(panel.get_by_role("button", name="smallest")).to_have_attribute("aria-pressed", "true")
    for row, truth in zip(shown.all(), rows, strict=True):
        link = row.get_by_role("link")
        assert link.get_attribute("href") == f"/run/{truth['best_run_key']}"
        assert link.text_content() == truth["best_run"]
        assert f"{truth['best']:.5g}" in (row.text_content() or "")
        assert f"step {truth['best_step']:,}" in (row.text_content() or "")
    panel.get_by_role("button", name="Select the best").click()
    keys = [row["best_run_key"] for row in rows]
    selected(page, set(keys))
    expect(panel.locator("tr.selected")).to_have_count(len(keys))
    panel.get_by_role("button", name="largest").click()
    worst = max(rows, key=lambda row: row["best"])
    expect(panel.locator("tbody tr").first.get_by_role("link")).not_to_have_text(worst["best_run"])
    expect(panel.get_by_role("status")).to_contain_text("best by the largest")


def test_the_best_are_ordered_and_bounded(page: Page, server_url: str) -> None:
    """A head sorts, twice the other way round; groups of too few runs are left out, and said to be."""
    panel = show(page, server_url, "best", bestOf="points", bestBy="project", q="")
    expect(panel.locator("tbody tr").first).to_be_visible(timeout=_PATIENCE_MS)
    panel.get_by_role("button", name="Project", exact=True).click()
    expect(page).to_have_url(re.compile("bestSort=key"))
    head = panel.get_by_role("columnheader", name="Project")
    expect(head).to_have_attribute("aria-sort", "ascending")
    names = panel.locator("tbody th")
    sorted_ = ask(
        server_url, "best", group_by="project", metric="points", direction="max", sort="key"
    )
    expect(names).to_have_text([row["project"] or "(none)" for row in table(sorted_)])
    first = names.first.text_content()
    panel.get_by_role("button", name="Project", exact=True).click()
    expect(names.last).to_have_text(first or "")
    panel.get_by_label("Least number of runs with a value").fill("10")
    page.keyboard.press("Enter")
    truth = ask(server_url, "best", group_by="project", metric="points", direction="max", least=10)
    expect(panel.locator("tbody tr")).to_have_count(truth["total"], timeout=_PATIENCE_MS)
    expect(panel.get_by_role("status")).to_contain_text(
        f"{truth['left_out']} groups with a value in fewer than 10 runs are left out"
    )


def test_what_is_shown_can_be_copied(page: Page, server_url: str) -> None:
    """As CSV and as JSON; an address gives the same to programs."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = show(page, server_url, "best", bestOf='max("val/acc1")', bestBy="hp.model")
    expect(panel.locator("tbody tr").first).to_be_visible(timeout=_PATIENCE_MS)
    href = panel.get_by_role("link", name="JSON").get_attribute("href") or ""
    with urlopen(server_url + href) as answer:
        truth = table(json.load(answer))
    panel.get_by_role("button", name="Copy").click()
    page.get_by_role("menuitem", name="As JSON").click()
    expect(page.get_by_text("JSON copied")).to_be_visible()
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == truth
    panel.get_by_role("button", name="Copy").click()
    page.get_by_role("menuitem", name="As CSV").click()
    expect(page.get_by_text("CSV copied")).to_be_visible()
    read = list(csv.DictReader(io.StringIO(page.evaluate("navigator.clipboard.readText()"))))
    assert [row["best_run_key"] for row in read] == [row["best_run_key"] for row in truth]
    assert [float(row["best"]) for row in read] == [row["best"] for row in truth]


def test_an_error_stands_in_its_place(
    page: Page, server_url: str, expected_errors: list[str]
) -> None:
    """With a new try, which may succeed."""
    expected_errors.append("400")
    panel = show(page, server_url, "best", bestOf='min("nosuch")', bestBy="hp.model")
    expect(panel.get_by_role("alert").filter(has_text="no run has the tag nosuch")).to_be_visible(
        timeout=_PATIENCE_MS
    )
    expect(panel.get_by_role("button", name="Try again")).to_be_visible()
    box = panel.get_by_role("combobox", name="Metric of the best runs")
    box.fill("points")
    page.keyboard.press("Escape")
    box.fill("points")
    page.keyboard.press("Enter")
    expect(panel.locator("tbody tr").first).to_be_visible(timeout=_PATIENCE_MS)


# Importance


def test_the_importance_of_hyperparameters(page: Page, server_url: str) -> None:
    """The most important one first; how far the forest can be trusted; what tells nothing is apart; a
    name puts its hyperparameter on the scatter's axis."""
    pytest.importorskip("sklearn")
    panel = show(page, server_url, "importance", impOf='min("val/loss")')
    rows = panel.locator("tbody tr")
    expect(panel.get_by_role("status")).to_contain_text("forest explains", timeout=_PATIENCE_MS)
    names = rows.locator("th").all_text_contents()
    assert set(names) >= {"lr", "model", "batch_size"}
    weights = numbers(rows.locator(".weighed .amount"))
    assert weights == sorted(weights, reverse=True)
    expect(panel).to_contain_text("have one value in all runs")
    trend = rows.filter(has_text=re.compile("^lr")).get_by_role("img")
    expect(trend).to_have_attribute("aria-label", re.compile(r"Median of the target by lr: 0.03: "))
    name = panel.get_by_role("button", name="lr", exact=True)
    name.click()
    assert value(page, "sx") == "hp.lr"
    expect(name).to_have_attribute("aria-pressed", "true")
    panel.get_by_role("button", name="Rank correlation").click()
    assert value(page, "impSort") == "correlation"
    related = [abs(one) for one in numbers(rows.locator(".related .amount"))]
    assert related == sorted(related, reverse=True)
    page.go_back()
    expect(panel.get_by_role("columnheader", name="Importance")).to_have_attribute(
        "aria-sort", "descending"
    )


def test_few_runs_have_correlations_alone(page: Page, server_url: str) -> None:
    """And it is said why."""
    query = f"{_VISION} and hp.model = 'resnet18' and hp.lr < 0.1"
    panel = show(page, server_url, "importance", q=query, impOf='min("val/loss")')
    expect(panel).to_contain_text("a forest takes 10 or more", timeout=_PATIENCE_MS)
    expect(panel.get_by_role("columnheader", name="Importance")).to_have_count(0)
    expect(panel.get_by_role("columnheader", name="Rank correlation")).to_be_visible()


def test_the_target_follows_the_scatter(page: Page, server_url: str) -> None:
    """Unless another one is chosen."""
    panel = show(page, server_url, "importance", sy="last_step")
    box = panel.get_by_role("combobox", name="Target")
    expect(box).to_have_attribute("placeholder", "last_step", timeout=_PATIENCE_MS)
    expect(panel.get_by_role("status")).to_contain_text("Last step", timeout=_PATIENCE_MS)
    box.fill("points")
    page.keyboard.press("Escape")
    box.fill("points")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("impOf=points"), timeout=_PATIENCE_MS)
    expect(panel.get_by_role("status")).to_contain_text("Points", timeout=_PATIENCE_MS)


def test_a_scatter_of_texts_is_no_metric(page: Page, server_url: str) -> None:
    """Where its y is no number, the panels look at the metric that says most about the runs."""
    closed = json.dumps(["scatter", "parallel"])
    state = {"q": _VISION, "closed": closed, "sy": "hp.model", "bestBy": "hp.lr"}
    page.goto(f"{server_url}/analyze?{urlencode(state)}")
    boxes = {
        "importance": "Target",
        "groups": "Metric of the groups",
        "best": "Metric of the best runs",
    }
    for panel, name in boxes.items():
        box = page.locator(f"#{panel}").get_by_role("combobox", name=name)
        expect(box).to_have_attribute(
            "placeholder", re.compile(r'^max\("val'), timeout=_PATIENCE_MS
        )
    expect(page.locator("#best tbody tr").first).to_be_visible(timeout=_PATIENCE_MS)


def test_runs_that_brushes_leave_out_do_not_count(page: Page, server_url: str) -> None:
    """In none of the three panels."""
    brush = quote('{"hp.model":["resnet18"]}')
    closed = quote(json.dumps(["scatter", "parallel"]))
    state = f"q={quote(_VISION)}&brush={brush}&closed={closed}&boxBy=hp.model&bestBy=hp.model"
    page.goto(f"{server_url}/analyze?{state}&boxOf=points&bestOf=points&impOf=points")
    expect(page.locator("#groups .group-mark")).to_have_count(1, timeout=_PATIENCE_MS)
    expect(page.locator("#best tbody tr")).to_have_count(1, timeout=_PATIENCE_MS)
    count = ask(
        server_url, "runs", columns="run_key", filter=f"{_VISION} and hp.model = 'resnet18'"
    )
    expect(page.locator("#importance").get_by_role("status")).to_contain_text(
        f"{count['total']} runs with", timeout=_PATIENCE_MS
    )
    expect(page.locator("#importance tbody th", has_text="model")).to_have_count(0)


def test_errors_of_bars_are_students(page: Page, server_url: str) -> None:
    """Half of a 95 % interval, for few values and many; one value has none."""
    stats = pytest.importorskip("scipy.stats")
    page.goto(f"{server_url}/api")
    found = page.evaluate("""async () => {
        const base = document.querySelector('link[rel=stylesheet]').href.replace(/[^/]*$/, '');
        const { half } = await import(`${base}analyze/groups-picture.js`);
        const { csv } = await import(`${base}analyze/body.js`);
        return {
            csv: csv(['a', 'b'], [['x,"y"', null], ['line\\nend', 1.5]]),
            halves: [1, 2, 3, 10, 31, 32, 100, 5000].map((values) => half({ std: 2, values }, 'ci95')),
            others: ['se', 'std'].map((kind) => half({ std: 2, values: 4 }, kind)),
            none: half({ std: null, values: 1 }, 'std'),
        };
    }""")
    assert (found["others"], found["none"]) == ([1, 2], 0)
    assert found["halves"][0] == 0
    for n, half in zip([2, 3, 10, 31, 32, 100, 5000], found["halves"][1:], strict=True):
        assert half == pytest.approx(2 * stats.t.ppf(0.975, n - 1) / n**0.5, rel=2e-4)
    assert list(csv.reader(io.StringIO(found["csv"]))) == [
        ["a", "b"], ['x,"y"', ""], ["line\nend", "1.5"]
    ]  # fmt: skip
