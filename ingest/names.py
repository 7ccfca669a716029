"""Names of event files: when, where and by which process they were written."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

# tensorboard and PyTorch: <time>.<host>.<pid>.<counter><suffix>; TF1 and tensorboardX without pid
# and counter. A host may hold dots and end in digits: pid and counter are two trailing numbers.
_TIMED = re.compile(r"tfevents\.(?P<time>[0-9]{8,11})(?:\.(?P<rest>.*))?\Z", re.DOTALL)
_WITH_PID = re.compile(
    r"(?P<host>.*)\.(?P<pid>[0-9]{1,10})\.(?P<uid>[0-9]{1,10})(?P<suffix>[^0-9].*)?$", re.DOTALL
)
_WITHOUT_PID = re.compile(r"(?P<host>.*?)(?P<suffix>\.v2|\.profile-empty)?$", re.DOTALL)
# rsync writes `.name.XXXXXX` and renames; the others mark a download or an editor's copy.
_PARTIAL = re.compile(
    r"^\..*\.[A-Za-z0-9]{6}$"
    r"|^\.azDownload-|^\.syncthing\.|^\.~"
    r"|(?:\.part|\.partial|\.filepart|\.crdownload|\.tmp|\.sw[a-p]|\.crc|\.gstmp|~)$"
)
_MAX_NAME = 4096


@dataclass(frozen=True)
class EventFileName:
    """What a file name tells; `host` is a hint only (a container's id, or a cut IP address).

    `created_unix` is in seconds, the start of the attempt; `uid` counts the writers of `pid`.
    """

    created_unix: int | None
    host: str
    pid: int | None
    uid: int | None
    suffix: str
    gzip: bool = False


def is_event_file(name: str) -> bool:
    """Whether *name* (a base name or a path) is that of an event file and not of a partial copy."""
    base = posixpath.basename(name)
    return "tfevents" in base and not _PARTIAL.search(base)


def parse_event_file_name(name: str) -> EventFileName:
    """Take an event file's name (or path) apart; what is not there is None or ''.

    Format: `<prefix>.tfevents.<unix seconds>.<host>[.<pid>.<uid>]<suffix>[.gz]`, after
    tensorboard/summary/writer/event_file_writer.py and tensorflow/core/util/events_writer.cc.
    """
    base = posixpath.basename(name)[:_MAX_NAME]
    gzip = base.endswith(".gz")
    base = base.removesuffix(".gz")
    timed = _TIMED.search(base)
    if timed is None:
        return EventFileName(None, "", None, None, base.partition("tfevents")[2], gzip)
    created, rest = int(timed["time"]), timed["rest"] or ""
    if rest in ("v2", "profile-empty"):
        return EventFileName(created, "", None, None, f".{rest}", gzip)
    found = _WITH_PID.match(rest)
    if found is None:
        found = _WITHOUT_PID.match(rest)
        assert found is not None  # both parts may be empty: every text matches
        return EventFileName(created, found["host"], None, None, found["suffix"] or "", gzip)
    pid, uid = int(found["pid"]), int(found["uid"])
    return EventFileName(created, found["host"], pid, uid, found["suffix"] or "", gzip)


def order_key(name: str) -> tuple[int, str]:
    """Sort key: the files of a directory are read by the time in the name, then by name."""
    return parse_event_file_name(name).created_unix or 0, name
