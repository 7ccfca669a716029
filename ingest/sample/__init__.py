"""Sample logs: what the demo shows, and a writer of event files for tests and benchmarks."""

from .scene import SampleTree
from .tree import append_live, write_samples

__all__ = ["SampleTree", "append_live", "write_samples"]
