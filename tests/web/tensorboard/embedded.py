"""Files of the projector and of the profiler, as PyTorch, TensorFlow and profilers leave them beside logs."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path

from PIL import Image

from boardlake.ingest.sample.writer import EventWriter

COLOURS = [(200, 60, 60), (60, 160, 60), (60, 60, 200), (200, 160, 40), (140, 60, 160)]
CONFIG = "projector_config.pbtxt"
ASSETS = "plugins/org_tensorflow_tensorboard_projector"
CAPTURE = "plugins/profile/2024_05_06_07_08_09"


def events(directory: Path) -> None:
    """A log, unlike that of any other directory."""
    with EventWriter(directory / "events.out.tfevents.1700000000.host.1.0") as writer:
        writer.file_version(1_700_000_000.0)
        for step in range(20):
            writer.scalar(f"loss {directory.name}", 1 / (step + 1), step, 1_700_000_000.0 + step)


def rows(count: int, dims: int, seed: int = 0) -> list[list[float]]:
    """Points in five heaps."""
    rng = random.Random(seed)
    return [
        [rng.gauss(3.0 * (row % 5 == dim % 5), 1.0) for dim in range(dims)] for row in range(count)
    ]


def tsv(found: list[list[float]]) -> str:
    """Rows as text."""
    return "".join("\t".join(map(str, row)) + "\n" for row in found)


def sprite(count: int, side: int = 8) -> bytes:
    """A picture of coloured squares, one for each point."""
    across = next(n for n in range(1, count + 1) if n * n >= count)
    whole = Image.new("RGB", (across * side, across * side))
    for i in range(count):
        box = (i % across * side, i // across * side)
        whole.paste(COLOURS[i % 5], (*box, box[0] + side, box[1] + side))
    data = io.BytesIO()
    whole.save(data, "PNG")
    return data.getvalue()


def add_embedding(
    run: Path, step: int, tag: str = "default", *, count: int = 50, header: bool = False
) -> None:
    """What PyTorch's SummaryWriter.add_embedding writes into a run's directory."""
    below = f"{step:05}/{tag}"
    folder = run / below
    folder.mkdir(parents=True)
    (folder / "tensors.tsv").write_text(tsv(rows(count, 6, step)), "utf-8")
    labels = "".join(f"digit {i % 5}\t{i}\n" if header else f"ünï {i % 5}\n" for i in range(count))
    head = "label\tnumber\n" if header else ""
    (folder / "metadata.tsv").write_text(head + labels, "utf-8")
    (folder / "sprite.png").write_bytes(sprite(count))
    with (run / CONFIG).open("a", encoding="utf-8") as config:
        config.write(
            f'embeddings {{\ntensor_name: "{tag}:{step:05}"\ntensor_path: "{below}/tensors.tsv"\n'
            f'metadata_path: "{below}/metadata.tsv"\nsprite {{\nimage_path: "{below}/sprite.png"\n'
            "single_image_dim: 8\nsingle_image_dim: 8\n}\n}\n"
        )


def visualize_embeddings(run: Path) -> None:
    """What TensorFlow's projector writes among the plugins' files: float32, a bookmark, a name with :0."""
    folder = run / ASSETS
    (folder / "data").mkdir(parents=True)
    flat = [value for row in rows(12, 3, 7) for value in row]
    # Bytes that are no text.
    (folder / "data" / "words.bytes").write_bytes(struct.pack("<36f", *flat))
    (folder / "bookmarks.txt").write_text('[{"label": "here"}]', "utf-8")
    (folder / CONFIG).write_text(
        'embeddings {\n  tensor_name: "words:0"\n  tensor_path: "data/words.bytes"\n'
        '  tensor_shape: 12\n  tensor_shape: 3\n  bookmarks_path: "bookmarks.txt"\n}\n',
        "utf-8",
    )


def capture(run: Path, host: str = "gpu1", size: int = 3_000) -> None:
    """What a profiler leaves."""
    folder = run / CAPTURE
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{host}.xplane.pb").write_bytes(random.Random(host).randbytes(size))
    (folder / f"{host}.trace.json.gz").write_bytes(random.Random(size).randbytes(size // 2))
