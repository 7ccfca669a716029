"""What TensorBoard's dashboards ask of the lake: the series of some runs, and their values."""
