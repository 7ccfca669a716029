"""Every series of real event files: our data provider lists and reads what those of both loaders do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tensorboard import auth, context
from tensorboard.data.provider import DataProvider, RunTagFilter

from boardlake.api.tensorboard.index import Indexes
from boardlake.api.tensorboard.provider import ENVIRON, LakeProvider

from . import stock
from .conftest import Ours
from .sides import FLOAT32, differences, kept

KINDS = {
    "scalars": "scalars", "histograms": "tensors", "text": "tensors", "pr_curves": "tensors",
    "mesh": "tensors", "custom_scalars": "tensors", "images": "blob_sequences",
    "audio": "blob_sequences", "graphs": "blob_sequences", "graph_keras_model": "blob_sequences",
    "graph_run_metadata": "blob_sequences", "graph_run_metadata_graph": "blob_sequences",
    "graph_tagged_run_metadata": "blob_sequences",
}  # fmt: skip
Series = dict[str, dict[str, Any]]


class _Environ(auth.AuthProvider):  # type: ignore[misc]
    def authenticate(self, environ: Any) -> Any:
        return environ


class Three(NamedTuple):
    """Providers over the same files, and the request that ours is asked with."""

    ours: DataProvider
    python: DataProvider
    server: DataProvider
    ctx: Any

    def ask(self, which: str, call: str, plugin: str, **more: Any) -> Any:
        """The answer to a call that is for all runs and tags of a plugin."""
        ctx = self.ctx if which == "ours" else context.RequestContext()
        return getattr(getattr(self, which), call)(
            ctx, experiment_id="", plugin_name=plugin, run_tag_filter=RunTagFilter(), **more
        )


@pytest.fixture(scope="module")
def three(
    corpus: Path,
    corpus_lake: Path,
    ours: Callable[[Path], Ours],
    unsampled: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Three]:
    """All of them, loaded once. They share no directory, so that names are paths on either side."""
    app = ours(corpus_lake)
    index = Indexes(app.service).get(app.select(filter=""))
    request = auth.AuthContext({"environ": _Environ()}, {ENVIRON: index})
    with stock.data_server(corpus, tmp_path_factory.mktemp("server")) as server:
        yield Three(
            LakeProvider(app.service, 1 << 60),
            stock.python_loader(corpus).provider,
            server.provider,
            context.RequestContext(auth=request),
        )


def _read(three: Three, which: str, plugin: str) -> Series:
    """Points of all series as lists of what tells them from each other and of their value."""
    found = three.ask(which, f"read_{KINDS[plugin]}", plugin, downsample=stock.ALL)
    return {
        run: {tag: [_point(datum) for datum in data] for tag, data in of_run.items() if data}
        for run, of_run in found.items()
        if any(of_run.values())
    }


def _point(datum: Any) -> list[Any]:
    if hasattr(datum, "numpy"):
        return [datum.step, datum.wall_time, [list(datum.numpy.shape), datum.numpy.tolist()]]
    value = len(datum.values) if hasattr(datum, "values") else datum.value
    return [datum.step, datum.wall_time, value]


@pytest.mark.parametrize("plugin", KINDS)
def test_all_that_is_read(three: Three, plugin: str) -> None:
    """Each point of each series: its step, wall time and value; how many byte strings there are."""
    found, python, server = (_read(three, which, plugin) for which in ("ours", "python", "server"))
    blobs = KINDS[plugin] == "blob_sequences"
    expected = {
        run: {tag: _taken(data, server.get(run, {}).get(tag), blobs) for tag, data in tags.items()}
        for run, tags in python.items()
    }
    near = FLOAT32 if plugin == "histograms" else 0.0
    assert not list(differences(found, expected, near=near))


def _taken(python: list[Any], server: list[Any] | None, blobs: bool) -> list[Any]:
    if server is None:
        return python
    return server if blobs else kept(python, server)


@pytest.mark.parametrize("plugin", KINDS)
def test_all_that_is_listed(three: Three, plugin: str) -> None:
    """Each series with what describes it, its last step, and how many byte strings a step has."""
    found, python, server = (
        {
            run: {tag: _told(one) for tag, one in of_run.items()}
            for run, of_run in three.ask(which, f"list_{KINDS[plugin]}", plugin).items()
        }
        for which in ("ours", "python", "server")
    )
    for run, of_run in python.items():
        for tag, told in of_run.items():
            # Steps that were written again count no more.
            told["max_step"] = server.get(run, {}).get(tag, told)["max_step"]
    assert not list(differences(found, python))


def _told(one: Any) -> dict[str, Any]:
    told = {"content": one.plugin_content, "description": one.description, "max_step": one.max_step}
    if hasattr(one, "max_length"):
        told["max_length"] = one.max_length
    return told
