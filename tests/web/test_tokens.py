"""A server with tokens: nobody comes in without one, and each role does what it may, no more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from boardlake.api.service import Service
from boardlake.cli.main import main
from boardlake.cli.serve import bind
from boardlake.core import tokens
from boardlake.core.errors import ConfigError, UsageError
from boardlake.core.tokens import Tokens
from boardlake.web.app import create_app

ELSEWHERE = "http://hub.example:8470"
PAGES = ("/", "/compare", "/media", "/analyze", "/sql", "/sources", "/api")
DATA = ("/index.json", "/openapi.json", "/api/v1/runs", "/api/v1/info", "/api/v1/receipts")
ASKING = {
    "/api/v1/sql": {"query": "SELECT 1"}, "/api/v1/markdown": {"text": "x"},
    "/api/v1/ask/tags": {}, "/api/v1/importance": {"target": "x"},
}  # fmt: skip
WRITING = {
    "/api/v1/delete": {"runs": ["0" * 12], "dry_run": True}, "/api/v1/annotations": {"runs": []},
    "/api/v1/views": {"name": "x", "state": {}},
}  # fmt: skip


@dataclass
class Guarded:
    """An application with tokens, and the tokens by role."""

    client: FlaskClient
    secrets: dict[str, str]
    file: Path

    def get(self, path: str, role: str = "", **more: Any) -> TestResponse:
        """The answer to a GET, shown the token of a role."""
        return self.client.get(path, base_url=ELSEWHERE, headers=self.headers(role), **more)

    def post(self, path: str, body: Any, role: str = "", **headers: str) -> TestResponse:
        """The answer to a POST of JSON."""
        shown = self.headers(role) | headers
        return self.client.post(path, base_url=ELSEWHERE, json=body, headers=shown)

    def headers(self, role: str) -> dict[str, str]:
        """Those that show the token of a role."""
        return {"Authorization": f"Bearer {self.secrets[role]}"} if role else {}

    def log_in(self, secret: str, onward: str = "/sql", **headers: str) -> TestResponse:
        """What the login page answers."""
        form = {"token": secret, "next": onward}
        return self.client.post("/login", base_url=ELSEWHERE, data=form, headers=headers)


@pytest.fixture
def guarded(service: Service, tmp_path: Path) -> Guarded:
    """The samples behind tokens."""
    file = tmp_path / "tokens"
    secrets = {role: tokens.add(file, f"a-{role}", role) for role in tokens.ROLES}
    client = create_app(service, Tokens(file)).test_client()
    return Guarded(client, secrets, file)


@pytest.mark.parametrize("path", DATA)
def test_data_takes_a_token(path: str, guarded: Guarded) -> None:
    """Without one it is 401, and nothing of the data is in the answer."""
    refused = guarded.get(path)
    assert refused.status_code == 401 and refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert refused.headers["Cache-Control"] == "no-store"
    assert refused.get_json()["error"]["hint"]
    assert guarded.get(path, "push").status_code == 403
    for role in ("read", "full"):
        answer = guarded.get(path, role)
        assert answer.status_code in (200, 302)
        assert re.match("private|no-store", answer.headers["Cache-Control"])


@pytest.mark.parametrize("path", PAGES)
def test_pages_ask_for_a_token(path: str, guarded: Guarded) -> None:
    """Without one there is the login page, which leads on to where somebody wanted to go."""
    asked = guarded.get(f"{path}?q=x")
    assert asked.status_code == 401 and "Log in" in asked.text
    assert f'name="next" value="{path}?q=x"' in asked.text
    assert guarded.get(path, "read").status_code == 200


@pytest.mark.parametrize("path", ASKING)
def test_questions_are_no_changes(path: str, guarded: Guarded) -> None:
    """A reader may ask, though it is a POST."""
    body = ASKING[path]
    assert guarded.post(path, body).status_code in (401, 403)
    assert guarded.post(path, body, "push").status_code == 403
    for role in ("read", "full"):
        assert guarded.post(path, body, role).status_code not in (401, 403)


@pytest.mark.parametrize("path", WRITING)
def test_changes_take_the_role_full(path: str, guarded: Guarded) -> None:
    """Neither readers nor edges delete or write."""
    body = WRITING[path]
    for role in ("push", "read"):
        refused = guarded.post(path, body, role)
        assert refused.status_code == 403 and role in refused.get_json()["error"]["message"]
    assert guarded.post(path, body, "full").status_code not in (401, 403)
    assert guarded.post(path, body).status_code in (401, 403)


def test_every_route_is_guarded(guarded: Guarded) -> None:
    """No rule answers to a stranger but probes and the login; none that writes, to a reader."""
    app = guarded.client.application
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            if path.startswith(("/login", "/healthz")):
                continue
            answer = guarded.client.open(path, method=method, base_url=ELSEWHERE, json={})
            assert answer.status_code in (401, 403), (method, path)
            answer = guarded.client.open(
                path, method=method, base_url=ELSEWHERE, json={}, headers=guarded.headers("push")
            )
            pushes = path.startswith("/api/v1/receive")
            assert (answer.status_code == 403) != pushes, (method, path)


def test_a_wrong_token(guarded: Guarded) -> None:
    """It is told so, never shown, and after many failures there is a pause for wrong ones only."""
    for secret in ("", "x", "bl_" + "y" * 43, "é", "z" * 100_000):
        shown = {"Authorization": f"Bearer {secret}".encode().decode("latin-1")}
        refused = guarded.client.get("/api/v1/runs", base_url=ELSEWHERE, headers=shown)
        assert refused.status_code == 401 and (
            not secret or secret not in refused.text[:5000] or len(secret) < 3
        )
    basic = {"Authorization": "Basic eDp5"}
    assert guarded.client.get("/api/v1/runs", base_url=ELSEWHERE, headers=basic).status_code == 401
    answers = [
        guarded.client.get("/", base_url=ELSEWHERE, headers={"Authorization": "Bearer no"})
        for _ in range(30)
    ]
    assert answers[-1].status_code == 429 and int(answers[-1].headers["Retry-After"]) > 0
    assert guarded.get("/api/v1/info", "read").status_code == 200


def test_a_session(guarded: Guarded) -> None:
    """A token is typed once: the cookie is for this site and no script, and ends with the token."""
    answer = guarded.log_in(guarded.secrets["full"])
    assert answer.status_code == 303 and answer.headers["Location"] == "/sql"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Secure" not in cookie
    assert guarded.secrets["full"] not in cookie
    assert guarded.get("/sql").status_code == 200
    assert guarded.get("/login/session").get_json() == {"in": True}
    assert guarded.post("/api/v1/markdown", {"text": "x"}).status_code == 200
    lines = guarded.file.read_text().splitlines()
    guarded.file.write_text("\n".join(line for line in lines if "a-full" not in line) + "\n")
    assert guarded.get("/sql").status_code == 401


def test_logging_out(guarded: Guarded) -> None:
    """The cookie is gone."""
    guarded.log_in(guarded.secrets["read"])
    assert guarded.get("/").status_code == 200
    assert guarded.client.post("/logout", base_url=ELSEWHERE).status_code == 303
    assert guarded.get("/").status_code == 401
    assert guarded.get("/login/session").get_json() == {"in": False}


def test_a_forged_session(guarded: Guarded) -> None:
    """Neither another name, nor a longer life, nor another server's signature is taken."""
    known = Tokens(guarded.file)
    token = known.find(guarded.secrets["read"])
    assert token is not None
    good = known.session(token)
    assert known.of_session(good) == token
    name, until, signature = good.split(":")
    for bad in (
        f"a-full:{until}:{signature}", f"{name}:{int(until) + 9}:{signature}", f"{name}:1:{signature}",
        f"{name}:{until}:", "", ":::", f"{name}:{until}:é", f"{name}:{'9' * 5000}:{signature}",
        f"{name}:²:{signature}",
    ):  # fmt: skip
        assert known.of_session(bad) is None, bad
    assert known.find("²" * 10) is None


def test_pages_elsewhere_write_nothing(guarded: Guarded) -> None:
    """A browser that is logged in does not act for another origin; behind a proxy https is ours."""
    guarded.log_in(guarded.secrets["full"])
    body = WRITING["/api/v1/delete"]
    refused = guarded.post("/api/v1/delete", body, Origin="http://evil.example")
    assert refused.status_code == 403 and "elsewhere" in refused.text
    plain = guarded.client.post(
        "/api/v1/delete", base_url=ELSEWHERE, data="{}", content_type="text/plain"
    )
    assert plain.status_code == 403
    ours = guarded.post("/api/v1/delete", body, Origin="https://hub.example:8470")
    assert ours.status_code not in (401, 403)
    evil = guarded.log_in(guarded.secrets["full"], Origin="http://evil.example")
    assert evil.status_code == 403
    far = {"Origin": "http://evil.example"}
    assert guarded.client.post("/logout", base_url=ELSEWHERE, headers=far).status_code in (303, 403)


@pytest.mark.parametrize(
    "onward",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:x", "x", ""],
)
def test_the_login_leads_nowhere_else(onward: str, guarded: Guarded) -> None:
    """A link to the login page cannot lead to another site."""
    assert 'value="/"' in guarded.get("/login", query_string={"next": onward}).text
    assert guarded.log_in(guarded.secrets["read"], onward).headers["Location"] == "/"
    assert "a-read" in guarded.get("/login").text


def test_a_wrong_token_at_the_login(guarded: Guarded) -> None:
    """The page says so; a token for pushing opens no pages."""
    for secret, says in (("bl_no", "not known"), (guarded.secrets["push"], "for pushing only")):
        refused = guarded.log_in(secret)
        assert refused.status_code == 401 and says in refused.text and secret not in refused.text
        assert "Set-Cookie" not in refused.headers


def test_probes_and_metrics(guarded: Guarded) -> None:
    """A probe asks nothing of the lake; metrics are for a token, wherever it is asked from."""
    assert guarded.get("/healthz").text == "ok\n"
    # A proxy may ask by this machine's own name, and say nothing of whom it asks for.
    local = guarded.client.get("/metrics", base_url="http://127.0.0.1:8470")
    assert local.status_code == 401
    assert guarded.get("/metrics").status_code == 401
    assert guarded.get("/metrics", "read").status_code == 200
    assert guarded.get("/metrics", "push").status_code == 403


def test_without_tokens_all_is_as_before(client: FlaskClient) -> None:
    """Whoever is on this machine, by its local names; and nothing is pushed."""
    assert client.get("/").status_code == 200
    assert client.get("/healthz").status_code == 200
    assert client.get("/", base_url=ELSEWHERE).status_code == 403
    assert client.get("/login").status_code == 404
    refused = client.post("/api/v1/receive", json={})
    assert refused.status_code == 403 and "no tokens" in refused.get_json()["error"]["message"]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the token once; the file is for its owner alone and holds but hashes."""
    file = tmp_path / "some" / "tokens"
    config = tmp_path / "boardlake.toml"
    config.write_text('[server]\ntokens_file = "some/tokens"\n')
    arguments = ["--config", str(config), "token"]
    assert main([*arguments, "lab", "--role", "push", "--source", "lab-*"]) == 0
    told = capsys.readouterr()
    secret = told.out.strip()
    assert secret.startswith("bl_") and secret not in told.err
    assert file.stat().st_mode & 0o077 == 0 and secret not in file.read_text()
    token = Tokens(file).find(secret)
    assert token is not None and token.may_push("lab-1") and not token.may_push("other")
    assert main([*arguments, "lab"]) == 2 and "already" in capsys.readouterr().err
    assert main([*arguments, "l b"]) == 2
    assert main([*arguments, "x", "--role", "read", "--source", "a"]) == 2
    assert main(["--config", "/dev/null", "token", "x"]) == 2
    assert "no file of tokens" in capsys.readouterr().err


def test_a_file_that_is_wrong(tmp_path: Path) -> None:
    """It is told by its line, never with what stands there: that may be a token."""
    file = tmp_path / "tokens"
    file.write_text("full me bl_a-secret-token\n")
    with pytest.raises(ConfigError, match="line 1") as failure:
        Tokens(file)
    assert "secret" not in str(failure.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        Tokens(tmp_path / "none")


def test_other_addresses_take_tokens() -> None:
    """Without tokens only this machine is served."""
    with pytest.raises(UsageError, match="without authentication"):
        bind("0.0.0.0", 0)
    bind("0.0.0.0", 0, everywhere=True).close()
