"""What kind of file system a directory lies on: what it says of changes, and who else may change it."""

from __future__ import annotations

import os
import re
from pathlib import Path

_TABLE = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(rb"\\([0-7]{3})")

# Only this machine writes there, so that a watch sees every change.
_DISKS = frozenset(
    "ext2 ext3 ext4 xfs btrfs zfs f2fs bcachefs jfs reiserfs nilfs2 tmpfs ramfs rootfs overlay"
    " vfat exfat ntfs ntfs3 fuseblk hfsplus ufs squashfs erofs iso9660 udf".split()
)
# Servers whose directories have a time that moves when an entry comes or goes. Of what FUSE mounts,
# buckets have none: their directories are made up.
_SERVERS = frozenset(
    "nfs nfs4 lustre gpfs beegfs ceph cifs smb3 afs ocfs2 gfs2 9p virtiofs"
    " fuse.sshfs fuse.glusterfs fuse.ceph fuse.ceph-fuse fuse.beegfs fuse.bindfs".split()
)
# What else FUSE mounts numbers its files anew each time they are looked up.
_NUMBERED = frozenset(
    "fuse.glusterfs fuse.ceph fuse.ceph-fuse fuse.beegfs fuse.bindfs fuse.mergerfs".split()
)
# No files of anybody lie there; an automount point is one until it is mounted.
_NOT_FILES = frozenset(
    "proc sysfs devtmpfs devpts cgroup cgroup2 securityfs debugfs tracefs pstore bpf configfs"
    " fusectl mqueue hugetlbfs autofs binfmt_misc nsfs rpc_pipefs efivarfs selinuxfs".split()
)


class Mounts:
    """The mount table as it is now; empty where the system has none to read."""

    def __init__(self, table: bytes | None = None) -> None:
        if table is None:
            try:
                table = _TABLE.read_bytes()
            except OSError:
                table = b""
        self._kinds: dict[bytes, str] = {}
        for line in table.splitlines():
            left, _, right = line.partition(b" - ")
            fields, kind = left.split(b" "), right.partition(b" ")[0]
            if len(fields) > 4 and kind:
                # What is mounted later over the same place hides what was there.
                self._kinds[_ESCAPED.sub(_byte, fields[4])] = kind.decode("ascii", "replace")

    def kind(self, path: bytes) -> str:
        """The type of file system at *path*, links resolved; '' where it is not known."""
        if not self._kinds:
            return ""
        place = os.path.realpath(path)
        while place not in self._kinds:
            above = os.path.dirname(place)
            if above == place:
                return ""
            place = above
        return self._kinds[place]


def _byte(escaped: re.Match[bytes]) -> bytes:
    return bytes([int(escaped[1], 8) & 0xFF])


def is_disk(kind: str) -> bool:
    """Whether only this machine changes files there."""
    return kind in _DISKS


def is_network(kind: str) -> bool:
    """Whether looking at a file there waits for a server."""
    return kind not in _DISKS and kind not in _NOT_FILES and kind != ""


def tells_changes(kind: str) -> bool:
    """Whether a directory's time moves when an entry in it comes, goes or is renamed."""
    return kind in _DISKS or kind in _SERVERS or kind == ""


def has_inodes(kind: str) -> bool:
    """Whether a file keeps its inode number, so that another number is another file."""
    return not kind.startswith("fuse.") or kind in _NUMBERED


def may_enter(kind: str, above: str) -> bool:
    """Whether a mount below a root is entered unasked: a disk, or more of the kind it lies in.

    Servers that are down would hold up the scan, and their files are often scanned from elsewhere.
    """
    return kind in _DISKS or kind in ("", above)
