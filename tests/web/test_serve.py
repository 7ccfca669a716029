"""The server as programs use it: `boardlake.open("http://...")` against the lake it serves."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

import boardlake
from boardlake.api.client import Client
from boardlake.api.service import Service
from boardlake.api.tensorboard.index import Indexes
from boardlake.cli.serve import bind, url
from boardlake.core.errors import FilterError, LimitError, UsageError
from boardlake.lake.location import locate
from boardlake.web.app import create_app

_GIVEN = {"a": date(2024, 2, 29), "b": b"\x00\xff", "c": Decimal("1.50")}


@pytest.fixture
def server(service: Service) -> Iterator[str]:
    """The address of a running server."""
    from waitress.server import create_server

    bound = bind("127.0.0.1", 0)
    running = create_server(create_app(service), sockets=[bound], threads=8)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    yield url(bound)
    # Closed by its own loop, once no answer is being written: from here it may be in a select.
    running.task_dispatcher.shutdown()
    running.trigger.pull_trigger(running.close)
    thread.join(10)
    bound.close()


@pytest.mark.parametrize(
    "ask",
    [
        lambda lake: lake.runs(),
        lambda lake: lake.runs("state = 'finished'", "name, hp.lr", "-hp.lr,name", limit=7),
        lambda lake: lake.runs(group_by="machine", columns='last("loss")'),
        lambda lake: lake.history(lake.runs(limit=3), "*loss*", x="relative"),
        lambda lake: lake.history("", "*", streams="train", superseded=True),
        lambda lake: lake.series("machine = 'laptop'"),
        lambda lake: lake.hparams(origins=True),
        lambda lake: lake.tags(),
        lambda lake: lake.best('min("val/loss")', "project,hp.model", "min", least=2),
        lambda lake: lake.best("points", ["machine"], "max", "state = 'finished'"),
        lambda lake: lake.importance('min("val/loss")', "project = 'vision'"),
        lambda lake: lake.importance("points", "name = 'nobody'", method="rank"),
    ],
)  # fmt: skip
def test_a_server_gives_what_the_lake_gives(
    server: str, service: Service, ask: Callable[[Client], pd.DataFrame]
) -> None:
    """The same frame, to the last dtype, comes from both ends."""
    with (
        boardlake.open(service.readers.lake.location.root) as here,
        boardlake.open(server) as there,
    ):
        pd.testing.assert_frame_equal(ask(there), ask(here))


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda lake: lake.runs("pints > 3"), FilterError),
        (lambda lake: lake.history("", "no such tag"), UsageError),
        (lambda lake: lake.history(["no such run"], "loss"), UsageError),
        (lambda lake: lake.history("", "loss", x="stp"), UsageError),
        (lambda lake: lake.best("name", "project", "min"), FilterError),
        (lambda lake: lake.best("points", "project", "up"), UsageError),
        (lambda lake: lake.importance("nosuch"), FilterError),
    ],
)
def test_a_server_refuses_what_the_lake_refuses(
    server: str, service: Service, ask: Callable[[Client], Any], kind: type[Exception]
) -> None:
    """The error is of the same class with the same words."""
    with boardlake.open(service.readers.lake.location.root) as here, pytest.raises(kind) as first:
        ask(here)
    with boardlake.open(server) as there, pytest.raises(kind) as second:
        ask(there)
    assert type(first.value) is type(second.value)
    assert getattr(first.value, "text", "") == getattr(second.value, "text", "")


def test_sql_gives_what_the_lake_gives(server: str, service: Service) -> None:
    """The same frame for the same statement and parameters."""
    asked: list[Callable[[Client], pd.DataFrame]] = [
        lambda lake: lake.sql("SELECT * FROM runs ORDER BY run_id"),
        lambda lake: lake.sql("SELECT * FROM scalars ORDER BY ALL LIMIT 20000"),
        lambda lake: lake.sql("SELECT ? AS at, $2 AS n, 1 AS n", [datetime(2024, 1, 2, 3), None]),
        lambda lake: lake.sql("SELECT $a::DATE AS d, $b AS b, $c AS c", _GIVEN),
        lambda lake: lake.sql("PIVOT series ON stream USING max(points) GROUP BY tag ORDER BY tag"),
        lambda lake: lake.sql("DESCRIBE runs"),
        lambda lake: lake.sql("SHOW TABLES"),
        lambda lake: lake.sql("SELECT 1 WHERE false"),
    ]
    with (
        boardlake.open(service.readers.lake.location.root) as here,
        boardlake.open(server) as there,
    ):
        for ask in asked:
            pd.testing.assert_frame_equal(ask(there), ask(here))


def test_sql_is_refused_as_the_lake_refuses_it(server: str, service: Service) -> None:
    """By the same class in the same words."""
    asked: list[tuple[str, Any]] = [
        ("SELECT nme FROM runs", None),
        ("SELEC 1", None),
        ("SELECT 1; SELECT 2", None),
        ("COPY runs TO 'x'", None),
        ("SELECT ?", [1, 2]),
    ]
    with (
        boardlake.open(service.readers.lake.location.root) as here,
        boardlake.open(server) as there,
    ):
        for query, parameters in asked:
            with pytest.raises(UsageError) as first:
                here.sql(query, parameters)
            with pytest.raises(UsageError) as second:
                there.sql(query, parameters)
            assert type(first.value) is type(second.value)
            assert first.value.message == second.value.message


def test_no_row_is_left_out_in_silence(server: str) -> None:
    """An answer that the server cut off is an error that says how to go on."""
    with boardlake.open(server) as there:
        assert len(there.sql("SELECT * FROM range(12000)")) == 12_000
        with pytest.raises(LimitError, match="1,000,000 rows") as caught:
            there.sql("SELECT * FROM range(1000001)")
    assert "connect()" in caught.value.hint and "history()" in caught.value.hint


def test_a_connection_is_to_the_same_lake(server: str, service: Service) -> None:
    """On the server's machine it is the lake itself, read-only, and knows frames by name."""
    with boardlake.open(server) as there:
        con = there.connect()
    try:
        mine = pd.DataFrame({"run_id": [1, 2]})
        found = con.execute("SELECT count(*) FROM runs JOIN mine USING (run_id)").fetchone()
        assert found == (len(mine),)
        with pytest.raises(duckdb.Error, match="read-only"):
            con.execute("DELETE FROM hparams")
    finally:
        con.close()


def test_a_connection_to_another_lake_is_refused(
    server: str, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy at the same place is another lake, as is one that is on another machine."""
    root = service.readers.lake.location.root
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    assert locate(str(copy)).identity() != locate(str(root)).identity()
    with boardlake.open(server) as there:
        for other, why in (
            (locate(str(copy)), "is another one"),
            (locate("/no/such"), "is not here"),
        ):
            with monkeypatch.context() as patched:
                patched.setattr("boardlake.api.remote.Location", lambda _, other=other: other)
                with pytest.raises(UsageError, match=why) as caught:
                    there.connect()
            assert "sql()" in caught.value.hint


def test_other_addresses_and_taken_ports_are_refused() -> None:
    """Without authentication only this machine is served."""
    with pytest.raises(UsageError, match="only this machine"):
        bind("0.0.0.0", 0)
    with bind("127.0.0.1", 0) as taken, pytest.raises(UsageError, match="cannot be had"):
        bind("127.0.0.1", taken.getsockname()[1])


def test_tensorboard_is_an_address_of_the_server(server: str, service: Service) -> None:
    """On a filter, or on runs in every form; the same ones have the same address."""
    with boardlake.open(server) as lake:
        at = lake.tensorboard("project = 'vision'")
        frame = lake.runs("project = 'vision'", limit=3)
        some = [
            lake.tensorboard(frame), lake.tensorboard(frame["run_id"]),
            lake.tensorboard(list(frame["run_key"])),
        ]  # fmt: skip
        assert at == lake.tensorboard(" project = 'vision' ") and len(set(some)) == 1
        assert lake.tensorboard() != lake.tensorboard(duplicates=True)
        indexes = Indexes(service)
        found = [indexes.get(one.split("/tb/")[1].rstrip("/")) for one in (at, some[0])]
        assert [len(index.runs) for index in found] == [len(lake.runs("project = 'vision'")), 3]
        assert at.startswith(f"{server}tb/")
        for wrong, kind in (("pints > 3", FilterError), (["nobody"], UsageError), ([], UsageError)):
            with pytest.raises(kind):
                lake.tensorboard(wrong)
