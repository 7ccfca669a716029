"""The difference of two texts, as the compare page's module works it out."""

from __future__ import annotations

from collections.abc import Callable
from difflib import SequenceMatcher
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

Call = Callable[..., Any]


@pytest.fixture(scope="module")
def module(server_url: str, browser: Browser) -> Any:
    """Calls a function of the module in a page of its own: many tests share it."""
    context = browser.new_context()
    page: Page = context.new_page()
    page.goto(f"{server_url}/compare")
    page.evaluate(
        """async () => {
          const own = document.querySelector("script[src*='compare.js']").src;
          window.tested = {
            ...await import(own.replace("pages/compare.js", "compare/diff.js")),
            ...await import(own.replace("pages/compare.js", "core/direction.js")),
            ...await import(own.replace("pages/compare.js", "compare/export.js")),
          };
        }"""
    )

    def call(name: str, *arguments: Any) -> Any:
        return page.evaluate("([name, args]) => window.tested[name](...args)", [name, arguments])

    yield call
    context.close()


def rebuilt(steps: list[tuple[str, int, int]], a: list[str], b: list[str]) -> tuple[Any, Any]:
    """Both texts, from the steps between them."""
    left = [a[x] for sign, x, _ in steps if sign != "+"]
    right = [b[y] for sign, _, y in steps if sign != "-"]
    return left, right


def longest(a: list[str], b: list[str]) -> int:
    """How many lines a longest common subsequence has."""
    row = [0] * (len(b) + 1)
    for one in a:
        before = row[:]
        for j, other in enumerate(b):
            row[j + 1] = before[j] + 1 if one == other else max(row[j], before[j + 1])
    return row[-1]


LINES = st.lists(st.sampled_from("abcd"), max_size=14)


@settings(max_examples=60, deadline=None)
@given(a=LINES, b=LINES)
def test_steps_rebuild_both_texts_and_are_fewest(module: Call, a: list[str], b: list[str]) -> None:
    """All of both is in the steps, in order; no list of steps keeps more lines."""
    found = module("steps", a, b)
    assert rebuilt(found, a, b) == (a, b)
    assert all(a[x] == b[y] for sign, x, y in found if sign == " ")
    assert sum(sign == " " for sign, _, _ in found) == longest(a, b)


@settings(max_examples=60, deadline=None)
@given(a=LINES, b=LINES)
def test_rough_steps_are_true_too(module: Call, a: list[str], b: list[str]) -> None:
    """They may be more than are needed, but they lead from one text to the other."""
    found = module("roughSteps", a, b)
    assert rebuilt(found, a, b) == (a, b)
    assert all(a[x] == b[y] for sign, x, y in found if sign == " ")


def test_too_many_edits_are_given_up(module: Call) -> None:
    """The search is bounded: texts without a common line are not searched to the end."""
    assert module("steps", ["a"] * 40, ["b"] * 40, 20) is None


def text(pieces: list[tuple[str, bool]] | None) -> str:
    return "".join(piece for piece, _ in pieces or [])


def test_long_texts_are_compared_by_their_lines(module: Call) -> None:
    """Over 5,000 lines nothing is lost, and the answer says that it is rough."""
    a = [f"line {i}" for i in range(6_000)]
    b = [line for i, line in enumerate(a) if i % 100] + ["one more"]
    found = module("diff", "\n".join(a), "\n".join(b))
    assert found["rough"] and found["counts"] == {
        "same": 5_940, "removed": 60, "added": 1, "changed": 0,
    }  # fmt: skip
    assert [text(row["left"]) for row in found["rows"] if row["left"]] == a
    assert [text(row["right"]) for row in found["rows"] if row["right"]] == b


def test_words_that_differ_are_marked(module: Call) -> None:
    """Numbers and names are words: a value that changes is marked whole, and nothing else."""
    row = module("diff", "keep\nlr = 1e-3  # of adam", "keep\nlr = 0.25  # of adamw")["rows"][1]
    assert row["kind"] == "changed"
    assert [piece for piece, differs in row["left"] if differs] == ["1e-3", "adam"]
    assert [piece for piece, differs in row["right"] if differs] == ["0.25", "adamw"]
    assert text(row["left"]) == "lr = 1e-3  # of adam"


def test_lines_with_nothing_in_common_have_no_marks(module: Call) -> None:
    """Where all of a line is new, marks of single words would be noise."""
    assert module("words", "epochs: 90", "seed 7 of many others") is None


@settings(max_examples=30, deadline=None)
@given(a=st.text(max_size=60), b=st.text(max_size=60))
def test_no_character_is_lost(module: Call, a: str, b: str) -> None:
    """Both sides of the rows are the texts' own lines, whatever is in them."""
    rows = module("diff", a, b)["rows"]
    assert [text(row["left"]) for row in rows if row["left"] is not None] == module("lines", a)
    assert [text(row["right"]) for row in rows if row["right"] is not None] == module("lines", b)


def test_equal_stretches_fold(module: Call) -> None:
    """Only what is far from a difference is folded, and it is all in the fold."""
    a = [str(i) for i in range(40)]
    rows = module("diff", "\n".join(a), "\n".join([*a[:20], "new", *a[20:]]))["rows"]
    folded = module("fold", rows)
    assert [row["kind"] for row in folded] == [
        "fold", *["same"] * 3, "added", *["same"] * 3, "fold",
    ]  # fmt: skip
    inner = [len(row["rows"]) for row in folded if row["kind"] == "fold"]
    assert inner == [17, 17]


def test_a_command_has_an_argument_a_line(module: Call) -> None:
    """Options keep their values, quoted words stay whole."""
    command = "train.py --lr 0.1 --name 'my run' model=big -v --tags a b"
    assert module("unfold", command).split("\n") == [
        "train.py", "--lr 0.1", "--name 'my run'", "model=big", "-v", "--tags a", "b",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "better"),
    [
        ("val/loss", -1), ("train/acc1", 1), ("eval/top5", 1), ("val/mIoU", 1), ("epoch_loss", -1),
        ("perf/images_per_s", 1), ("charts/episodic_return", 1), ("eval/perplexity", -1),
        ("train/learning_rate", 0), ("loss_scale", 0), ("grad_norm", 0), ("epoch", 0),
        ("accelerate/step", 0),
    ],
)  # fmt: skip
def test_names_tell_what_is_better(module: Call, tag: str, better: int) -> None:
    """Losses are better low, accuracies high; of settings and names unknown nothing is said."""
    assert module("direction", tag) == better


def test_a_text_does_not_become_a_formula(module: Call) -> None:
    """A spreadsheet takes a value that begins like a formula as text; numbers stay numbers."""
    shown = [{"id": "hparams", "title": "Hyperparameters", "rows": [
        {"name": "note", "values": ["=HYPERLINK(1)", "-1.5"]},
        {"name": 'a "b", c', "values": [None, -2]},
    ]}]  # fmt: skip
    runs = [{"label": "one", "run_key": "k1"}, {"label": "one", "run_key": "k2"}]
    assert module("csv", shown, runs).split("\r\n") == [
        "section,name,one k1,one k2",
        "hparams,note,'=HYPERLINK(1),-1.5",
        'hparams,"a ""b"", c",,-2',
    ]


def test_markdown_is_escaped(module: Call) -> None:
    """Pipes, markup and line ends of values stay within their cells."""
    row = {"name": "x", "values": ["a|b\n<i>*c*</i>"], "best": [False]}
    shown = [{"id": "hparams", "title": "Hyperparameters", "rows": [row]}]
    made = module("markdown", shown, [{"label": "r", "run_key": "k"}]).split("\n")
    assert made[-1] == r"| x | a\|b \<i\>\*c\*\</i\> |"


def test_the_matcher_of_python_agrees(module: Call) -> None:
    """A text of lines that all differ from each other gives what difflib finds."""
    a = [f"key{i}: {i}" for i in range(60)]
    b = [line for line in a if not line.endswith("7")]
    kept = sum(
        block.size for block in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    )
    counts = module("diff", "\n".join(a), "\n".join(b))["counts"]
    assert counts["same"] == kept and counts["removed"] == len(a) - kept
