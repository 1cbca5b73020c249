"""Which connections are let in, and which of them goes where there are too many. Pure.

A connection waits until the head of its first request is there, which takes an honest client a moment. Only so many
may wait; where one more comes, the one that has waited longest goes: thousands that are opened and say nothing push
each other out, and those who speak get through. From then on it is counted for its address.
"""

from collections import Counter
from typing import Generic, TypeVar

One = TypeVar("One")


class Crowd(Generic[One]):
    """Connections by whatever stands for one. `of_an_address` None sets no bound for an address."""

    def __init__(self, waiting: int, of_an_address: int | None) -> None:
        self._most_waiting = waiting
        self._most_of_an_address = of_an_address
        self._waiting: dict[One, None] = {}  # in the order in which they came
        self._asking: dict[One, str] = {}
        self._of_address: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._asking)

    def enter(self, one: One) -> One | None:
        """One more waits; returns the one that has to go for it."""
        gone = None
        if len(self._waiting) >= self._most_waiting:
            gone = next(iter(self._waiting))
            del self._waiting[gone]
        self._waiting[one] = None
        return gone

    def has_room(self, one: One, address: str) -> bool:
        """Whether a request on this connection may be answered: its address has room, or it is counted already."""
        most = self._most_of_an_address
        return most is None or one in self._asking or self._of_address[address] < most

    def ask(self, one: One, address: str) -> None:
        """The head of a request is there; asking again on the same connection changes nothing."""
        self._waiting.pop(one, None)
        if one not in self._asking:
            self._asking[one] = address
            self._of_address[address] += 1

    def leave(self, one: One) -> None:
        """It is closed; one that is not there changes nothing."""
        self._waiting.pop(one, None)
        address = self._asking.pop(one, None)
        if address is not None:
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]
