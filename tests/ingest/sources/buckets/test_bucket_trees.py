"""What is remembered of a bucket: listings are those of `Chosen`, and plans ask the least."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from boardlake.core.settings import SourceSettings
from boardlake.core.values import FileEntry
from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.base import Listing
from boardlake.ingest.sources.buckets import odd as odd
from boardlake.ingest.sources.buckets import tree as objects_tree
from boardlake.ingest.sources.buckets.source import ObjectSource
from boardlake.ingest.sources.buckets.store import Bucket
from boardlake.ingest.sources.buckets.tree import Node, Rules, Tree
from boardlake.ingest.sources.chosen import Chosen

EVENTS = "events.out.tfevents.1"
DAY = 86_400.0
folders = st.lists(st.sampled_from(["a", "b", "train", "tmp", "x-1", "ü"]), max_size=4)
names = st.sampled_from([EVENTS, f"{EVENTS}.2", "hparams.yaml"])
paths = st.builds(lambda parts, name: "/".join([*parts, name]), folders, names)
files = st.sets(paths, max_size=25)


def item(path: str, size: int = 3, seconds: float = 1e9) -> dict[str, Any]:
    """An object as a client lists it."""
    when = datetime.fromtimestamp(seconds, UTC)
    return {"path": path, "size": size, "last_modified": when, "e_tag": f'"{size}"'}


def as_is(found: Listing) -> tuple[list[FileEntry], dict[str, list[FileEntry]]]:
    """What can be compared of a listing."""
    beside = {d: sorted(entries, key=lambda one: one.path) for d, entries in found.beside.items()}
    return found.files, beside


@given(
    files,
    st.sampled_from([("**",), ("a/**",), ("train",), ("*.2",)]),
    st.sampled_from([(), ("tmp",), ("a/b",), ("tmp", "a/*/train/*"), ("**",)]),
    st.integers(1, 8),
)
def test_a_listing_is_that_of_chosen(
    held: set[str], include: tuple[str, ...], exclude: tuple[str, ...], page: int
) -> None:
    """Whatever the paths, patterns and page size, also when it comes out of the memory as JSON."""
    objects = [item(f"root/{path}") for path in sorted(held)]
    rows = Rules(include, exclude).gather([objects[:7], objects[7:]], len("root/"))
    tree = Tree(page)
    tree.root = tree.build("", rows, 2e9, None)
    assert tree.root["k"] == len(held)
    expected = Chosen(include, exclude).listing(
        FileEntry(path, 3, 10**18, '"3"') for path in sorted(held)
    )
    assert as_is(tree.listing(2e9)) == as_is(expected)
    again = Tree(page, json.loads(json.dumps(tree.root)))
    assert as_is(again.listing(None)) == as_is(expected)


def test_data_sets_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a million pictures beside logs few are kept; logs behind them are found all the same."""
    monkeypatch.setattr(objects_tree, "_MANY_BESIDE", 50)
    monkeypatch.setattr(objects_tree, "_MOST_BESIDE", 80)
    monkeypatch.setattr(objects_tree, "_FEW_BESIDE", 3)
    held = [f"data/{n:02}/{m:02}.png" for n in range(30) for m in range(10)]
    held += [f"runs/{n}/{name}" for n in range(9) for name in ("args.txt", EVENTS)]
    rows = list(Rules(("**",), ()).gather([[item(path) for path in held]], 0))
    assert sum(row[1] for row in rows) == len(held)
    assert [row[0] for row in rows if row[3]] == [f"runs/{n}" for n in range(9)]
    assert [len(row[7].split()) for row in rows] == [10] * 6 + [3] * 7 + [0] * 26


def made(
    keys: dict[str, int], now: float, page: int = 10, old: Node | None = None, at: float = 0
) -> Tree:
    """A tree of so many keys below each prefix, of the time *now*, listed *at* a later one."""
    objects = [
        item(f"{prefix}/{n:04}/{EVENTS}", 3, now)
        for prefix, count in sorted(keys.items())
        for n in range(count)
    ]
    tree = Tree(page)
    tree.root = tree.build("", Rules(("**",), ()).gather([objects], 0), at or now, old)
    return tree


def test_only_what_is_due_is_listed() -> None:
    """Of prefixes that are quiet none is asked for, as long as that takes fewer requests."""
    tree = made({f"p{n}": 30 for n in range(9)}, 0.0)
    assert tree.root is not None and list(tree.root["s"]) == [f"p{n}" for n in range(9)]
    live = {"p3"}

    def due(looked: float, changed: float) -> bool:
        return changed > 50

    plan = tree.plan(due)
    assert not plan.flat and not plan.levels
    for name in live:
        tree.root["s"][name]["c"] = 100.0
    tree.root["c"] = 100.0
    plan = tree.plan(due)
    assert (plan.flat, plan.levels) == (["p3"], [""])


def test_all_is_listed_where_that_is_as_cheap() -> None:
    """One listing of everything costs no more than several of what is due: it sees more."""
    tree = made({f"p{n}": 11 for n in range(4)}, 0.0)
    assert tree.plan(lambda *_: True).flat == [""]
    small = made({f"p{n}": 2 for n in range(4)}, 0.0)
    assert small.root is not None and not small.root["s"]
    assert small.plan(lambda *_: True).flat == [""]


def test_many_small_prefixes_are_no_parts() -> None:
    """Where listing names takes as long as listing keys, nothing is told apart."""
    tree = made({f"p{n:03}": 2 for n in range(100)}, 0.0)
    assert tree.root is not None and not tree.root["s"]


def test_parts_of_parts() -> None:
    """Of a project with many runs only the live run is listed."""
    tree = made({f"lab/p{p}/r{n}": 10 for p in range(3) for n in range(5)}, 0.0)

    def touch(node: Node, names: list[str]) -> None:
        node["c"] = 100.0
        if names and names[0] in node["s"]:
            touch(node["s"][names[0]], names[1:])

    assert tree.root is not None
    touch(tree.root, ["lab", "p1", "r2"])
    plan = tree.plan(lambda looked, changed: changed > 50)
    assert plan.flat == ["lab/p1/r2"]
    assert plan.levels == ["", "lab", "lab/p1"]


def test_what_changed_is_told_by_prefix() -> None:
    """A node changes when its keys do; at first, when the newest of them did."""
    tree = made({"a": 11, "b": 11}, 1000.0)
    first = tree.root
    assert first is not None and first["c"] == 1000.0
    assert made({"a": 11, "b": 11}, 1000.0, old=first, at=2000.0).root == {
        **first,
        "l": 2000.0,
        "s": {name: {**node, "l": 2000.0} for name, node in first["s"].items()},
    }
    other = made({"a": 12, "b": 11}, 1000.0, old=first, at=2000.0).root
    assert other is not None
    assert other["c"] == other["s"]["a"]["c"] == 2000.0
    assert other["s"]["b"]["c"] == 1000.0


keys = st.text(alphabet="ab/.\x01\x7f %ü", min_size=1, max_size=12)


@given(keys)
def test_odd_keys_are_told_as_the_client_does(key: str) -> None:
    """What is odd is what the client refuses, with a path behind it that the client takes."""
    store = MemoryStore()
    refused = False
    try:
        store.put(key, b"x")
    except Exception as error:
        refused = "path" in str(error).lower()
    if key.strip("/") != key:
        # The client drops these slashes silently, which would be another key.
        assert odd.is_odd(key)
        return
    assert odd.is_odd(key) == refused
    found = odd.find(key)
    assert (found is not None) == refused
    if found:
        store.list(offset=found.behind)
        assert found.behind > key
        assert not odd.is_odd(found.behind)
        shown = odd.shown(key)
        assert not odd.is_odd(shown)


grid = [f"{a}/{b}/{n}/{EVENTS}" for a in ("a", "b", "ü") for b in "xyz" for n in range(6)]
changed = st.tuples(st.booleans(), st.sampled_from(grid) | paths)
steps = st.tuples(st.lists(changed, max_size=3), st.sampled_from([60, 60, 10**9]))


@given(st.sets(paths, max_size=9), st.lists(steps, min_size=3, max_size=8), st.integers(1, 4))
def test_a_memory_never_hides_for_ever(
    begin: set[str], later: list[tuple[list[tuple[bool, str]], int]], page: int
) -> None:
    """However a bucket changed between walks, once everything is due the listing is what is there;
    before, it is what was there at the last walk or is now."""
    store = MemoryStore()
    settings = SourceSettings(uri="s3://bucket/root")
    bucket = Bucket(store, "s3", "bucket", "root", page, True)  # type: ignore[arg-type]
    source = ObjectSource(settings, bucket)
    held: dict[str, int] = {}

    def change(path: str, size: int) -> None:
        if size:
            held[path] = size
            store.put(f"root/{path}", b"x" * size)
        elif path in held:
            del held[path]
            store.delete(f"root/{path}")

    for path in begin | set(grid):
        change(path, 1)
    memory = Memory(rescan_s=1e12, now=2e9)
    source.walk(memory)
    seen = dict(held)
    for number, (changes, wait) in enumerate(later):
        for keep, path in changes:
            change(path, number + 2 if keep else 0)
        if not held:
            return
        memory = Memory(json.loads(json.dumps(memory.data)), 2e9, memory.now + wait, 1e12)
        listing = source.walk(memory)
        if wait > DAY:
            assert sizes(listing) == {p: n for p, n in held.items() if EVENTS in p}
        for path, size in sizes(listing).items():
            assert size in (held.get(path), seen.get(path))
        seen = sizes(listing)
    memory.now += 100 * 365 * DAY
    assert as_is(source.walk(memory)) == as_is(source.walk(Memory()))


def sizes(listing: Listing) -> dict[str, int]:
    """The files with their sizes."""
    return {entry.path: entry.size for entry in listing.files}
