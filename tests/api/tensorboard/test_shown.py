"""Contents and values that a plugin of TensorBoard's would fail at are known before it gets them."""

from __future__ import annotations

import numpy as np
import pytest
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.histogram import metadata as histogram
from tensorboard.plugins.mesh import metadata as mesh

from boardlake.api.tensorboard import shown

GARBAGE = b"\xff\xff\xff"


@pytest.mark.parametrize(
    "plugin", ["scalars", "histograms", "images", "audio", "text", "pr_curves"]
)
def test_a_content_that_cannot_be_read_counts_as_none(plugin: str) -> None:
    """What can be read stays as it is."""
    assert shown.content(plugin, GARBAGE) == b""
    assert shown.content(plugin, b"") == b""


def test_what_nothing_is_left_of() -> None:
    """A mesh is nothing without its content; the old JSON of histograms is one; others pass through."""
    assert shown.content("mesh", GARBAGE) is None
    written = mesh.create_summary_metadata("m", "", 1, 7, [1, 2, 3], "").plugin_data.content
    assert shown.content("mesh", written) == written
    assert shown.content("histograms", b"{}") == b"{}"
    assert histogram.parse_plugin_metadata(b"{}").version == 0
    assert shown.content("mine", GARBAGE) == GARBAGE


@pytest.mark.parametrize(
    ("plugin", "shape", "fits"),
    [
        ("histograms", (0, 3), True), ("histograms", (4, 3), True), ("histograms", (3,), False),
        ("histograms", (4, 2), False), ("pr_curves", (6, 5), True), ("pr_curves", (5, 6), False),
        ("pr_curves", (6,), False), ("mesh", (1, 4, 3), True), ("mesh", (4, 3), False),
        ("text", (2,), False), ("mine", (7,), True), ("histograms", (40_000, 3), False),
    ],
)  # fmt: skip
def test_numbers_by_shape(plugin: str, shape: tuple[int, ...], fits: bool) -> None:
    """Each plugin takes one form."""
    assert shown.fits(plugin, np.zeros(shape)) is fits


def test_other_values() -> None:
    """Counts are finite; texts are strings; a layout is one."""
    curve = np.ones((6, 4))
    curve[4:] = np.nan
    assert shown.fits("pr_curves", curve)
    curve[0, 0] = np.nan
    assert not shown.fits("pr_curves", curve)
    assert shown.fits("text", np.array([b"a"], object))
    assert not shown.fits("histograms", np.full((2, 3), b"a", object))
    layout = layout_pb2.Layout(version=0, category=[layout_pb2.Category(title="c")])
    for data, fits in ((layout.SerializeToString(), True), (GARBAGE, False)):
        value = np.array(data, object)
        assert shown.fits("custom_scalars", value) is fits
        assert not shown.fits("custom_scalars", value.reshape(1))
