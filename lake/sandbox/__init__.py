"""Other people's SQL on the lake: judged by its syntax tree, run in a process that can do nothing else."""
