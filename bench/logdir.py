"""A log directory back from a lake, whole process, beside protobuf's own writer on one core; and the way back.

The plain writer makes the same records of the same columns that are in memory already: an `Event` for each
point, serialized and framed by TensorBoard's `RecordWriter`.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path

import numpy as np
from logs import write_logs
from measure import boardlake, median, process, report, seconds
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

from boardlake.kernels.encode import encode, warm
from boardlake.kernels.encoded import FLOAT, Form, Forms, Rows


def columns(points: int) -> Rows:
    """Points of four tags in turn, an event for each."""
    at = np.arange(points)
    return Rows(at, at // 4, 1.7e9 + at / 100, np.sin(at / 50), (at % 4).astype(np.int32))


def kernel(points: int) -> tuple[float, float]:
    """Points per second of the kernel into memory, and of the plain writer."""
    tags = [f"train/metric_{number}" for number in range(4)]
    values = [summary_pb2.Summary.Value(tag=tag).SerializeToString() for tag in tags]
    forms = Forms.of([Form(value + b"\x15", b"", FLOAT) for value in values])
    rows, out = columns(points), np.zeros(100 * points, np.uint8)
    warm()
    ours = seconds(lambda: encode(rows, forms, out))
    few = 50_000
    listed = list(zip(*(column[:few].tolist() for column in rows), strict=True))

    def plain() -> bytes:
        file = io.BytesIO()
        writer = RecordWriter(file)
        for _, step, wall_time, value, form in listed:
            one = summary_pb2.Summary.Value(tag=tags[form], simple_value=value)
            summary = summary_pb2.Summary(value=[one])
            event = event_pb2.Event(wall_time=wall_time, step=step, summary=summary)
            writer.write(event.SerializeToString())
        return file.getvalue()

    if plain() != encode(rows.slice(0, few), forms, out).tobytes():
        raise RuntimeError("the two writers differ")
    return points / ours, few / seconds(plain)


def main() -> None:
    """Ingest, export, ingest that, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=16)
    parser.add_argument("--events", type=int, default=500_000, help="in each file")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    points = options.files * options.events
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        logs, lake = root / "logs", root / "lake"
        size = sum(path.stat().st_size for path in write_logs(logs, options.files, options.events))
        process(boardlake("--lake", str(lake), "ingest", str(logs)))
        target = str(root / "out")
        export = boardlake("--lake", str(lake), "export", "--tensorboard", target, "--force")
        process(export)
        took = [process(export) for _ in range(options.times)]
        back = process(boardlake("--lake", str(root / "again"), "ingest", target))
        fast, plain = kernel(2_000_000)
        report(
            "logdir",
            points=points,
            log_mb=size / 1e6,
            export_s=median(took),
            export_cpu_s=median(took, "cpu"),
            export_peak_mb=max(one.peak_mb for one in took),
            points_per_s=points / median(took),
            mb_per_s=size / 1e6 / median(took),
            import_s=back.wall,
            kernel_points_per_s=fast,
            plain_writer_points_per_s=plain,
        )


if __name__ == "__main__":
    main()
