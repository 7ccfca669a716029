"""Small media for the samples: pictures, sounds, a mesh, a graph, a model."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tensorboard.compat.proto import graph_pb2

from .curves import Rng

Pixels = NDArray[np.uint8]


def png(pixels: Pixels) -> bytes:
    """RGB or grey *pixels* `[height, width(, 3)]` as PNG."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="PNG")
    return out.getvalue()


def predictions(rng: Rng, right: float, side: int = 32) -> Pixels:
    """A 2 x 4 grid of coloured shapes, framed green or red: a share *right* of them is green."""
    grid = np.zeros((2 * side, 4 * side, 3), np.uint8)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    for k in range(8):
        tile = grid[k // 4 * side :, k % 4 * side :][:side, :side]
        tile[:] = rng.integers(20, 60, 3)
        shape = (x**2 + y**2 < 0.5, np.abs(x) + np.abs(y) < 0.8, np.maximum(abs(x), abs(y)) < 0.6)
        tile[shape[k % 3]] = rng.integers(90, 255, 3)
        frame = (40, 190, 90) if rng.random() < right else (220, 60, 50)
        tile[:2] = tile[-2:] = tile[:, :2] = tile[:, -2:] = frame
    return grid


def spectrogram(rng: Rng, clarity: float, height: int = 48, width: int = 120) -> Pixels:
    """A grey picture of harmonics that stand out of noise as *clarity* goes from 0 to 1."""
    time, pitch = np.arange(width), np.arange(height)[:, None]
    base = 7 + 2 * np.sin(time / 17)
    lines = sum(np.exp(-((pitch - base * k) ** 2) / 2) / k for k in range(1, 6))
    mixed = clarity * lines + (1 - clarity) * rng.random((height, width))
    return np.asarray(255 * np.clip(mixed, 0, 1), np.uint8)[::-1]


def utterance(rng: Rng, clarity: float, rate: int = 8000) -> NDArray[np.float64]:
    """A third of a second of a vowel-like tone in noise, mono in -1..1."""
    time = np.arange(rate // 3) / rate
    pitch = 2 * np.pi * np.cumsum(140 + 25 * np.sin(9 * time)) / rate
    voice = sum(np.sin(k * pitch) / k for k in range(1, 6)) * np.sin(np.pi * time * 3) ** 2
    return 0.35 * np.asarray(clarity * voice + (1 - clarity) * rng.normal(size=time.size))


def torus(
    rng: Rng, blur: float, rings: int = 24, sides: int = 12
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Vertices `[1, n, 3]`, faces `[1, 2n, 3]` and colours `[1, n, 3]`; *blur* shakes them."""
    u, v = np.meshgrid(np.arange(rings), np.arange(sides), indexing="ij")
    a, b = 2 * np.pi * u / rings, 2 * np.pi * v / sides
    radius = 1 + 0.4 * np.cos(b)
    points = np.stack([radius * np.cos(a), radius * np.sin(a), 0.4 * np.sin(b)], -1)
    vertices = points.reshape(1, -1, 3) + blur * rng.normal(size=(1, rings * sides, 3))
    right, up = (u + 1) % rings, (v + 1) % sides
    corner = [p * sides + q for p, q in ((u, v), (right, v), (right, up), (u, up))]
    faces = np.concatenate(
        [
            np.stack([corner[k] for k in three], -1).reshape(-1, 3)
            for three in ((0, 1, 2), (0, 2, 3))
        ]
    )
    colors = (127 * (1 + points / np.abs(points).max())).reshape(1, -1, 3)
    return vertices, faces[None], colors


def network(layers: list[str]) -> Any:
    """A `GraphDef` of a chain of *layers*, each with its weights, as a traced model gives."""
    graph = graph_pb2.GraphDef()
    graph.versions.producer = 22
    graph.node.add(name="input/x", op="IO Node")
    before = "input/x"
    for layer in layers:
        graph.node.add(name=f"{layer}/weight", op="prim::Param")
        op = "aten::_convolution" if "conv" in layer else "aten::linear"
        graph.node.add(name=f"{layer}/{op[6:]}", op=op, input=[before, f"{layer}/weight"])
        graph.node.add(name=f"{layer}/relu", op="aten::relu", input=[f"{layer}/{op[6:]}"])
        before = f"{layer}/relu"
    graph.node.add(name="output/y", op="IO Node", input=[before])
    return graph


def keras_json(dropout: float) -> str:
    """The JSON of a small sequential Keras model."""
    layers: list[tuple[str, dict[str, object]]] = [
        ("Conv2D", {"name": "conv2d", "filters": 32, "batch_input_shape": [None, 28, 28, 1]}),
        ("MaxPooling2D", {"name": "max_pooling2d", "pool_size": [2, 2]}),
        ("Flatten", {"name": "flatten"}),
        ("Dropout", {"name": "dropout", "rate": dropout}),
        ("Dense", {"name": "dense", "units": 10, "activation": "softmax"}),
    ]
    config = [{"class_name": kind, "config": {"dtype": "float32", **c}} for kind, c in layers]
    return json.dumps(
        {"class_name": "Sequential", "config": {"name": "sequential", "layers": config}}
    )
