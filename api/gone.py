"""Answers that nobody waits for any more: browsers hang up when people scroll on."""

from __future__ import annotations

from collections.abc import Callable

from flask import request

from ..core.errors import UsageError


class Gone(UsageError):
    """Whoever asked has hung up; nobody reads this."""

    http_status = 499


def has_gone() -> Callable[[], bool]:
    """Says whether the client of this request has hung up."""
    told: Callable[[], bool] = request.environ.get("waitress.client_disconnected", lambda: False)
    return told


def unless_gone() -> Callable[[], None]:
    """Raises once the client of this request has hung up."""
    hung_up = has_gone()

    def check() -> None:
        if hung_up():
            raise Gone("the client has hung up")

    return check
