"""The masked checksum: known values, and both ways of computing it against a byte-wise one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.kernels.crc32c import masked_crc, masked_crc_by_table
from boardlake.kernels.decode_plain import masked_crc as masked_crc_plain

WAYS = [masked_crc, masked_crc_by_table]


def unmask(masked: int) -> int:
    rotated = (masked - 0xA282EAD8) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"", 0),
    ],
)
def test_known_values(way, data, crc):
    """The checksums of RFC 3720, appendix B.4, come out."""
    assert unmask(int(way(np.frombuffer(data, np.uint8), 0, len(data)))) == crc


@given(st.binary(max_size=100), st.data())
def test_every_way_agrees_at_every_offset(data, draw):
    """Any stretch of any buffer, shorter than a word or not, has one checksum."""
    start = draw.draw(st.integers(0, len(data)))
    length = draw.draw(st.integers(0, len(data) - start))
    expected = masked_crc_plain(data[start : start + length])
    buf = np.frombuffer(data, np.uint8)
    assert [int(way(buf, start, length)) for way in WAYS] == [expected, expected]
