"""Reads the embedded recognizer's vocabulary and joins its tokens into text. Pure.

The file is a row of entries, one per token id from 0 up: a length, then that many bytes. A length below 128 is one
byte; above, the low seven bits come first, with the top bit set, and the next byte holds the rest. Entries are
SentencePiece pieces, where U+2581 stands for a space before a word; ids 3 to 258 are the single bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

BOS = 1
EOS = 2
_SPACE = "\u2581".encode()
_FIRST_TEXT = 3  # unknown, begin and end come before it
_CONTROL = b"<<ST_"


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """A word and the half-open span `[first, last)` of the tokens that spell it."""

    text: str
    first: int
    last: int


class Tokenizer:
    """The vocabulary: `pieces[i]` is the bytes of token `i`, empty where it stands for no text."""

    def __init__(self, data: bytes) -> None:
        self.pieces: tuple[bytes, ...] = tuple(
            piece if number >= _FIRST_TEXT and not piece.startswith(_CONTROL) else b""
            for number, piece in enumerate(_entries(data))
        )

    def words(self, tokens: Sequence[int]) -> list[TokenSpan]:
        """Words in order, without the tokens that spell none. Bytes that are not UTF-8 are left out."""
        spans: list[TokenSpan] = []
        spelled = b""
        first = 0
        for place, token in enumerate(tokens):
            piece = self.pieces[token]
            if piece.startswith(_SPACE) and spelled:
                spans += _span(spelled, first, place)
                spelled = b""
            if not spelled:
                first = place
            spelled += piece
        return spans + _span(spelled, first, len(tokens))


def _entries(data: bytes) -> list[bytes]:
    """Raises ValueError where the last entry is cut short."""
    entries = []
    at = 0
    while at < len(data):
        length = data[at]
        at += 1
        if length >= 128:
            if at == len(data):
                raise ValueError("The vocabulary ends inside an entry.")
            length += 128 * (data[at] - 1)
            at += 1
        if at + length > len(data):
            raise ValueError("The vocabulary ends inside an entry.")
        entries.append(data[at : at + length])
        at += length
    return entries


def _span(spelled: bytes, first: int, last: int) -> list[TokenSpan]:
    text = spelled.replace(_SPACE, b" ").decode("utf-8", errors="ignore").strip()
    return [TokenSpan(text, first, last)] if text else []
