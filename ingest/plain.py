"""Text of settings to plain values: YAML, JSON, TOML, Python reprs, tables and lines; all bounded.

Plain values are dict, list, str, int, float, bool and None. Nothing is constructed or executed.
"""

from __future__ import annotations

import ast
import json
import math
import re
import shlex
import textwrap
import tomllib
import warnings
from collections.abc import Callable
from typing import Any

import yaml

MAX_BYTES = 1 << 20
MAX_TEXT = 1 << 18
MAX_DEPTH = 64
MAX_NODES = 50_000
# ast and json recurse in C; deeper or longer Python text is not a repr of arguments.
_MAX_PYTHON = 1 << 16
CUT = "…"

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,39})")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
# `1234e12` may be a number, but is more likely to be the short hash of a commit.
_HASH = re.compile(r"[0-9]+e[0-9]+")
_SPECIAL = re.compile(r"([-+]?)(?:\.?inf|infinity|(\.?nan))", re.IGNORECASE)
# `none` in small letters is a choice (`reduction: none`), not the lack of one.
_WORDS = {"True": True, "False": False, "None": None, "null": None, "true": True, "false": False}
_YAML_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_YAML_WORDS |= {"yes": True, "on": True, "no": False, "off": False}
# An object with its pickled state: the class is a setting, the state is not.
_PICKLED = re.compile(r"^.*python/object/(?:new|apply):")
_KEY = re.compile(
    r"[^\W\d_][\w.\-/\[\]@]{0,199}|_[\w.\-]{1,199}|[^\W\d_][\w.\-]{0,60}(?: [\w.\-]{1,60}){1,2}"
)
_LINE = re.compile(r"[-*+]?\s*[*`]{0,2}([^\W\d][\w.\-/]{0,199})[*`]{0,2}\s*[:=]\s*[*`]{0,2}(.*)")
_RULE = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")
_CALL = re.compile(r"[A-Za-z_][\w.]{0,99}\(")
_ANGLES = re.compile(r"<[^<>\n]{0,500}>")


def typed(text: str) -> Any:
    """What an unquoted word stands for: a number, bool, None, list, or the text itself."""
    text = text.strip()
    if text in _WORDS:
        return _WORDS[text]
    number = as_number(text)
    if number is not None:
        return number
    if text[:1] in tuple("[({'\"") and text[-1:] in tuple("])}'\""):
        try:
            return from_python(text)
        except ValueError:
            return text
    return text


def as_number(text: str) -> int | float | None:
    """*text* as a number, or None; leading zeros (`007`) and floats beyond range are no numbers."""
    if len(text) > 64:
        return None
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        short_hash = len(text) > 6 and _HASH.fullmatch(text)
        return None if text.lstrip("+-").isdigit() or math.isinf(value) or short_hash else value
    special = _SPECIAL.fullmatch(text)
    return float("nan" if special[2] else f"{special[1]}inf") if special else None


def from_json(text: str) -> Any:
    """JSON (with NaN and Infinity); ValueError says where it is wrong."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("JSON nested too deep") from None


def from_toml(text: str) -> Any:
    """TOML; ValueError says where it is wrong."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("TOML nested too deep") from None


def from_yaml(text: str) -> Any:
    """The first document of a YAML stream, unknown tags ignored; ValueError says where it is wrong.

    Built from parser events, since PyYAML's composer recurses in C and dies of deep nesting. An
    alias is the same object again, so that a bomb of aliases costs nothing here; `1e-4` is a float,
    which YAML 1.1 takes for text. Private attributes of pickled Python objects are left out.
    """
    stack: list[_Open] = [_Open([], "")]
    anchors: dict[str, Any] = {}
    merged = 0
    try:
        for count, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
            if count > MAX_NODES or len(stack) > MAX_DEPTH:
                raise ValueError(f"more than {MAX_NODES} nodes or {MAX_DEPTH} levels of YAML")
            if isinstance(event, yaml.DocumentEndEvent):
                break
            if isinstance(event, yaml.CollectionStartEvent):
                holder: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
                stack.append(_Open(holder, event.tag or "", event.anchor))
            elif isinstance(event, yaml.CollectionEndEvent):
                closed = stack.pop()
                merged += sum(map(len, closed.merged))
                if merged > MAX_NODES:
                    raise ValueError(f"more than {MAX_NODES} merged keys of YAML")
                value = closed.value()
                if closed.anchor:
                    anchors[closed.anchor] = value
                stack[-1].add(value)
            elif isinstance(event, yaml.AliasEvent):
                # An alias inside its own anchor is not complete yet.
                stack[-1].add(anchors.get(event.anchor or "", CUT))
            elif isinstance(event, yaml.ScalarEvent):
                value = _yaml_scalar(event)
                if event.anchor:
                    anchors[event.anchor] = value
                stack[-1].add(value)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise ValueError(f"not YAML{where}: {getattr(error, 'problem', error)}") from None
    return stack[0].holder[0] if stack[0].holder else None


class _Open:
    """A YAML collection that is not complete; a mapping's key waits for its value."""

    def __init__(self, holder: Any, tag: str, anchor: str | None = None) -> None:
        self.holder, self.tag, self.anchor = holder, tag, anchor
        self.key: str | None = None
        self.merged: list[Any] = []

    def add(self, value: Any) -> None:
        if isinstance(self.holder, list):
            self.holder.append(value)
        elif self.key is None:
            # Never written out: an alias as a key may stand for any number of items.
            self.key = CUT if isinstance(value, dict | list) else to_text(value)
        else:
            key, self.key = self.key, None
            if key == "<<":
                several = value if isinstance(value, list) else [value]
                self.merged += [each for each in several if isinstance(each, dict)]
            elif not (key.startswith("_") and "python/object" in self.tag):
                self.holder[key] = value

    def value(self) -> Any:
        for other in self.merged:
            # The first of two merged mappings wins, and own keys win over both.
            self.holder = other | self.holder
        if isinstance(self.holder, dict) and _PICKLED.search(self.tag):
            return _PICKLED.sub("", self.tag)
        if "python/object/apply:pathlib" in self.tag and isinstance(self.holder, list):
            parts = [part for part in self.holder if isinstance(part, str)]
            return "/".join(parts).replace("//", "/", 1)
        return self.holder


def _yaml_scalar(event: yaml.ScalarEvent) -> Any:
    tag = (event.tag or "").removeprefix("tag:yaml.org,2002:")
    text: str = event.value
    if tag.startswith("python/") and not text:
        return tag.partition(":")[2]
    plain = bool(event.implicit[0]) or tag in ("int", "float", "bool", "null")
    if not plain:
        return text
    if text == "None" or text.lower() in _YAML_WORDS:
        return _YAML_WORDS.get(text.lower())
    number = as_number(text)
    return text if number is None or text.lower() in ("inf", "nan", "infinity") else number


def to_text(value: Any) -> str:
    """A value as one writes it in JSON, strings bare; the depth must be bounded."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def from_python(text: str) -> Any:
    """A Python repr: literals, and calls with named arguments (`Namespace(lr=0.1)`) as dicts.

    ValueError for anything else. What is no literal inside stays as its source text.
    """
    if len(text) > _MAX_PYTHON:
        raise ValueError(f"more than {_MAX_PYTHON} characters of Python text")
    quoted = _ANGLES.sub(lambda found: repr(found[0]), text)
    for attempt in dict.fromkeys((text, quoted)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # odd escapes in Windows paths
                tree = ast.parse(attempt.strip(), mode="eval")
            return _literal(tree.body, 0)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
    raise ValueError("not a Python literal or Namespace(...)")


def _literal(node: ast.expr, depth: int) -> Any:
    if depth > MAX_DEPTH:
        return CUT
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {
            to_text(_literal(key, depth + 1)): _literal(value, depth + 1)
            for key, value in pairs
            if key is not None
        }
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_literal(item, depth + 1) for item in node.elts]
    if isinstance(node, ast.Call) and node.keywords and not node.args:
        return {word.arg: _literal(word.value, depth + 1) for word in node.keywords if word.arg}
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, OverflowError):
        source = ast.unparse(node)
        number = as_number(source)  # nan, inf, -inf
        return source if number is None else number
    return value if isinstance(value, str | int | float | None) else str(value)


def from_arguments(text: str) -> dict[str, Any]:
    """Arguments in whatever form a person logs them as text; {} when they are not clearly that.

    JSON, Python dict or Namespace, markdown table, YAML, `key: value` or `key=value` lines,
    or a command line with `--name value`.
    """
    text = _unwrap(text)
    if not text or len(text) > MAX_TEXT:
        return {}
    if text[0] == "{":
        return _dict(from_json, text) or _dict(from_python, text) or _dict(_from_cut, text)
    if _CALL.match(text):
        return _dict(from_python, text)
    if text.startswith("|"):
        return _table(text.splitlines())
    values = _dict(from_yaml, text)
    # A sentence with a colon is a YAML mapping too.
    if values and all(_KEY.fullmatch(key) for key in values):
        return values
    return _lines(text.splitlines()) or _options(text)


def _unwrap(text: str) -> str:
    """Without code fences and common indentation; ML-Agents indents and separates by tabs."""
    text = textwrap.dedent(text.replace("\t", " ").replace("\r\n", "\n")).strip("\n ")
    fenced = re.fullmatch(r"```\w*\n(.*?)\n?```", text, re.DOTALL)
    return textwrap.dedent(fenced[1]).strip() if fenced else text


def _dict(read: Callable[[str], Any], text: str) -> dict[str, Any]:
    try:
        value = read(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _from_cut(text: str) -> Any:
    """A Python dict or JSON object of which the end is missing: without its last items."""
    lines = text[:_MAX_PYTHON].splitlines()
    for end in range(len(lines) - 1, max(len(lines) - 20, 0), -1):
        try:
            return from_python("\n".join(lines[:end]) + "}")
        except ValueError:
            continue
    raise ValueError("not the beginning of a dict")


def _table(lines: list[str]) -> dict[str, Any]:
    """A markdown table of names and values: `|param|value|`, a rule, then rows."""
    if len(lines) < 3 or not _RULE.fullmatch(lines[1].strip()[:200]):
        return {}
    values: dict[str, Any] = {}
    for line in lines[2:]:
        cells = line.strip().removeprefix("|").split("|", 1)
        if len(cells) == 2 and cells[0].strip():
            value = cells[1].rstrip().removesuffix("|").replace("\\|", "|")
            values[cells[0].strip(" *`")] = typed(value.strip(" `"))
    return values


def _lines(lines: list[str]) -> dict[str, Any]:
    """`key: value` or `key=value`, one a line, or several of the latter between commas."""
    if len(lines) == 1 and lines[0].count("=") > 1:
        lines = re.split(r",\s*|\s+", lines[0])
    lines = [line for line in lines if line.strip(" -=#*")]
    found = [_LINE.fullmatch(line.strip()) for line in lines]
    pairs = {match[1]: typed(match[2].strip(" `*,")) for match in found if match}
    return pairs if len(lines) <= 1.25 * sum(match is not None for match in found) else {}


def _options(text: str) -> dict[str, Any]:
    """The `--name value`, `--name=value` and `--flag` of a command line."""
    text = text[:_MAX_PYTHON]
    try:
        words = shlex.split(text) if "--" in text else []
    except ValueError:
        words = text.split()
    values: dict[str, Any] = {}
    for here, after in zip(words, [*words[1:], "--"], strict=False):
        name, equals, value = here.removeprefix("--").partition("=")
        if here.startswith("--") and _KEY.fullmatch(name):
            values[name] = typed(value) if equals else after.startswith("--") or typed(after)
    return values
