"""Work for a client that has hung up ends."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from boardlake.api.gone import Gone
from boardlake.api.routes import curves as route
from boardlake.api.service import Service
from boardlake.cli.serve import bind, server_of


def test_curves_nobody_waits_for_are_not_computed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two tags it is seen that the client is gone; the next client is served."""
    began, done = threading.Event(), threading.Event()
    found: list[str] = []

    def slow(con: object, query: object, go_on: Callable[[], None], spans: object) -> list[object]:
        began.set()
        try:
            for _ in range(600):
                time.sleep(0.02)
                go_on()
            found.append("went on")
        except Gone:
            found.append("gone")
            raise
        finally:
            done.set()
        return []

    bound = bind("127.0.0.1", 0)
    port = bound.getsockname()[1]
    monkeypatch.setattr(route, "curves", slow)
    server = server_of(service, bound)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    body = json.dumps({"runs": [1], "tags": ["loss"]}).encode()
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(
            b"POST /api/v1/series HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        assert began.wait(30)
    assert done.wait(60)
    assert found == ["gone"]
    again = http.client.HTTPConnection(urlsplit(f"//127.0.0.1:{port}").netloc, timeout=30)
    again.request("GET", "/api/v1/info")
    assert again.getresponse().status == 200
    again.close()
    server.task_dispatcher.shutdown()
    server.trigger.pull_trigger(server.close)
    thread.join(10)
    bound.close()
