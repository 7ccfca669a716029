"""Web servers that ask who is there: logins, redirects, proxies, certificates; secrets stay unseen."""

from __future__ import annotations

import logging
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.errors import SourceError
from boardlake.ingest.memory import Memory
from boardlake.tests.servers.scripted import Said, Scripted, scripted

from .conftest import EVENTS, OLD, SECRET, Open, paths


def test_redirects_to_others_are_refused(
    server: Scripted, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a request nor the login goes to another host, another port or out of the root."""
    monkeypatch.setenv("BOARDLAKE_HTTP_TOKEN", SECRET)
    with scripted() as other:
        other.html("/runs/", EVENTS)
        for to in (
            f"{other.url}/runs/",
            f"//localhost:{other.port}/runs/",
            "ftp://127.0.0.1/runs/",
        ):
            server.pages["/runs/"] = Said(302, {"Location": f"{to}?key={SECRET}"})
            with pytest.raises(SourceError, match="another server") as caught:
                opened(f"{server.url}/runs").walk(Memory())
            assert SECRET not in str(caught.value)
        assert not other.asked
    for to in ("/login", "/", "/runs/../x/", "/runsome/"):
        server.pages["/runs/"] = Said(302, {"Location": f"{to}?next={SECRET}"})
        with pytest.raises(SourceError, match="outside of its root") as caught:
            opened(f"{server.url}/runs").walk(Memory())
        assert SECRET not in str(caught.value)
        assert "BOARDLAKE_HTTP_TOKEN" in caught.value.hint
    server.pages["/runs/"] = Said(302, {"Location": "/runs/"})
    with pytest.raises(SourceError, match="circles"):
        opened(f"{server.url}/runs").walk(Memory())
    server.pages["/runs/"] = Said(302, {"Location": "/runs/real/"})
    server.html("/runs/real/", EVENTS)
    server.file(f"/runs/real/{EVENTS}", b"x")
    source = opened(f"{server.url}/runs")
    assert paths(source.walk(Memory())) == [EVENTS]
    assert source.read(EVENTS, 0, 10) == b"x"


def test_logins(
    server: Scripted, opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A token, a name and password, ~/.netrc, and variables of this source alone; or none of them."""
    server.html("/")

    def sent(**settings: Any) -> str:
        server.asked.clear()
        opened(server.url, **settings).walk(Memory())
        return server.asked[0].headers.get("Authorization", "")

    assert sent() == ""
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login n password {SECRET}\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert sent().startswith("Basic ")
    assert sent(anonymous=True) == ""
    monkeypatch.setenv("BOARDLAKE_HTTP_USER", "me")
    monkeypatch.setenv("BOARDLAKE_HTTP_PASSWORD", "pä:ss")
    assert sent() == "Basic bWU6cMOkOnNz"
    monkeypatch.setenv("LAB_BOARDLAKE_HTTP_TOKEN", "lab-token")
    assert sent(env_prefix="LAB_") == "Bearer lab-token"
    assert sent(env_prefix="OTHER_").startswith("Basic ")
    monkeypatch.setenv("BOARDLAKE_HTTP_TOKEN", SECRET)
    assert sent() == f"Bearer {SECRET}"
    monkeypatch.setenv("BOARDLAKE_HTTP_TOKEN", f"{SECRET}\r\nX-Evil: 1")
    with pytest.raises(SourceError, match="cannot be sent") as caught:
        opened(server.url)
    assert SECRET not in str(caught.value)


def test_secrets_are_never_shown(
    server: Scripted,
    opened: Open,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Whatever goes wrong, no message, repr, memory or log has the token in it."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("BOARDLAKE_HTTP_TOKEN", SECRET)
    said: list[str] = []
    server.html("/good/", EVENTS)
    wrong: list[Said] = [
        Said(status, {"X": SECRET}, SECRET.encode()) for status in (401, 403, 404, 500)
    ]
    wrong += [Said(302, {"Location": f"/in/?{SECRET}"}), Said(200, {}, SECRET.encode())]
    wrong += [Said(200, {"Content-Length": "1000"}, SECRET.encode())]
    wrong += [Said(200, {"Content-Type": "application/json"}, f'["{SECRET}"'.encode())]
    for answer in wrong:
        server.pages["/"] = server.pages[f"/good/{EVENTS}"] = answer
        source = opened(server.url, timeout=2)
        with pytest.raises(SourceError) as caught:
            source.walk(Memory())
        said += [str(caught.value), repr(caught.value), caught.value.hint, repr(source)]
        good, memory = opened(f"{server.url}/good/"), Memory()
        with pytest.raises(OSError) as failed:
            good.read(EVENTS, 0, 10)
            raise OSError("it was read")
        said += [str(failed.value), repr(failed.value)]
        try:
            said += [repr(good.walk(memory)), repr(memory), repr(vars(good))]
        except SourceError as error:
            said += [str(error)]
    assert all(asked.headers["Authorization"] == f"Bearer {SECRET}" for asked in server.asked)
    assert not [text for text in said if SECRET in text]
    assert SECRET not in caplog.text
    assert SECRET not in "".join(capfd.readouterr())


def test_a_proxy_with_a_login(
    server: Scripted, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests go through the proxy of the environment, whose password is shown to nobody."""
    page = Said(headers={"Content-Type": "text/html"}, body=b"")
    server.pages["http://lab.invalid/runs/"] = server.pages["http://lab.invalid:80/runs/"] = page
    monkeypatch.setenv("http_proxy", f"http://me:{SECRET}@127.0.0.1:{server.port}")
    assert paths(opened("http://lab.invalid/runs").walk(Memory())) == []
    assert server.asked[0].headers["proxy-authorization"].startswith("Basic ")
    monkeypatch.setenv("http_proxy", f"http://me:{SECRET}@127.0.0.1:1")
    with pytest.raises(SourceError) as caught:
        opened("http://lab.invalid/runs").walk(Memory())
    assert "proxy" in str(caught.value) and SECRET not in str(caught.value)


def test_certificates(tmp_path: Path, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody vouches for is refused; SSL_CERT_FILE vouches for it."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    make += ["-nodes", "-days", "2", "-subj", "/CN=lab", "-addext", "subjectAltName=IP:127.0.0.1"]
    make += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with scripted(context) as server:
        server.html("/", EVENTS)
        server.file(f"/{EVENTS}", b"abc", Last_Modified=OLD)
        uri = f"https://127.0.0.1:{server.port}"
        with pytest.raises(SourceError, match="certificate") as caught:
            opened(uri).walk(Memory())
        assert "SSL_CERT_FILE" in caught.value.hint
        assert not server.asked
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        source = opened(uri)
        assert paths(source.walk(Memory())) == [EVENTS]
        assert source.read(EVENTS, 1, 1) == b"b"
