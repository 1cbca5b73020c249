"""Words as they are compared in scoring: what counts as the same word, written down once. Pure.

Both sides, reference and hypothesis, go through the same steps, in this order:

1. Unicode NFKC, curly quotes made straight, case folded; editor's marks in [brackets] and <angles> dropped.
2. `%` and per cent are percent; `$5` is 5 dollars; `20mg` is 20 mg; `10:30` and `10.30` are 10 30; `1,000` is 1000;
   `2nd` is second.
3. Hesitations are dropped: um, uh, ah, eh, er, mm, hm and their longer spellings, mm-hmm and uh-huh as a whole.
4. Hyphens and dashes part words (follow-up is follow up). All other punctuation goes, but an apostrophe inside a word
   stays: contractions are kept as spoken (don't is not do not).
5. A few spellings become one: okay/ok, alright/all right, goodbye/good bye; mr, mrs, dr, mg, vs. are written out.
6. Numbers become digits: twenty five is 25, three hundred and five is 305. Ordinals stay words. "one" becomes 1
   everywhere, on both sides alike. Numbers said one after the other stay apart (ten thirty is 10 30); "point"
   between two numbers goes (three point five is 3 5, as 3.5 is).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

_HESITATION = re.compile(r"u+[hm]+|e+rm?|e+h+m*|h*m+h*m*|hm+|mh+m+|ah+|u+h+-?h+u+h+|m+-?h+m+")
_MARKS = re.compile(r"\[[^\]]*\]|<[^>]*>")
_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_ORDINALS = {
    1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth", 9: "ninth",
    10: "tenth", 11: "eleventh", 12: "twelfth", 13: "thirteenth", 14: "fourteenth", 15: "fifteenth", 16: "sixteenth",
    17: "seventeenth", 18: "eighteenth", 19: "nineteenth", 20: "twentieth", 30: "thirtieth",
}  # fmt: skip
_SPELLINGS = {
    "ok": "okay",
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "mg": "milligrams",
    "vs": "versus",
    "alright": "all right",
    "goodbye": "good bye",
    "'cause": "because",
    "cuz": "because",
}
_QUOTES = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u02bc": "'",
        "`": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u2011": "-",
        "\u2010": "-",
        "\u2212": "-",
    }
)


@dataclass(frozen=True, slots=True)
class Compared:
    """A word as it is compared, and the source words `[first, last)` that it was made from.

    `whole` is False where those source words gave other compared words too (10:30 gives 10 and 30).
    """

    text: str
    first: int
    last: int
    whole: bool = True


def words(text: str) -> list[str]:
    """The words of `text` as they are compared (see the module)."""
    return [word.text for word in located(_MARKS.sub(" ", text).split())]


def located(sources: Sequence[str]) -> list[Compared]:
    """The same for words that are already apart; each result says which of `sources` it came from."""
    pieces = [(part, index) for index, source in enumerate(sources) for part in _parts(source)]
    texts = [part for part, _ in pieces]
    found: list[Compared] = []
    at = 0
    while at < len(texts):
        text, used = _joined(texts, at, found)
        if text:
            found.append(Compared(text, pieces[at][1], pieces[at + used - 1][1] + 1))
        at += used
    shared = Counter(index for word in found for index in range(word.first, word.last))
    return [
        word if all(shared[index] == 1 for index in range(word.first, word.last)) else replace(word, whole=False)
        for word in found
    ]


def _joined(texts: list[str], at: int, before: list[Compared]) -> tuple[str, int]:
    """The compared word that begins at `at` ("" where there is none), and how many parts it takes."""
    value, used = _number(texts, at)
    if used:
        return str(value), used
    if texts[at : at + 2] == ["per", "cent"]:
        return "percent", 2
    if texts[at] == "point" and before and _is_digits(before[-1].text) and _begins(texts, at + 1):
        return "", 1
    return (str(int(texts[at])) if _is_digits(texts[at]) else texts[at]), 1


def _parts(source: str) -> list[str]:
    """One source word after all steps but the one for numbers."""
    plain = unicodedata.normalize("NFKC", source).translate(_QUOTES).casefold()
    found: list[str] = []
    for token in _written_out(_MARKS.sub(" ", plain)).split():
        if _HESITATION.fullmatch(token.strip(".,;:!?\"'()-/*_~")):
            continue
        for part in re.split(r"[^\w']+", token):
            word = part if part == "'cause" else part.strip("'_")
            if word and not _HESITATION.fullmatch(word):
                found += _SPELLINGS.get(word, word).split()
    return found


def _is_digits(token: str) -> bool:
    return token.isascii() and token.isdigit()


def _written_out(plain: str) -> str:
    plain = plain.replace("%", " percent ").replace("&", " and ")
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", plain)
    plain = re.sub(r"\$(\d+(?:\.\d+)?)", r"\1 dollars", plain)
    plain = re.sub(r"\b(\d{1,2})(?:st|nd|rd|th)\b", _ordinal, plain)
    plain = re.sub(r"(?<=\d)\.(?=\d)", " ", plain)
    return re.sub(r"(?<=\d)(?=[a-z])", " ", plain)


def _ordinal(match: re.Match[str]) -> str:
    value = int(match[1])
    if value in _ORDINALS:
        return _ORDINALS[value]
    if value % 10 and value // 10 * 10 in _TENS.values():
        return f"{value // 10 * 10} {_ORDINALS[value % 10]}"
    return match[0]


def _number(tokens: list[str], at: int) -> tuple[int, int]:
    """The number that begins at `at` and how many words it takes; (0, 0) where none begins."""
    total, small, used = 0, 0, 0
    last_scale = 10**12
    small_open = True  # whether `small` may still take another word
    for index in range(at, len(tokens)):
        word = tokens[index]
        if word == "and" and used and tokens[index - 1] in _SCALES and _begins(tokens, index + 1):
            continue
        if word in _TENS and small_open and small % 100 == 0:
            small += _TENS[word]
        elif word in _UNITS and small_open and _fits(_UNITS[word], small, used):
            small += _UNITS[word]
            small_open = False
        elif word == "hundred" and 0 < small < 100:
            small, small_open = small * 100, True
        elif word in _SCALES and small and _SCALES[word] < last_scale and word != "hundred":
            last_scale = _SCALES[word]
            total, small, small_open = total + small * last_scale, 0, True
        else:
            break
        used = index - at + 1
    return total + small, used


def _fits(unit: int, small: int, used: int) -> bool:
    if unit == 0:
        return used == 0
    return small % 100 == 0 if unit > 9 else small % 10 == 0 and (small % 100 == 0 or small % 100 >= 20)


def _begins(tokens: list[str], at: int) -> bool:
    return at < len(tokens) and (tokens[at] in _UNITS or tokens[at] in _TENS or _is_digits(tokens[at]))
