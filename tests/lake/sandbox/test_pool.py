"""Workers: bombs end, the dead are replaced, no one waits for ever, new commits are seen."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from boardlake.core.errors import BoardlakeError, LakeBusy, LakeError, LimitError, UsageError
from boardlake.lake.database import open_lake
from boardlake.lake.readers import Readers
from boardlake.lake.sandbox.pool import Sandbox

BOMBS = [
    "SELECT count(*) FROM range(100000000000) a, range(1000) b WHERE a.range % 7 = b.range",
    "SELECT count(*) FROM scalars a, scalars b, scalars c WHERE a.value + b.value > c.value",
    "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n, range(10)) SELECT max(i) FROM n",
    "SELECT repeat('x', 2000000000)",
    "SELECT repeat('x', 200000000) || i FROM range(100) t(i)",
    "SELECT len(range(2000000000))",
    "SELECT len(list_sort(list_transform(range(300000000), lambda x: -x)))",
    "SELECT unnest(range(1000000000)) + 1 ORDER BY 1 DESC",
    "SELECT i, count(*) FROM range(10000000000) t(i) GROUP BY i ORDER BY 2",
    "SELECT list(i) FROM range(10000000000) t(i)",
    "SELECT string_agg(repeat('x', 1000), ',') FROM range(100000000)",
    "SELECT DISTINCT repeat(i::VARCHAR, 1000) FROM range(100000000) t(i)",
    "SELECT sum(i) OVER (ORDER BY i ROWS BETWEEN 100000 PRECEDING AND CURRENT ROW) FROM range(1000000000) t(i)",
    "SELECT max(md5(repeat('a', 10000) || i)) FROM range(10000000000) t(i)",
    "SELECT rpad('x', 2000000000, 'y')",
    "SELECT 1 GROUP BY CUBE (" + ", ".join(f"c{i}" for i in range(15)) + ")",
    " UNION ALL ".join(
        ["SELECT 1 FROM runs GROUP BY CUBE (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)"] * 400
    ),
    "SELECT sum(length(regexp_replace(repeat('a', 1000000), 'a', repeat('b', 1000), 'g'))) FROM range(1000)",
    "SELECT sum(levenshtein(repeat('a', 3000), repeat('b', 3000) || i)) FROM range(1000000) t(i)",
    "SELECT levenshtein(repeat('a', 300000), repeat('b', 300000))",
    "SELECT damerau_levenshtein(repeat('a', 300000), repeat('b', 300000))",
    "SELECT printf('%2000000000d', 1)",
    "SELECT format('{:>2000000000}', 'x')",
    "SELECT sum(regexp_matches(repeat('x', 100000) || i, '(x+x+)+y')::INT) FROM range(100000000) t(i)",
    "SELECT regexp_matches('x', '((((((x{1,100}){1,100}){1,100}){1,100}){1,100}){1,100})')",
    "SELECT list_sort(range(400000000))",
    "SELECT array_to_string(range(300000000), ',')",
    "SELECT flatten(list_transform(range(20000), lambda x: range(20000)))",
    "SELECT histogram(i) FROM range(1000000000) t(i)",
    "SELECT MAP(range(100000000), range(100000000))",
    "SELECT list(value) OVER (ORDER BY step, value ROWS UNBOUNDED PRECEDING) FROM scalars, range(1000)",
    "SELECT quantile_cont(i, 0.5) OVER (ORDER BY i ROWS 1000000 PRECEDING) FROM range(100000000) t(i)",
    "WITH RECURSIVE n AS (SELECT 'x' AS t UNION ALL SELECT t || t FROM n) SELECT max(length(t)) FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT (i * 7919 + 1) % 1000000007 FROM n) SELECT count(*) FROM n",
    "WITH a AS (FROM range(1000)), b AS (FROM a, a x), c AS (FROM b, b x) SELECT count(*) FROM c, c d WHERE pi() < 4",
    "SELECT json_group_array(i) FROM range(1000000000) t(i)",
    "SELECT ('[' || repeat('1,', 100000000) || '1]')::JSON::INT[]",
    "SELECT generate_series(TIMESTAMP '1000-01-01', TIMESTAMP '9000-01-01', INTERVAL 1 SECOND)",
    "PIVOT (SELECT i % 900 AS k, i FROM range(100000000) t(i)) ON k USING sum(i) GROUP BY i",
    "SELECT count(DISTINCT i) FROM range(10000000000) t(i)",
    "SELECT bar(1, 0, 1, 2000000000)",
    "SELECT list_aggregate(list_transform(range(50000), lambda x: range(50000)), 'count')",
]  # fmt: skip


def rows(sandbox: Sandbox, sql: str, parameters: Any = None) -> list[dict[str, Any]]:
    """The rows of an answer."""
    return pa.ipc.open_stream(sandbox.ask(sql, parameters).stream).read_all().to_pylist()


def test_bombs_end_while_others_are_answered(made: Callable[..., Sandbox]) -> None:
    """Each in an error within its limits; beside it the other worker answers all the time."""
    sandbox = made(seconds=0.5, grace_s=0.7)
    over = threading.Event()
    survived = []

    def others() -> int:
        count = 0
        # Not without a pause: the processor is the bombs'.
        while not over.wait(0.05):
            try:
                found = rows(sandbox, "SELECT count(*) AS n FROM scalars WHERE tag = 'loss'")
            except LimitError as error:
                # On a machine that is busy besides, even that may take half a second.
                assert "seconds" in error.message
                continue
            assert found == [{"n": 1495}]
            count += 1
        return count

    with ThreadPoolExecutor(1) as pool:
        meanwhile = pool.submit(others)
        try:
            for bomb in BOMBS:
                try:
                    sandbox.ask(bomb)
                except UsageError as error:
                    assert error.message
                else:
                    survived.append(bomb[:100])
        finally:
            over.set()
        assert meanwhile.result() > 0
    assert survived == []


def test_time_is_told(made: Callable[..., Sandbox]) -> None:
    """The sandbox's own limit is what ends it, and the same worker goes on."""
    sandbox = made(seconds=0.5)
    sandbox.ask("SELECT 1")
    workers = set(sandbox._all)
    with pytest.raises(LimitError, match="stopped after 0.5 seconds") as caught:
        sandbox.ask(BOMBS[0])
    assert caught.value.hint
    assert rows(sandbox, "SELECT 1 AS one") == [{"one": 1}] and sandbox._all == workers


def test_what_does_not_hear_is_killed(made: Callable[..., Sandbox]) -> None:
    """A worker that is stopped by force cannot answer: it is replaced, and the message the same."""
    sandbox = made(seconds=0.5, grace_s=0.5)
    sandbox.ask("SELECT 1")
    (before,) = sandbox._all
    os.kill(before._process.pid, signal.SIGSTOP)
    with pytest.raises(LimitError, match="stopped after 0.5 seconds"):
        sandbox.ask("SELECT 1")
    assert rows(sandbox, "SELECT 1 AS one") == [{"one": 1}]
    assert before not in sandbox._all and before._process.poll() is not None


def test_the_dead_are_replaced(made: Callable[..., Sandbox]) -> None:
    """Idle or busy: the next statement is answered."""
    sandbox = made(workers=1)
    sandbox.ask("SELECT 1")
    (first,) = sandbox._all
    first._process.kill()
    first._process.wait()
    assert rows(sandbox, "SELECT 1 AS one") == [{"one": 1}]
    (second,) = sandbox._all
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(sandbox.ask, BOMBS[0])
        while not sandbox._idle.empty():
            time.sleep(0.01)
        second._process.kill()
        with pytest.raises(LimitError, match="ended its worker"):
            busy.result()
    assert rows(sandbox, "SELECT 1 AS one") == [{"one": 1}]


def test_what_takes_too_long_to_wait_is_told(made: Callable[..., Sandbox]) -> None:
    """With all workers busy the next waits for a while, and one more than may wait does not."""
    sandbox = made(workers=1, queue=1, wait_s=0.2, seconds=3.0)
    sandbox.ask("SELECT 1")
    with ThreadPoolExecutor(2) as pool:
        busy = pool.submit(sandbox.ask, BOMBS[0])
        while not sandbox._idle.empty():
            time.sleep(0.01)
        with pytest.raises(LakeBusy, match="are busy"):
            sandbox.ask("SELECT 1")
        waiting = made(workers=1, queue=0, seconds=3.0)
        other = pool.submit(waiting.ask, BOMBS[0])
        while not waiting._waiting:
            time.sleep(0.01)
        with pytest.raises(LakeBusy, match="wait already"):
            waiting.ask("SELECT 1")
        for one in (busy, other):
            with pytest.raises(LimitError):
                one.result()


def test_new_commits_are_seen(made: Callable[..., Sandbox], readers: Readers, ground: Any) -> None:
    """The next statement after a commit has it; the worker is the same."""
    sandbox = made(workers=1)
    before = rows(sandbox, "SELECT count(*) AS n FROM artifacts")[0]["n"]
    workers = set(sandbox._all)
    for more in (1, 2, 3):
        with open_lake(ground.location, read_only=False) as lake:
            lake.con.execute("INSERT INTO artifacts (run_id, path) VALUES (1, 'x')")
        readers.look()
        assert rows(sandbox, "SELECT count(*) AS n FROM artifacts") == [{"n": before + more}]
    assert sandbox._all == workers


def test_files_that_upkeep_took_are_not_missed(
    made: Callable[..., Sandbox], readers: Readers, ground: Any
) -> None:
    """A copy of the catalog that names a removed file is made anew."""
    sandbox = made(workers=1)
    with open_lake(ground.location, read_only=False) as lake:
        for i in range(3):
            lake.con.execute("INSERT INTO cycles (source) VALUES (?)", [str(i)])
        readers.look()
        assert len(rows(sandbox, "SELECT * FROM cycles")) == 3
        lake.con.execute("CALL ducklake_merge_adjacent_files('lake', 'cycles')")
        lake.con.execute("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")
    # As if the merge had not been noticed: it may have come this very moment.
    for worker in sandbox._all:
        worker.snapshot = readers._snapshot
    assert len(rows(sandbox, "SELECT * FROM cycles")) == 3


def test_nothing_is_known_after_forgetting(made: Callable[..., Sandbox]) -> None:
    """Workers that saw the lake as it was are gone."""
    sandbox = made()
    sandbox.ask("SELECT 1")
    workers = set(sandbox._all)
    sandbox.forget()
    assert not sandbox._all and all(one._process.poll() is not None for one in workers)
    assert rows(sandbox, "SELECT 1 AS one") == [{"one": 1}]


def test_closing_ends_everything(made: Callable[..., Sandbox]) -> None:
    """Running statements fail, processes and folder are gone, and nothing is taken any more."""
    sandbox = made()
    sandbox.ask("SELECT 1")
    assert sandbox._folder is not None
    folder, workers = sandbox._folder.path, set(sandbox._all)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(sandbox.ask, BOMBS[0])
        while not sandbox._idle.empty():
            time.sleep(0.01)
        sandbox.close()
        with pytest.raises(BoardlakeError):
            running.result()
    assert all(one._process.poll() is not None for one in workers) and not folder.exists()
    with pytest.raises(LakeError, match="stopped"):
        sandbox.ask("SELECT 1")


def test_a_worker_ends_with_the_service(made: Callable[..., Sandbox]) -> None:
    """Whose end of the connection is gone, has no one to work for."""
    sandbox = made()
    sandbox.ask("SELECT 1")
    (worker,) = sandbox._all
    worker._end.close()
    assert worker._process.wait(10) == 0


def test_parameters_that_make_no_sense_are_refused(sandbox: Sandbox) -> None:
    """Whoever sends them: they are judged where they are used."""
    for given in (
        {"type": "timestamp", "value": "yesterday"},
        {"type": "os", "value": "x"},
        {"a": {}},
        [[[[[[[1]]]]]]],
        [{"type": "blob", "value": "%"}],
        [1] * 2_000,
    ):
        with pytest.raises(UsageError):
            sandbox.ask("SELECT 1", given if isinstance(given, list) else [given])


def test_the_command_of_a_worker_names_no_lake(sandbox: Sandbox) -> None:
    """What others see in a list of processes tells nothing of it."""
    sandbox.ask("SELECT 1")
    (worker, *_) = sandbox._all
    command = Path(f"/proc/{worker._process.pid}/cmdline")
    if not command.exists():
        pytest.skip("no /proc")
    assert b"ground" not in command.read_bytes()
