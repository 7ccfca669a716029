"""Machines that are reached by SSH; the client is an extra, and imported only when one is opened."""

from __future__ import annotations

from ....core.errors import UsageError
from ....core.settings import SourceSettings
from ..base import Source


def open_source(settings: SourceSettings) -> Source:
    """The source that *settings* name; nothing is connected before it is asked.

    Raises UsageError where the extra is not installed.
    """
    try:
        from .source import SshSource
    except ImportError as error:
        if error.name != "asyncssh":
            raise
        raise UsageError(
            "a source on another machine needs asyncssh", hint="pip install 'boardlake[ssh]'"
        ) from None
    return SshSource(settings)
