"""Buckets over real servers: what scans cost, keys that are no paths, faults, and secrets that stay so."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.errors import BoardlakeError, SourceError, UsageError
from boardlake.core.settings import SourceSettings
from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.base import Changed, Listing
from boardlake.ingest.sources.buckets import lister as objects_list
from boardlake.ingest.sources.buckets import odd as odd
from boardlake.ingest.sources.buckets import source as objects
from boardlake.ingest.sources.buckets.source import ObjectSource
from boardlake.tests.servers import moto, radosgw
from boardlake.tests.servers.faulty import Faulty, faulty

EVENTS = "events.out.tfevents.1700000000.host.1.0"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
PROJECTS, RUNS = 3, 1_010
Open = Callable[..., ObjectSource]


@pytest.fixture
def proxy(moto_server: moto.Moto) -> Iterator[Faulty]:
    """Counts requests, and fails where it is told to."""
    with faulty(moto_server.port) as between:
        yield between


@pytest.fixture
def bucket(moto_server: moto.Moto, proxy: Faulty, monkeypatch: pytest.MonkeyPatch) -> moto.Bucket:
    """An empty bucket behind the proxy; its credentials are in the environment."""
    return behind(moto_server.bucket("s3", prefix="lab"), proxy, monkeypatch)


def behind(found: moto.Bucket, proxy: Faulty, monkeypatch: pytest.MonkeyPatch) -> moto.Bucket:
    """A bucket that is read through the proxy."""
    found.endpoint = proxy.url
    for name, value in found.environ.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def opened(bucket: moto.Bucket) -> Open:
    """Opens the bucket with further settings."""

    def open_it(**settings: Any) -> ObjectSource:
        return objects.open_source(SourceSettings(**{**bucket.settings(), **settings}))

    return open_it


@pytest.fixture(scope="module")
def large(moto_server: moto.Moto) -> moto.Bucket:
    """A bucket of 3,030 keys in three projects."""
    found = moto_server.bucket("s3", prefix="lab")
    for project in range(PROJECTS):
        for run in range(RUNS):
            found.put(f"p{project}/{run:04}/{EVENTS}", b"x")
    return found


def sizes(listing: Listing) -> dict[str, int]:
    """The files with their sizes."""
    return {entry.path: entry.size for entry in listing.files}


def later(memory: Memory, seconds: float) -> Memory:
    """The memory as the next process finds it."""
    return Memory(json.loads(json.dumps(memory.data)), memory.now, memory.now + seconds, 1e12)


# What scans cost.


def test_scans_cost_what_they_must(
    large: moto.Bucket, proxy: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All: a request for 1,000 keys. Nothing due: none. One live project: its names and its keys.
    Each is counted, and new projects are found."""
    behind(large, proxy, monkeypatch)
    source = objects.open_source(SourceSettings(**large.settings()))  # type: ignore[arg-type]
    everything = {f"p{p}/{r:04}/{EVENTS}": 1 for p in range(PROJECTS) for r in range(RUNS)}
    memory = Memory(rescan_s=1e12)
    memory.now += 10 * DAY
    listing = source.walk(memory)
    assert sizes(listing) == everything
    assert listing.looked == len(everything)
    assert source.spent.lists == proxy.count() == 4
    assert source.spent.reads == 0

    memory = later(memory, MINUTE)
    proxy.forget()
    listing = source.walk(memory)
    assert (sizes(listing), listing.looked) == (everything, 0)
    assert listing.remembered == set(everything)
    assert memory.unchanged
    assert proxy.count() == 0

    large.put(f"p1/0007/{EVENTS}", b"xx")
    memory = later(memory, DAY)
    listing = source.walk(memory)
    everything[f"p1/0007/{EVENTS}"] = 2
    assert sizes(listing) == everything
    assert proxy.count() == 4

    try:
        large.put(f"p1/0008/{EVENTS}", b"xxx")
        large.put(f"p9/0000/{EVENTS}", b"x")
        large.put(EVENTS, b"x")
        large.delete(f"p1/0009/{EVENTS}")
        memory = later(memory, MINUTE)
        proxy.forget()
        before = source.spent.lists
        listing = source.walk(memory)
        changed = {**everything, f"p1/0008/{EVENTS}": 3, f"p9/0000/{EVENTS}": 1, EVENTS: 1}
        del changed[f"p1/0009/{EVENTS}"]
        assert sizes(listing) == changed
        # The names of projects, the live one's two pages, and the new one.
        assert proxy.count() == source.spent.lists - before == 4
        assert proxy.count("delimiter") == 1
        assert listing.looked == RUNS - 1 + 2
        assert listing.remembered == {path for path in changed if path[:2] in ("p0", "p2")}
    finally:
        for path in (f"p1/0007/{EVENTS}", f"p1/0008/{EVENTS}", f"p1/0009/{EVENTS}"):
            large.put(path, b"x")
        large.delete(f"p9/0000/{EVENTS}")
        large.delete(EVENTS)


def test_an_idle_bucket_is_left_alone(opened: Open, bucket: moto.Bucket, proxy: Faulty) -> None:
    """What was quiet for ten days is looked at every ten hours."""
    bucket.put(f"run/{EVENTS}", b"x")
    source = opened()
    memory = Memory(rescan_s=1e12)
    memory.now += 10 * DAY
    source.walk(memory)
    for hours, asked in ((5, 0), (9, 0), (11, 1)):
        proxy.forget()
        found = later(memory, hours * HOUR)
        assert len(source.walk(found).files) == 1
        assert proxy.count() == asked


def test_everything_is_looked_at_after_a_while(
    opened: Open, bucket: moto.Bucket, proxy: Faulty
) -> None:
    """`rescan` holds however idle a bucket is."""
    bucket.put(f"run/{EVENTS}", b"x")
    source = opened()
    memory = Memory(rescan_s=HOUR)
    memory.now += 100 * DAY
    source.walk(memory)
    bucket.put(f"run/{EVENTS}", b"xx")
    for minutes, size in ((50, 1), (61, 2)):
        found = Memory(dict(memory.data), memory.now, memory.now + minutes * MINUTE, HOUR)
        assert sizes(source.walk(found)) == {f"run/{EVENTS}": size}


@pytest.mark.parametrize("heeds", [True, False])
def test_lists_side_by_side(
    large: moto.Bucket, proxy: Faulty, monkeypatch: pytest.MonkeyPatch, heeds: bool
) -> None:
    """Ranges of keys that are listed at once give each key once, for as many requests; also from a
    server that does not heed where it is told to start."""
    behind(large, proxy, monkeypatch)
    monkeypatch.setattr(objects, "_SPLIT_PAGES", 2)
    monkeypatch.setattr(objects, "_PROBE_PAGES", 1)
    source = objects.open_source(SourceSettings(**large.settings()))  # type: ignore[arg-type]
    memory = Memory(rescan_s=0)
    first = source.walk(memory)
    everything = {f"p{p}/{r:04}/{EVENTS}" for p in range(PROJECTS) for r in range(RUNS)}
    assert [entry.path for entry in first.files] == sorted(everything)
    # One page, the names of projects, and each project's pages.
    assert source.spent.lists == proxy.count() <= 4 + 1 + PROJECTS
    memory = later(memory, DAY)
    memory.rescan_s = 0
    large.put(f"p0/0500/more.{EVENTS}", b"x")
    large.put(f"zz/{EVENTS}", b"x")
    large.delete(f"p1/0007/{EVENTS}")
    try:
        if not heeds:
            proxy.rewrite = lambda target: target.replace("start-after=", "x-ignored=")
        proxy.forget()
        again = source.walk(memory)
        starts = {target.partition("start-after=")[2] for _, target in proxy.requests}
        assert len(starts) >= 4
        assert [entry.path for entry in again.files] == sorted(
            everything - {f"p1/0007/{EVENTS}"} | {f"p0/0500/more.{EVENTS}", f"zz/{EVENTS}"}
        )
        if heeds:
            assert proxy.count() <= len(memory.data["marks"]) + 1
    finally:
        large.delete(f"p0/0500/more.{EVENTS}")
        large.delete(f"zz/{EVENTS}")
        large.put(f"p1/0007/{EVENTS}", b"x")


def test_a_single_object(opened: Open, bucket: moto.Bucket, proxy: Faulty) -> None:
    """The root may be one event file; it is looked at with one request."""
    bucket.put(f"run/{EVENTS}", b"abc")
    bucket.put(f"run/{EVENTS}.not", b"x")
    source = opened(uri=f"s3://{bucket.name}/lab/run/{EVENTS}")
    memory = Memory(rescan_s=0)
    assert sizes(source.walk(memory)) == {EVENTS: 3}
    assert source.read(EVENTS, 1, 10) == b"bc"
    bucket.append(f"run/{EVENTS}", b"d")
    memory = later(memory, DAY)
    proxy.forget()
    assert sizes(source.walk(memory)) == {EVENTS: 4}
    assert proxy.count() == 1
    seen = source.stat(EVENTS)
    assert seen is not None and seen.size == 4


def test_what_is_empty_is_looked_at_again(opened: Open, bucket: moto.Bucket, proxy: Faulty) -> None:
    """Something is about to come."""
    source = opened()
    memory = Memory(rescan_s=1e12)
    assert not source.walk(memory).files
    bucket.put(f"run/{EVENTS}", b"abc")
    assert len(source.walk(later(memory, MINUTE)).files) == 1


def test_nothing_there(opened: Open, bucket: moto.Bucket) -> None:
    """An empty bucket is empty; a prefix without keys may be misspelt, which is told."""
    (problem,) = opened().walk(Memory()).problems
    assert "prefix" in problem.message
    listing = opened(uri=f"s3://{bucket.name}").walk(Memory())
    assert not listing.files and not listing.problems


def test_what_is_not_there_is_not_asked_for(
    opened: Open, bucket: moto.Bucket, proxy: Faulty
) -> None:
    """Nothing is asked for no bytes; a range behind the end is empty, though servers refuse it."""
    bucket.put(f"run/{EVENTS}", b"x" * 100)
    source = opened()
    (entry,) = source.walk(Memory()).files
    proxy.forget()
    assert source.read(entry.path, 100, 0, entry.version) == b""
    assert proxy.count() == 0
    assert source.read(entry.path, 100, 50, entry.version) == b""
    assert source.read(entry.path, 90, 50, entry.version) == b"x" * 10
    assert source.spent.reads == proxy.count() == 2
    assert source.spent.bytes == 10
    bucket.put(entry.path, b"y" * 100)
    with pytest.raises(Changed):
        source.read(entry.path, 0, 50, entry.version)
    bucket.delete(entry.path)
    with pytest.raises(FileNotFoundError):
        source.read(entry.path, 0, 50, entry.version)


# Keys that are no paths.

ODD = {
    f"a//b/{EVENTS}": f"a/\\x2fb/{EVENTS}",
    f"b/x/../y/{EVENTS}": f"b/x/\\x2e\\x2e/y/{EVENTS}",
    f"c/./{EVENTS}": f"c/\\x2e/{EVENTS}",
    f"d/tab\there/{EVENTS}": f"d/tab\\x09here/{EVENTS}",
    f"e/{EVENTS}\x7f": f"e/{EVENTS}\\x7f",
    f"/{EVENTS}": f"\\x2f{EVENTS}",
}
PLAIN = [
    f"{where}/{EVENTS}" for where in ("0", "a/z", "b/x/a", "b/x/z", "c/z", "d/zz", "e/zz", "z")
]


@pytest.mark.parametrize("kind", ["s3", "gs"])
@pytest.mark.parametrize("key", list(ODD))
def test_odd_keys_hide_nothing(
    moto_server: moto.Moto,
    proxy: Faulty,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    key: str,
) -> None:
    """Without boto3 only the odd key is not read, and told; it hides no other."""
    bucket = behind(moto_server.bucket(kind, prefix="lab"), proxy, monkeypatch)
    for path in [*PLAIN, key]:
        bucket.put(path, path.encode())
    source = objects.open_source(SourceSettings(**bucket.settings()))  # type: ignore[arg-type]
    monkeypatch.setattr(source._list, "plain", None)
    memory = Memory(rescan_s=0)
    for _ in range(2):
        before, _ = source.spent.lists, proxy.forget()
        listing = source.walk(memory)
        assert [entry.path for entry in listing.files] == sorted(PLAIN)
        (problem,) = listing.problems
        # What is known to lie in that directory is not gone for not being seen.
        assert odd.shown(key).startswith(problem.path)
        assert problem.message.startswith(f"{ODD[key]}: ")
        assert source.spent.lists - before == proxy.count()
        memory = later(memory, DAY)
        memory.rescan_s = 0
    for entry in listing.files:
        assert source.read(entry.path, 0, 1000, entry.version) == entry.path.encode()
    # From memory it is still told.
    memory.rescan_s, memory.now = 1e12, memory.full_at + 1
    assert source.walk(memory).problems == [problem]


def test_odd_keys_are_read_with_boto3(opened: Open, bucket: moto.Bucket, proxy: Faulty) -> None:
    """boto3 takes them as they are: all is read, for one request more."""
    pytest.importorskip("boto3")
    for path in [*PLAIN, *ODD, "a//b/args.txt", "dir/", "z/", f"x/{EVENTS}/"]:
        bucket.put(path, b"" if path.endswith("/") else path.encode())
    source = opened()
    memory = Memory(rescan_s=0)
    listing = source.walk(memory)
    assert not listing.problems
    assert [entry.path for entry in listing.files] == sorted([*PLAIN, *ODD.values()])
    assert source.spent.lists == proxy.count() == 2
    again = opened()
    memory = Memory(json.loads(json.dumps(memory.data)), memory.now, memory.now, 1e12)
    assert again.walk(memory).files == listing.files
    keys = {shown: key for key, shown in ODD.items()}
    for entry in again.walk(memory).files:
        key = keys.get(entry.path, entry.path)
        assert again.read(entry.path, 0, 1000, entry.version) == key.encode()
        assert again.read(entry.path, 1, 3, entry.version) == key.encode()[1:4]
        assert again.read(entry.path, 1000, 3, entry.version) == b""
        assert again.stat(entry.path) == entry
    (beside,) = again.walk(memory).beside["a/\\x2fb"]
    assert again.read(beside.path, 0, 100, beside.version) == b"a//b/args.txt"
    shown = ODD[f"a//b/{EVENTS}"]
    version = {entry.path: entry.version for entry in listing.files}[shown]
    bucket.put(f"a//b/{EVENTS}", b"another")
    with pytest.raises(Changed):
        again.read(shown, 0, 10, version)
    bucket.delete(f"a//b/{EVENTS}")
    assert again.stat(shown) is None
    with pytest.raises(FileNotFoundError):
        again.read(shown, 0, 10)


def test_odd_keys_cost_little_while_others_live(
    opened: Open, bucket: moto.Bucket, proxy: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Going around one takes many requests: done once, not for each scan of what lives beside it."""
    for n in range(40):
        bucket.put(f"r{n:02}/{EVENTS}", b"x")
    bucket.put(f"r30//odd/{EVENTS}", b"x")
    bucket.put(f"r30/z/{EVENTS}", b"x")
    source = opened()
    monkeypatch.setattr(source._list, "plain", None)
    memory = Memory(rescan_s=1e12)
    memory.now += 10 * DAY
    first = source.walk(memory)
    assert len(first.files) == 41
    assert [problem.path for problem in first.problems] == ["r30"]
    assert proxy.count() > 20
    bucket.put(f"r05/{EVENTS}", b"xx")
    memory = later(memory, DAY)
    source.walk(memory)
    bucket.put(f"r05/{EVENTS}", b"xxx")
    bucket.put(f"r99/{EVENTS}", b"x")
    memory = later(memory, MINUTE)
    proxy.forget()
    listing = source.walk(memory)
    assert sizes(listing) == sizes(first) | {f"r05/{EVENTS}": 3, f"r99/{EVENTS}": 1}
    assert listing.problems == first.problems
    # Names, the live run, the new one.
    assert proxy.count() == 3
    bucket.delete(f"r30//odd/{EVENTS}")
    memory = later(memory, 100 * DAY)
    listing = source.walk(memory)
    assert not listing.problems
    assert len(listing.files) == 42


def test_boto3_without_credentials_is_no_boto3(
    opened: Open, bucket: moto.Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its chain is not that of obstore: where it leads nowhere, odd keys are told and others read."""
    pytest.importorskip("boto3")
    for name in bucket.environ:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for path in [*PLAIN, f"b//x/{EVENTS}"]:
        bucket.put(path, b"x")
    listing = opened().walk(Memory())
    assert [entry.path for entry in listing.files] == sorted(PLAIN)
    (problem,) = listing.problems
    assert problem.path == "b"


def test_odd_keys_of_ceph(gateway: radosgw.Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that checks signatures takes them as they are, too."""
    pytest.importorskip("boto3")
    bucket = gateway.bucket()
    for name, value in bucket.environ.items():
        monkeypatch.setenv(name, value)
    held = {path: path for path in PLAIN} | {shown: key for key, shown in ODD.items()}
    for key in held.values():
        bucket.put(key, key.encode())
    source = objects.open_source(SourceSettings(**bucket.settings()))  # type: ignore[arg-type]
    listing = source.walk(Memory())
    assert not listing.problems
    assert [entry.path for entry in listing.files] == sorted(held)
    for entry in listing.files:
        assert source.read(entry.path, 0, 1000, entry.version) == held[entry.path].encode()
        assert source.stat(entry.path) == entry


@pytest.mark.parametrize("plain", [True, False])
def test_odd_keys_amid_thousands(
    large: moto.Bucket, proxy: Faulty, monkeypatch: pytest.MonkeyPatch, plain: bool
) -> None:
    """All is listed, and pages without odd keys not by boto3; also in ranges side by side, which may
    end amid them. Without boto3 only the odd ones are missing."""
    behind(large, proxy, monkeypatch)
    keys = [f"p1/0500//{n}/{EVENTS}" for n in range(5)] + [f"p2/0100/../{EVENTS}"]
    for path in keys:
        large.put(path, b"x")
    try:
        source = objects.open_source(SourceSettings(**large.settings()))  # type: ignore[arg-type]
        if plain:
            pytest.importorskip("boto3")
        else:
            monkeypatch.setattr(source._list, "plain", None)
        memory = Memory(rescan_s=0)
        first = source.walk(memory)
        assert len(first.files) == PROJECTS * RUNS + (6 if plain else 0)
        assert len({entry.path for entry in first.files}) == len(first.files)
        assert len(first.problems) == (0 if plain else 2)
        if plain:
            # Four pages, and two of them twice: obstore asked for them first.
            assert source.spent.lists == proxy.count() == 6
        for pages in (1, 2, 3) if plain else (2,):
            monkeypatch.setattr(objects, "_SPLIT_PAGES", pages)
            monkeypatch.setattr(objects, "_LISTS_AT_ONCE", 4 - pages)
            memory = later(memory, DAY)
            memory.rescan_s = 0
            again = source.walk(memory)
            assert again.files == first.files
            assert again.problems == first.problems
    finally:
        for path in keys:
            large.delete(path)


def test_an_odd_root(bucket: moto.Bucket, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A root that is no path is read with boto3, and refused in words without it."""
    bucket.put(f"a//b/run/{EVENTS}", b"abc")
    bucket.put(f"a/b/run/{EVENTS}", b"wrong")
    uri = f"s3://{bucket.name}/lab/a//b"
    with pytest.raises(SourceError, match="//"):
        source = opened(uri=uri)
        monkeypatch.setattr(source._list, "plain", None)
        source.walk(Memory())
    pytest.importorskip("boto3")
    source = opened(uri=uri)
    listing = source.walk(Memory())
    assert sizes(listing) == {f"run/{EVENTS}": 3}
    assert source.read(f"run/{EVENTS}", 0, 9) == b"abc"
    assert source.stat(f"run/{EVENTS}") == listing.files[0]


def test_marks_of_directories_are_no_files(opened: Open, bucket: moto.Bucket) -> None:
    """An empty object `dir/`, which consoles make, is neither listed nor in the way."""
    for path in ("run/", "run/deep/", "", f"run/{EVENTS}", f"run/deep/er/{EVENTS}"):
        bucket.put(path, b"" if path.endswith("/") or not path else b"x")
    listing = opened().walk(Memory())
    assert list(sizes(listing)) == sorted([f"run/deep/er/{EVENTS}", f"run/{EVENTS}"])
    assert not listing.beside and not listing.problems


# Faults.


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


def test_a_cut_in_the_middle_of_a_listing(
    large: moto.Bucket, proxy: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on where it was."""
    behind(large, proxy, monkeypatch)
    source = objects.open_source(SourceSettings(**large.settings()))  # type: ignore[arg-type]
    proxy.only = lambda method, target: "continuation-token" in target
    proxy.cut_after, proxy.times = 20_000, 1
    assert len(source.walk(Memory()).files) == PROJECTS * RUNS
    assert source.spent.lists == proxy.count() == 5


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


def test_a_part_that_is_refused_hides_no_other(
    large: moto.Bucket, proxy: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a prefix that cannot be listed now, what is known stays, and it is told."""
    behind(large, proxy, monkeypatch)
    source = objects.open_source(SourceSettings(**large.settings()))  # type: ignore[arg-type]
    memory = Memory(rescan_s=1e12)
    memory.now += 10 * DAY
    before = source.walk(memory)
    large.put(f"p1/0007/{EVENTS}", b"xx")
    memory = later(memory, DAY)
    source.walk(memory)
    large.put(f"p1/0007/{EVENTS}", b"x")
    memory = later(memory, MINUTE)
    proxy.only = lambda method, target: "p1" in target
    proxy.status, proxy.code = 403, "AccessDenied"
    listing = source.walk(memory)
    assert list(sizes(listing)) == list(sizes(before))
    assert sizes(listing)[f"p1/0007/{EVENTS}"] == 2
    (problem,) = listing.problems
    assert (problem.path, problem.kind) == ("p1", "unreadable")
    assert "AccessDenied" in problem.message
    proxy.status = 0
    assert sizes(source.walk(later(memory, MINUTE))) == sizes(before)


# Credentials.


def test_credentials_of_one_source_alone(
    opened: Open, bucket: moto.Bucket, proxy: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those with the prefix count, and nothing of the others is mixed in."""
    bucket.put(f"run/{EVENTS}", b"abc")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "TOKENOFANOTHER")
    monkeypatch.setenv("LAB_AWS_ACCESS_KEY_ID", "LABKEY")
    monkeypatch.setenv("LAB_AWS_SECRET_ACCESS_KEY", "LABSECRET")
    opened().walk(Memory())
    assert moto.ACCESS_KEY in proxy.signed[0]
    assert "x-amz-security-token" in proxy.signed[0]
    proxy.forget()
    opened(env_prefix="LAB_").walk(Memory())
    assert "Credential=LABKEY/" in proxy.signed[0]
    assert "x-amz-security-token" not in proxy.signed[0]


def test_a_public_bucket(opened: Open, bucket: moto.Bucket, proxy: Faulty) -> None:
    """Asked for without credentials, none are sent."""
    bucket.put(f"run/{EVENTS}", b"abc")
    source = opened(anonymous=True)
    (entry,) = source.walk(Memory()).files
    assert source.read(entry.path, 0, 10) == b"abc"
    assert proxy.signed == ["", ""]


def test_profiles(
    opened: Open,
    bucket: moto.Bucket,
    proxy: Faulty,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Named in the settings or the environment, they come through boto3; a missing one is told."""
    pytest.importorskip("boto3")
    bucket.put(f"run/{EVENTS}", b"abc")
    (tmp_path / "config").write_text("[profile lab]\nregion = eu-west-1\n")
    (tmp_path / "credentials").write_text(
        "[lab]\naws_access_key_id = PROFILEKEY\naws_secret_access_key = PROFILESECRET\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    opened(profile="lab", region="").walk(Memory())
    assert "Credential=PROFILEKEY/" in proxy.signed[0]
    assert "/eu-west-1/" in proxy.signed[0]
    for name in bucket.environ:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "lab")
    proxy.forget()
    opened().walk(Memory())
    assert "Credential=PROFILEKEY/" in proxy.signed[0]
    with pytest.raises(BoardlakeError, match="nobody"):
        opened(profile="nobody")


@pytest.mark.parametrize("silent", [False, True])
def test_no_credentials_are_told_at_once(
    opened: Open,
    bucket: moto.Bucket,
    proxy: Faulty,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    silent: bool,
) -> None:
    """Nobody waits minutes for a machine of a cloud that is not there; what to set is told."""
    for name in bucket.environ:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    proxy.delay_s = 60
    machine = proxy.url if silent else "http://127.0.0.1:1"
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", machine)
    with pytest.raises(SourceError, match="no credentials") as caught:
        opened(timeout=1).walk(Memory())
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint
    assert proxy.count() == silent


def test_azure_needs_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which one it is stands in no URI."""
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(UsageError, match="account"):
        objects.open_source(SourceSettings(uri="az://container/x"))


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
