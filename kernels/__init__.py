"""Compiled hot loops: arrays in, arrays out, each beside a plain twin that the tests compare."""
