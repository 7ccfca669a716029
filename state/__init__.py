"""What people write about runs, and the views they save: a small database beside the lake."""
