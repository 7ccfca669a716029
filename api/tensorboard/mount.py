"""The one TensorBoard application for all selections, made when it is first asked for."""

from __future__ import annotations

import mimetypes
import threading
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from tensorboard import assets, auth, default
from tensorboard.backend import application
from tensorboard.plugins import base_plugin
from tensorboard.plugins.core import core_plugin
from tensorboard.plugins.custom_scalar.custom_scalars_plugin import CustomScalarsPlugin
from tensorboard.plugins.hparams import list_session_groups
from tensorboard.plugins.metrics.metrics_plugin import MetricsPlugin
from tensorboard.plugins.scalar.scalars_plugin import ScalarsPlugin

from ..service import Service
from . import cards, patterns
from .custom_scalars import CustomScalars
from .hparams import SessionProvider
from .index import Indexes
from .loaders import file_plugins
from .provider import ENVIRON, POINTS_A_CARD, LakeProvider

# They read files below a log directory, or belong to nothing that is here.
_LEFT_OUT = {"profile_redirect", "wit_redirect", "debugger-v2", "projector"}
_OWN = {
    CustomScalarsPlugin: CustomScalars,
    MetricsPlugin: cards.TimeSeries,
    ScalarsPlugin: cards.Scalars,
}
_PREFIX, _DATA = "/experiment/", "/data/"
_HERE = ("127.0.0.1", "::1")


class Loader(Protocol):
    """Makes a plugin, as TensorBoard's own loaders do; None where it cannot be."""

    def load(self, context: Any) -> Any: ...


class TensorBoard:
    """TensorBoard over the lake; `call` answers a request below a selection's address."""

    def __init__(
        self,
        service: Service,
        plugins: Iterable[Loader] = (),
        samples: Mapping[str, int] | None = None,
        points_a_card: int = POINTS_A_CARD,
    ) -> None:
        self.indexes = Indexes(service)
        self._provider = LakeProvider(service, points_a_card)
        self._sessions = SessionProvider(service)
        self._plugins = [*file_plugins(service.reach), *plugins]
        self._samples = dict(samples or {})
        self._making = threading.Lock()
        self._app: Any = None

    def call(
        self, environ: dict[str, Any], start_response: Callable[..., Any], id: str, path: str
    ) -> Iterable[bytes]:
        """Answer a request for *path* ('' or '/...') of the selection *id*, as a WSGI application.

        What lies above is taken for the application's root. Raises what `Indexes.get` raises.
        """
        # The page asks for its own experiment by a name that it makes up.
        if path.startswith(_PREFIX):
            _, _, path = path.removeprefix(_PREFIX).partition("/")
            path = f"/{path}"
        root = environ.get("SCRIPT_NAME", "").rstrip("/")
        inner = environ | {
            "SCRIPT_NAME": f"{root}/tb/{id}", "PATH_INFO": path,
            # Of a header that names another selection nothing is left.
            "HTTP_TENSORBOARD_EXPERIMENT_ID": id, ENVIRON: self.indexes.get(id),
        }  # fmt: skip
        if path.startswith(_DATA) and environ.get("REMOTE_ADDR") in _HERE:
            # To this machine it takes longer to compress than to send.
            inner.pop("HTTP_ACCEPT_ENCODING", None)
        answer: Iterable[bytes] = self._application()(inner, start_response)
        return answer

    def _application(self) -> Any:
        with self._making:
            if self._app is None:
                self._app = _make(self._provider, self._sessions, self._plugins, self._samples)
            return self._app


class _Environ(auth.AuthProvider):  # type: ignore[misc]
    """Lets the provider see the request."""

    def authenticate(self, environ: Any) -> Any:
        return environ


class _Filtered(base_plugin.TBLoader):  # type: ignore[misc]
    """A plugin of TensorBoard's, unless it is left out; some with a part of ours."""

    def __init__(self, spec: Any, sessions: SessionProvider) -> None:
        self._inner = application.make_plugin_loader(_OWN.get(spec, spec))
        self._sessions = sessions

    def load(self, context: Any) -> Any:
        plugin = self._inner.load(context)
        if plugin is None or plugin.plugin_name in _LEFT_OUT:
            return None
        if plugin.plugin_name == "hparams":
            own = base_plugin.TBContext(**(vars(context) | {"data_provider": self._sessions}))
            # Curves of metrics come through the scalars plugin that it finds.
            own.plugin_name_to_instance = {"scalars": ScalarsPlugin(own)}
            return self._inner.load(own)
        return plugin


def _make(
    provider: LakeProvider,
    sessions: SessionProvider,
    more: Iterable[Loader],
    samples: dict[str, int],
) -> Any:
    # Done by TensorBoard's command, which does not run here.
    mimetypes.add_type("text/javascript", ".js")
    # It says itself that its own is not for a server that others use.
    list_session_groups._create_regexp_filter = patterns.filter_of
    flags = types.SimpleNamespace(
        logdir="", logdir_spec="", path_prefix="", window_title="", samples_per_plugin=samples
    )
    static = [
        _Filtered(spec, sessions)
        for spec in default.get_static_plugins()
        if not isinstance(spec, core_plugin.CorePluginLoader)
    ]
    return application.TensorBoardWSGIApp(
        flags=flags,
        plugins=[core_plugin.CorePluginLoader(include_debug_info=False), *static, *more],
        data_provider=provider,
        assets_zip_provider=assets.get_default_assets_zip_provider(),
        auth_providers={"environ": _Environ()},
    )
