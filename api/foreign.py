"""Requests that a page of another origin makes by embedding an address of ours."""

from __future__ import annotations

from flask import Response, request

from . import refusals


def refused() -> Response | None:
    """The refusal of such a request: the page could not read the answer, but each costs much.

    A link that is followed (Sec-Fetch-Dest: document) and a program, which sends no such header, are
    welcome; images, frames and scripts are not.
    """
    site, dest = (request.headers.get(f"Sec-Fetch-{name}", "") for name in ("Site", "Dest"))
    if site not in ("cross-site", "same-site") or dest == "document":
        return None
    hint = "open the address itself, or ask from a program"
    return refusals.refuse(403, "Forbidden", "this request comes from elsewhere", hint)
