"""The OpenAPI document and the server agree: whatever fits the document is answered as it says."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from boardlake.api.service import Service
from boardlake.cli.serve import bind, url
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.state.store import open_state
from boardlake.web.app import create_app

_CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance,
]  # fmt: skip


@dataclass
class Served:
    """The document of a running server, and what its lake really has."""

    document: Any
    service: Service

    def real(self, path: str) -> list[dict[str, Any]]:
        """Parameters that lead to something."""
        with self.service.cursor() as con:
            ids = [row[0] for row in con.execute("SELECT run_id FROM runs LIMIT 5").fetchall()]
            ((key,),) = con.execute("SELECT run_key FROM runs LIMIT 1").fetchall()
            rows = con.execute(
                "SELECT DISTINCT ON (plugin) run_key AS run, tag, stream, plugin FROM series"
                " JOIN runs USING (run_id) WHERE plugin <> 'scalars' ORDER BY plugin, run_id"
            ).fetchall()
        series = [dict(zip(("run", "tag", "stream"), row, strict=False)) for row in rows]
        given = {"histograms": series, "texts": series, "pr_curves": series, "media": series}
        runs = [{"runs": ids}, {"runs": ids[:1]}]
        given |= dict.fromkeys(("compare", "hparams", "export", "tags"), runs)
        return given.get(path, [{"run_key": key}] if "{run_key}" in path else [])


@pytest.fixture(scope="module")
def served(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a copy of the samples, which may be deleted from."""
    from waitress.server import create_server

    root = tmp_path_factory.mktemp("document") / "lake"
    shutil.copytree(samples, root)
    service = Service(open_lake(locate(str(root))), open_state(root))
    bound = bind("127.0.0.1", 0)
    running = create_server(create_app(service), sockets=[bound], threads=8)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    yield Served(schemathesis.openapi.from_url(f"{url(bound)}openapi.json"), service)
    running.close()
    bound.close()
    thread.join(10)
    service.close()


_SETTINGS = settings(
    max_examples=15, derandomize=True, deadline=None, database=None,
    phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
)  # fmt: skip


# What may stay of a made-up query where the rest is real.
_KEPT = {"format", "most", "limit", "step", "stat", "duplicates", "archived", "origins"}


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_the_server_does_what_the_document_says(served: Served, mode: GenerationMode) -> None:
    """Whatever fits the document or does not: never a server error, only documented answers."""
    failed, seen = [], 0
    for found in served.document.get_all_operations():
        seen += 1
        if isinstance(found, Err):
            failed.append(str(found.err()))
            continue
        operation = found.ok()
        real = served.real(operation.path.removeprefix("/api/v1/"))
        try:
            _try(operation, mode, real if mode is GenerationMode.POSITIVE else [])
        except Unsatisfiable:
            # Without parameters there is nothing that does not fit.
            pass
        except (Exception, FailureGroup) as error:
            failed.append(f"{operation.label}: {error}"[:3_000])
    assert seen > 25
    assert not failed, "\n\n".join(failed)


def _try(operation: Any, mode: GenerationMode, real: list[dict[str, Any]]) -> None:
    """Send cases of an operation; most runs that are made up are not there, so some are *real*."""

    @_SETTINGS
    @given(
        case=operation.as_strategy(generation_mode=mode),
        there=st.sampled_from([*real, {}]),
    )
    def check(case: Any, there: dict[str, Any]) -> None:
        if "run_key" in there:
            case.path_parameters.update(there)
        elif there:
            made_up = {name: one for name, one in (case.query or {}).items() if name in _KEPT}
            case.query = made_up | there
        answer = case.call()
        # The server before the application: it documents nothing.
        if answer.status_code != 431:
            case.validate_response(answer, checks=_CHECKS)

    check()
