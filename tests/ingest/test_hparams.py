"""Hyperparameters of every origin are typed, flattened, masked and bounded."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2

from boardlake.core.values import Hparam
from boardlake.ingest import hparams as hp


def shown(hparams: Any) -> dict[str, tuple[str, str]]:
    """name -> (type, value)."""
    return {each.name: (each.type, each.value) for each in hparams}


def session_start(values: dict[str, Any], **fields: Any) -> bytes:
    """The content of a session start record with *values*."""
    data = plugin_data_pb2.HParamsPluginData()
    info = data.session_start_info
    info.SetInParent()
    for name, value in values.items():
        kind = {bool: "bool_value", str: "string_value"}.get(type(value), "number_value")
        setattr(info.hparams[name], kind, value)
    for name, value in fields.items():
        setattr(info, name, value)
    content: bytes = data.SerializeToString()
    return content


def test_session_start() -> None:
    """Numbers, strings and bools of a session are typed; whole numbers are ints."""
    values = {
        "lr": 1e-4,
        "bs": 32.0,
        "opt": "adam",
        "amp": True,
        "none": "None",
        "nan": float("nan"),
    }
    read = hp.from_plugin(session_start(values, group_name="g", start_time_secs=1.5e9))
    assert (read.group_name, read.start_time, read.problem) == ("g", 1.5e9, None)
    assert shown(read.hparams) == {
        "amp": ("bool", "true"),
        "bs": ("int", "32"),
        "lr": ("float", "0.0001"),
        "nan": ("float", "nan"),
        "none": ("null", "null"),
        "opt": ("string", "adam"),
    }
    assert {(each.origin, each.rank) for each in read.hparams} == {("plugin", 10)}
    numbers = {each.name: each.number for each in read.hparams}
    assert (numbers["amp"], numbers["bs"], numbers["opt"]) == (1.0, 32.0, None)


def test_session_start_with_lists() -> None:
    """Lists and structs of a protobuf value are lists and dotted names."""
    data = plugin_data_pb2.HParamsPluginData()
    entry = data.session_start_info.hparams
    entry["betas"].list_value.extend([0.9, 0.95])
    entry["model"].struct_value.update({"depth": 3, "api_key": "x"})
    entry["nothing"].null_value = 0
    read = hp.from_plugin(data.SerializeToString())
    assert shown(read.hparams) == {
        "betas": ("list", "[0.9, 0.95]"),
        "model.api_key": ("string", "***"),
        "model.depth": ("int", "3"),
        "nothing": ("null", "null"),
    }


def test_session_end_and_experiment() -> None:
    """The end record gives status and time, the experiment its name and description."""
    end = plugin_data_pb2.HParamsPluginData()
    end.session_end_info.status = api_pb2.Status.STATUS_SUCCESS
    end.session_end_info.end_time_secs = 7.0
    read = hp.from_plugin(end.SerializeToString())
    assert (read.end_status, read.end_time, read.hparams) == ("success", 7.0, ())
    end.session_end_info.status = 77
    assert hp.from_plugin(end.SerializeToString()).end_status == ""
    about = plugin_data_pb2.HParamsPluginData()
    about.experiment.name = "n"
    about.experiment.description = "see https://u:p@h"
    read = hp.from_plugin(about.SerializeToString())
    assert (read.experiment_name, read.experiment_description) == ("n", "see https://***@h")


def test_bad_plugin_content() -> None:
    """Bytes that are no record, or too many of them, come back as a problem."""
    assert "not an HParamsPluginData" in (hp.from_plugin(b"\xff\xff").problem or "")
    assert "1 MiB" in (hp.from_plugin(b"\0" * (1 << 21)).problem or "")


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_any_plugin_content(content: bytes, tail: bytes) -> None:
    """No bytes make the reader of records fail."""
    hp.from_plugin(content)
    hp.from_plugin(session_start({"lr": 1.0}) + tail)


VALUES = [
    (1, "int", "1", 1.0),
    (True, "bool", "true", 1.0),
    (False, "bool", "false", 0.0),
    (None, "null", "null", None),
    (1e-5, "float", "1e-05", 1e-5),
    (1.0, "float", "1.0", 1.0),
    (float("-inf"), "float", "-inf", float("-inf")),
    ("adam", "string", "adam", None),
    ("", "string", "", None),
    ("1e-4", "float", "0.0001", 1e-4),
    ("0.0001", "float", "0.0001", 1e-4),
    ("32", "int", "32", 32.0),
    ("True", "bool", "true", 1.0),
    ("None", "null", "null", None),
    ("none", "string", "none", None),
    ("3.10", "string", "3.10", None),
    ("007", "string", "007", None),
    ("1234e12", "string", "1234e12", None),
    ("[1, 2]", "string", "[1, 2]", None),
    ([640, 640], "list", "[640, 640]", None),
    ((0.9, "x", None, True), "list", '[0.9, "x", null, true]', None),
    ([], "list", "[]", None),
    (10**50, "string", "int of more than 40 digits", None),
    ("a\0b\ud800", "string", "a\\0b\\ud800", None),
    ("http://me:pw@h", "string", "http://***@h", None),
    (["--api_key", "x", "--lr", "1"], "list", '["--api_key", "***", "--lr", "1"]', None),
    (Path("/a/b"), "string", "/a/b", None),
]


@pytest.mark.parametrize(("value", "kind", "text", "number"), VALUES)
def test_types(value: object, kind: Any, text: str, number: float | None) -> None:
    """Every value has a type, a text of one form, and a number where it is one."""
    assert hp.from_mapping({"x": value}, "o", 3) == [Hparam("x", kind, text, number, "o", 3)]


def test_flattening() -> None:
    """Nested names are joined by dots; lists that hold mappings by index; empty mappings vanish."""
    nested = {"a": {"b": 1, "c": {}}, "l": [{"x": 1}, {"x": 2}], "m": [[1], [2]], 3: "k"}
    assert shown(hp.from_mapping(nested, "", 0)) == {
        "a.b": ("int", "1"),
        "l.0.x": ("int", "1"),
        "l.1.x": ("int", "2"),
        "m": ("list", "[[1], [2]]"),
        "3": ("string", "k"),
    }


@pytest.mark.parametrize("obj", [None, 3, "text", [], [1, 2]])
def test_values_without_names(obj: object) -> None:
    """What has no names has no hyperparameters."""
    assert hp.from_mapping(obj, "", 0) == []


def test_secrets() -> None:
    """Secrets are masked at any depth, flags and vocabulary are not."""
    nested = {"hub_token": "abc", "db": {"password": 5}, "secrets": {"a": "x", "b": True}}
    harmless = {
        "pad_token": "<pad>",
        "max_tokens": 5,
        "token": 3,
        "use_auth_token": False,
        "api_key": "",
    }
    found = shown(hp.from_mapping(nested | harmless, "", 0))
    masked = {name for name, (_, value) in found.items() if value == "***"}
    assert masked == {"hub_token", "db.password", "secrets.a"}


def test_bounds() -> None:
    """Names, depth and text are bounded, and what was cut says so."""
    deep: dict[str, Any] = {"x": 1}
    for _ in range(100):
        deep = {"d": deep}
    assert shown(hp.from_mapping(deep, "", 0)) == {"d.d.d.d.d.d.d.d": ("string", "…")}
    assert len(hp.from_mapping({str(i): i for i in range(10_000)}, "", 0)) == hp.MAX_NAMES
    (long,) = hp.from_mapping({"n" * 10_000: "v" * 10_000}, "", 0)
    assert len(long.name) == hp.MAX_NAME
    assert len(long.value) == hp.MAX_VALUE
    assert long.value.endswith("…[cut: 10000 characters]")
    nest: list[Any] = [1]
    for _ in range(100):
        nest = [nest]
    (listed,) = hp.from_mapping({"l": nest}, "", 0)
    assert listed.value == "[" * 8 + '"…"' + "]" * 8


def test_aliases_end() -> None:
    """Values that repeat each other without end, as YAML aliases may, are cut short."""
    flat: Any = ["x"] * 9
    mapping: Any = {"x": 1}
    for _ in range(12):
        flat, mapping = [flat] * 9, {str(i): mapping for i in range(9)}
    text = "eyJ-" * 2000
    assert len(hp.from_mapping({"a": flat, "b": text}, "", 0)) == 2
    assert len(hp.from_mapping(mapping, "", 0)) <= hp.MAX_NAMES
    hp.from_mapping({str(i): [text] * 100 for i in range(2000)}, "", 0)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_any_mapping(obj: dict[str, Any]) -> None:
    """Whatever JSON can say gives rows that a store can take."""
    for each in hp.from_mapping(obj, "o", 1):
        assert each.type in ("float", "int", "bool", "string", "null", "list")
        assert "\0" not in each.name + each.value
        (each.name + each.value).encode()
        assert each.number is None or each.type in ("float", "int", "bool")


def test_files() -> None:
    """The same settings in YAML, JSON and TOML are the same hyperparameters."""
    as_json = hp.from_json(b'{"lr": 0.0001, "model": {"size": [1, 2], "bias": true}}', "o", 1)
    as_yaml = hp.from_yaml(b"lr: 1e-4\nmodel:\n  size: [1, 2]\n  bias: true\n", "o", 1)
    as_toml = hp.from_toml(b"lr = 1e-4\n[model]\nsize = [1, 2]\nbias = true\n", "o", 1)
    assert as_json == as_yaml == as_toml != []
    utf16 = "lr: 1e-4".encode("utf-16")
    assert hp.from_yaml(utf16, "o", 1) == hp.from_yaml(b"\xef\xbb\xbflr: 1e-4", "o", 1) != []
    assert hp.from_yaml(b"", "o", 1) == []


@pytest.mark.parametrize(
    ("read", "data", "message"),
    [
        (hp.from_yaml, b"a: [1", "not YAML in line"),
        (hp.from_yaml, b"- 1", "expected names and values at the top, found list"),
        (hp.from_json, b"{", "line 1"),
        (hp.from_json, b"[" * 100_000, "too deep"),
        (hp.from_toml, b"a =", "Invalid value"),
        (hp.from_json, b" " * (1 << 21), "more than 1 MiB"),
    ],
)
def test_bad_files(read: Any, data: bytes, message: str) -> None:
    """A file that cannot be read says why."""
    with pytest.raises(ValueError, match=message):
        read(data, "o", 1)


@pytest.mark.parametrize(
    ("tag", "rank"),
    [
        ("args", 50),
        ("args/text_summary", 50),
        ("train/args", 50),
        ("hyperparameters/text_summary", 50),
        ("Hyperparameters", 50),
        ("hyper-parameters", 50),
        ("hparams", 50),
        ("params_0", 50),
        ("sys.argv/text_summary", 50),
        ("config", 51),
        ("model_config/text_summary", 51),
        ("Configuration/Model/text_summary", 51),
        ("settings", 51),
        ("notes", None),
        ("train/loss", None),
        ("samples/args_of_men", None),
        ("configuring", None),
    ],
)
def test_tags_of_text_summaries(tag: str, rank: int | None) -> None:
    """Only text under a tag that names arguments or settings is read, arguments rank first."""
    found = hp.from_text_summary(tag, "lr: 1e-4\nbs: 32")
    assert [each.rank for each in found] == ([rank] * 2 if rank else [])
    assert all(each.origin == "text:" + tag.removesuffix("/text_summary") for each in found)


def test_namespace_under_any_tag() -> None:
    """A Namespace is clearly arguments, whatever its tag."""
    assert shown(hp.from_text_summary("text", "Namespace(lr=0.1)")) == {"lr": ("float", "0.1")}


def test_path_groups() -> None:
    """Named groups of a path pattern are typed; groups that took no part are left out."""
    found = hp.from_path({"lr": "0.010", "seed": "007", "model": "vit", "x": None})
    assert shown(found) == {
        "lr": ("float", "0.01"),
        "seed": ("string", "007"),
        "model": ("string", "vit"),
    }
    assert {(each.origin, each.rank) for each in found} == {("path", 20)}


@given(st.text(max_size=100), st.text(max_size=300))
def test_any_text_summary(tag: str, text: str) -> None:
    """No tag and no text make the reader fail."""
    hp.from_text_summary(tag, text)
    hp.from_text_summary("args", text)


def values_of(corpus: Path, folder: str) -> Iterator[Any]:
    """Summary values of the event files in a *folder* of the corpus, by TensorBoard's loader."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    for path in sorted((corpus / folder).rglob("*tfevents*")):
        for count, event in enumerate(EventFileLoader(str(path)).Load()):
            if count > 300:
                break
            yield from event.summary.value


def texts_of(corpus: Path, folder: str) -> dict[str, str]:
    """tag -> first text of a *folder* of the corpus."""
    texts: dict[str, str] = {}
    for value in values_of(corpus, folder):
        if value.metadata.plugin_data.plugin_name == "text" and value.tensor.string_val:
            texts.setdefault(value.tag, value.tensor.string_val[0].decode())
    return texts


def test_real_cleanrl(corpus: Path) -> None:
    """CleanRL's markdown table: every argument, typed."""
    text = texts_of(corpus, "hylora-caclavscleanrl")["hyperparameters/text_summary"]
    found = shown(hp.from_text_summary("hyperparameters/text_summary", text))
    assert len(found) == text.count("\n") - 1
    assert found["learning_rate"] == ("float", "0.0003")
    assert found["total_timesteps"] == ("int", "200000")
    assert found["capture_video"] == ("bool", "false")
    assert found["target_kl"] == ("null", "null")
    assert found["env_id"] == ("string", "Pendulum-v1")


def test_real_transformers(corpus: Path) -> None:
    """Transformers logs all arguments and the model's config as JSON: all of it is found."""
    texts = texts_of(corpus, "dev-com2020-fine_tuning_sample")
    args = shown(hp.from_text_summary("args/text_summary", texts["args/text_summary"]))
    raw = json.loads(texts["args/text_summary"])
    flat = {name for name, value in raw.items() if not isinstance(value, dict)}
    assert flat <= set(args)
    assert args["learning_rate"] == ("float", "5e-05")
    assert args["do_train"] == ("bool", "false")
    assert args["adam_beta1"] == ("float", "0.9")
    assert args["hub_token"][1] == "***"
    model = shown(
        hp.from_text_summary("model_config/text_summary", texts["model_config/text_summary"])
    )
    assert model["n_layer"] == ("int", "12")
    assert model["architectures"] == ("list", '["GPT2LMHeadModel"]')
    assert model["eos_token_id"] == ("int", "50256")


def test_real_ml_agents(corpus: Path) -> None:
    """ML-Agents indents by tabs; the text says what configuration.yaml says of the behaviour."""
    folder = "ap-it-gh-jumper-matthiasdebu/results/CubeAgent"
    (text,) = texts_of(corpus, folder).values()
    logged = shown(hp.from_text_summary("Hyperparameters/text_summary", text))
    data = (corpus / folder / "configuration.yaml").read_bytes()
    stored = shown(hp.from_yaml(data, "configuration.yaml", 35))
    assert len(logged) > 25
    assert logged["hyperparameters.learning_rate"] == ("float", "0.0003")
    assert logged["network_settings.memory"] == ("null", "null")
    shared = {name: f"behaviors.CubeAgent.{name}" for name in logged}
    assert {name: stored[full] for name, full in shared.items() if full in stored} == logged


def test_real_open3d(corpus: Path) -> None:
    """Open3D-ML logs indented Python dicts, and cuts their ends off."""
    texts = texts_of(corpus, "isl-org-open3d-ml")
    model = shown(
        hp.from_text_summary("Configuration/Model", texts["Configuration/Model/text_summary"])
    )
    assert model["dim_output"] == ("list", "[16, 64, 128, 256, 512]")
    assert model["ckpt_path"] == ("null", "null")
    description = texts["Description/Open3D-ML/text_summary"]
    assert hp.from_text_summary("Description/Open3D-ML", description) == []


@pytest.mark.parametrize(
    "folder",
    ["larsterbraak-timegan", "diegocotaciodata-forecast", "alwaysproblem-tensorboard-review"],
)
def test_real_plugin_records(corpus: Path, folder: str) -> None:
    """Every record of real writers is read without a problem, and sessions have hparams."""
    sessions = 0
    for value in values_of(corpus, folder):
        if value.metadata.plugin_data.plugin_name == "hparams":
            read = hp.from_plugin(value.metadata.plugin_data.content)
            assert read.problem is None
            sessions += bool(read.hparams)
    assert sessions > 0


def test_real_lightning_files(corpus: Path) -> None:
    """Lightning's hparams.yaml with pickled objects in it: values found, private parts left out."""
    files = sorted(corpus.rglob("hparams.yaml"))
    assert len(files) > 20
    for path in files:
        found = shown(hp.from_yaml(path.read_bytes(), "hparams.yaml", 30))
        assert 10 < len(found) < 500
        assert not any("._" in name or "python/" in value for name, (_, value) in found.items())
