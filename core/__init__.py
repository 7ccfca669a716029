"""What boardlake's words mean: settings, errors and values, without any I/O of its own."""
