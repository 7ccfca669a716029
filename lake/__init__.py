"""The DuckLake and every SQL statement of the project."""
