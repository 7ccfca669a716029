"""What runs are called by the files that plugins keep beside their logs. Pure."""

from __future__ import annotations

import pytest

from boardlake.api.tensorboard.files import home, whole


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        ("run", "run"),
        ("", ""),
        ("run/plugins/profile/2024", "run"),
        ("plugins/profile/2024", ""),
        ("a/plugins/mine", "a/plugins/mine"),
        ("a/plugins/mine/plugins/profile/2024", "a/plugins/mine"),
        ("run/train/plugins/org_tensorflow_tensorboard_projector", "run/train"),
        ("run/00000/default", "run/00000/default"),
    ],
)
def test_homes(directory: str, expected: str) -> None:
    """Only what TensorBoard's plugins make is taken off; a run may lie in any directory."""
    assert home(directory) == expected


def test_where_files_are() -> None:
    """A source may be one event file: what lies beside it is in its directory."""
    assert whole("/logs/", "run/x") == "/logs/run/x"
    assert whole("s3://bucket/lab", "x") == "s3://bucket/lab/x"
    assert whole("/logs/events.out.tfevents.1.host", "x") == "/logs/x"
    assert whole("/logs", "") == "/logs"
