"""TensorBoard's projector over the files that configs beside the logs name, for one selection a request."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from google.protobuf import json_format
from tensorboard import plugin_util
from tensorboard.plugins import base_plugin
from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin
from tensorboard.util import img_mime_type_detector
from werkzeug import Request, Response

from ...lake.outside import OutOfReach
from . import embeddings
from .embeddings import Unreadable
from .files import File, Ways, home, of_kind, shown
from .own import asset, respond
from .provider import index_of

# Of configs that have to be fetched so many are looked into before a run is chosen.
_AT_ONCE, _MOST_ASKED = 6, 24
# A config of a megabyte takes a second: those that are not looked into by then tell when they are chosen.
_PATIENCE_S = 10.0
# What the front end puts into URLs as it is, though it means something there.
_UNSAFE = str.maketrans({char: quote(char, safe="") for char in "%&#+"})


class Projector(base_plugin.TBPlugin):  # type: ignore[misc]
    """The front end of TensorBoard's own plugin, over files in reach."""

    plugin_name = "projector"

    def __init__(self, context: Any, ways: Ways) -> None:
        self._stock = ProjectorPlugin(context)
        self._ways = ways
        self._shapes = embeddings.Shapes()

    def get_plugin_apps(self) -> dict[str, Any]:
        """The routes of TensorBoard's plugin; /index.js is ours, which tells what is out of reach."""
        stock = self._stock.get_plugin_apps()
        assets = {
            route: stock[route] for route in ("/projector_binary.html", "/projector_binary.js")
        }
        return assets | {
            "/index.js": asset("projector.js"),
            "/files.js": asset("files.js"),
            "/where": _answer(self._where),
            "/runs": _answer(self._runs),
            "/info": _answer(self._info),
            "/tensor": _answer(self._tensor),
            "/metadata": _answer(self._metadata),
            "/bookmarks": _answer(self._bookmarks),
            "/sprite_image": _answer(self._sprite),
        }

    def is_active(self) -> bool:
        """Said by the provider, which knows the selection."""
        return False

    def frontend_metadata(self) -> Any:
        """As TensorBoard's plugin has it."""
        return base_plugin.FrontendMetadata(
            es_module_path="/index.js", tab_name="Projector", disable_reload=True
        )

    def _configs(self, request: Request) -> dict[str, File]:
        """Configs by run as the front end names it; one among the plugins' files counts more."""
        files = of_kind(index_of(plugin_util.context(request.environ)), "projector")
        ordered = sorted(files, key=lambda file: home(file.directory) != file.directory)
        found: dict[str, File] = {}
        for file in ordered:
            name = file.name.translate(_UNSAFE)
            if name in found and found[name].run != file.run:
                # A directory of one run has the name of another run.
                name = f"{name} ({file.run.run_key})"
            found[name] = file
        return found

    def _config(self, file: File) -> Any:
        with self._ways.open(file, embeddings.MAX_CONFIG) as opened:
            return embeddings.read_config(opened)

    def _shown(self, file: File) -> str:
        """Why the projector has nothing to show of *file*, '' if it has."""
        try:
            config = self._config(file)
        except (OutOfReach, Unreadable) as error:
            return str(error)
        tensors = any(one.tensor_path for one in config.embeddings)
        if config.embeddings and (tensors or config.model_checkpoint_path):
            return ""
        return "its config names no tensor"

    def _why(self, files: dict[str, File]) -> dict[str, str]:
        """Why there is nothing to show, by name; of many that are fetched the first tell, side by side."""
        until, found = time.monotonic() + _PATIENCE_S, dict[str, str]()
        for name, file in files.items():
            if file.away:
                found[name] = self._ways.leads(file)
            else:
                found[name] = self._shown(file) if time.monotonic() < until else ""
        asked = [name for name, file in files.items() if file.away and not found[name]]
        if asked:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                told = pool.map(lambda name: self._shown(files[name]), asked[:_MOST_ASKED])
                found |= zip(asked, told, strict=False)
        return found

    def _where(self, request: Request) -> Response:
        files = self._configs(request)
        why = self._why(files)
        found = [file.where() | {"why": why[name]} for name, file in files.items()]
        return respond(request, {"files": found}, "application/json")

    def _runs(self, request: Request) -> Response:
        names = [name for name, why in self._why(self._configs(request)).items() if not why]
        return respond(request, names, "application/json")

    def _info(self, request: Request) -> Response:
        file, config = self._asked(request)
        for one in config.embeddings:
            if one.tensor_path and not one.tensor_shape:
                try:
                    with self._ways.beside(file, one.tensor_path, embeddings.MAX_TENSOR) as opened:
                        one.tensor_shape.extend(self._shapes.of(opened) or ())
                except (OutOfReach, Unreadable):
                    # Whoever asks for the tensor is told.
                    continue
        return respond(request, json_format.MessageToJson(config), "application/json")

    def _tensor(self, request: Request) -> Response:
        file, config = self._asked(request)
        name, rows = _argument(request, "name"), _rows(request)
        one = embeddings.embedding(config, name)
        if one is None or not one.tensor_path:
            raise Unreadable(
                f"the tensor {shown(name)!r} is in a checkpoint: only TensorFlow reads it,"
                f" by tensorboard --logdir {file.where()['uri'].rpartition('/')[0]}"
                if one is not None or config.model_checkpoint_path
                else f"the config has no tensor {shown(name)!r}"
            )
        with self._ways.beside(file, one.tensor_path, embeddings.MAX_TENSOR) as opened:
            data = embeddings.vectors(opened, list(one.tensor_shape), rows)
        return respond(request, data, "application/octet-stream")

    def _metadata(self, request: Request) -> Response:
        file, one = self._embedding(request)
        rows = _rows(request)
        path = _named(one and one.metadata_path, "metadata", request)
        with self._ways.beside(file, path, embeddings.MAX_TABLE) as opened:
            data = embeddings.table(opened, rows, embeddings.MAX_TABLE)
        return respond(request, data.decode("utf-8", "replace"), "text/plain")

    def _bookmarks(self, request: Request) -> Response:
        file, one = self._embedding(request)
        path = _named(one and one.bookmarks_path, "bookmarks", request)
        with self._ways.beside(file, path, embeddings.MAX_TABLE) as opened:
            return respond(request, opened.read(embeddings.MAX_TABLE), "application/json")

    def _sprite(self, request: Request) -> Response:
        file, one = self._embedding(request)
        path = _named(one and one.sprite.image_path, "sprite image", request)
        with self._ways.beside(file, path, embeddings.MAX_SPRITE) as opened:
            data = opened.read(embeddings.MAX_SPRITE)
        return respond(request, data, img_mime_type_detector.from_bytes(data))

    def _asked(self, request: Request) -> tuple[File, Any]:
        name = _argument(request, "run")
        file = self._configs(request).get(name.translate(_UNSAFE))
        if file is None:
            raise Unreadable(f"the selection has no run {shown(name)!r} with a projector's config")
        return file, self._config(file)

    def _embedding(self, request: Request) -> tuple[File, Any]:
        file, config = self._asked(request)
        return file, embeddings.embedding(config, _argument(request, "name"))


def _answer(route: Callable[[Request], Response]) -> Any:
    """A WSGI application: what cannot be had is said with status 400, as TensorBoard's plugin does."""

    def answer(request: Request) -> Response:
        try:
            return route(request)
        except (OutOfReach, Unreadable) as error:
            return respond(request, str(error), "text/plain", 400)

    return Request.application(answer)


def _argument(request: Request, name: str) -> str:
    found = request.args.get(name)
    if found is None:
        raise Unreadable(f'query parameter "{name}" is required')
    return str(found)


def _rows(request: Request) -> int | None:
    text = request.args.get("num_rows")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 18 and int(text)):
        raise Unreadable("query parameter num_rows must be integer > 0")
    return int(text)


def _named(path: str | None, what: str, request: Request) -> str:
    if not path:
        name = shown(request.args.get("name", ""))
        raise Unreadable(f"the projector's config names no {what} of the tensor {name!r}")
    return path
