"""The desk: what one thread does for others, and what they hear of it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from boardlake.ingest.desk import Desk, Over


def test_what_fails_at_the_desk_fails_where_it_was_asked_for() -> None:
    """A time-out, as of a file server, is an answer as others are: nobody waits for another one."""
    destination: Any = None
    desk = Desk(destination, 1, 1, lambda _: None)
    done = threading.Event()
    serving = threading.Thread(target=desk.serve, args=(lambda: not done.is_set(),), daemon=True)
    serving.start()

    def fail() -> None:
        raise TimeoutError("the lake's server is silent")

    heard: list[BaseException] = []

    def ask() -> None:
        try:
            desk.ask(fail)
        except BaseException as error:
            heard.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(30)
    assert [type(one) for one in heard] == [TimeoutError]
    assert desk.ask(lambda: 1) == 1
    done.set()
    serving.join(30)
    with pytest.raises(Over):
        desk.ask(lambda: 1)
