"""What event files themselves say of a run: hyperparameters, group, checkpoints."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.values import Hparam
from ..lake.facts import ArtifactRow, RunFacts
from . import hparams, provenance
from .events import Rows

_MAX_TEXT = 1 << 20


def from_rows(rows: Rows) -> list[RunFacts]:
    """Facts from the plugin records, texts and session logs of a piece; [] if there are none."""
    found = []
    for content in rows.hparams:
        record = hparams.from_plugin(content)
        found.append(_facts(list(record.hparams), group=record.group_name))
    for tag, text in rows.texts:
        if len(text) <= _MAX_TEXT:
            said = provenance.facts_from_text_summary(tag, text)
            facts = _facts(list(said.hparams))
            facts.git_commit, facts.command = said.git_commit, said.command
            found.append(facts)
    if rows.checkpoints:
        logged = [ArtifactRow("checkpoint", path, None, None, s) for s, path in rows.checkpoints]
        found.append(RunFacts(artifacts=logged))
    return [facts for facts in found if facts != RunFacts()]


def from_pattern(groups: Mapping[str, str]) -> list[RunFacts]:
    """Hyperparameters from the named groups of a source's run pattern."""
    named = {key: text for key, text in groups.items() if key not in ("project", "group")}
    return [_facts(hparams.from_path(named))] if named else []


def _facts(found: list[Hparam], group: str = "") -> RunFacts:
    return RunFacts(
        origins={row.origin for row in found}, hparams=list(found), group_name=group or None
    )
