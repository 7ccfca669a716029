"""The lake for programs: the Python API now, HTTP later."""
