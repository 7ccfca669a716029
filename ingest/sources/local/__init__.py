"""Directories of this machine, and every mount."""
