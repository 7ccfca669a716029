"""Every kind of source over a real server: `served` is each of them in turn, `opened` its client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.settings import SourceSettings
from boardlake.ingest.setup import open_source
from boardlake.ingest.sources.base import Source
from boardlake.tests.servers import azurite, ftp, moto, nginx, radosgw, rclone, sshd, webhdfs
from boardlake.tests.servers.base import Served
from boardlake.tests.servers.local import Tree

KINDS = (
    "local",
    "s3-moto",
    "s3-radosgw",
    "gs",
    "az",
    "http-json",
    "http-html",
    "http-rclone",
    "dav",
    "ftp",
    "webhdfs",
    "ssh",
    "sftp",
)


@pytest.fixture(scope="session")
def moto_server() -> Iterator[moto.Moto]:
    """Buckets in memory."""
    with moto.moto() as running:
        yield running


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[radosgw.Gateway]:
    """Buckets of Ceph."""
    if reason := radosgw.missing():
        pytest.skip(reason)
    with radosgw.radosgw(tmp_path_factory.mktemp("radosgw")) as running:
        yield running


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[azurite.Account]:
    """Containers of azurite."""
    if reason := azurite.missing():
        pytest.skip(reason)
    with azurite.azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.fixture(scope="session")
def web_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[nginx.Nginx]:
    """Indexes of files by nginx."""
    if reason := nginx.missing():
        pytest.skip(reason)
    with nginx.nginx(tmp_path_factory.mktemp("nginx")) as running:
        yield running


@pytest.fixture(scope="session")
def shares(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rclone.Rclone]:
    """WebDAV and pages by rclone."""
    if reason := rclone.missing():
        pytest.skip(reason)
    with rclone.rclone(tmp_path_factory.mktemp("rclone")) as running:
        yield running


@pytest.fixture(scope="session")
def shells() -> Iterator[sshd.Cluster]:
    """A machine that gives a shell to those who log in."""
    with sshd.cluster() as running:
        yield running


@pytest.fixture(scope="session")
def no_shells() -> Iterator[sshd.Cluster]:
    """A machine that gives files alone."""
    with sshd.cluster(shell=False) as running:
        yield running


@pytest.fixture(scope="session")
def ftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ftp.Ftp]:
    """Files by FTP."""
    if reason := ftp.missing():
        pytest.skip(reason)
    with ftp.ftp(tmp_path_factory.mktemp("ftp")) as running:
        yield running


@pytest.fixture(scope="session")
def hadoop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webhdfs.Hadoop]:
    """Files by WebHDFS."""
    with webhdfs.webhdfs(tmp_path_factory.mktemp("webhdfs")) as running:
        yield running


def serve(name: str, ask: Callable[[str], Any], folder: Path) -> Served:
    """An empty tree on the server of the kind *name*."""
    if name == "s3-moto":
        return ask("moto_server").bucket("s3")
    if name == "gs":
        return ask("moto_server").bucket("gs")
    if name == "s3-radosgw":
        return ask("gateway").bucket()
    if name == "az":
        return ask("azure").container()
    if name in ("http-json", "http-html"):
        return ask("web_server").site(name.removeprefix("http-"))
    if name in ("http-rclone", "dav"):
        return ask("shares").share(name.removesuffix("-rclone"))
    if name in ("ssh", "sftp"):
        machine: sshd.Cluster = ask("shells" if name == "ssh" else "no_shells")
        return machine.fresh()
    if name == "ftp":
        return ask("ftp_server").folder()
    if name == "webhdfs":
        return ask("hadoop").folder()
    return Tree(folder / "tree")


@pytest.fixture(params=KINDS)
def served(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Served:
    """An empty tree on each server in turn; its credentials are in the environment."""
    tree = serve(request.param, request.getfixturevalue, tmp_path)
    for name, value in tree.environ.items():
        monkeypatch.setenv(name, value)
    return tree


@pytest.fixture
def opened(served: Served) -> Iterator[Callable[..., Source]]:
    """Opens clients of the tree with further settings, and closes them."""
    sources: list[Source] = []

    def open_it(**settings: Any) -> Source:
        sources.append(open_source(SourceSettings(**{**served.settings(), **settings})))
        return sources[-1]

    yield open_it
    for source in sources:
        assert not shown(served, repr(source))
        source.close()


def shown(served: Served, *texts: object) -> list[str]:
    """The names of credentials that stand in *texts*."""
    return [
        name
        for name, value in served.environ.items()
        if len(value) > 3 and any(value in str(text) for text in texts)
    ]
