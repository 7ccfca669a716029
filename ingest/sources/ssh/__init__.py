"""Hosts that SSH reaches."""
