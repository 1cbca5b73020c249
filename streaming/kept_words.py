"""An utterance as bytes, and its words read out of them when somebody asks. Pure.

An hour of talk is some nine thousand words. As objects each takes two hundred bytes and more; here it takes fourteen
and gives back the same. What cannot be said so briefly (a word with a space in it, a time of days) takes more room.
"""

import json
import struct
from array import array
from collections.abc import Iterator, Sequence
from typing import overload

from streaming.types import SpeakerId, Tick, TrackId, Utterance, UtteranceId, Word

_HEAD = struct.Struct("<qqdHHIIBBB")
"""Start, end, confidence, track, speaker, bytes of text, words, and how times, confidences and words are written."""
_WIDTHS = (("h", 15), ("i", 31), ("q", 63))
_IN_TEXT, _BESIDE = 0, 1


class Names:
    """The few tracks and speakers of a session, each by a number."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def number(self, name: str) -> int:
        """A name's number, a new one where it is new."""
        if name not in self._names:
            self._names.append(name)
        return self._names.index(name)

    def name(self, number: int) -> str:
        """The name of a number."""
        return self._names[number]


class KeptWords(Sequence[Word]):
    """The words of a packed utterance: equal to the tuple they were, and made anew each time they are looked at."""

    __slots__ = ("_packed",)

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    def __len__(self) -> int:
        return int(_HEAD.unpack_from(self._packed)[6])

    @overload
    def __getitem__(self, place: int) -> Word: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Word, ...]: ...
    def __getitem__(self, place: int | slice) -> Word | tuple[Word, ...]:
        return _words(self._packed)[place]

    def __iter__(self) -> Iterator[Word]:
        return iter(_words(self._packed))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, tuple | KeptWords):
            return NotImplemented
        return _words(self._packed) == tuple(other)

    def __hash__(self) -> int:
        return hash(_words(self._packed))

    def __repr__(self) -> str:
        return repr(_words(self._packed))


def pack(utterance: Utterance, names: Names) -> bytes:
    """The utterance but for its id."""
    words, start = utterance.words, utterance.start
    times = _times([tick for word in words for tick in (word.start, word.end)], start)
    sure = array("d", [word.confidence for word in words])
    brief = array("f", sure)
    if brief.tolist() == sure.tolist():
        sure = brief
    texts = [word.text for word in words]
    said = utterance.text.encode("utf-8", "surrogatepass")
    beside = b"" if utterance.text.split(" ") == texts or not texts else json.dumps(texts).encode()
    return b"".join(
        (
            _HEAD.pack(
                start, utterance.end, utterance.confidence, names.number(utterance.track),
                names.number(utterance.speaker), len(said), len(words), ord(times.typecode), ord(sure.typecode),
                _BESIDE if beside else _IN_TEXT,
            ),
            said, times.tobytes(), sure.tobytes(), beside,
        )
    )  # fmt: skip


def unpack(name: UtteranceId, packed: bytes, names: Names) -> Utterance:
    """The utterance of `pack`."""
    start, end, confidence, track, speaker, length, *_ = _HEAD.unpack_from(packed)
    return Utterance(
        id=name,
        track=TrackId(names.name(track)),
        start=Tick(start),
        end=Tick(end),
        speaker=SpeakerId(names.name(speaker)),
        text=_text(packed, length),
        confidence=confidence,
        words=KeptWords(packed),
    )


def _times(ticks: list[Tick], start: int) -> "array[int]":
    """Each tick by its distance from the one before, the first from the utterance's start."""
    steps = [tick - before for before, tick in zip([start, *ticks], ticks, strict=False)]
    most = max((max(step, -1 - step) for step in steps), default=0)
    return array(next(code for code, bits in _WIDTHS if most < 1 << bits), steps)


def _text(packed: bytes, length: int) -> str:
    return packed[_HEAD.size : _HEAD.size + length].decode("utf-8", "surrogatepass")


def _words(packed: bytes) -> tuple[Word, ...]:
    *_, length, count, time_code, sure_code, where = _HEAD.unpack_from(packed)
    times, sure = array(chr(time_code)), array(chr(sure_code))
    at = _HEAD.size + length
    times.frombytes(packed[at : at + 2 * count * times.itemsize])
    at += 2 * count * times.itemsize
    sure.frombytes(packed[at : at + count * sure.itemsize])
    at += count * sure.itemsize
    texts: list[str] = json.loads(packed[at:]) if where == _BESIDE else _text(packed, length).split(" ")
    tick, made = _HEAD.unpack_from(packed)[0], []
    for place in range(count):
        start = tick + times[2 * place]
        tick = start + times[2 * place + 1]
        made.append(Word(Tick(start), Tick(tick), texts[place], sure[place]))
    return tuple(made)
