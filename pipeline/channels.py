"""The two ways a value crosses from one worker to another: newest wins, or nothing is lost."""

import threading
from collections import deque
from typing import Generic, TypeVar

from pipeline.errors import ChannelFull

T = TypeVar("T")


class Latest(Generic[T]):
    """Holds the newest value; a slow reader misses the ones between, and can count them.

    Thread: any number of writers and readers.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value: T | None = None
        self._version = 0

    def put(self, value: T) -> None:
        """Replace the value."""
        with self._lock:
            self._value = value
            self._version += 1

    def get(self) -> T | None:
        """The newest value, None before the first."""
        return self._value

    def get_versioned(self) -> tuple[int, T | None]:
        """How many values there have been, and the newest."""
        with self._lock:
            return self._version, self._value


class Lossless(Generic[T]):
    """A queue that never drops: overflow raises in the writer.

    Thread: one writer, one reader (more are safe; order is then theirs to keep).
    """

    def __init__(self, capacity: int = 65_536) -> None:
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._ready = threading.Condition()

    def put(self, item: T) -> None:
        """Append.

        Raises:
            ChannelFull: the reader has not kept up.
        """
        with self._ready:
            if len(self._items) >= self._capacity:
                raise ChannelFull(
                    f"{self._capacity} items wait and nobody reads them; the reading worker is dead or too slow"
                )
            self._items.append(item)
            self._ready.notify()

    def take_all(self) -> list[T]:
        """Everything that waits, oldest first, without blocking."""
        if not self._items:  # nearly always, and much cheaper than the lock
            return []
        with self._ready:
            items = list(self._items)
            self._items.clear()
            return items

    def wait(self, timeout_s: float) -> bool:
        """True as soon as something waits, False after `timeout_s`."""
        with self._ready:
            return self._ready.wait_for(lambda: bool(self._items), timeout_s)

    def __len__(self) -> int:
        return len(self._items)
