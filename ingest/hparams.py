"""Hyperparameters from plugin records, files, text summaries and paths, each with its origin.

Precedence where one value is asked for (the smallest rank wins; every origin is kept):

    10  plugin records of event files        35  opt.yaml, hyp.yaml, configuration.yaml
    20  named groups of a path pattern       36  gin operative config
    30  hparams.yaml                         50  text summaries of arguments
    31  .hydra/config.yaml                   51  text summaries of other settings (model_config)
    32  args.*                               60  Weights & Biases config.yaml
    33  params.json
    34  config.*

Values are written as in JSON with bare strings (`0.001`, `true`, `null`, `[640, 640]`), whatever
the origin, so that equal settings are equal text. Nested names are joined by dots. Secrets are
masked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..core.values import Hparam, HparamType
from . import plain
from .masks import MASK, is_secret_name, mask_arguments, mask_text

RANK_PLUGIN = 10
RANK_PATH = 20
RANK_TEXT = 50
RANK_TEXT_OTHER = 51

MAX_NAMES = 2000
MAX_DEPTH = 8
MAX_VALUE = 8192
MAX_NAME = 500
# Items looked at in all, so that an alias bomb ends.
_MAX_ITEMS = 100_000
_BIG = 10**40
_MAX_LIST = 2000

_WORDS = r"args?|argv|arguments?|params?|hparams?|hyper[-_ ]?param(?:eter)?s?|flags|options?|opts?"
_OTHER = r"config(?:uration)?s?|cfg|settings|namespace"
_ARGUMENTS_TAG = re.compile(rf"(?:.*[/._ -])?(?:{_WORDS})(?:[._-]\d+)?", re.IGNORECASE)
_SETTINGS_TAG = re.compile(
    rf"(?:.*[/._ -])?(?:{_WORDS}|{_OTHER})(?:[._-]\d+)?(?:[/.].*)?", re.IGNORECASE
)
_NAMESPACE = re.compile(r"\s*(?:argparse\.)?Namespace\(")


@dataclass(frozen=True)
class PluginHparams:
    """What one record of the hparams plugin says; times in Unix seconds, '' and None = not said.

    `end_status` is no evidence of an end: PyTorch writes SUCCESS when the run starts.
    """

    hparams: tuple[Hparam, ...] = ()
    group_name: str = ""
    start_time: float | None = None
    end_time: float | None = None
    end_status: str = ""
    experiment_name: str = ""
    experiment_description: str = ""
    problem: str | None = None


def from_plugin(content: bytes) -> PluginHparams:
    """Read `SummaryMetadata.plugin_data.content` of a `_hparams_/*` tag; never raises.

    Format: tensorboard/plugins/hparams/plugin_data.proto. Whole numbers are taken for ints: the
    record holds doubles only, and its common writers store bools as numbers too.
    """
    # protobuf is slow to import, and most imports of this module never need it.
    from google.protobuf.message import DecodeError
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    if len(content) > plain.MAX_BYTES:
        return PluginHparams(problem=f"hparams record of {len(content)} bytes: more than 1 MiB")
    try:
        data = HParamsPluginData.FromString(content)
    except DecodeError as error:
        return PluginHparams(problem=f"not an HParamsPluginData message: {error}")
    which = data.WhichOneof("data")
    if which == "session_start_info":
        start = data.session_start_info
        values = {name: _proto_value(value) for name, value in sorted(start.hparams.items())}
        hparams = tuple(from_mapping(values, "plugin", RANK_PLUGIN))
        return PluginHparams(
            hparams, clean(start.group_name[:MAX_NAME]), _time(start.start_time_secs)
        )
    if which == "session_end_info":
        end = data.session_end_info
        name = (
            type(end).DESCRIPTOR.fields_by_name["status"].enum_type.values_by_number.get(end.status)
        )
        status = name.name.removeprefix("STATUS_").lower() if name else ""
        return PluginHparams(end_time=_time(end.end_time_secs), end_status=status)
    if which == "experiment":
        about = data.experiment
        return PluginHparams(
            experiment_name=clean(about.name[:MAX_NAME]),
            experiment_description=clean(mask_text(about.description[:MAX_VALUE])),
        )
    return PluginHparams()


def _time(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def _proto_value(value: Any, depth: int = 0) -> Any:
    """google.protobuf.Value to a plain value; protobuf itself bounds the nesting at 100."""
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        number: float = value.number_value
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "list_value":
        return [_proto_value(item, depth + 1) for item in value.list_value.values]
    if kind == "struct_value":
        fields = sorted(value.struct_value.fields.items())
        return {name: _proto_value(item, depth + 1) for name, item in fields}
    return getattr(value, kind) if kind in ("string_value", "bool_value") else None


def from_mapping(obj: Any, origin: str, rank: int) -> list[Hparam]:
    """Flatten a nested dict with dots; lists of plain values stay whole, others get indices.

    At most MAX_NAMES names of MAX_DEPTH levels; what lies deeper is a single `…`.
    """
    found: dict[str, Hparam] = {}
    budget = iter(range(_MAX_ITEMS))
    for name, value in _leaves(obj, budget):
        if name not in found and len(found) >= MAX_NAMES:
            break
        found[name] = _hparam(name, value, origin, rank, budget)
    return list(found.values())


def _leaves(obj: Any, budget: Iterator[int]) -> Iterator[tuple[str, Any]]:
    """(dotted name, scalar or list of plain values) of a nested value, in its order."""
    stack: list[tuple[str, int, Any]] = [("", 0, obj)]
    while stack and next(budget, None) is not None:
        name, depth, value = stack.pop()
        items = _children(value)
        if items is None:
            if name:
                yield name, value
        elif depth >= MAX_DEPTH:
            yield name, plain.CUT
        else:
            below = [(_join(name, key), depth + 1, item) for key, item in items]
            stack += reversed(below)


def _children(value: Any) -> Iterable[tuple[str, Any]] | None:
    """The named parts of a mapping, or of a list that holds mappings; None for a value."""
    if isinstance(value, Mapping):
        return [(str(key), value[key]) for key, _ in zip(value, range(_MAX_LIST), strict=False)]
    if isinstance(value, list | tuple) and any(isinstance(v, Mapping) for v in value[:_MAX_LIST]):
        return [(str(index), item) for index, item in enumerate(value[:_MAX_LIST])]
    return None


def _join(name: str, key: str) -> str:
    joined = f"{name}.{key}" if name else key
    return joined if len(joined) <= MAX_NAME else joined[: MAX_NAME - 1] + plain.CUT


def _hparam(name: str, value: Any, origin: str, rank: int, budget: Iterator[int]) -> Hparam:
    kind, text, number = _typed(value, budget)
    if kind not in ("bool", "null") and text and is_secret_name(name, text=kind == "string"):
        kind, text, number = "string", MASK, None
    return Hparam(clean(name), kind, clean(_cap(text)), number, origin, rank)


def _typed(value: Any, budget: Iterator[int]) -> tuple[HparamType, str, float | None]:
    if isinstance(value, str):
        value = _unquoted(value)
    if value is None:
        return "null", "null", None
    if isinstance(value, bool):
        return "bool", "true" if value else "false", float(value)
    if isinstance(value, int) and abs(value) < _BIG:
        return "int", str(int(value)), float(value)
    if isinstance(value, float):
        return "float", repr(float(value)), float(value)
    if isinstance(value, list | tuple):
        kept = _bounded(value, 0, islice(budget, MAX_VALUE // 2))
        return "list", plain.to_text(kept), None
    return "string", str(_bounded(value, 0, budget)), None


def _unquoted(text: str) -> Any:
    """A string that says the same as a number, bool or None: writers often store `str(value)`.

    Not where the number would be spelt otherwise: `3.10` is a version, `1e-4` is a number.
    """
    if len(text) > 64 or text[:1] in tuple("[({'\""):
        return text
    word = plain.typed(text)
    if word is None or isinstance(word, bool):
        return word
    same = repr(word) == text or (isinstance(word, float) and "e" in text.lower())
    return word if same else text


def _bounded(value: Any, depth: int, budget: Iterator[int]) -> Any:
    """A value as JSON can write it, masked; what goes beyond the depth or the *budget* is `…`.

    One of the budget buys an item, or 64 characters: aliases can repeat a long text at no cost.
    """
    if depth >= MAX_DEPTH or next(budget, None) is None:
        return plain.CUT
    if isinstance(value, list | tuple):
        kept = []
        for item in value:
            kept.append(_bounded(item, depth + 1, budget))
            if kept[-1] == plain.CUT:
                break
        return mask_arguments(kept) if all(isinstance(item, str) for item in kept) else kept
    if isinstance(value, str):
        # Twice the cap, so that the cut is seen and no secret is cut in two.
        text = value[: 2 * MAX_VALUE]
        paid = sum(1 for _ in islice(budget, len(text) // 64))
        return mask_text(text[: 64 * (paid + 1)])
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < _BIG else "int of more than 40 digits"
    return mask_text(str(value)[:MAX_VALUE])


def _cap(text: str) -> str:
    if len(text) <= MAX_VALUE:
        return text
    note = f"{plain.CUT}[cut: {len(text)} characters]"
    return text[: MAX_VALUE - len(note)] + note


def clean(text: str) -> str:
    """Text that every store takes: no NUL, no lone surrogates (JSON can escape both)."""
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def from_yaml(data: bytes, origin: str, rank: int) -> list[Hparam]:
    """Hyperparameters of a YAML file; ValueError says what is wrong with it."""
    return from_mapping(_mapping(plain.from_yaml(decode(data))), origin, rank)


def from_json(data: bytes, origin: str, rank: int) -> list[Hparam]:
    """Hyperparameters of a JSON file; ValueError says what is wrong with it."""
    return from_mapping(_mapping(plain.from_json(decode(data))), origin, rank)


def from_toml(data: bytes, origin: str, rank: int) -> list[Hparam]:
    """Hyperparameters of a TOML file; ValueError says what is wrong with it."""
    return from_mapping(_mapping(plain.from_toml(decode(data))), origin, rank)


def decode(data: bytes) -> str:
    """UTF-8 text (UTF-16 with a byte order mark, as Windows writes it); ValueError above 1 MiB."""
    if len(data) > plain.MAX_BYTES:
        raise ValueError(f"{len(data)} bytes: settings of more than 1 MiB are not read")
    coding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return data.decode(coding, "replace")


def _mapping(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"expected names and values at the top, found {type(value).__name__}")
    return value


def from_text_summary(tag: str, text: str) -> list[Hparam]:
    """Hyperparameters logged as text under a tag like `args` or `config/text_summary`; else [].

    Any form that `plain.from_arguments` knows. A `Namespace(...)` is taken under every tag.
    """
    name = tag_name(tag)
    if not _SETTINGS_TAG.fullmatch(name) and not _NAMESPACE.match(text[:100]):
        return []
    rank = RANK_TEXT if _ARGUMENTS_TAG.fullmatch(name) else RANK_TEXT_OTHER
    return from_mapping(
        plain.from_arguments(text[: plain.MAX_TEXT]), f"text:{name}"[:MAX_NAME], rank
    )


def tag_name(tag: str) -> str:
    """The name a user gave to a text summary: writers append `/text_summary`."""
    return clean(tag[:MAX_NAME]).removesuffix("/text_summary").strip("/ ")


def from_path(groups: Mapping[str, str | None]) -> list[Hparam]:
    """Hyperparameters from the named groups of a path pattern, such as `lr=(?P<lr>[^_/]+)`."""
    values = {name: plain.typed(text) for name, text in groups.items() if text is not None}
    return from_mapping(values, "path", RANK_PATH)
