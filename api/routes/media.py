"""Images, sounds and other byte strings: what a series has, and the bytes of each."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Any, get_args
from urllib.parse import quote

from flask import Response, jsonify, make_response, request
from flask_openapi3.blueprint import APIBlueprint

from ...core import mime
from ...lake import media as lake
from ...lake import media_series
from ...lake.search import Query
from .. import answers, given, packed
from ..asked import (
    MediaAsked,
    MediaBytesAsked,
    MediaRunsAsked,
    MediaStepsAsked,
    MediaTagsAsked,
    OfMedia,
    OneMedia,
)  # fmt: skip
from ..service import Service

_BYTES = {"schema": {"type": "string", "format": "binary"}}
# Of all bytes of one answer.
_ROOM = 24 << 20
_FRAME: dict[str | int | HTTPStatus, Any] = {200: {"content": {packed.MIME: _BYTES}}}
_ANSWER: dict[str | int | HTTPStatus, Any] = {
    200: {"content": {name: _BYTES for name in sorted({*mime.MEDIA, mime.UNKNOWN})}},
    206: {"content": {"*/*": _BYTES}},
}


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("media", __name__, url_prefix="/api/v1")

    @api.get("/media", responses={200: given.MediaPage})
    def media(query: MediaAsked) -> Response:
        """A page of what a series shows, by step, wall time and index."""
        with service.cursor() as con:
            page = lake.page(
                con, query.run, query.tag, query.stream, limit=query.limit, offset=query.offset
            )
        items = [_item(query.run, query.tag, row) for row in page.rows.to_pylist()]
        return jsonify(
            {
                "tag": query.tag, "stream": query.stream, "plugin": page.plugin,
                "total": page.total, "items": items,
            }
        )  # fmt: skip

    @api.post("/media/tags", responses={200: given.MediaTags})
    def tags(body: MediaTagsAsked) -> Response:
        """Tags of images, audio, texts, histograms and PR curves of some runs."""
        kinds = get_args(media_series.Kind) if body.kind is None else [body.kind]
        with service.cursor() as con:
            truncated, table = media_series.tags(con, body.runs, kinds)
        return jsonify({"tags": answers.plain(table.to_pylist()), "truncated": truncated})

    @api.post("/media/steps", responses={200: given.MediaSteps})
    def steps(body: MediaStepsAsked) -> Response:
        """Every step of some series of images or sounds in many runs, as columns."""
        wanted = [(one.tag, one.stream) for one in body.tags]
        with service.cursor() as con:
            found = media_series.steps(con, body.runs, wanted, body.kind)
        return jsonify({"series": [packed.series(one) for one in found]})

    @api.post("/media/bytes", responses=_FRAME)
    def several(body: MediaBytesAsked) -> Response:
        """The bytes of some images or sounds in one answer, or why one cannot be had.

        It begins with the length of a JSON list (u32, little-endian) and the list, which has an
        object for each item: its `size` and `mime`, or an `error` with message and hint, or
        `later` where the answer is full. The bytes follow in the same order.
        """
        wanted = [lake.Wanted(o.run, o.file, o.record, o.idx, o.tag) for o in body.items]
        with service.cursor() as con:
            found = lake.several(con, wanted, _ROOM)
        answer = make_response(packed.frame(found))
        answer.content_type = packed.MIME
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @api.get("/media/runs", responses={200: given.MediaRuns})
    def holders(query: MediaRunsAsked) -> Response:
        """Which runs of a filter have images, audio, texts, histograms or PR curves."""
        asked = Query(
            query.filter, ("run_id", "run_key"), duplicates=query.duplicates,
            archived=query.archived,
        )  # fmt: skip
        with service.cursor() as con:
            total, found = media_series.holders(con, asked, query.kind, service.names)
        return jsonify({"total": len(found), "looked_at": total, "runs": found[: query.limit]})

    @api.get("/media/<run_key>/<file_id>/<record>/<idx>", responses=_ANSWER)
    def content(path: OneMedia, query: OfMedia) -> Response:
        """The bytes of one; anything but images and sounds is to be saved, not shown."""
        with service.cursor() as con:
            data = lake.data(con, path.run_key, path.file_id, path.record, path.idx, query.tag)
        answer = make_response(data)
        answer.content_type = mime.sniff(data)
        if answer.content_type not in mime.MEDIA:
            answer.content_type = mime.UNKNOWN
            name = f"{path.file_id}-{path.record}-{path.idx}.bin"
            answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        answer.headers["Cache-Control"] = "private, max-age=31536000, immutable"
        answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
        answer.set_etag(hashlib.blake2b(data, digest_size=12).hexdigest())
        answer.make_conditional(request, accept_ranges=True, complete_length=len(data))
        return answer

    return api


def _item(run_key: str, tag: str, row: dict[str, Any]) -> dict[str, Any]:
    file_id, record = row.pop("file_id"), row.pop("record")
    # A file that is written anew has other bytes at the same place.
    content = f"{row['step']} {row['wall_time']} {row['nbytes']}"
    version = hashlib.blake2b(content.encode(), digest_size=5).hexdigest()
    place = f"{quote(run_key, safe='')}/{file_id}/{record}/{row['idx']}"
    url = f"/api/v1/media/{place}?tag={quote(tag, safe='')}&v={version}"
    item: dict[str, Any] = answers.plain(row | {"url": url})
    return item
