"""An iterator that is run by a thread of its own, so that the main thread stays interruptible.

A signal is handled between steps of Python code; a main thread that waits inside a library for
rows of a slow pipe, or for a long query, would not see Ctrl-C until they arrive.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")

_AHEAD = 2  # items that may wait
_GIVE_UP = 5.0  # seconds to wait for the thread once it was told to stop


class _End:
    """The iterator is exhausted, or failed."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def pulled(items: Iterator[Item], *, abort: Callable[[], None]) -> Generator[Item, None, None]:
    """The items, in order; `abort` makes a step under way end when nobody waits for it."""
    puller = _Puller(items)
    puller.start()
    try:
        while not isinstance(item := puller.ready.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        puller.stopped.set()
        if puller.is_alive():
            abort()
        puller.join(_GIVE_UP)


class _Puller(threading.Thread, Generic[Item]):
    def __init__(self, items: Iterator[Item]) -> None:
        super().__init__(name="pull", daemon=True)
        self._items = items
        self.ready: queue.Queue[Item | _End] = queue.Queue(_AHEAD)
        self.stopped = threading.Event()

    def run(self) -> None:
        end = _End()
        try:
            for item in self._items:
                self._hand_over(item)
                if self.stopped.is_set():
                    return
        except BaseException as exc:  # noqa: BLE001 - it is raised where the items are wanted
            end = _End(exc)
        self._hand_over(end)

    def _hand_over(self, item: Item | _End) -> None:
        while not self.stopped.is_set():
            try:
                self.ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return
