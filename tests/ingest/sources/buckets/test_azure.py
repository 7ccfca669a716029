"""Azure Blob Storage as azurite speaks it: blobs that grow in place, and what it does not heed."""

from __future__ import annotations

import pytest

from boardlake.core.errors import SourceError
from boardlake.core.settings import SourceSettings
from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.base import Changed
from boardlake.ingest.sources.buckets import source as objects
from boardlake.ingest.sources.buckets.source import ObjectSource
from boardlake.tests.servers import azurite
from boardlake.tests.servers.faulty import faulty

from .conftest import EVENTS


@pytest.fixture
def container(azure: azurite.Account, monkeypatch: pytest.MonkeyPatch) -> azurite.Container:
    """An empty one; the account's key is in the environment."""
    found = azure.container()
    for name, value in found.environ.items():
        monkeypatch.setenv(name, value)
    return found


def opened(container: azurite.Container, **settings: object) -> ObjectSource:
    """The client of a container."""
    return objects.open_source(SourceSettings(**{**container.settings(), **settings}))  # type: ignore[arg-type]


def test_a_growing_blob(container: azurite.Container) -> None:
    """It has another ETag for each append, which is told; the end is no error."""
    container.put(f"run/{EVENTS}", b"abc")
    source = opened(container)
    (first,) = source.walk(Memory()).files
    container.append(f"run/{EVENTS}", b"def")
    with pytest.raises(Changed):
        source.read(first.path, 3, 10, first.version)
    (entry,) = source.walk(Memory()).files
    assert entry.version != first.version
    assert source.read(entry.path, 3, 10, entry.version) == b"def"
    assert source.read(entry.path, 6, 10, entry.version) == b""
    assert source.stat(entry.path) == entry


def test_odd_keys_hide_only_their_directory(container: azurite.Container) -> None:
    """The server does not heed where to start: what lies elsewhere is found by its directories."""
    held = [f"{where}/{EVENTS}" for where in ("a", "b/x", "c/y", "d")]
    for path in [*held, f"b//odd/{EVENTS}"]:
        container.put(path, path.encode())
    source = opened(container)
    memory = Memory(rescan_s=0)
    for _ in range(2):
        listing = source.walk(memory)
        found = [entry.path for entry in listing.files]
        assert set(held) - {f"b/x/{EVENTS}"} <= set(found) <= set(held)
        assert len(found) == len(set(found))
        assert {problem.path for problem in listing.problems} == {"b"}
        assert any(f"b/\\x2fodd/{EVENTS}" in problem.message for problem in listing.problems)
    for entry in listing.files:
        assert source.read(entry.path, 0, 1000, entry.version) == entry.path.encode()


@pytest.mark.parametrize("wrong", ["key", "container", "account"])
def test_refusals_show_no_secret(
    container: azurite.Container, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    """Neither the key nor the signature is told."""
    container.put(f"run/{EVENTS}", b"abc")
    key = container.environ["AZURE_STORAGE_ACCOUNT_KEY"]
    settings: dict[str, object] = {}
    if wrong == "key":
        key = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", key)
    elif wrong == "container":
        settings["uri"] = "az://there-is-none/x"
    else:
        settings["account"] = "another"
    with pytest.raises(SourceError) as caught:
        opened(container, **settings).walk(Memory())
    said = f"{caught.value} {caught.value.hint} {caught.value!r}"
    assert str(settings.get("uri", container.settings()["uri"])) in said
    assert key not in said and "SharedKey" not in said and "<" not in said


def test_a_key_of_this_source_alone(
    container: azurite.Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prefixed one counts, not the other."""
    container.put(f"run/{EVENTS}", b"abc")
    key = container.environ["AZURE_STORAGE_ACCOUNT_KEY"]
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "d3Jvbmc=")
    monkeypatch.setenv("LAB_AZURE_STORAGE_ACCOUNT_KEY", key)
    assert len(opened(container, env_prefix="LAB_").walk(Memory()).files) == 1
    with pytest.raises(SourceError):
        opened(container).walk(Memory())


def test_a_shared_access_signature_stays_out_of_errors(
    container: azurite.Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is part of the URL of each request."""
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_KEY")
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", "sv=2023-11-03&sr=c&sp=rl&sig=SECRETSIGNATURE")
    with faulty(container.port) as proxy:
        for status in (0, 403, 500):
            proxy.status, proxy.code = status, "AuthenticationFailed"
            endpoint = str(container.settings()["endpoint"]).replace(
                str(container.port), str(proxy.port)
            )
            source = opened(container, endpoint=endpoint)
            with pytest.raises(SourceError) as caught:
                source.walk(Memory())
            with pytest.raises(OSError) as read:
                source.read(f"run/{EVENTS}", 0, 5)
            assert proxy.count("SECRETSIGNATURE") > 0
            for said in (caught.value, caught.value.hint, read.value, repr(source), source._bucket):
                assert "SECRETSIGNATURE" not in str(said)
