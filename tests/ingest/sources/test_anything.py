"""Whatever fsspec reads: schemes that it may not have, clients that lie, servers that are silent."""

from __future__ import annotations

import io
import logging
import socket
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from boardlake.core.errors import SourceError, UsageError
from boardlake.core.settings import SourceSettings
from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.anything import AnySource, open_source
from boardlake.tests.servers.ftp import Ftp
from boardlake.tests.servers.webhdfs import Hadoop

EVENTS = "events.out.tfevents.1700000000.host"

Open = Callable[..., AnySource]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens sources, and closes them."""
    sources: list[AnySource] = []

    def open_it(uri: str, **settings: Any) -> AnySource:
        sources.append(open_source(SourceSettings(uri=uri, **settings)))
        return sources[-1]

    yield open_it
    for source in sources:
        source.close()


@pytest.fixture
def place() -> Iterator[str]:
    """A folder of its own in fsspec's memory."""
    name = f"/{uuid.uuid4().hex}"
    yield name
    memory = fsspec.filesystem("memory")
    if memory.exists(name):
        memory.rm(name, recursive=True)


def test_files_in_memory(place: str, opened: Open) -> None:
    """fsspec's own memory is a source; what grows there is seen by a client that is already open."""
    memory = fsspec.filesystem("memory")
    memory.pipe(f"{place}/a/{EVENTS}", b"abc")
    memory.pipe(f"{place}/a b/100%/{EVENTS}", b"abcd")
    memory.pipe(f"{place}/a/hparams.yaml", b"lr: 1\n")
    source = opened(f"memory:/{place}")
    listing = source.walk(Memory())
    assert [(e.path, e.size) for e in listing.files] == [
        *((f"a b/100%/{EVENTS}", 4), (f"a/{EVENTS}", 3))
    ]
    assert [entry.path for entry in listing.beside["a"]] == ["a/hparams.yaml"]
    memory.pipe(f"{place}/a/{EVENTS}", b"abcdefgh")
    grown = source.walk(Memory()).files[1]
    assert grown.size == 8 and grown != listing.files[1]
    assert source.stat(grown.path) == grown
    assert source.read(grown.path, 3, 100, grown.version) == b"defgh"
    assert source.read(grown.path, 100, 100, grown.version) == b""
    with pytest.raises(SourceError, match="there is nothing") as caught:
        opened("memory://no-such/place").walk(Memory())
    assert "memory://no-such/place" in str(caught.value)


def test_one_file_as_the_root(place: str, opened: Open) -> None:
    """The URL of an event file is a source of one file."""
    memory = fsspec.filesystem("memory")
    memory.pipe(f"{place}/{EVENTS}", b"abc")
    memory.pipe(f"{place}/{EVENTS}.2", b"abcd")
    source = opened(f"memory:/{place}/{EVENTS}")
    (entry,) = source.walk(Memory()).files
    assert (entry.path, entry.size) == (EVENTS, 3)
    assert source.read(EVENTS, 1, 10) == b"bc"


def test_schemes_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is named, and how to get it; what has a kind of its own is told."""

    def refusal(uri: str) -> UsageError:
        with pytest.raises(UsageError) as caught:
            open_source(SourceSettings(uri=uri))
        return caught.value

    assert "no scheme" in refusal("nosuchthing://host/path").message
    monkeypatch.setitem(sys.modules, "smbprotocol", None)
    monkeypatch.setitem(sys.modules, "smbclient", None)
    for name in [name for name in sys.modules if name == "fsspec.implementations.smb"]:
        monkeypatch.delitem(sys.modules, name)
    missing = refusal("smb://host/share/path")
    assert "package" in missing.message and "smbprotocol" in missing.hint
    for uri, instead in (
        ("s3a://bucket/logs", "s3://"),
        ("abfs://container/logs", "az://"),
        ("webdav://host/logs", "davs://"),
    ):
        assert instead in refusal(uri).hint
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert "boardlake[fsspec]" in refusal("ftp://host/logs").hint


class _Whole(MemoryFileSystem):  # type: ignore[misc]
    """A client whose reads ignore what was asked for, as some do."""

    protocol = "whole"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(MemoryFileSystem._strip_protocol(path.replace("whole://", "memory://")))

    def _open(self, path: str, *_: Any, **__: Any) -> Any:
        data = super().cat_file(path)

        class Stubborn(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                return data

        return Stubborn()


class _Confused(MemoryFileSystem):  # type: ignore[misc]
    """A client that takes what follows a question mark for a query."""

    protocol = "confused"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        stripped = MemoryFileSystem._strip_protocol(path.replace("confused://", "memory://"))
        return str(stripped).partition("?")[0]

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> Any:
        found = super().ls(path, detail, **kwargs)
        outside = {"name": "/elsewhere/x.tfevents", "size": 1, "type": "file"}
        bare = {"name": f"{path}/..", "size": 1, "type": "directory"}
        return [*found, outside, bare, {"name": path, "size": 0, "type": "directory"}]


def test_clients_that_ignore_ranges(place: str, opened: Open) -> None:
    """Bytes that were not asked for are not taken for those that were."""
    fsspec.register_implementation("whole", _Whole, clobber=True)
    fsspec.filesystem("memory").pipe(f"{place}/{EVENTS}", b"abcdefgh")
    source = opened(f"whole:/{place}")
    (entry,) = source.walk(Memory()).files
    with pytest.raises(OSError, match="other bytes"):
        source.read(EVENTS, 4, 2, entry.version)


def test_names_that_a_client_confuses(place: str, opened: Open) -> None:
    """A name that it would take for another is a problem, and hides nothing; nor do odd listings."""
    fsspec.register_implementation("confused", _Confused, clobber=True)
    memory = fsspec.filesystem("memory")
    memory.pipe(f"{place}/{EVENTS}", b"abc")
    memory.pipe(f"{place}/{EVENTS}?x", b"abcd")
    memory.pipe(f"{place}/run?1/{EVENTS}", b"abcd")
    listing = opened(f"confused:/{place}").walk(Memory())
    assert [entry.path for entry in listing.files] == [EVENTS]
    assert {(p.path, p.kind) for p in listing.problems} == {
        *((f"{EVENTS}?x", "unreadable"), ("run?1", "unreadable"))
    }


def test_one_listing_for_each_folder(
    hadoop: Hadoop, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan asks once for each folder, and for those that are long unchanged not at all."""
    folder = hadoop.folder()
    for name, value in folder.environ.items():
        monkeypatch.setenv(name, value)
    for n in range(10):
        folder.put(f"runs/{n}/{EVENTS}", b"abcdef")
    source, memory = opened(str(folder.settings()["uri"])), Memory()
    hadoop.asked.clear()
    listing = source.walk(memory)
    assert [operation for operation, _ in hadoop.asked] == ["LISTSTATUS"] * 12
    assert source.spent.lists == 12
    day = Memory(memory.data, memory.now, now=memory.now + 86_400)
    assert source.walk(day).files == listing.files
    hadoop.asked.clear()
    again = Memory(day.data, day.now, now=day.now + 60)
    assert source.walk(again).files == listing.files
    assert not hadoop.asked
    hadoop.asked.clear()
    assert source.read(f"runs/3/{EVENTS}", 2, 3) == b"cde"
    assert [operation for operation, _ in hadoop.asked].count("OPEN") == 2
    assert source.spent.bytes == 3


def test_secrets_are_never_shown(
    hadoop: Hadoop,
    ftp_server: Ftp,
    opened: Open,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A server that writes the token into its refusal, and clients that write URLs into errors."""
    caplog.set_level(logging.INFO)
    folder = hadoop.folder()
    folder.put(f"a/{EVENTS}", b"abc")
    uri = str(folder.settings()["uri"])
    wrong = "a-wrong-token-that-nobody-may-see"
    said: list[str] = []
    monkeypatch.setenv("FSSPEC_WEBHDFS_TOKEN", wrong)
    for where in (uri, "webhdfs://127.0.0.1:1/logs"):
        source = opened(where, timeout=2)
        with pytest.raises(SourceError) as caught:
            source.walk(Memory())
        with pytest.raises(OSError) as failed:
            source.read(f"a/{EVENTS}", 0, 10)
        said += [str(caught.value), repr(caught.value), caught.value.hint, repr(source)]
        said += [str(failed.value), repr(failed.value)]
        assert where in str(caught.value)
    share = ftp_server.folder()
    monkeypatch.setenv("FSSPEC_FTP_USERNAME", "ftp-reader-of-logs")
    monkeypatch.setenv("FSSPEC_FTP_PASSWORD", wrong)
    with pytest.raises(SourceError) as caught:
        opened(str(share.settings()["uri"])).walk(Memory())
    said += [str(caught.value), repr(caught.value)]
    assert not [text for text in said if wrong in text]
    assert wrong not in caplog.text


def test_credentials_of_one_source(
    hadoop: Hadoop, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a prefix of its own a source takes no other's variables."""
    folder = hadoop.folder()
    folder.put(f"a/{EVENTS}", b"abc")
    uri = str(folder.settings()["uri"])
    monkeypatch.setenv("FSSPEC_WEBHDFS_TOKEN", folder.environ["FSSPEC_WEBHDFS_TOKEN"])
    assert len(opened(uri).walk(Memory()).files) == 1
    with pytest.raises(SourceError):
        opened(uri, env_prefix="LAB_").walk(Memory())
    monkeypatch.setenv("LAB_FSSPEC_WEBHDFS_TOKEN", folder.environ["FSSPEC_WEBHDFS_TOKEN"])
    monkeypatch.setenv("FSSPEC_WEBHDFS_TOKEN", "wrong")
    assert len(opened(uri, env_prefix="LAB_").walk(Memory()).files) == 1


@pytest.mark.parametrize("scheme", ["webhdfs", "ftp"])
def test_servers_that_are_silent(scheme: str, opened: Open) -> None:
    """They cost a time-out, and not a scan for ever."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        uri = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/logs"
        with pytest.raises(SourceError) as caught:
            opened(uri, timeout=0.3).walk(Memory())
        assert uri in str(caught.value)


def test_a_server_that_hung_up(
    ftp_server: Ftp, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that was closed while nothing was asked is opened again, unseen."""
    folder = ftp_server.folder()
    for name, value in folder.environ.items():
        monkeypatch.setenv(name, value)
    folder.put(f"a/{EVENTS}", b"abcdef")
    source = opened(str(folder.settings()["uri"]))
    assert len(source.walk(Memory()).files) == 1

    def hang_up() -> None:
        client = source._cls(**source._options)
        client.ftp.sock.shutdown(socket.SHUT_RDWR)
        source._idle.put(client)

    hang_up()
    assert source.read(f"a/{EVENTS}", 1, 2) == b"bc"
    hang_up()
    assert len(source.walk(Memory()).files) == 1
    hang_up()
    assert source.stat(f"a/{EVENTS}") is not None
