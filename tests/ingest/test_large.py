"""One large value costs memory for as long as it is stored, and stops nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from boardlake.cli.main import main
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate

AT = 1_700_000_000.0


def test_values_that_are_larger_than_the_memory_that_is_set(tmp_path: Path) -> None:
    """An image of 26 MB, and a tensor of as much, beside a run of one point; the limit is as before."""
    image = np.random.default_rng(0).bytes(26 << 20)
    for name in ("image", "tensor", "small"):
        file = tmp_path / "logs" / name / "events.out.tfevents.1700000000.host.1.0"
        with EventWriter(file) as log:
            log.file_version(AT)
            log.scalar("loss", 1.0, 1, AT)
            if name == "image":
                log.image("picture", image, 4, 4, 1, AT)
            elif name == "tensor":
                log.tensor("numbers", np.arange(3_300_000, dtype=np.float32), 1, AT, plugin="mine")
    config = tmp_path / "boardlake.toml"
    config.write_text(
        f'[lake]\npath = "{tmp_path / "lake"}"\nmemory_limit = "160MB"\n'
        f'[sources.here]\nuri = "{tmp_path / "logs"}"\n',
        "utf-8",
    )
    assert main(["--config", str(config), "ingest"]) == 0
    with open_lake(locate(str(tmp_path / "lake"))) as lake:
        assert lake.query("SELECT count(*) FROM runs") == [(3,)]
        stored = "SELECT data FROM blobs WHERE plugin = 'images'"
        assert lake.query(stored) == [(image,)]
        summed = "SELECT len(data), list_sum(data) FROM tensors WHERE plugin = 'mine'"
        assert lake.query(summed) == [(3_300_000, sum(range(3_300_000)))]
