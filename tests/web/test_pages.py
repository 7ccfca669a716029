"""The pages as they come from the server: they can be read without JavaScript."""

from __future__ import annotations

import posixpath
import re

import pytest
from flask.testing import FlaskClient


def test_runs_lead_to_their_page(client: FlaskClient) -> None:
    """Every row links to its run, whose page tells of files and hyperparameters."""
    page = client.get("/?q=state <> 'nothing'").get_data(as_text=True)
    link = page.split('href="/run/')[1].split('"')[0]
    run = client.get(f"/run/{link}").get_data(as_text=True)
    assert "hparams" in run and "offset_read" in run


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/?q=pints > 3", 200, "Did you mean points"),
        ("/?q=nosuchword", 200, "No run matches"),
        ("/run/none", 404, "there is no run"),
        ("/nothing", 404, "This cannot be shown"),
        ("/api", 200, "/api/v1/runs"),
    ],
)
def test_pages_say_what_is_wrong(client: FlaskClient, path: str, status: int, text: str) -> None:
    """An error is a page with words, not a trace."""
    answer = client.get(path)
    assert answer.status_code == status and text in answer.get_data(as_text=True)


def test_text_from_outside_is_escaped(client: FlaskClient) -> None:
    """A filter comes back as text, and no page may run an inline script."""
    answer = client.get("/?q=<script>alert(1)</script>")
    page = answer.get_data(as_text=True)
    assert "<script>" not in page and "&lt;script&gt;alert(1)" in page
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_static_files_are_kept_by_their_version(client: FlaskClient) -> None:
    """The page names a version that browsers may keep for ever; another is asked for again."""
    page = client.get("/").get_data(as_text=True)
    path = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "immutable" in client.get(path).headers["Cache-Control"]
    assert client.get("/static/old/base.css").headers["Cache-Control"] == "no-cache"
    assert client.get("/static/old/none.css").status_code == 404


def test_pages_name_what_their_scripts_import(client: FlaskClient) -> None:
    """Every module that a page needs is asked for at once, and each of them is there."""
    page = client.get("/").get_data(as_text=True)
    named = re.findall(r'rel="modulepreload" href="([^"]+)"', page)
    script = re.findall(r'<script type="module" src="([^"]+)"', page)
    assert len(named) == len(set(named)) > 20 and len(script) == 1
    for path in [*named, *script]:
        answer = client.get(path)
        assert answer.status_code == 200
        for one in re.findall(r'^import[^;"]*"([^"]+)";', answer.get_data(as_text=True), re.M):
            assert posixpath.normpath(posixpath.join(posixpath.dirname(path), one)) in named
