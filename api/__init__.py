"""The lake for programs: the Python API, and the same over HTTP."""
