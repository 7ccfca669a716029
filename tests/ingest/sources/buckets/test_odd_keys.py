"""Keys that are no paths: they hide nothing, and are read where boto3 is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from boardlake.core.errors import SourceError
from boardlake.core.settings import SourceSettings
from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.base import Changed
from boardlake.ingest.sources.buckets import odd as odd
from boardlake.ingest.sources.buckets import source as objects
from boardlake.tests.servers import moto, radosgw
from boardlake.tests.servers.faulty import Faulty

from .conftest import DAY, EVENTS, MINUTE, Open, behind, later, sizes

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
