"""Clients of buckets, made from settings: where they are, who asks, how long to wait."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from ....core import places
from ....core.errors import UsageError
from ....core.settings import SourceSettings

Store: TypeAlias = S3Store | GCSStore | AzureStore

# A body may take long; what counts is how long the server is silent.
_WHOLE = timedelta(hours=1)
_PREFIXES = {"s3": "AWS_", "gs": "GOOGLE_", "az": "AZURE_"}
_AZURE_WAYS = {
    "KEY": "access_key",
    "SAS_KEY": "sas_token",
    "SAS_TOKEN": "sas_token",
    "STORAGE_TOKEN": "bearer_token",
    "CLIENT_SECRET": "client_secret",
    "FEDERATED_TOKEN_FILE": "workload_identity",
}
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_OWN_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass
class Bucket:
    """A client and what its kind of store can do.

    `page` is how many keys one list request gives; `offsets` says that listing may start behind a
    key. `plain` makes boto3's client of the same bucket; None where it has no place.
    """

    store: Store
    kind: str
    name: str
    root: str
    page: int
    offsets: bool
    plain: Callable[[], Any] | None = field(default=None, repr=False)


def make(settings: SourceSettings, environ: Mapping[str, str] = os.environ) -> Bucket:
    """The client that *settings* describe; connects to nothing.

    Raises UsageError where something is missing or does not fit, without telling any value that the
    environment holds.
    """
    remote = places.parse(settings.uri)
    own = _own(remote.kind, settings.env_prefix, environ)
    if remote.kind == "az" and not (
        settings.account or "AZURE_STORAGE_ACCOUNT_NAME" in {*environ, *own}
    ):
        raise UsageError(
            f"{settings.uri}: a container is in a storage account, and none is named",
            hint='account = "NAME" in the source\'s settings, or AZURE_STORAGE_ACCOUNT_NAME',
        )
    try:
        if remote.kind == "s3":
            return _s3(settings, remote, own, environ)
        if remote.kind == "gs":
            return Bucket(_gs(settings, remote, own), "gs", remote.host, remote.path, 1000, True)
        return Bucket(_az(settings, remote, own), "az", remote.host, remote.path, 5000, False)
    except (BaseError, ValueError) as error:
        raise UsageError(
            f"{settings.uri}: the settings or the environment's {_PREFIXES.get(remote.kind, '')}* "
            f"variables make no client ({type(error).__name__})",
            hint="check endpoint, region, account and the variables' names and values",
        ) from None


def _own(kind: str, prefix: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of this source alone, without its prefix."""
    if not prefix:
        return {}
    begin = prefix + _PREFIXES.get(kind, "?")
    return {k.removeprefix(prefix): v for k, v in environ.items() if k.startswith(begin) and v}


def _options(settings: SourceSettings, url: str) -> Any:
    silent = timedelta(seconds=max(settings.timeout, 0.05))
    options: dict[str, Any] = {
        "connect_timeout": silent,
        "read_timeout": silent,
        "timeout": _WHOLE,
        "allow_http": url.lower().startswith("http://"),
        "user_agent": "boardlake",
    }
    # Retries are ours: they are counted, and a silent server is asked only once.
    retry = {"max_retries": 0, "retry_timeout": silent}
    return {"client_options": options, "retry_config": retry}


def _s3(
    settings: SourceSettings,
    remote: places.Remote,
    own: dict[str, str],
    environ: Mapping[str, str],
) -> Bucket:
    config: Any = {k.lower(): v for k, v in own.items() if k not in _OWN_KEYS}
    if settings.endpoint:
        config["endpoint"] = settings.endpoint
    if settings.region:
        config["region"] = settings.region
    both = {**environ, **own}
    endpoint = settings.endpoint or next((both[n] for n in _ENDPOINTS if both.get(n)), "")
    given: dict[str, Any] = {}
    if settings.anonymous:
        config["skip_signature"] = True
    elif own.get("AWS_ACCESS_KEY_ID"):
        # Not through the configuration: the environment's session token would be joined to it.
        given["credential_provider"] = _Fixed(own)
    elif _wants_chain(settings, environ):
        provider = _chain(settings)
        given["credential_provider"] = provider
        if "region" not in config and (region := provider.config.get("region")):
            config["region"] = region
    store = S3Store(remote.host, config=config, **given, **_options(settings, endpoint))
    plain = (lambda: _client(settings, own)) if importlib.util.find_spec("boto3") else None
    # Express buckets, whose names end so, list in no order.
    ordered = not remote.host.endswith("--x-s3")
    return Bucket(store, "s3", remote.host, remote.path, 1000, ordered, plain)


class _Fixed:
    """Credentials of one source alone."""

    def __init__(self, own: Mapping[str, str]) -> None:
        self._own = own

    def __repr__(self) -> str:
        return "credentials of the environment"

    def __call__(self) -> Any:
        return {
            "access_key_id": self._own.get("AWS_ACCESS_KEY_ID", ""),
            "secret_access_key": self._own.get("AWS_SECRET_ACCESS_KEY", ""),
            "token": self._own.get("AWS_SESSION_TOKEN"),
            "expires_at": None,
        }


def _wants_chain(settings: SourceSettings, environ: Mapping[str, str]) -> bool:
    """Whether only boto3 knows the credentials: a profile, or files of the AWS command line."""
    if settings.profile:
        return True
    if any(
        environ.get(name)
        for name in (
            "AWS_ACCESS_KEY_ID",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        )
    ):
        return False
    if not importlib.util.find_spec("boto3"):
        return False
    named = environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE")
    files = (
        environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        environ.get("AWS_CONFIG_FILE", "~/.aws/config"),
    )
    return bool(named) or any(os.path.isfile(os.path.expanduser(name)) for name in files)


def _chain(settings: SourceSettings) -> Any:
    if not importlib.util.find_spec("boto3"):
        raise UsageError(
            f"{settings.uri}: profile {settings.profile!r} needs boto3, which is not installed",
            hint="pip install 'boardlake[aws]'",
        )
    from obstore.auth.boto3 import Boto3CredentialProvider

    try:
        return Boto3CredentialProvider(_session(settings, {}))
    except ValueError:
        raise UsageError(
            f"{settings.uri}: AWS has no credentials for "
            + (f"profile {settings.profile!r}" if settings.profile else "this user"),
            hint="`aws configure`, `aws sso login`, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or anonymous = true for a public bucket",
        ) from None


def _session(settings: SourceSettings, own: Mapping[str, str]) -> Any:
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        return boto3.Session(
            aws_access_key_id=own.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=own.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=own.get("AWS_SESSION_TOKEN"),
            region_name=settings.region or None,
            profile_name=settings.profile or None,
        )
    except BotoCoreError as error:
        raise UsageError(
            f"{settings.uri}: the profile {settings.profile!r} cannot be taken "
            f"({type(error).__name__})",
            hint="see `aws configure list-profiles`",
        ) from None


def _client(settings: SourceSettings, own: Mapping[str, str]) -> Any:
    from botocore import UNSIGNED
    from botocore.config import Config

    config = Config(
        connect_timeout=settings.timeout,
        read_timeout=settings.timeout,
        retries={"total_max_attempts": 1},
        signature_version=UNSIGNED if settings.anonymous else None,
        s3={"addressing_style": "path"} if settings.endpoint else None,
        max_pool_connections=32,
    )
    return _session(settings, own).client(
        "s3", endpoint_url=settings.endpoint or None, config=config
    )


def _gs(settings: SourceSettings, remote: places.Remote, own: dict[str, str]) -> GCSStore:
    config: Any = {k.lower(): v for k, v in own.items()}
    if settings.endpoint:
        config["base_url"] = settings.endpoint
    if settings.anonymous:
        config["skip_signature"] = True
    return GCSStore(remote.host, config=config, **_options(settings, settings.endpoint))


def _az(settings: SourceSettings, remote: places.Remote, own: dict[str, str]) -> AzureStore:
    config: Any = {k.lower(): v for k, v in own.items()}
    if settings.endpoint:
        config["endpoint"] = settings.endpoint
    if settings.account:
        config["account_name"] = settings.account
    if settings.anonymous:
        config["skip_signature"] = True
    for name in own:
        for end, way in _AZURE_WAYS.items():
            # Else a key of the environment would win over this source's own token.
            if name.endswith(end):
                config["credential_type"] = way
    return AzureStore(remote.host, config=config, **_options(settings, settings.endpoint))
