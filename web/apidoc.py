"""The OpenAPI document as people read it: operations in groups, schemas unfolded, snippets."""

from __future__ import annotations

import copy
import json
import shlex
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ..api.models import Refused

_PREFIX = "/api/v1/"
_GROUPS = {
    "The lake": ("info", "sources", "cycles", "problems", "copies", "disk", "quality", "health"),
    "Runs": ("runs", "groups", "facets", "fields", "tags"),
    "Curves, texts, media": ("series", "histograms", "texts", "pr_curves", "media"),
    "Comparison": ("compare", "hparams"),
    "Export and deletion": ("exports", "export", "delete", "receipts"),
    "What people write": ("annotations", "views", "markdown"),
    "Python API": ("ask",),
    "Edges": ("receive",),
}
_OTHERS = "More"
_REFUSED = (
    ("400", "Refused"), ("401", "Who asks"), ("403", "Not from here"), ("404", "Not there"),
    ("409", "Not yours"), ("413", "Too much"),
    ("429", "Too many at once"), ("503", "Not now"), ("507", "No room"),
)  # fmt: skip
_DEEPEST = 8
# What the Python API calls it; the rest is asked over HTTP.
_CLIENT = {
    ("get", "runs"): "lake.runs(\"state = 'running'\", columns='name')",
    ("get", "groups"): "lake.runs(group_by='project', columns=['points'])",
    ("get", "tags"): "lake.tags()",
    ("get", "hparams"): "lake.hparams(\"state = 'running'\")",
    ("post", "series"): "lake.history(\"state = 'running'\", 'val/*')  # every point",
    ("post", "ask/runs"): "lake.runs(\"state = 'running'\")",
    ("post", "ask/history"): "lake.history(\"state = 'running'\", 'val/*')",
    ("post", "ask/series"): "lake.series(\"state = 'running'\")",
    ("post", "ask/hparams"): "lake.hparams(\"state = 'running'\", origins=True)",
    ("post", "ask/tags"): "lake.tags()",
}


@dataclass
class Shape:
    """A value that is taken or given: what it is, its limits, and what is in it."""

    type: str
    name: str = ""
    description: str = ""
    limits: list[str] = field(default_factory=list)
    default: str | None = None
    required: bool = False
    place: str = ""
    choices: list[str] = field(default_factory=list)
    fields: list[Shape] = field(default_factory=list)


@dataclass
class Operation:
    """A method of a path."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Shape]
    body: Shape | None
    answers: list[tuple[str, str, Shape | None]]
    curl: str
    python: str
    try_it: bool


def finish(document: dict[str, Any]) -> dict[str, Any]:
    """*document* with our own shape of refusals, and its operations under the tags of `_GROUPS`."""
    whole = copy.deepcopy(document)
    parts = {name: part for name, part in whole.get("components", {}).items() if part is not None}
    whole["components"] = parts
    schemas = parts.setdefault("schemas", {})
    refused = Refused.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= refused.pop("$defs", {}) | {"Refused": refused}
    schemas.pop("ValidationErrorModel", None)
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refused"}}}
    used = set()
    for path, methods in whole["paths"].items():
        for operation in methods.values():
            group = _group(path)
            used.add(group)
            operation["tags"] = [group]
            given = operation["responses"]
            given |= {status: {"description": why, "content": content} for status, why in _REFUSED}
            if not any(status.startswith("2") for status in given):
                given["200"] = {"description": "OK"}
    whole["tags"] = [{"name": name} for name in (*_GROUPS, _OTHERS) if name in used]
    return whole


def operations(document: dict[str, Any], base: str) -> dict[str, list[Operation]]:
    """The operations of a finished document by group, with snippets for the server at *base*."""
    schemas = document["components"]["schemas"]
    found: dict[str, list[Operation]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            found[told["tags"][0]].append(_operation(method, path, told, schemas, base))
    return found


def refused(document: dict[str, Any]) -> Shape:
    """The shape of every refusal."""
    schemas = document["components"]["schemas"]
    return shape(schemas["Refused"], schemas)


def _group(path: str) -> str:
    first = path.removeprefix(_PREFIX).split("/")[0]
    return next((name for name, firsts in _GROUPS.items() if first in firsts), _OTHERS)


def _operation(
    method: str, path: str, told: dict[str, Any], schemas: dict[str, Any], base: str
) -> Operation:
    given = [
        _named(one["name"], one["schema"], schemas, one.get("required", False), one["in"])
        for one in told.get("parameters", [])
    ]
    schema = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    taken = schema.get("schema")
    answers = [
        (status, mime, shape(inner["schema"], schemas) if "schema" in inner else None)
        for status, one in told["responses"].items()
        for mime, inner in one.get("content", {"": {}}).items()
    ]
    short = path.removeprefix(_PREFIX)
    sample = {} if taken is None else example(taken, schemas)
    if short == "delete":
        sample["dry_run"] = True  # What is copied in a hurry must not delete.
    mimes = [mime for status, mime, _ in answers if status[0] == "2" and mime]
    as_bytes = bool(mimes) and "application/json" not in mimes
    url = base.rstrip("/") + _filled(path, told.get("parameters", []), schemas)
    return Operation(
        id="-".join([method, *"".join(c if c.isalnum() else " " for c in short).split()]),
        method=method.upper(), path=path, summary=told.get("summary", ""),
        description=told.get("description", ""), parameters=given,
        body=None if taken is None else shape(taken, schemas), answers=answers,
        curl=_curl(method, url, sample), python=_python(method, short, url, sample, base, as_bytes),
        try_it=method == "get",
    )  # fmt: skip


def shape(schema: dict[str, Any], schemas: dict[str, Any], depth: int = 0) -> Shape:
    """*schema* with its references resolved, as deep as people read."""
    name = ""
    while "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        schema = {**schemas.get(name, {}), **{k: v for k, v in schema.items() if k != "$ref"}}
    made = Shape(_type(schema, schemas), description=schema.get("description", ""))
    if name and made.type == "object":
        made.type = name.lstrip("_")
    made.limits = _limits(schema)
    made.choices = [str(one) for one in schema.get("enum", [])]
    if "default" in schema:
        made.default = json.dumps(schema["default"])
    if depth < _DEEPEST:
        made.fields = _inside(schema, schemas, depth)
    return made


def _inside(schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> list[Shape]:
    if "properties" in schema:
        needed = schema.get("required", [])
        return [
            _named(name, inner, schemas, name in needed, "", depth + 1)
            for name, inner in schema["properties"].items()
        ]
    inner = [schema["items"]] if isinstance(schema.get("items"), dict) else []
    for one in (*inner, *schema.get("anyOf", []), *schema.get("allOf", [])):
        found = shape(one, schemas, depth + 1).fields
        if found:
            return found
    return []


def _named(
    name: str, schema: dict[str, Any], schemas: dict[str, Any], required: bool, place: str = "",
    depth: int = 0,
) -> Shape:  # fmt: skip
    made = shape(schema, schemas, depth)
    made.name, made.required, made.place = name, required, place
    return made


def _type(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        inner = _type(schemas.get(name, {}), schemas)
        return name.lstrip("_") if inner == "object" else inner
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if options:
        return " or ".join(dict.fromkeys(_type(one, schemas) for one in options))
    if "prefixItems" in schema:
        return "[" + ", ".join(_type(one, schemas) for one in schema["prefixItems"]) + "]"
    kind = schema.get("type", "anything")
    if kind == "array":
        inner = _type(schema.get("items", {}), schemas)
        return f"list of ({inner})" if " or " in inner else f"list of {inner}"
    if kind == "string" and "format" in schema:
        return "bytes" if schema["format"] == "binary" else f"string ({schema['format']})"
    return str(kind)


def _limits(schema: dict[str, Any]) -> list[str]:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    found = [f"{sign} {_amount(schema[name])}" for name, sign in signs.items() if name in schema]
    for unit, least, most in (
        ("characters", "minLength", "maxLength"), ("items", "minItems", "maxItems"),
    ):  # fmt: skip
        if schema.get(least):
            found.append(
                "not empty" if schema[least] == 1 else f"at least {schema[least]:,} {unit}"
            )
        if most in schema:
            found.append(f"at most {schema[most]:,} {unit}")
    if "pattern" in schema:
        found.append(f"matches {schema['pattern']}")
    options = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    return found + (_limits(options[0]) if len(options) == 1 else [])


def _amount(value: float) -> str:
    if value >= 1 << 53 and value == 1 << (int(value).bit_length() - 1):
        return f"2^{int(value).bit_length() - 1}"
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:g}"


def example(schema: dict[str, Any], schemas: dict[str, Any], name: str = "") -> Any:
    """A value that *schema* takes: of an object only what is required."""
    if "$ref" in schema:
        schema = schemas.get(schema["$ref"].rsplit("/", 1)[1], {})
    if "enum" in schema:
        return schema["enum"][0]
    for options in (schema.get("anyOf"), schema.get("allOf")):
        if options:
            return example(options[0], schemas, name)
    kind = schema.get("type")
    if kind == "object":
        needed = schema.get("required", [])
        inner = schema.get("properties", {})
        return {one: example(inner[one], schemas, one) for one in needed}
    if kind == "array":
        return [example(schema.get("items", {}), schemas, name.removesuffix("s"))]
    if kind in ("integer", "number"):
        return max(1, int(schema.get("minimum", 1)))
    if kind == "boolean":
        return True
    return _WORDS.get(name, name.upper() or "TEXT")


_WORDS = {"page": "workspace", "run": "RUN_KEY", "runs": "state = 'running'", "group_by": "project"}


def _filled(path: str, parameters: list[dict[str, Any]], schemas: dict[str, Any]) -> str:
    query = []
    for one in parameters:
        value = example(one["schema"], schemas, one["name"])
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", quote(text))
        elif one.get("required"):
            query.append(f"{one['name']}={quote(text, safe=',')}")
    return path + (f"?{'&'.join(query)}" if query else "")


def _curl(method: str, url: str, body: Any) -> str:
    if method == "get":
        return f"curl {shlex.quote(url)}"
    lines = [f"curl -X {method.upper()} {shlex.quote(url)}", "-H 'Content-Type: application/json'"]
    if body:
        lines.append(f"-d {shlex.quote(json.dumps(body))}")
    return " \\\n  ".join(lines)


def _python(method: str, short: str, url: str, body: Any, base: str, as_bytes: bool) -> str:
    call = _CLIENT.get((method, short))
    if call:
        opened = f"with boardlake.open({base.rstrip('/')!r}) as lake:"
        return f"import boardlake\n\n{opened}\n    found = {call}"
    lines = ["import json, urllib.request", ""]
    asked = repr(url)
    if method != "get":
        headers = "{'Content-Type': 'application/json'}"
        data = f"json.dumps({body!r}).encode()" if body else "None"
        lines.append(f"asked = urllib.request.Request({url!r}, {data},")
        lines.append(f"                               {headers}, method={method.upper()!r})")
        asked = "asked"
    return "\n".join(
        [*lines, f"with urllib.request.urlopen({asked}) as answer:", "    found = answer.read()"]
        if method == "delete" or as_bytes
        else [*lines, f"with urllib.request.urlopen({asked}) as answer:",
              "    found = json.load(answer)"]
    )  # fmt: skip
