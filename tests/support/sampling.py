"""Samples by time: what fits into the suite, where the whole matrix takes hours."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

SECONDS = 8.0
Item = TypeVar("Item")


def sampled(
    items: Iterable[Item], *, whole: bool, share: float = 1.0, at_least: int = 2
) -> Iterator[Item]:
    """All of the items when `whole`, else as many as fit into a `share` of a sample's time.

    `at_least` so many, however slow the machine.
    """
    began = time.monotonic()
    for number, item in enumerate(items):
        if not whole and number >= at_least and time.monotonic() - began > SECONDS * share:
            return
        yield item
