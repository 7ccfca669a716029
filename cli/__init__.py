"""The `boardlake` command: one module per subcommand."""
