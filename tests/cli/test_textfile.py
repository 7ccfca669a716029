"""`ingest --metrics-file`: whole files only, for whoever reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from boardlake.cli.main import main
from boardlake.ingest.sample.writer import EventWriter


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """One source with one run of ten points."""
    with EventWriter(tmp_path / "logs" / "a" / "events.out.tfevents.1.h") as writer:
        writer.file_version(1.7e9)
        for step in range(10):
            writer.scalar("loss", 1.0, step, 1.7e9 + step)
    path = tmp_path / "boardlake.toml"
    path.write_text('lake.path = "lake"\n[sources.lab]\nuri = "logs"\n')
    return path


def test_each_cycle_replaces_the_file(config: Path, tmp_path: Path) -> None:
    """Any user may read it, and nothing else is left in the folder that is read."""
    folder = tmp_path / "collector"
    folder.mkdir()
    path = folder / "boardlake.prom"
    for cycles in (1, 2):
        assert main(["--config", str(config), "ingest", "--metrics-file", str(path)]) == 0
        found = {
            one.name: one.samples[0] for one in text_string_to_metric_families(path.read_text())
        }
        assert found["boardlake_source_cycles"].value == cycles
        assert found["boardlake_lake_points"].value == 10
        assert found["boardlake_source_points"].labels == {"source": "lab"}
        assert [one.name for one in folder.iterdir()] == ["boardlake.prom"]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("place", ["nowhere/x.prom", "."])
def test_a_place_that_cannot_be_is_named(
    place: str, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is read."""
    wanted = tmp_path / place
    assert main(["--config", str(config), "ingest", "--metrics-file", str(wanted)]) == 2
    assert str(wanted) in capsys.readouterr().err
    assert not (tmp_path / "lake").exists()
