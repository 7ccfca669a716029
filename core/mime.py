"""What bytes are, told by the bytes themselves."""

from __future__ import annotations

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
)
_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp"}
# ISO base media of these brands is sound alone.
_M4A = (b"M4A ", b"M4B ", b"F4A ")
UNKNOWN = "application/octet-stream"
# What a browser may be told: none of these can hold a script.
MEDIA = frozenset({mime for _, mime in _MAGIC} | {*_RIFF.values(), "audio/mp4"})


def sniff(data: bytes) -> str:
    """The MIME type of an image or a sound, `UNKNOWN` for anything else."""
    for magic, mime in _MAGIC:
        if data.startswith(magic):
            return mime
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12], UNKNOWN)
    if data[4:8] == b"ftyp" and data[8:12] in _M4A:
        return "audio/mp4"
    return "audio/mpeg" if _is_mpeg_frame(data) else UNKNOWN


def _is_mpeg_frame(data: bytes) -> bool:
    """An MP3 without ID3: a frame sync, then a version, layer, bitrate and rate that exist."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return False
    version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
    return version != 1 and layer != 0 and data[2] >> 4 != 15 and data[2] >> 2 & 3 != 3
