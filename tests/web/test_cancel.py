"""A statement nobody waits for ends in its worker, which is free for the next."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from boardlake.api.service import Service
from boardlake.cli.serve import bind, server_of
from boardlake.lake.sandbox import wire
from boardlake.lake.sandbox.limits import Limits
from boardlake.lake.sandbox.pool import Sandbox

# Longer than any test here would wait: only who stops it makes room.
_LONG_S = 600.0
ENDLESS = [
    "SELECT count(*) FROM range(100000000000) a, range(1000) b WHERE a.range % 7 = b.range",
    "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "SELECT sum(len(regexp_replace(repeat('ab', 100) || i, '(a|b)', 'c', 'g'))) FROM range(1000000000) t(i)",
]  # fmt: skip


@pytest.fixture
def patient(service: Service) -> Iterator[Service]:
    """A service with one worker, which lets a statement run for minutes."""
    service.sandbox.close()
    service.sandbox = Sandbox(service.readers, Limits(workers=1, seconds=_LONG_S, wait_s=_LONG_S))
    yield service


@pytest.fixture
def port(patient: Service) -> Iterator[int]:
    """Where it is served."""
    bound = bind("127.0.0.1", 0)
    server = server_of(patient, bound)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield bound.getsockname()[1]
    server.task_dispatcher.shutdown()
    server.trigger.pull_trigger(server.close)
    thread.join(10)
    bound.close()


def post(port: int, query: str) -> socket.socket:
    """A connection that has asked *query* and waits."""
    body = json.dumps({"query": query, "format": "json"}).encode()
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(
        b"POST /api/v1/sql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    return client


def answer(port: int, query: str) -> object:
    """The rows of a statement's answer."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/json"}
    client.request("POST", "/api/v1/sql", json.dumps({"query": query, "format": "json"}), headers)
    response = client.getresponse()
    told = json.loads(response.read())
    client.close()
    assert response.status == 200, told
    return told["rows"]


def until(happens: Callable[[], object]) -> None:
    """Wait for it; the test's own end is a minute."""
    for _ in range(6000):
        if happens():
            return
        time.sleep(0.01)
    raise AssertionError("it does not happen")


@pytest.mark.parametrize("query", ENDLESS)
def test_the_worker_of_who_hangs_up_is_free(patient: Service, port: int, query: str) -> None:
    """The only worker answers the next client, and is the same process."""
    assert answer(port, "SELECT 1") == [[1]]
    workers = set(patient.sandbox._all)
    with post(port, query):
        until(lambda: patient.sandbox._idle.empty())
    assert answer(port, "SELECT 2") == [[2]]
    assert patient.sandbox._all == workers


def test_who_hangs_up_while_waiting_is_not_answered(patient: Service, port: int) -> None:
    """A statement in the queue is given up; the one that runs is not disturbed by it."""
    assert answer(port, "SELECT 1") == [[1]]
    with post(port, ENDLESS[0]):
        until(lambda: patient.sandbox._idle.empty())
        with post(port, ENDLESS[1]):
            until(lambda: patient.sandbox._waiting == 2)
        until(lambda: patient.sandbox._waiting == 1)
        assert patient.sandbox._idle.empty()
    assert answer(port, "SELECT 2") == [[2]]


def test_others_go_on_while_one_is_stopped(patient: Service, port: int) -> None:
    """Another client's statement beside it has its answer, and so have pages."""
    patient.sandbox.close()
    patient.sandbox = Sandbox(patient.readers, Limits(workers=2, seconds=_LONG_S))
    with ThreadPoolExecutor(1) as pool:
        count = "SELECT count(*) FROM range(3000000) t(i) WHERE hash(i) % 7 < 8"
        for _ in range(3):
            with post(port, ENDLESS[0]):
                until(lambda: patient.sandbox._waiting >= 1)
                other = pool.submit(answer, port, count)
                page = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                page.request("GET", "/api/v1/info")
                assert page.getresponse().status == 200
                page.close()
            assert other.result() == [[3000000]]
        until(lambda: patient.sandbox._waiting == 0)


def test_what_does_not_hear_that_it_is_to_stop_is_replaced(patient: Service, port: int) -> None:
    """A worker that is stopped by force cannot hear: another takes its place."""
    assert answer(port, "SELECT 1") == [[1]]
    (before,) = patient.sandbox._all
    os.kill(before._process.pid, signal.SIGSTOP)
    with post(port, "SELECT 3"):
        until(lambda: patient.sandbox._idle.empty())
    assert answer(port, "SELECT 2") == [[2]]
    assert before not in patient.sandbox._all and before._process.poll() is not None


def test_a_word_that_comes_too_late_stops_nothing(patient: Service) -> None:
    """Who hangs up as the answer comes leaves nothing behind for the next statement."""
    sandbox = patient.sandbox
    sandbox.ask("SELECT 1")
    (worker,) = sandbox._all
    for _ in range(20):
        worker.tell({"do": "ask", "sql": "SELECT 1", "parameters": None, "rows": 1}, 10)
        wire.send(worker._end, {"do": "stop"})
        assert sandbox.ask("SELECT count(*) FROM range(100000)").rows == 1
    assert sandbox._all == {worker}


BOMBS = [
    ENDLESS[0],
    "SELECT repeat('x', 2000000000)",
    "SELECT len(list_sort(list_transform(range(300000000), lambda x: -x)))",
    "SELECT i, count(*) FROM range(10000000000) t(i) GROUP BY i ORDER BY 2",
    "SELECT levenshtein(repeat('a', 300000), repeat('b', 300000))",
]


def test_bombs_of_one_client_leave_the_others_their_answers(patient: Service, port: int) -> None:
    """Time and memory end in an error that says so; meanwhile another asks SQL and pages."""
    patient.sandbox.close()
    patient.sandbox = Sandbox(patient.readers, Limits(workers=2, seconds=0.7, grace_s=0.7))
    over = threading.Event()

    def other() -> int:
        count = 0
        while not over.is_set():
            assert answer(port, "SELECT count(*) FROM range(1000)") == [[1000]]
            for path in ("/api/v1/runs?limit=5", "/sql", "/api/v1/schema"):
                client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                client.request("GET", path)
                response = client.getresponse()
                assert response.status == 200 and response.read()
                client.close()
            count += 1
        return count

    with ThreadPoolExecutor(1) as pool:
        meanwhile = pool.submit(other)
        try:
            for bomb in BOMBS:
                client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                body = json.dumps({"query": bomb, "format": "json"})
                client.request("POST", "/api/v1/sql", body, {"Content-Type": "application/json"})
                response = client.getresponse()
                error = json.loads(response.read())["error"]
                assert response.status == 400 and error["kind"] == "LimitError", error
                assert error["message"] and error["hint"]
                client.close()
        finally:
            over.set()
        assert meanwhile.result() > 0
