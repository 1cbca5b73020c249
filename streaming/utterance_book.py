"""A session's utterances, kept briefly: as they count now, and as they were heard. Pure."""

from collections.abc import Iterator, MutableMapping

from streaming.kept_words import Names, pack, unpack
from streaming.types import Utterance, UtteranceId


class UtteranceBook(MutableMapping[UtteranceId, Utterance]):
    """By id, in the order in which they closed. Each look makes the utterance anew, its words when they are read."""

    def __init__(self) -> None:
        self._names = Names()
        self._now: dict[UtteranceId, bytes] = {}
        self._before: dict[UtteranceId, bytes] = {}  # of those that were changed since: as they were heard

    def hear(self, utterance: Utterance) -> None:
        """An utterance that closed: what was there under its id counts no more."""
        self._before.pop(utterance.id, None)
        self._now[utterance.id] = pack(utterance, self._names)

    def heard(self, name: UtteranceId) -> Utterance | None:
        """An utterance as it was heard, whatever was changed since; None where there is none."""
        packed = self._before.get(name) or self._now.get(name)
        return None if packed is None else unpack(name, packed, self._names)

    def __getitem__(self, name: UtteranceId) -> Utterance:
        return unpack(name, self._now[name], self._names)

    def __setitem__(self, name: UtteranceId, utterance: Utterance) -> None:
        """Another one in the place of one that was heard."""
        if name in self._now:
            self._before.setdefault(name, self._now[name])
        self._now[name] = pack(utterance, self._names)

    def __delitem__(self, name: UtteranceId) -> None:
        del self._now[name]
        self._before.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._now

    def __iter__(self) -> Iterator[UtteranceId]:
        return iter(self._now)

    def __len__(self) -> int:
        return len(self._now)
