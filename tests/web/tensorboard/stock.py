"""Stock TensorBoard over a directory, by either of its loaders, with nothing sampled away."""

from __future__ import annotations

import subprocess
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorboard_data_server
from tensorboard import default
from tensorboard.backend import application
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.data import server_ingester
from tensorboard.data.provider import DataProvider
from tensorboard.plugins.core import core_plugin
from tensorboard.plugins.distribution import distributions_plugin
from tensorboard.plugins.histogram import histograms_plugin
from tensorboard.util import grpc_util

from .asked import Board

# More than any series has: both loaders then keep, and all plugins show, every step.
ALL = 1_000_000
PLUGINS = (
    "scalars", "histograms", "images", "audio", "text", "pr_curves", "mesh", "custom_scalars",
    "hparams", "graphs", "graph_keras_model", "graph_run_metadata", "graph_run_metadata_graph",
    "graph_tagged_run_metadata",
)  # fmt: skip
SAMPLES = dict.fromkeys(PLUGINS, ALL)
LOADED = b"Finished load cycle"


def board(provider: DataProvider, logdir: Path) -> Board:
    """TensorBoard's application over *provider*, all its own plugins in it."""
    flags = types.SimpleNamespace(
        logdir=str(logdir),
        logdir_spec="",
        path_prefix="",
        window_title="",
        samples_per_plugin=SAMPLES,
    )
    plugins: list[Any] = [core_plugin.CorePluginLoader(include_debug_info=False)]
    plugins += [one for one in default.get_static_plugins() if not _is_core(one)]
    app = application.TensorBoardWSGIApp(
        flags=flags, plugins=plugins, data_provider=provider, assets_zip_provider=None
    )
    for plugin in app._plugins:
        # How many both draw is no flag.
        if isinstance(
            plugin, (histograms_plugin.HistogramsPlugin, distributions_plugin.DistributionsPlugin)
        ):
            plugin.SAMPLE_SIZE = ALL
    return Board(app, provider=provider)


def _is_core(plugin: Any) -> bool:
    return plugin is core_plugin.CorePluginLoader or isinstance(
        plugin, core_plugin.CorePluginLoader
    )


def python_loader(logdir: Path) -> Board:
    """What `tensorboard --load_fast=false` shows of *logdir*, as it is now."""
    multiplexer = plugin_event_multiplexer.EventMultiplexer(
        size_guidance={"tensors": ALL}, tensor_size_guidance=SAMPLES, max_reload_threads=1
    )
    multiplexer.AddRunsFromDirectory(str(logdir))
    multiplexer.Reload()
    return board(data_provider.MultiplexerDataProvider(multiplexer, str(logdir)), logdir)


@contextmanager
def data_server(logdir: Path, work: Path) -> Iterator[Board]:
    """What plain `tensorboard` shows of *logdir*: a data server that has loaded it, and ends with the block."""
    port_file = work / "port"
    port_file.unlink(missing_ok=True)
    samples = ",".join(f"{plugin}=all" for plugin in SAMPLES)
    command = [
        str(tensorboard_data_server.server_binary()), f"--logdir={logdir}", "--reload=once", "--port=0",
        f"--port-file={port_file}", f"--samples-per-plugin={samples}", "--die-after-stdin", "--verbose",
    ]  # fmt: skip
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert server.stdin and server.stderr
    try:
        said = b""
        # It serves while it loads; only its log tells that it is done.
        while LOADED not in said:
            line = server.stderr.readline()
            assert line, f"the data server ended: {said.decode(errors='replace')}"
            said += line
        address = f"localhost:{int(port_file.read_text())}"
        stub = server_ingester._make_stub(address, grpc_util.ChannelCredsType.LOCAL)
        provider = server_ingester.grpc_provider.GrpcDataProvider(address, stub)
        yield board(provider, logdir)
    finally:
        server.stdin.close()
        server.stderr.close()
        server.wait()
