"""Samples by time: what fits into the suite, or into CRASH_SECONDS for each, of a long matrix."""

import os
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

SECONDS = float(os.environ.get("CRASH_SECONDS", "8"))
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
