"""Genuine TensorBoard over the lake: its own front end and plugins, our data."""
