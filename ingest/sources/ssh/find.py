"""Listing a tree by one remote command: what to run in a shell over there, and what it says. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..chosen import MAX_DEPTH

# What the shell's start-up files write comes before it.
_BEGIN = "boardlake\0"
# Type, and what a link leads to; device and inode; size; time of the last change, to the nanosecond.
_FACTS = r"%y%Y %D %i %s %T@\0%p\0"
_FIT = re.compile(r"[A-Za-z0-9._*?+@=,-]+")
NO_ROOT = 97
_REFUSED = re.compile(
    rb"find: (?:['\"]|\xe2\x80\x98)(?P<path>.*)(?:['\"]|\xe2\x80\x99): (?P<why>[^:]*)"
)


@dataclass(frozen=True)
class Found:
    """A file, directory or link below the root: `path` starts at it, and is empty for itself.

    `kind` is f, d or l; `leads` what a link leads to: f, d, or another letter. `identity` tells it
    from all others of its machine, whatever its name.
    """

    path: bytes
    kind: str
    leads: str
    size: int
    mtime_ns: int
    identity: tuple[bytes, bytes]
    version: str = ""


@dataclass(frozen=True)
class Root:
    """What the host says of the root: its real path, its name where it is a single file, its time."""

    path: bytes
    single: bytes
    now: float


@dataclass(frozen=True)
class Refused:
    """Something below the root that could not be looked at, and why."""

    path: bytes
    why: str


def walk(root: str, exclude: Sequence[str]) -> str:
    """The command that lists all below *root*: '/path' of the machine, or './path' of the home."""
    return _command(root, f'exec find -P . $depth {_not(exclude)} {_TYPES} -printf "$facts"')


def look(root: str) -> str:
    """The command that says what the paths on its input are, each ending in NUL; links are followed."""
    inner = 'exec find -L "$@" -maxdepth 0 -printf "$facts"'
    return _command(root, f"exec xargs -0 -r sh -c {shlex.quote(inner)} sh")


def walk_links(root: str, exclude: Sequence[str]) -> str:
    """As `walk`, below the directories that the paths on its input lead to."""
    inner = f'exec find -H "$@" -maxdepth {MAX_DEPTH} {_not(exclude)} {_TYPES} -printf "$facts"'
    return _command(root, f"exec xargs -0 -r sh -c {shlex.quote(inner)} sh")


def given(paths: Iterable[bytes]) -> bytes:
    """The input for commands that take paths."""
    return b"".join(b"./%s\0" % path for path in paths)


_TYPES = r"\( -type f -o -type d -o -type l \)"


def _command(root: str, then: str) -> str:
    """A POSIX shell's work in words that every login shell takes."""
    script = f"""printf '{_BEGIN[:-1]}\\0'; echo '{_BEGIN[:-1]}' >&2
LC_ALL=C; facts='{_FACTS}'; export LC_ALL facts
cd >/dev/null 2>&1
r={shlex.quote(root)} b= depth='-maxdepth {MAX_DEPTH + 1}'
if [ -f "$r" ]; then b="${{r##*/}}"; r="${{r%/*}}"; depth='-maxdepth 1'; fi
cd -- "${{r:-/}}" 2>/dev/null || {{
  ls -ld -- "$r/." >/dev/null && echo 'Permission denied' >&2; exit {NO_ROOT}; }}
printf '%s\\0' "$(pwd -P)" "$b" "$(date +%s)"
{then}"""
    return f"sh -c {shlex.quote(script)}"


def _not(exclude: Sequence[str]) -> str:
    """Directories and files of these names are passed over; the others are left to who reads on."""
    names = [name for name in exclude if _FIT.fullmatch(name) and not name.startswith("-")]
    if not names:
        return ""
    any_of = " -o ".join(f"-name {shlex.quote(name)}" for name in names)
    return rf"! -name . \( {any_of} \) -prune -o"


def began(output: bytes) -> bool:
    """Whether a shell of ours answers at all."""
    return _BEGIN.encode() in output


def root_of(output: bytes) -> tuple[Root, memoryview] | None:
    """What the host says first, and the rest; None where what answers is no shell of ours."""
    start = output.find(_BEGIN.encode())
    if start < 0:
        return None
    start += len(_BEGIN)
    parts = output[start : start + (1 << 16)].split(b"\0", 3)
    if len(parts) < 4 or not parts[2].strip().isdigit():
        return None
    rest = start + sum(len(part) + 1 for part in parts[:3])
    return Root(parts[0], parts[1], float(parts[2])), memoryview(output)[rest:]


def entries(listing: memoryview) -> Iterator[Found]:
    """The entries of a listing; raises ValueError where it is none, as of a find without -printf."""
    parts = bytes(listing).split(b"\0")
    if len(parts) % 2 == 0 or parts[-1]:
        raise ValueError("the listing is cut off")
    for facts, path in zip(parts[::2], parts[1::2], strict=False):
        kinds, device, inode, size, mtime = facts.decode("ascii").split(" ")
        if len(kinds) != 2:
            raise ValueError("the listing is of another form")
        yield Found(
            path.removeprefix(b".").removeprefix(b"/"),
            kinds[0],
            kinds[1],
            int(size),
            nanoseconds(mtime),
            (device.encode(), inode.encode()),
            f"{int(inode):x}",
        )


def nanoseconds(text: str) -> int:
    """Seconds with a fraction, as find writes them, to the last digit that a clock has."""
    whole, _, fraction = text.partition(".")
    seconds = int(whole)
    rest = int((fraction + "000000000")[:9])
    return seconds * 10**9 + (-rest if whole.startswith("-") else rest)


def refused(errors: bytes) -> tuple[list[Refused], list[str]]:
    """What find could not look at, and its other words; what vanished meanwhile is neither."""
    found: list[Refused] = []
    others: list[str] = []
    for line in errors.rpartition(_BEGIN[:-1].encode() + b"\n")[2].splitlines():
        match = _REFUSED.fullmatch(line)
        if not match:
            if line.strip():
                others.append(line.decode("utf-8", "replace")[:200])
        elif match["why"] != b"No such file or directory":
            path = match["path"].removeprefix(b".").removeprefix(b"/")
            found.append(Refused(path, match["why"].decode("ascii", "replace")))
    return found, others
