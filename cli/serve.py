"""`boardlake serve`: the web UI and the API on a production WSGI server."""

from __future__ import annotations

import errno
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ..core.errors import UsageError
from .context import Context

if TYPE_CHECKING:
    from ..api.service import Service
    from ..core.tokens import Tokens

# DuckDB uses all cores for one query; threads are for clients that wait for bytes.
_THREADS = 16
HOST = "127.0.0.1"
PORT = 8470
_NEAR = 20
# In glibc's malloc.h.
_M_ARENA_MAX = -8
# The server keeps a body on the disk until it is read; what edges push is larger.
_BODY, _PUSHED = 8 << 20, 60 << 20
_LOCAL = ("127.0.0.1", "localhost", "::1")


@click.command("serve")
@click.option("--host", default=HOST, show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=PORT, show_default=True, type=click.IntRange(0, 65535), help="0 = any free."
)
@click.option("--open", "open_", is_flag=True, help="Open the pages in your browser.")
@click.pass_obj
def command(context: Context, host: str, port: int, open_: bool) -> int:
    """Serve the web UI and the API of the lake, until stopped."""
    context.spare_pandas()
    tokens = open_tokens(context)
    bound = bind(host, port, everywhere=tokens is not None)
    service = open_service(context)
    try:
        context.say(f"boardlake: {url(bound)}")
        if open_:
            browse(url(bound))
        with stopping():
            serve(service, bound, tokens)
    finally:
        service.close()
        bound.close()
    return 0


def open_tokens(context: Context) -> Tokens | None:
    """The tokens that the server asks for, if it has a file of them; raises ConfigError."""
    from ..core.tokens import Tokens

    path = context.tokens_file
    return Tokens(path) if path else None


def open_service(context: Context) -> Service:
    """The lake and its state database; raises LakeMissing."""
    from ..api.service import Service
    from ..ingest.fetched import Fetched
    from ..state.store import open_state

    _keep_memory_together()
    lake = context.open()
    root = context.location.root
    return Service(lake, open_state(root), Fetched(context.settings.sources, str(root)))


def _keep_memory_together() -> None:
    """Each thread's own heap keeps what its largest answer took: with two that is 200 MB less."""
    import ctypes

    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)
    except (OSError, AttributeError):
        # Not glibc.
        pass


def bind(host: str, port: int, *, everywhere: bool = False) -> socket.socket:
    """A socket that listens, on this machine only unless *everywhere*.

    Raises UsageError for an address that cannot be had.
    """
    if host not in _LOCAL and not everywhere:
        raise UsageError(
            f"--host {host}: without authentication only this machine is served",
            hint="`boardlake token NAME` makes a token; or leave --host out, and from elsewhere"
            " use ssh -L 8470:localhost:8470 HOST",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        hint = f"name another port: --port {port + 1}, or 0 for any free one"
        raise UsageError(f"{host}:{port} cannot be had: {error.strerror}", hint=hint) from error


def bind_near(host: str, port: int, *, everywhere: bool = False) -> socket.socket:
    """Like `bind`, with the next free port where *port* is taken."""
    for near in (*range(port, port + _NEAR), 0):
        try:
            return bind(host, near, everywhere=everywhere)
        except UsageError as error:
            taken = error.__cause__
            if not isinstance(taken, OSError) or taken.errno != errno.EADDRINUSE or not near:
                raise
    raise AssertionError("the last try returns or raises")


@contextmanager
def stopping() -> Iterator[None]:
    """Within it SIGTERM and SIGHUP end the process as Ctrl-C does, also where a shell ignores that."""

    def stop(number: int, _: object) -> NoReturn:
        raise KeyboardInterrupt

    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in kinds}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def browse(at: str) -> None:
    """Open *at* in the user's browser, which may take its time."""
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(at,), daemon=True).start()


def serve(service: Service, bound: socket.socket, tokens: Tokens | None = None) -> None:
    """Answer requests until a signal ends it."""
    server = server_of(service, bound, tokens)
    try:
        server.run()
    finally:
        server.close()


def server_of(service: Service, bound: socket.socket, tokens: Tokens | None = None) -> Any:
    """The server on *bound*, with `run` and `close`, as waitress makes it."""
    import logging

    from waitress.server import create_server

    from ..web.app import create_app

    # That a page asks more questions at once than there are threads is as usual as it is brief.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    return create_server(
        create_app(service, tokens), sockets=[bound], threads=_THREADS, ident=None,
        channel_timeout=120, max_request_body_size=_BODY if tokens is None else _PUSHED,
        # Only then is it told when a client has hung up.
        channel_request_lookahead=1,
    )  # fmt: skip


def url(bound: socket.socket) -> str:
    """What to type into the browser."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
