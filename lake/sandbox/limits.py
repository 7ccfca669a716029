"""What a statement of someone else may take."""

from __future__ import annotations

from dataclasses import dataclass

MAX_QUERY = 50_000  # characters
MAX_ROWS = 1_000_000
MAX_PARAMETERS = 1_000
MAX_PIVOT = 1_000  # columns from the values of one expression


@dataclass(frozen=True)
class Limits:
    """Limits of one sandbox; `allow_list` off leaves only the other layers, for tests of these."""

    workers: int = 2
    queue: int = 16
    wait_s: float = 20.0
    seconds: float = 10.0  # then the statement is interrupted
    grace_s: float = 4.0  # then its process is killed
    start_s: float = 60.0
    result_bytes: int = 64 << 20
    memory: str = "512MB"  # DuckDB's own account, which does not see everything
    address_space: int = 3 << 30
    cpu_life_s: int = 3_600
    allow_list: bool = True
