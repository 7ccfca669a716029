"""Settings in any text form become plain values, and no text is too deep, too long or too wild."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from boardlake.ingest import plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1", 1),
        ("+3", 3),
        ("-0.5", -0.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("True", True),
        ("false", False),
        ("None", None),
        ("null", None),
        ("none", "none"),
        ("inf", float("inf")),
        ("-Infinity", float("-inf")),
        ("[1, 'a']", [1, "a"]),
        ("(0.9, 0.95)", [0.9, 0.95]),
        ("{'a': 1}", {"a": 1}),
        ("'quoted'", "quoted"),
        ("007", "007"),
        ("1234e12", "1234e12"),
        ("1e999", "1e999"),
        ("1_000", "1_000"),
        ("[broken", "[broken"),
        ("yes", "yes"),
        ("", ""),
    ],
)
def test_words(text: str, value: object) -> None:
    """An unquoted word is the value it stands for; hashes and padded numbers stay text."""
    found = plain.typed(text)
    assert found == value
    assert type(found) is type(value)


YAML = [
    ("a: 1e-4", {"a": 1e-4}),
    ("a: .inf\nb: -.5\nc: 1.5e3", {"a": float("inf"), "b": -0.5, "c": 1500.0}),
    ("a: on\nb: No\nc: ~\nd:", {"a": True, "b": False, "c": None, "d": None}),
    ("a: '1'\nb: \"true\"", {"a": "1", "b": "true"}),
    ("a: nan\nb: 12:30:00\nc: 2021-01-01", {"a": "nan", "b": "12:30:00", "c": "2021-01-01"}),
    ("a: !!python/tuple [1, 2]", {"a": [1, 2]}),
    ("a: !!python/name:torch.nn.ReLU ''", {"a": "torch.nn.ReLU"}),
    ("a: !!python/object/apply:pathlib.PosixPath [/, home, x]", {"a": "/home/x"}),
    ("a: !!python/object:m.C {_hidden: 1, seen: 2}", {"a": {"seen": 2}}),
    ("a: !!python/object/new:m.Loss {state: {x: 1}}", {"a": "m.Loss"}),
    ("a: !custom {x: 1}", {"a": {"x": 1}}),
    ("a: &x {b: 1}\nc: {<<: *x, d: 2}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
    ("a: &x {b: 1}\nc: {b: 3, <<: [*x, {b: 2}]}", {"a": {"b": 1}, "c": {"b": 3}}),
    ("a: &x [*x]", {"a": ["…"]}),
    ("1: a\ntrue: b", {"1": "a", "true": "b"}),
    ("a: 1\n---\nb: 2", {"a": 1}),
    ("- a\n- 2", ["a", 2]),
    ("a: None\nb: none\nc: TRUE", {"a": None, "b": "none", "c": True}),
    ("", None),
    ("? [1, 2]\n: x", {"…": "x"}),
]


@pytest.mark.parametrize(("text", "value"), YAML)
def test_yaml(text: str, value: object) -> None:
    """YAML as training programs write it, Python tags and all, without constructing anything."""
    assert plain.from_yaml(text) == value


plain_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False)
    | st.from_regex(r"[a-z]{1,10}( [a-z]{1,10}){0,3}", fullmatch=True),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(plain_values)
def test_yaml_round_trip(value: object) -> None:
    """What PyYAML writes, also with anchors for what it holds twice, is read back as it was."""
    assert plain.from_yaml(yaml.safe_dump([value, value])) == [value, value]


@given(plain_values)
def test_python_round_trip(value: object) -> None:
    """The repr of plain values is read back as it was."""
    assert plain.from_python(repr([value])) == [value]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
WIDE = "a: &a {" + ", ".join(f"k{i}: 1" for i in range(9000)) + "}\n"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000,
        "a: [" + "[], " * 60_000 + "]",
        WIDE + "".join(f"b{i}: {{<<: *a}}\n" for i in range(100)),
        "a: [1",
        "\t- a",
        "a: \0",
        "a: *unknown\nb: [",
    ],
)
def test_bad_yaml(text: str) -> None:
    """Nesting that would kill PyYAML, floods of nodes and broken syntax end in a ValueError."""
    with pytest.raises(ValueError, match="YAML|character"):
        plain.from_yaml(text)


def test_aliases_are_not_copied() -> None:
    """A bomb of nine levels of aliases stays small, as a value, as a path and as a key."""
    value = plain.from_yaml(
        BOMB + "p: !!python/object/apply:pathlib.PosixPath [*i, x]\n? *i\n: key"
    )
    assert value["i"][0] is value["h"]
    assert value["p"] == "x"
    assert value["…"] == "key"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"lr": 5e-05, "fp16": true, "n": null}', {"lr": 5e-05, "fp16": True, "n": None}),
        ("    { 'a': [ 1,\n           2],\n      'b': None}", {"a": [1, 2], "b": None}),
        ("{ 'a': 1,\n  'b': [1,\n 2", {"a": 1}),
        ('{\n"a": 1e-4,\n"b": {\n"c": 1,\n"d', {"a": 1e-4}),
        ("Namespace(a=1, b='x, y=2')", {"a": 1, "b": "x, y=2"}),
        ("Namespace(d=device(type='cuda'))", {"d": {"type": "cuda"}}),
        ("Namespace(d=torch.float16, n=nan2)", {"d": "torch.float16", "n": "nan2"}),
        (
            "Namespace(e=<E.A: 1>, f=<function f at 0x7f>)",
            {"e": "<E.A: 1>", "f": "<function f at 0x7f>"},
        ),
        ("Config(opt=Opt(lr=-1e-3), seed=1)", {"opt": {"lr": -1e-3}, "seed": 1}),
        ("Namespace(p='C:\\\\d', q='\\d')", {"p": "C:\\d", "q": "\\d"}),
        ("|param|value|\n|-|-|\n|lr|0.1|\n|x|a|b|", {"lr": 0.1, "x": "a|b"}),
        ("| key | value |\n|:---|---:|\n| `lr` | `None` |", {"lr": None}),
        (
            "\ttype:\tppo\n\thyper:\t\n\t  lr:\t1e-4\n\tm:\tNone",
            {"type": "ppo", "hyper": {"lr": 1e-4}, "m": None},
        ),
        ("```yaml\nmodel:\n  lr: 1e-4\n```", {"model": {"lr": 1e-4}}),
        ("lr=0.1\nname=foo bar", {"lr": 0.1, "name": "foo bar"}),
        ("lr=0.1, bs=32", {"lr": 0.1, "bs": 32}),
        ("- lr: 0.1\n- bs: 32", {"lr": 0.1, "bs": 32}),
        ("**lr**: 0.1  \n**bs**: 32  \n", {"lr": 0.1, "bs": 32}),
        ("time: 12:30: 5\nlr: 0.1", {"time": "12:30: 5", "lr": 0.1}),
        ("train.py --lr 0.1 --fp16 --task=lm", {"lr": 0.1, "fp16": True, "task": "lm"}),
        ("train.py --name it's --lr 1", {"name": "it's", "lr": 1}),
    ],
)
def test_arguments(text: str, values: dict[str, object]) -> None:
    """Arguments are read in every form in which people log them."""
    assert plain.from_arguments(text) == values


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a sentence about nothing",
        "Note: hello: world there\nSecond sentence here, nothing.",
        "# Title\n\n[link](https://example.org)\n",
        "12",
        "[1, 2, 3]",
        "|a|b|",
        "{broken",
        "Namespace(",
        "f(1)",
        "x" * (plain.MAX_TEXT + 1),
    ],
)
def test_not_arguments(text: str) -> None:
    """Prose, lists and broken syntax are no arguments."""
    assert plain.from_arguments(text) == {}


@given(st.text(max_size=300) | st.text(alphabet="{}[]()|:=-,'\"\n ab1<>*&!", max_size=300))
def test_any_text(text: str) -> None:
    """No text makes the reader of arguments fail."""
    assert isinstance(plain.from_arguments(text), dict)
    plain.typed(text)


@pytest.mark.parametrize(
    "text", ["-" * 60_000 + "1", "(" * 60_000, "a." * 30_000 + "b", "1+" * 30_000]
)
def test_bad_python(text: str) -> None:
    """Python text that would overflow a parser's stack ends in a ValueError."""
    with pytest.raises(ValueError, match="Python"):
        plain.from_python(text)


@pytest.mark.parametrize("text", ['{"a":' * 50_000, "[" * 50_000])
def test_deep_json_and_toml(text: str) -> None:
    """Deep nesting ends in a ValueError."""
    with pytest.raises(ValueError, match="deep"):
        plain.from_json(text)
    with pytest.raises(ValueError, match="TOML|Invalid|Expected|Unclosed|deep"):
        plain.from_toml("a=" + text)
