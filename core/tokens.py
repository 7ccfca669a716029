"""Tokens that a server asks for: who may push, read or change, kept as hashes in a file."""

from __future__ import annotations

import fnmatch
import hashlib
import hmac
import os
import re
import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .errors import ConfigError, UsageError

ENVIRONMENT = "BOARDLAKE_TOKENS_FILE"
Role = Literal["push", "read", "full"]
ROLES: tuple[Role, ...] = ("push", "read", "full")
SESSION_S = 14 * 86400
_PREFIX = "bl_"
_LONGEST = 512
_MOST_FILE = 1_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{64}")
_PATTERN = re.compile(r"[A-Za-z0-9._*?\[\]-]{1,255}")
_HEAD = """\
# Tokens of boardlake: role, name, sha256 of the token, and for push the names of its sources.
# `boardlake token NAME` adds one; a line that is removed ends its token and its sessions.
"""


@dataclass(frozen=True)
class Token:
    """Who somebody is: `sources` are patterns of what a push may write to."""

    role: Role
    name: str
    digest: str
    sources: tuple[str, ...] = ("*",)

    def may_push(self, source: str) -> bool:
        """Whether *source* may be written to."""
        if self.role == "read":
            return False
        return any(fnmatch.fnmatchcase(source, pattern) for pattern in self.sources)


class Tokens:
    """The tokens of the file *path*, which is read anew when it changes; for any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] = (-1, -1, -1)
        self._tokens: list[Token] = []
        self._key = secrets.token_bytes(32)
        self._load()

    def find(self, secret: str) -> Token | None:
        """Whose token *secret* is."""
        if len(secret) > _LONGEST:
            return None
        digest = _digest(secret)
        found = None
        for token in self._load():
            # All of them are compared, so that the time tells nothing.
            if hmac.compare_digest(token.digest, digest):
                found = token
        return found

    def session(self, token: Token) -> str:
        """What a browser shows instead of its token, for two weeks."""
        until = str(int(time.time()) + SESSION_S)
        return f"{token.name}:{until}:{self._sign(token, until)}"

    def of_session(self, text: str) -> Token | None:
        """Whose session that is; None where it is over or forged."""
        name, _, rest = text[:_LONGEST].partition(":")
        until, _, signature = rest.partition(":")
        if not until.isascii() or not until.isdigit() or int(until) < time.time():
            return None
        found = None
        for token in self._load():
            given = signature.encode("utf-8", "replace")
            right = hmac.compare_digest(self._sign(token, until).encode(), given)
            if right and token.name == name:
                found = token
        return found

    def _sign(self, token: Token, until: str) -> str:
        text = f"{token.name}:{until}:{token.digest}".encode()
        return hmac.new(self._key, text, "sha256").hexdigest()

    def _load(self) -> list[Token]:
        with self._lock:
            try:
                found = os.stat(self._path)
                stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
                if stamp != self._stamp:
                    key, tokens = _read(self._path)
                    self._tokens, self._stamp = tokens, stamp
                    self._key = key or self._key
            except OSError as error:
                # Without its file nobody is known; at the start that is told.
                first = self._stamp[0] < 0
                self._tokens, self._stamp = [], (0, 0, 0)
                if first:
                    raise ConfigError(
                        [f"{self._path}: the file of tokens cannot be read: {error.strerror}"],
                        hint="`boardlake token NAME` makes it",
                    ) from error
            return self._tokens


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _read(path: Path) -> tuple[bytes | None, list[Token]]:
    """The key that sessions are signed with, if there is one, and the tokens."""
    with path.open("rb") as file:
        lines = file.read(_MOST_FILE).decode("utf-8", "replace").splitlines()
    key: bytes | None = None
    tokens: list[Token] = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) == 2 and words[0] == "key" and _HASH.fullmatch(words[1]):
            key = bytes.fromhex(words[1])
            continue
        if (
            len(words) < 3
            or words[0] not in ROLES
            or not _NAME.fullmatch(words[1])
            or not _HASH.fullmatch(words[2])
            or not all(map(_PATTERN.fullmatch, words[3:]))
        ):
            # Never the line itself: somebody may have written a token there.
            raise ConfigError(
                [f"{path}: line {number}: expected ROLE NAME SHA256 [SOURCES...]"],
                hint="`boardlake token NAME` adds a line; remove this one",
            )
        role: Role = next(one for one in ROLES if one == words[0])
        tokens.append(Token(role, words[1], words[2], tuple(words[3:]) or ("*",)))
    return key, tokens


def add(path: Path, name: str, role: Role, sources: tuple[str, ...] = ()) -> str:
    """Make a token, add its hash to the file *path*, and return it: it is nowhere else."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"NAME: got {name[:100]!r}, expected letters, digits, '.', '_' and '-'")
    if sources and role != "push":
        raise UsageError("--source: only a token of the role push is bound to sources")
    for source in sources:
        if not _PATTERN.fullmatch(source):
            raise UsageError(
                f"--source: got {source[:100]!r}, expected a name, '*' and '?' allowed"
            )
    known = _read(path)[1] if path.exists() else []
    if any(token.name == name for token in known):
        hint = f"remove its line from {path} first, which ends the old one"
        raise UsageError(f"there is a token {name!r} already", hint=hint)
    secret = _PREFIX + secrets.token_urlsafe(32)
    line = " ".join([role, name, _digest(secret), *sources])
    new = not path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            head = f"{_HEAD}key {secrets.token_hex(32)}\n" if new else ""
            file.write(f"{head}{line}\n")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    return secret
