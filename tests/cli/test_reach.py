"""Servers that commands start know the way to the sources of their config, and to those of arguments."""

from __future__ import annotations

from pathlib import Path

from boardlake.cli.context import Context
from boardlake.cli.serve import open_service
from boardlake.ingest.setup import setups
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate


def test_a_server_reaches_its_sources(tmp_path: Path) -> None:
    """By name and root, as the lake has both; what it reads itself, and others' sources, it does not."""
    lake, config = tmp_path / "lake", tmp_path / "boardlake.toml"
    config.write_text(
        f'[lake]\npath = "{lake}"\n[sources.bucket]\nuri = "s3://bucket/logs"\n'
        f'[sources.counted]\nuri = "s3://other/logs"\nrequests_per_day = 100\n'
        f'[sources.here]\nuri = "{tmp_path}"\n[sources.lab]\nuri = "sftp:///logs"\nhosts = ["a", "b"]\n',
        "utf-8",
    )
    open_lake(locate(str(lake)), read_only=False, create=True).close()
    service = open_service(Context(str(config), None))
    try:
        reach = service.reach
        assert reach is not None
        assert reach.knows("bucket", "s3://bucket/logs")
        assert reach.knows("lab.a", "sftp://a/logs") and reach.knows("lab.b", "sftp://b/logs")
        assert not reach.knows("bucket", "s3://bucket/secrets")
        assert not reach.knows("counted", "s3://other/logs")
        assert not reach.knows("here", str(tmp_path))
        assert not reach.knows("pushed", "edge:/logs")
        (argument,) = setups({}, ("s3://given/logs",))
        assert reach.knows(argument.name, "s3://given/logs")
    finally:
        service.close()
