"""What clinicians type short, written out: "ct wakes 4x/wk" is "client wakes 4 times a week".

The table is shorthand.toml. Quotes stay as they are: they are the client's words. Pure.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

from drafting.data import load

_QUOTE = re.compile(r'"[^"\n]*"|“[^”\n]*”')
_TIMES = re.compile(
    r"\b(\d{1,3})(?: ?[-–] ?(\d{1,3}))? ?x ?(?:/ ?|a |per )?(day|daily|d|night|week|wkly|wk|w|month|mo)\b(?!\w)", re.I
)
_PER = re.compile(
    r"(?<=\d) ?(nights?|days?|hours?|hrs?|times|min|mins|minutes)? ?/ ?(wk|week|day|night|month)\b", re.I
)
_COUNT = re.compile(
    r"(?<!oriented )(?<=[a-z] )x ?(\d{2,3}|[2-9])\b(?! ?(?:/|w(?:ee)?ks?|mos?|months?|days?|y(?:ea)?rs?)\b| ?/)"
    r"|\b(\d{2,3}|[2-9])x\b(?! ?/)",
    re.IGNORECASE,
)
_ARROW = re.compile(r"(\d[\d./%]{0,15})\s*(?:→|⟶|=>|-{1,2}>)\s*(?=\d)")
_CHANGE = re.compile(r"\b([A-Za-z][\w-]*) (\d[\d./%]{0,15})\s*(?:→|⟶|=>|-{1,2}>)\s*(\d)")
# A mark that stands close behind a word or within one is left as it is: which word it belongs to is not told.
_UP = re.compile(r"(?<!\w)↑\s*(?=\w)")
_DOWN = re.compile(r"(?<!\w)↓\s*(?=\w)")
_NONE = re.compile(r"(?<!\w)(?:∅\s*(?=\w)|Ø(?:\s+(?=\w)|(?=[A-Z0-9])))")
_UNITS = {"d": "day", "daily": "day", "w": "week", "wk": "week", "wkly": "week", "mo": "month", "hrs": "hours"}


@dataclass(frozen=True, slots=True)
class _Short:
    words: re.Pattern[str]
    to: str
    after: re.Pattern[str] | None


@lru_cache(maxsize=1)
def _table() -> tuple[_Short, ...]:
    made = []
    for row in load("shorthand.toml")["short"]:
        tail = "" if row.get("open") else r"(?![\w/]|[+-](?!\w))"
        text = rf"(?<![\w/'+-])(?:{row['from']}){tail}" + (f"{row['swallow']}?" if "swallow" in row else "")
        after = re.compile(row["after"], re.IGNORECASE) if "after" in row else None
        made.append(_Short(re.compile(text, 0 if row.get("exact") else re.IGNORECASE), row["to"], after))
    return tuple(made)


@lru_cache(maxsize=1)
def vocabulary() -> frozenset[str]:
    """The words that writing out may bring in, in small letters."""
    words = " ".join(row["to"] for row in load("shorthand.toml")["short"])
    own = "times a day week night month hour from to increased decreased no with per minute"
    return frozenset(re.findall(r"[a-z]+", f"{words} {own}".lower()))


def outside_quotes(text: str, change: Callable[[str], str]) -> str:
    """The text with `change` made to what stands outside quotes."""
    parts, last = [], 0
    for found in _QUOTE.finditer(text):
        parts += [change(text[last : found.start()]), found[0]]
        last = found.end()
    return "".join((*parts, change(text[last:])))


@lru_cache(maxsize=2)
def written_out(text: str) -> str:
    """The text with what was typed short written out, quotes untouched.

    Each piece of a sentence asks for the sentence's: the last one is kept, or a long sentence would cost its square.
    """
    return outside_quotes(text, _written_out)


def _written_out(text: str) -> str:
    text = _CHANGE.sub(r"\1 from \2 to \3", text)
    text = _ARROW.sub(r"\1 to ", text)
    for mark, word in ((_UP, "increased "), (_DOWN, "decreased "), (_NONE, "no ")):
        text = mark.sub(word, text)
    text = _TIMES.sub(_how_often, text)
    text = _PER.sub(_per, text)
    text = _COUNT.sub(lambda found: f"{found[1] or found[2]} times", text)
    for short in _table():
        text = short.words.sub(partial(_replaced, short), text)
    return re.sub(r"  +", " ", text)


def _how_often(found: re.Match[str]) -> str:
    unit = _UNITS.get(found[3].lower(), found[3].lower())
    many = f"{found[1]}-{found[2]}" if found[2] else found[1]
    return f"{many} time{'' if many == '1' else 's'} a {unit}"


def _per(found: re.Match[str]) -> str:
    unit = _UNITS.get(found[2].lower(), found[2].lower())
    what = f" {_UNITS.get(found[1].lower(), found[1])}" if found[1] else ""
    return f"{what} a {unit}"


def _replaced(short: _Short, found: re.Match[str]) -> str:
    if short.after is not None and short.after.search(found.string[: found.start()]) is None:
        return found[0]
    # "w/ partner" and "w/partner" both need one blank after it.
    blank = " " if found[0].endswith("/") and found.string[found.end() : found.end() + 1].strip() else ""
    return short.to + blank
