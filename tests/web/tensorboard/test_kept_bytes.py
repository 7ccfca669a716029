"""Byte strings that are kept are those of the lake, bounded, and gone with their run."""

from __future__ import annotations

import pytest

from boardlake.api.service import Service
from boardlake.api.tensorboard import kept_bytes
from boardlake.api.tensorboard.kept_bytes import KeptBytes
from boardlake.api.tensorboard.keys import Key
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake import media

AT = 1_700_000_000.0


def pictures(log: EventWriter) -> None:
    """Ten steps of two tags."""
    for step in range(10):
        for number, tag in enumerate(("a", "b")):
            log.image(tag, bytes([20 * step + number]) * 50, 4, 4, step, AT + step)


@pytest.fixture
def stored(filled: object) -> tuple[Service, dict[Key, bytes]]:
    """A lake of pictures, and all of them by key."""
    _, service = filled({"run": pictures})  # type: ignore[operator]
    with service.cursor() as con:
        rows = con.execute(
            "SELECT run_key, file_id, record, idx, tag, data FROM blobs JOIN runs USING (run_id)"
            " WHERE plugin = 'images'"
        ).fetchall()
    return service, {Key(*row[:5]): row[5] for row in rows}


def test_it_gives_what_is_stored(
    stored: tuple[Service, dict[Key, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told of or not; those of one series in one question; no more than there is room for."""
    service, all_bytes = stored
    assert len(all_bytes) == 20
    asked = []
    several = media.several

    def counted(*given: object) -> object:
        asked.append(given)
        return several(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(media, "several", counted)
    kept = KeptBytes(service)
    kept.tell([key for key in all_bytes if key.tag == "a"])
    assert {key: kept.get(key) for key in all_bytes} == all_bytes
    assert len(asked) == 1 + 10
    assert {key: kept.get(key) for key in all_bytes} == all_bytes
    assert len(asked) == 11
    monkeypatch.setattr(kept_bytes, "_KEPT", 300)
    small = KeptBytes(service)
    small.tell(list(all_bytes))
    assert {key: small.get(key) for key in all_bytes} == all_bytes
    assert small._size <= 300


def test_what_is_deleted_is_gone(stored: tuple[Service, dict[Key, bytes]]) -> None:
    """No copy answers for a run that the lake has no more; what never was is told."""
    service, all_bytes = stored
    kept = KeptBytes(service)
    key = next(iter(all_bytes))
    assert kept.get(key) == all_bytes[key]
    with pytest.raises(media.NoSuchMedia):
        kept.get(key._replace(record=10_000))
    service.delete([key.run_key])
    with pytest.raises(Exception, match="no run"):
        kept.get(key)
    assert not kept._bytes
