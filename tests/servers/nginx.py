"""Nginx on loopback: indexes of a tree in JSON and in HTML, with ranges, and a login where one is asked for."""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .base import program, stop
from .local import Tree
from .radosgw import answers, free_port

_USER, _PASSWORD = "nginx-reader-of-logs", "nginx-password-that-nobody-may-see"
_CONFIG = """
daemon off; pid {root}/pid; error_log {root}/log; worker_processes 1; {user}
events {{ }}
http {{
    access_log off; default_type application/octet-stream; sendfile off;
    client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/fcgi;
    uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;
    server {{
        listen 127.0.0.1:{port}; root {root}/trees; absolute_redirect off;
        auth_basic lab; auth_basic_user_file {root}/users;
        location /ok {{ auth_basic off; return 200; }}
        location /json/ {{ alias {root}/trees/; autoindex on; autoindex_format json; }}
        location /html/ {{ alias {root}/trees/; autoindex on; }}
        location /open/ {{ alias {root}/trees/; autoindex on; autoindex_format json; auth_basic off; }}
        location /noranges/ {{ alias {root}/trees/; autoindex on; max_ranges 0; auth_basic off; }}
        location /text/ {{ alias {root}/trees/; types {{ text/plain txt; }} index list.txt; auth_basic off; }}
    }}
}}
"""


class Site(Tree):
    """A tree that nginx serves; `form` is json, html, open (no login), noranges or text."""

    kind = "http"
    # Its indexes leave out what begins with a dot.
    hides = True

    def __init__(self, server: Nginx, name: str, form: str) -> None:
        super().__init__(server.root / "trees" / name)
        self.server, self.name, self.form = server, name, form
        if form in ("json", "html"):
            self.environ = {
                "BOARDLAKE_HTTP_USER": _USER,
                "BOARDLAKE_HTTP_PASSWORD": _PASSWORD,
            }

    @property
    def uri(self) -> str:
        """Where the tree is."""
        return f"http://127.0.0.1:{self.server.port}/{self.form}/{self.name}"

    def settings(self) -> dict[str, object]:
        """Keyword arguments of SourceSettings that read the tree."""
        return {"uri": self.uri}


class Nginx:
    """A running nginx."""

    def __init__(self, root: Path, port: int) -> None:
        self.root, self.port = root, port
        self._numbers = itertools.count()

    def site(self, form: str = "json") -> Site:
        """An empty tree."""
        return Site(self, f"logs-{next(self._numbers)}", form)


def missing() -> str:
    """What is not installed; '' where nginx can run."""
    if program("nginx") and program("setpriv"):
        return ""
    return "nginx is not installed: scripts/servers.sh"


@contextmanager
def nginx(root: Path) -> Iterator[Nginx]:
    """A server with its files in *root*."""
    port = free_port()
    (root / "trees").mkdir()
    secret = base64.b64encode(hashlib.sha1(_PASSWORD.encode()).digest()).decode()
    (root / "users").write_text(f"{_USER}:{{SHA}}{secret}\n")
    # Directories of tests are closed to others, as nginx's workers are where root starts it.
    user = "user root;" if os.geteuid() == 0 else ""
    (root / "config").write_text(_CONFIG.format(root=root, port=port, user=user))
    command = ["setpriv", "--pdeathsig", "KILL", program("nginx") or "nginx"]
    command += ["-p", str(root), "-c", str(root / "config"), "-e", str(root / "log")]
    with (root / "out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            answers(f"http://127.0.0.1:{port}/ok", root / "log")
            yield Nginx(root, port)
        finally:
            stop(process)
            shutil.rmtree(root / "trees", ignore_errors=True)
