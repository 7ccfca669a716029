"""From settings to sources that a cycle can run over."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from ..core.errors import UsageError
from ..core.settings import SourceSettings, source_for
from ..lake.sources import SourceFacts
from .cycle import SourceSetup
from .discover import Rules
from .plan import PlanSettings
from .sources.local import LocalSource


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
        return [_setup(name, source) for name, source in configured.items()]
    by_root = {os.path.realpath(source.uri): name for name, source in configured.items()}
    found: dict[str, SourceSetup] = {}
    for path in paths:
        name, source = source_for(path)
        known = by_root.get(os.path.realpath(source.uri))
        if known:
            found[known] = _setup(known, configured[known])
        else:
            found[name] = _setup(name, source, label=os.path.basename(source.uri))
    return list(found.values())


def _setup(name: str, settings: SourceSettings, label: str = "") -> SourceSetup:
    machine = settings.machine or socket.gethostname()
    source = LocalSource(
        settings.uri,
        settings.include,
        settings.exclude,
        follow_symlinks=settings.follow_symlinks,
    )
    facts = SourceFacts(
        source=name,
        uri=settings.uri,
        machine=machine,
        kind="local",
        project=settings.project,
        policy=settings.policy,
        stalled_after_s=settings.stalled_after,
        finished_after_s=settings.finished_after,
    )
    rules = Rules(
        name, machine, settings.project, settings.streams, settings.run_pattern, label or name
    )
    plan = PlanSettings(rules, mirror=settings.policy == "mirror", media=settings.media)
    return SourceSetup(source, facts, plan)
