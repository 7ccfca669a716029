"""Buckets whose server fails for a moment or for good, cuts off, falls silent; refusals in words."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from boardlake.core.errors import SourceError
from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.buckets import lister as objects_list
from boardlake.ingest.sources.buckets import odd as odd
from boardlake.tests.servers import moto
from boardlake.tests.servers.faulty import Faulty

from .conftest import EVENTS, Open


def test_a_moment_of_failure_is_passed_over(
    opened: Open, bucket: moto.Bucket, proxy: Faulty
) -> None:
    """Asked to slow down, a client asks again; each request counts."""
    bucket.put(f"run/{EVENTS}", b"abc")
    source = opened()
    proxy.status, proxy.times = 503, 2
    (entry,) = source.walk(Memory()).files
    assert source.spent.lists == proxy.count() == 3
    proxy.times = 2
    assert source.read(entry.path, 0, 10, entry.version) == b"abc"
    assert source.spent.reads == 3


def test_an_answer_that_is_cut_off_is_asked_for_again(
    opened: Open, bucket: moto.Bucket, proxy: Faulty
) -> None:
    """Half an answer is none: neither of bytes nor of names."""
    data = bytes(range(256)) * 1000
    bucket.put(f"run/{EVENTS}", data)
    source = opened()
    proxy.cut_after, proxy.times = 300, 1
    (entry,) = source.walk(Memory()).files
    proxy.cut_after, proxy.times = 100_000, 2
    assert source.read(entry.path, 0, len(data), entry.version) == data
    assert source.spent.reads == 3
    assert source.spent.bytes == len(data)


def test_a_server_that_stays_down(opened: Open, bucket: moto.Bucket, proxy: Faulty) -> None:
    """It is asked a few times, then told in words; it is not asked for every file."""
    for n in range(200):
        bucket.put(f"{n}/{EVENTS}", b"abc")
    source = opened()
    listing = source.walk(Memory())
    proxy.status = 503
    proxy.forget()
    with pytest.raises(SourceError, match="slow down.*503") as caught:
        source.walk(Memory())
    assert proxy.count() == 4
    assert f"s3://{bucket.name}/lab" in str(caught.value)
    proxy.forget()

    def read(path: str) -> str:
        with pytest.raises(OSError) as told:
            source.read(path, 0, 10)
        return str(told.value)

    with ThreadPoolExecutor(source.at_once) as pool:
        told = list(pool.map(read, [entry.path for entry in listing.files]))
    assert all("503" in text for text in told)
    assert proxy.count() < 100


def test_a_silent_server_costs_one_time_out(
    opened: Open, bucket: moto.Bucket, proxy: Faulty
) -> None:
    """It is asked once, and told."""
    bucket.put(f"run/{EVENTS}", b"abc")
    (entry,) = opened().walk(Memory()).files
    source = opened(timeout=0.2)
    proxy.delay_s = 60
    proxy.forget()
    with pytest.raises(SourceError, match="in time"):
        source.walk(Memory())
    assert proxy.count() == 1
    with pytest.raises(OSError, match="in time"):
        source.read(entry.path, 0, 10)
    assert proxy.count() == 2


def test_slow_is_not_silent(opened: Open, bucket: moto.Bucket, proxy: Faulty) -> None:
    """What comes within the time-out is taken."""
    bucket.put(f"run/{EVENTS}", b"abc")
    proxy.delay_s = 0.3
    source = opened(timeout=5)
    (entry,) = source.walk(Memory()).files
    assert source.read(entry.path, 0, 10) == b"abc"


REFUSALS = {
    "InvalidAccessKeyId": (403, "not known"),
    "SignatureDoesNotMatch": (403, "does not fit"),
    "AccessDenied": (403, "denied"),
    "ExpiredToken": (400, "expired"),
    "RequestTimeTooSkewed": (403, "clock"),
    "NoSuchBucket": (404, "no such bucket"),
    "InternalError": (500, "failed"),
    "SlowDown": (503, "slow down"),
}


@pytest.mark.parametrize("code", list(REFUSALS))
def test_refusals_in_words_and_without_secrets(
    opened: Open,
    bucket: moto.Bucket,
    proxy: Faulty,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    """The proxy answers with the signature it was sent, as S3 does with key and string to sign."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(objects_list, "_FIRST_PAUSE_S", 0.001)
    bucket.put(f"a//b/{EVENTS}", b"abc")
    bucket.put(f"run/{EVENTS}", b"abc")
    source = opened()
    memory = Memory()
    listing = source.walk(memory)
    proxy.status, words = REFUSALS[code]
    proxy.code = code
    said: list[object] = [source, source.spent, listing, memory.data, source._bucket]
    with pytest.raises(SourceError, match=words) as caught:
        opened().walk(Memory())
    said += [caught.value, caught.value.hint, repr(caught.value), caught.getrepr(style="short")]
    assert code in str(caught.value)
    for entry in listing.files:
        for ask in (
            lambda path: opened().read(path, 0, 5, "x"),
            lambda path: opened().stat(path),
        ):
            try:
                ask(entry.path)
            except OSError as error:
                said += [error, repr(error), error.__cause__, error.filename]
    said.append(
        [record.getMessage() for record in caplog.records if record.name.startswith("boardlake")]
    )
    text = "\n".join(map(str, said))
    assert moto.SECRET not in text
    assert moto.ACCESS_KEY not in text
    assert "Signature=" not in text
    assert "<Error>" not in text
