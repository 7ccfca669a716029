"""The text format of metrics, as Prometheus' own parser reads it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from boardlake.core.exposition import Family, text

_TEXT = st.text(max_size=40)
_NUMBER = st.floats(allow_nan=True, allow_infinity=True)


@given(
    labels=st.dictionaries(st.sampled_from(["source", "kind"]), _TEXT), value=_NUMBER, says=_TEXT
)
def test_what_is_written_is_read(labels: dict[str, str], value: float, says: str) -> None:
    """Names of sources hold what they like: quotes, breaks, backslashes; numbers are exact."""
    family = Family("boardlake_x", "gauge", says)
    family.add(value, labels)
    (found,) = text_string_to_metric_families(text([family]))
    (sample,) = found.samples
    sound = {k: v.encode("utf-8", "backslashreplace").decode() for k, v in labels.items()}
    assert (found.name, found.type) == ("boardlake_x", "gauge")
    assert sample.labels == sound
    assert sample.value == value or math.isnan(value) and math.isnan(sample.value)


def test_a_histogram_adds_up() -> None:
    """Buckets hold what is below their bound, the last one all."""
    family = Family("boardlake_s", "histogram", "x")
    family.add_histogram((0.1, 1.0), (2, 0, 3), 7.5, {"route": "/"})
    (found,) = text_string_to_metric_families(text([family]))
    values = {(s.name, s.labels.get("le")): s.value for s in found.samples}
    assert values == {
        ("boardlake_s_bucket", "0.1"): 2,
        ("boardlake_s_bucket", "1"): 2,
        ("boardlake_s_bucket", "+Inf"): 5,
        ("boardlake_s_sum", None): 7.5,
        ("boardlake_s_count", None): 5,
    }


def test_families_without_samples_are_left_out() -> None:
    """None is no sample, and a family of none would only be noise."""
    family = Family("boardlake_x", "gauge", "x")
    family.add(None)
    assert text([family]) == ""


@pytest.mark.parametrize("name", ["", "a b", "A", "9a", "a-b", "a\n"])
def test_a_name_is_a_name(name: str) -> None:
    """What Prometheus would refuse is refused here."""
    with pytest.raises(ValueError, match="no name"):
        Family(name, "gauge", "x")
