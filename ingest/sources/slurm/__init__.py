"""Clusters that Slurm schedules."""
