"""Who asks a bucket: variables of one source, profiles, nobody; what is missing is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardlake.core.errors import BoardlakeError, SourceError, UsageError
from boardlake.core.settings import SourceSettings
from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.buckets import odd as odd
from boardlake.ingest.sources.buckets import source as objects
from boardlake.tests.servers import moto
from boardlake.tests.servers.faulty import Faulty

from .conftest import EVENTS, Open


def test_credentials_of_one_source_alone(
    opened: Open, bucket: moto.Bucket, proxy: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those with the prefix count, and nothing of the others is mixed in."""
    bucket.put(f"run/{EVENTS}", b"abc")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "TOKENOFANOTHER")
    monkeypatch.setenv("LAB_AWS_ACCESS_KEY_ID", "LABKEY")
    monkeypatch.setenv("LAB_AWS_SECRET_ACCESS_KEY", "LABSECRET")
    opened().walk(Memory())
    assert moto.ACCESS_KEY in proxy.signed[0]
    assert "x-amz-security-token" in proxy.signed[0]
    proxy.forget()
    opened(env_prefix="LAB_").walk(Memory())
    assert "Credential=LABKEY/" in proxy.signed[0]
    assert "x-amz-security-token" not in proxy.signed[0]


def test_a_public_bucket(opened: Open, bucket: moto.Bucket, proxy: Faulty) -> None:
    """Asked for without credentials, none are sent."""
    bucket.put(f"run/{EVENTS}", b"abc")
    source = opened(anonymous=True)
    (entry,) = source.walk(Memory()).files
    assert source.read(entry.path, 0, 10) == b"abc"
    assert proxy.signed == ["", ""]


def test_profiles(
    opened: Open,
    bucket: moto.Bucket,
    proxy: Faulty,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Named in the settings or the environment, they come through boto3; a missing one is told."""
    pytest.importorskip("boto3")
    bucket.put(f"run/{EVENTS}", b"abc")
    (tmp_path / "config").write_text("[profile lab]\nregion = eu-west-1\n")
    (tmp_path / "credentials").write_text(
        "[lab]\naws_access_key_id = PROFILEKEY\naws_secret_access_key = PROFILESECRET\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    opened(profile="lab", region="").walk(Memory())
    assert "Credential=PROFILEKEY/" in proxy.signed[0]
    assert "/eu-west-1/" in proxy.signed[0]
    for name in bucket.environ:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "lab")
    proxy.forget()
    opened().walk(Memory())
    assert "Credential=PROFILEKEY/" in proxy.signed[0]
    with pytest.raises(BoardlakeError, match="nobody"):
        opened(profile="nobody")


@pytest.mark.parametrize("silent", [False, True])
def test_no_credentials_are_told_at_once(
    opened: Open,
    bucket: moto.Bucket,
    proxy: Faulty,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    silent: bool,
) -> None:
    """Nobody waits minutes for a machine of a cloud that is not there; what to set is told."""
    for name in bucket.environ:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    proxy.delay_s = 60
    machine = proxy.url if silent else "http://127.0.0.1:1"
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", machine)
    with pytest.raises(SourceError, match="no credentials") as caught:
        opened(timeout=1).walk(Memory())
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint
    assert proxy.count() == silent


def test_azure_needs_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which one it is stands in no URI."""
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(UsageError, match="account"):
        objects.open_source(SourceSettings(uri="az://container/x"))
