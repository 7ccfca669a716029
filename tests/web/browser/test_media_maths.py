"""What two images differ by, and what packed answers mean, run where it runs: in the browser."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from boardlake.api import packed
from boardlake.lake.media import NoSuchMedia
from boardlake.lake.media_series import Steps


@pytest.fixture(scope="module")
def maths(browser: Browser, server_url: str) -> Any:
    """A function that runs a script with the modules of the media page at hand as `m`."""
    page: Page = browser.new_context().new_page()
    page.goto(f"{server_url}/api")
    page.evaluate("""async () => {
        const base = document.querySelector('link[rel=stylesheet]').href.replace(/[^/]*$/, '');
        const names = ['pixels', 'series', 'bytes'];
        const found = await Promise.all(names.map((name) => import(`${base}media/${name}.js`)));
        window.m = Object.assign({}, ...found);
        window.pixels = ({ data, width, height }) => ({ data: Uint8ClampedArray.from(data), width, height });
    }""")

    def run(script: str, argument: Any = None) -> Any:
        return page.evaluate(script, argument)

    yield run
    page.context.close()


def image(rng: np.random.Generator, width: int, height: int) -> Any:
    return rng.integers(0, 256, (height, width, 4), dtype=np.uint8)


def given_as(pixels: Any) -> dict[str, Any]:
    height, width, _ = pixels.shape
    return {"data": pixels.ravel().tolist(), "width": width, "height": height}


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1_000),
    sizes=st.tuples(*[st.integers(1, 20)] * 4),
    gain=st.sampled_from([1, 2.5, 64]),
)
def test_differences(maths: Any, seed: int, sizes: tuple[int, ...], gain: float) -> None:
    """Over the part that both have, as numpy has them."""
    rng = np.random.default_rng(seed)
    a, b = image(rng, *sizes[:2]), image(rng, *sizes[2:])
    found = maths(
        "([a, b, gain]) => ['abs', 'signed', 'heat'].map((style) => {"
        " const one = m.difference(pixels(a), pixels(b), style, gain);"
        " return { ...one, data: [...one.data] }; })",
        [given_as(a), given_as(b), gain],
    )
    width, height = min(sizes[0], sizes[2]), min(sizes[1], sizes[3])
    p, q = (one[:height, :width].astype(float) for one in (a, b))
    plain, signed, heat = (np.array(one["data"]).reshape(height, width, 4) for one in found)
    assert (found[0]["width"], found[0]["height"]) == (width, height)
    apart = np.abs(q - p)
    expected = np.maximum(apart[..., :3], apart[..., 3:]) * gain
    assert np.allclose(plain[..., :3], np.clip(expected, 0, 255), atol=0.51)
    by = (q - p)[..., :3] @ [0.299, 0.587, 0.114] * gain
    assert np.allclose(signed[..., 0], np.clip(by, 0, 255), atol=0.51)
    assert np.allclose(signed[..., 2], np.clip(-by, 0, 255), atol=0.51)
    # The hotter a colour, the brighter it is.
    most = np.clip(np.round(apart.max(axis=-1) * gain), 0, 255).ravel()
    bright = heat[..., :3].sum(axis=-1).ravel()[np.argsort(most, kind="stable")]
    assert (np.diff(bright) >= -2).all()
    assert (plain[..., 3] == 255).all() and (heat[..., 3] == 255).all()


def test_distances(maths: Any) -> None:
    """Mean, largest and its place, share of pixels, noise and similarity."""
    rng = np.random.default_rng(3)
    a = image(rng, 24, 16)
    a[..., 3] = 255
    b = a.copy()
    script = "([a, b]) => m.distance(pixels(a), pixels(b))"
    same = maths(script, [given_as(a), given_as(b)])
    assert (same["most"], same["at"], same["differ"]) == (0, None, 0)
    assert same["psnr"] == float("inf") and same["ssim"] == pytest.approx(1)
    a[5, 7, 1], b[5, 7, 1] = 10, 90
    found = maths(script, [given_as(a), given_as(b)])
    assert (found["most"], found["at"]) == (80, [7, 5])
    assert found["differ"] == pytest.approx(1 / (24 * 16))
    assert found["mean"] == pytest.approx(80 / (3 * 24 * 16))
    error = 80**2 / (3 * 24 * 16)
    assert found["psnr"] == pytest.approx(10 * np.log10(255**2 / error))
    assert 0.9 < found["ssim"] < 1
    assert maths(script, [given_as(a[:4]), given_as(b)])["ssim"] is None


@settings(max_examples=20, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(-50, 10_000), st.integers(1, 3)),
        min_size=1, max_size=12, unique_by=lambda one: one[0],
    ),
    at=st.none() | st.integers(-100, 11_000),
)  # fmt: skip
def test_items_of_the_nearest_step(
    maths: Any, steps: list[tuple[int, int]], at: int | None
) -> None:
    """A packed series gives the items that went into it."""
    rows = [(step, idx) for step, count in sorted(steps) for idx in range(count)]
    columns = {
        "idx": [idx for _, idx in rows], "file_id": [7] * len(rows),
        "record": list(range(len(rows))), "nbytes": [10 * step for step, _ in rows],
        "width": [None] * len(rows), "height": [3] * len(rows),
        "mime": ["image/png"] * len(rows), "label": [None] * len(rows),
    }  # fmt: skip
    walls: list[float | None] = [1.7e9 + step for step, _ in rows]
    made = Steps("key", "a/b", "", len(steps), len(steps), [s for s, _ in rows], walls, columns)
    script = (
        """([raw, at]) => { const one = new m.Series(raw); return [one.steps, one.near(at)]; }"""
    )
    known, found = maths(script, [packed.series(made), at])
    every = sorted(step for step, _ in steps)
    wanted = every[-1] if at is None else min(every, key=lambda step: (abs(step - at), step))
    assert known == every
    assert [(one["step"], one["idx"]) for one in found] == [row for row in rows if row[0] == wanted]
    for one in found:
        assert one["url"].startswith(f"/api/v1/media/key/7/{one['record']}/{one['idx']}?tag=a%2Fb&")
        assert (one["wall"], one["width"]) == (1.7e9 + wanted, None)


def test_frames_are_taken_apart(maths: Any) -> None:
    """Bytes, errors, and what is to be asked for again."""
    gone = NoSuchMedia("it is gone", hint="mount it")
    frame = packed.frame([b"\x89PNG\r\n\x1a\nabc", gone, None, b""])
    found = maths(
        "async (bytes) => Promise.all(m.unframe(Uint8Array.from(bytes).buffer).map(async (one) =>"
        " one instanceof Blob ? [one.type, one.size] : one && `${one.message}, ${one.hint}`))",
        list(frame),
    )
    assert found[:3] == [["image/png", 11], "it is gone, mount it", None]
    assert found[3][1] == 0
