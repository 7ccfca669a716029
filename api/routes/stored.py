"""Series that no page draws, their tensors as files, and notes as safe HTML."""

from __future__ import annotations

import io
import math
from typing import Annotated

import numpy as np
from flask import Response, jsonify, make_response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from ...lake import raw
from .. import answers, markdown
from ..asked import Step, Stream, Tag
from ..models import OneRun, Taken
from ..service import Service


class _TensorAsked(Taken):
    """One tensor of a run."""

    tag: Tag
    stream: Stream = ""
    step: Step | None = Field(None, description="The tensor nearest this step; else the last.")


class _Markdown(Taken):
    """A text in Markdown."""

    text: Annotated[str, Field(max_length=markdown.MAX_CHARS)]


def blueprint(service: Service) -> APIBlueprint:
    """The routes over *service*."""
    api = APIBlueprint("stored", __name__, url_prefix="/api/v1")

    @api.get("/runs/<run_key>/stored")
    def stored(path: OneRun, query: Taken) -> Response:
        """The series of a run that are no scalars: shape and type of the last, bytes of all."""
        with service.cursor() as con:
            found = raw.stored(con, path.run_key).to_pylist()
        return jsonify({"series": answers.plain(found)})

    @api.get("/runs/<run_key>/tensor")
    def tensor(path: OneRun, query: _TensorAsked) -> Response:
        """One tensor as a file: numbers as .npy, texts as .json, else the writer's own bytes."""
        with service.cursor() as con:
            found = raw.tensor(con, path.run_key, query.tag, query.stream, query.step)
        body, suffix = _file(found)
        answer = make_response(body)
        answer.content_type = "application/octet-stream"
        stem = "".join(c if c.isascii() and c.isalnum() else "-" for c in query.tag)[:80]
        name = f"{stem or 'tensor'}-{found.step}{suffix}"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    @api.post("/markdown")
    def preview(body: _Markdown) -> Response:
        """Markdown as HTML that may stand in a page."""
        return jsonify({"html": markdown.render(body.text)})

    return api


def _file(found: raw.Tensor) -> tuple[bytes, str]:
    if found.numbers is not None:
        numbers = np.array(found.numbers, dtype=np.float64)
        shape = found.shape or []
        if all(size >= 0 for size in shape) and math.prod(shape) == numbers.size:
            numbers = numbers.reshape(shape)
        file = io.BytesIO()
        np.save(file, numbers, allow_pickle=False)
        return file.getvalue(), ".npy"
    if found.raw is not None:
        return found.raw, ".bin"
    texts = {"shape": found.shape, "strings": found.strings or []}
    return jsonify(texts).get_data(), ".json"
