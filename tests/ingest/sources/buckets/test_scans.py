"""Buckets over real servers: what scans of many keys and of few cost."""

from __future__ import annotations

import pytest

from boardlake.core.settings import SourceSettings
from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.base import Changed
from boardlake.ingest.sources.buckets import odd as odd
from boardlake.ingest.sources.buckets import source as objects
from boardlake.tests.servers import moto
from boardlake.tests.servers.faulty import Faulty

from .conftest import DAY, EVENTS, HOUR, MINUTE, PROJECTS, RUNS, Open, behind, later, sizes


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
