"""A log directory made of what the lake holds: event files, and a side file for each run."""
