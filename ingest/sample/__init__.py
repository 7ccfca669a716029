"""Sample logs: what the demo shows, and a writer of event files for tests and benchmarks."""

from .live import Live, still_going
from .scene import SampleTree
from .tree import append_live, write_samples

__all__ = ["Live", "SampleTree", "append_live", "still_going", "write_samples"]
