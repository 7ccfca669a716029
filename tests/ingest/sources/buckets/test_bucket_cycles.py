"""Cycles over a bucket: what grows and changes under the reader's hands, what it costs, what is stored."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.settings import SourceSettings
from boardlake.ingest.cycle import run
from boardlake.ingest.report import Options, Report
from boardlake.ingest.setup import setups
from boardlake.tests.servers import moto
from boardlake.tests.servers.faulty import Faulty

from .conftest import EVENTS


@pytest.fixture
def cycle(house: Any, bucket: moto.Bucket) -> Callable[..., Report]:
    """One cycle over the bucket into the lake of the house."""

    def once(**settings: Any) -> Report:
        source = SourceSettings(**{**bucket.settings(), "machine": "cloud", **settings})
        (report,) = run(house.lake, setups({"bucket": source}), Options())
        return report

    return once


def made(house: Any, points: int, path: str = EVENTS) -> bytes:
    """An event file of so many points; a longer one begins with the shorter."""
    file: Path = house.write(path, [("loss", step, float(step)) for step in range(points)])
    return file.read_bytes()


def count(house: Any) -> int:
    """Points in the lake."""
    found: int = house.one("SELECT count(*) FROM scalar_points")
    return found


def test_only_what_grew_is_read(
    house: Any, bucket: moto.Bucket, proxy: Faulty, cycle: Callable[..., Report]
) -> None:
    """Unchanged objects cost their line in the listing; of a grown one its end is read."""
    whole = made(house, 100_000)
    begin = whole[: len(whole) // 2]
    for run_name in ("a", "b", "c"):
        bucket.put(f"{run_name}/{EVENTS}", begin)
    cycle()
    before = count(house)
    proxy.forget()
    report = cycle()
    assert (report.files_listed, report.files_changed, proxy.count()) == (3, 0, 1)
    bucket.put(f"b/{EVENTS}", whole)
    proxy.forget()
    report = cycle()
    assert report.files_changed == 1
    assert count(house) - before == 100_000 - before // 3
    got = [target for method, target in proxy.requests if "list-type" not in target]
    assert all(f"/b/{EVENTS}" in target for target in got)
    assert proxy.count("list-type") == report.list_requests == 1
    assert len(got) == report.read_requests
    assert report.bytes_received < len(whole) - len(begin) + 100_000


def test_an_object_that_is_replaced_while_it_is_read(
    house: Any, bucket: moto.Bucket, proxy: Faulty, cycle: Callable[..., Report]
) -> None:
    """The store tells that it is another version: it is read as it is now, once."""
    old, new = made(house, 50), made(house, 80)
    bucket.put(f"run/{EVENTS}", old)
    replaced = []

    def between(method: str, target: str) -> bool:
        if not replaced and f"run/{EVENTS}" in target:
            replaced.append(target)
            bucket.put(f"run/{EVENTS}", new)
        return False

    proxy.only = between
    report = cycle()
    assert replaced and not report.error
    cycle()
    assert count(house) == 80
    assert house.one("SELECT max(step) FROM scalar_points") == 79


def test_another_object_of_the_same_size(
    house: Any, bucket: moto.Bucket, cycle: Callable[..., Report]
) -> None:
    """Its ETag tells: what was read of the old one gives way to the new one."""
    bucket.put(f"run/{EVENTS}", made(house, 50))
    cycle()
    file = house.write("other", [("gain", step, 1.0 + step) for step in range(50)])
    data = file.read_bytes()
    bucket.put(f"run/{EVENTS}", data)
    cycle()
    assert house.query("SELECT DISTINCT tag FROM scalar_points") == [("gain",)]


def test_odd_keys_are_runs_too(
    house: Any, bucket: moto.Bucket, cycle: Callable[..., Report]
) -> None:
    """With boto3 they are read like others."""
    pytest.importorskip("boto3")
    data = made(house, 10)
    for where in ("lab//run", "lab/./run", "lab/../run", "tab\there", "plain"):
        bucket.put(f"{where}/{EVENTS}", data)
    report = cycle()
    assert (report.new_runs, report.problems) == (5, 0)
    assert count(house) == 50
    assert cycle().files_changed == 0


def test_no_secret_is_stored(
    house: Any, bucket: moto.Bucket, proxy: Faulty, cycle: Callable[..., Report], caplog: Any
) -> None:
    """However the bucket fails, neither report nor lake nor memory holds key or signature."""
    data = made(house, 10)
    for n in range(5):
        bucket.put(f"{n}/{EVENTS}", data)
    bucket.put("0/hparams.yaml", b"lr: 1\n")
    said = [cycle()]
    for path in range(3):
        bucket.put(f"{path}/{EVENTS}", made(house, 20))
    for only in ("list-type", "tfevents"):
        for status, code in ((403, "SignatureDoesNotMatch"), (400, "ExpiredToken"), (500, "Inner")):
            proxy.status, proxy.code = status, code
            proxy.only = lambda method, target, only=only: only in target  # type: ignore[misc]
            report = cycle()
            assert report.problems
            assert bool(report.error) == (only == "list-type")
            said.append(report)
    told = house.query("SELECT message FROM problems")
    assert any("Inner" in message for (message,) in told)
    texts = [repr(said), repr(told), caplog.text]
    for path in house.root.rglob("*"):
        if path.is_file():
            stored = path.read_bytes()
            texts.append(stored.decode("latin-1"))
            try:
                texts.append(zlib.decompress(stored).decode("latin-1"))
            except zlib.error:
                continue
    assert len(texts) > 8
    for secret in (moto.SECRET, moto.ACCESS_KEY, "Signature=", "AWS4-HMAC"):
        assert not any(secret in text for text in texts)
    proxy.status = 0
    assert not cycle().error
    assert count(house) == 3 * 20 + 2 * 10
