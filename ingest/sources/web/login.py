"""The login that the environment or ~/.netrc has for a web server; it is shown to nobody."""

from __future__ import annotations

import base64
import netrc
import os
import re

from ....core.errors import SourceError
from ....core.settings import SourceSettings

LOGIN = (
    "set BOARDLAKE_HTTP_TOKEN, or BOARDLAKE_HTTP_USER and BOARDLAKE_HTTP_PASSWORD, "
    "or name the host in ~/.netrc"
)


def authorization(settings: SourceSettings, host: str) -> dict[str, str]:
    """The header that the environment or ~/.netrc gives for this source; it is shown to nobody."""
    if settings.anonymous:
        return {}
    prefix = f"{settings.env_prefix}BOARDLAKE_HTTP_"
    token = os.environ.get(f"{prefix}TOKEN", "")
    user = os.environ.get(f"{prefix}USER", "")
    password = os.environ.get(f"{prefix}PASSWORD", "")
    if not token and not user:
        user, password = _from_netrc(host)
    if not token and not user:
        return {}
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    value = f"Bearer {token}" if token else f"Basic {login}"
    if not re.fullmatch(r"[\x21-\x7e]+ [\x21-\x7e]+", value):
        raise SourceError(
            f"{settings.uri}: {prefix}TOKEN cannot be sent",
            hint="expected one line of ASCII characters without blanks",
        )
    return {"Authorization": value}


def _from_netrc(host: str) -> tuple[str, str]:
    try:
        found = netrc.netrc(os.environ.get("NETRC")).authenticators(host)
    except (OSError, ValueError, netrc.NetrcParseError):
        # Of a file that cannot be understood no line may be shown.
        return "", ""
    return (found[0] or "", found[2] or "") if found else ("", "")
