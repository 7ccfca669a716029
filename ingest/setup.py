"""From settings to sources that a cycle can run over."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ..core import places
from ..core.errors import UsageError
from ..core.settings import SourceSettings, source_for
from ..lake.sources import SourceFacts
from .discover import Rules
from .plan import PlanSettings
from .sources.base import Source


@dataclass
class SourceSetup:
    """A source with what its settings say of it; `open` connects to nothing before it is asked.

    `open` raises SourceError or UsageError, as where an extra is not installed. `key` tells these
    settings from any other, for what is remembered between scans.
    """

    name: str
    settings: SourceSettings
    facts: SourceFacts
    plan: PlanSettings
    open: Callable[[], Source]
    key: str


def setups(
    configured: Mapping[str, SourceSettings], paths: tuple[str, ...] = ()
) -> list[SourceSetup]:
    """The sources of a cycle: the *configured* ones, or those for *paths* if any are given.

    A path that a configured source has as its root is that source. Raises `UsageError` when there is
    nothing to scan.
    """
    if not paths:
        if not configured:
            raise UsageError(
                "there is nothing to scan: no source is configured and no path given",
                hint="`boardlake ingest PATH`, or [sources.NAME] in the config file",
            )
        return [one for name, source in configured.items() for one in _setups(name, source)]
    by_root = {_root(source.uri): name for name, source in configured.items()}
    found: dict[str, list[SourceSetup]] = {}
    for path in paths:
        name, source = source_for(path)
        known = by_root.get(_root(source.uri))
        if known:
            found[known] = list(_setups(known, configured[known]))
        else:
            found[name] = list(_setups(name, source, label=os.path.basename(source.uri)))
    return [one for many in found.values() for one in many]


def _root(uri: str) -> str:
    return os.path.realpath(uri) if places.kind_of(uri) == "local" else uri


def _setups(name: str, settings: SourceSettings, label: str = "") -> Iterator[SourceSetup]:
    """One for each host of a source that has many."""
    if not settings.hosts:
        yield _setup(name, settings, label)
        return
    from .sources.ssh.hosts import expand

    remote = places.parse(settings.uri)
    for host in expand(settings.hosts, settings.ssh_config):
        own = settings.model_copy(
            update={
                "uri": f"{remote.scheme}://{host}/{'' if remote.absolute else '~/'}{remote.path}",
                "hosts": (),
                "machine": settings.machine or host,
            }
        )
        yield _setup(f"{name}.{host}", own, label)


def _setup(name: str, settings: SourceSettings, label: str = "") -> SourceSetup:
    kind = places.kind_of(settings.uri)
    machine = settings.machine or _machine(kind, settings.uri)
    facts = SourceFacts(
        source=name,
        uri=settings.uri,
        machine=machine,
        kind=kind,
        project=settings.project,
        policy=settings.policy,
        stalled_after_s=settings.stalled_after,
        finished_after_s=settings.finished_after,
    )
    rules = Rules(
        name, machine, settings.project, settings.streams, settings.run_pattern, label or name
    )
    plan = PlanSettings(rules, mirror=settings.policy == "mirror", media=settings.media)
    digest = hashlib.blake2b(settings.model_dump_json().encode(), digest_size=12)
    return SourceSetup(
        name, settings, facts, plan, lambda: open_source(settings), digest.hexdigest()
    )


def _machine(kind: str, uri: str) -> str:
    host = "" if kind == "local" else places.parse(uri).host
    return host or socket.gethostname()


def open_source(settings: SourceSettings) -> Source:
    """The client of a source's kind; what it needs is imported only here.

    Raises SourceError, and UsageError where an extra is not installed.
    """
    kind = places.kind_of(settings.uri)
    if kind == "local":
        from .sources.local.source import LocalSource

        return LocalSource(
            settings.uri,
            settings.include,
            settings.exclude,
            follow_symlinks=settings.follow_symlinks,
            cross_mounts=settings.cross_mounts,
        )
    if kind in ("s3", "gs", "az"):
        from .sources.buckets import source as buckets

        return buckets.open_source(settings)
    if kind == "dav":
        from .sources.web import dav

        return dav.open_source(settings)
    if kind == "http":
        from .sources.web import index

        return index.open_source(settings)
    if kind == "ssh":
        from .sources.ssh import opened

        return opened.open_source(settings)
    if kind == "slurm":
        from .sources.slurm import source as slurm

        return slurm.open_source(settings)
    from .sources import anything

    return anything.open_source(settings)
