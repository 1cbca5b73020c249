"""The embedded vocabulary's file format and how tokens become words."""

import pytest

from streaming.tokenizer import Tokenizer, TokenSpan

pytestmark = pytest.mark.unit

_SPACE = "\u2581".encode()
_PIECES = [b"<unk>", b"<s>", b"</s>", *(bytes([value]) for value in range(256))]
_PIECES += [_SPACE + b"go", b"od", _SPACE + b"day", b".", b"<<ST_0>>", _SPACE]
GO, OD, DAY, DOT, CONTROL, SPACE = range(259, 265)


def _file(pieces: list[bytes]) -> bytes:
    return b"".join(
        (bytes([len(piece)]) if len(piece) < 128 else bytes([len(piece) % 128 + 128, len(piece) // 128])) + piece
        for piece in pieces
    )


@pytest.fixture(name="tokenizer")
def _tokenizer() -> Tokenizer:
    return Tokenizer(_file(_PIECES))


def test_a_word_spans_its_tokens_and_the_mark_after_it(tokenizer: Tokenizer) -> None:
    assert tokenizer.words([GO, OD, DAY, DOT]) == [TokenSpan("good", 0, 2), TokenSpan("day.", 2, 4)]


def test_bytes_join_into_letters(tokenizer: Tokenizer) -> None:
    e_acute = [3 + value for value in "é".encode()]
    assert tokenizer.words([GO, *e_acute]) == [TokenSpan("goé", 0, 3)]


def test_half_a_letter_is_left_out(tokenizer: Tokenizer) -> None:
    assert tokenizer.words([GO, 3 + "é".encode()[0]]) == [TokenSpan("go", 0, 2)]


@pytest.mark.parametrize("tokens", [[], [0, 1, 2], [CONTROL], [SPACE]])
def test_tokens_that_spell_nothing_are_no_words(tokenizer: Tokenizer, tokens: list[int]) -> None:
    assert tokenizer.words(tokens) == []


def test_a_lone_space_begins_the_word_after_it(tokenizer: Tokenizer) -> None:
    assert [span.text for span in tokenizer.words([GO, SPACE, OD, DAY])] == ["go", "od", "day"]


def test_long_entries_have_two_bytes_of_length() -> None:
    long = _SPACE + b"x" * 300
    assert Tokenizer(_file([*_PIECES, long])).pieces[-1] == long


@pytest.mark.parametrize("cut", [1, 4])
def test_a_file_that_ends_inside_an_entry_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="ends inside"):
        Tokenizer(_file([*_PIECES, b"y" * 200])[: -200 - 2 + cut])
