"""Deleting runs for good, on the word of someone who knows how many."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint

from ...core.errors import UsageError
from ...lake import erase
from .. import given
from ..asked import Deletion, ReceiptsAsked
from ..service import Service

_LEFT = "a reader holds old pages of the catalog: the next upkeep erases them"


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("delete", __name__, url_prefix="/api/v1")

    @api.post("/delete", responses={200: given.Deleted})
    def delete(body: Deletion) -> Response:
        """Delete runs and all that was written about them, or say what would go."""
        keys = list(dict.fromkeys(body.runs))
        if not body.dry_run and body.confirm != len(keys):
            message = f"confirm: {body.confirm} is given, {len(keys)} runs would go"
            raise UsageError(message, hint="give their number; dry_run shows what would go")
        receipt = service.delete(keys, dry_run=body.dry_run)
        left = not (receipt.dry_run or receipt.erased)
        return jsonify(receipt.as_dict() | {"note": _LEFT if left else ""})

    @api.get("/receipts", responses={200: given.Receipts})
    def receipts(query: ReceiptsAsked) -> Response:
        """What was deleted, the newest first: runs by their keys only, as the lake's log keeps them."""
        total, found = erase.receipts(service.readers.lake.location, query.limit, query.offset)
        answer = jsonify({"total": total, "receipts": [asdict(one) for one in found]})
        # The log grows without a new snapshot of the lake.
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return api
