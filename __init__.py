"""boardlake: all your TensorBoard logs, from every machine, in one searchable lake."""

__version__ = "0.1.0"
