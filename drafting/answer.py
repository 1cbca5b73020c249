"""The strict reading of a model's answer. What is wrong is rejected or mended by a stated rule and counted. Pure.

The whole answer is rejected (`BadAnswer`, with its reason) where it is no JSON object (`not_json`: also with a key
twice, or numbers that JSON does not know), is for another section (`wrong_section`), has no list of statements
(`wrong_shape`) or is too long (`too_long`). Of an answer that grew past its tokens (`cut`) the statements that came
whole stay.

One statement is left out where it is no object with a text and a list (`malformed`), has less than two words
(`empty`), has letters of a script that the verifier cannot read (`unreadable`), is too long (`over_long`: half a
sentence would say something else), holds characters that do not show (`control_characters`) or pieces of markup,
templates or addresses (`markup`), has no line of the transcript as evidence (`no_evidence`), says what another has
said (`repeated`), or comes after the most that the section takes (`too_many`).

Mended are: line breaks and runs of spaces (one space), a list mark before a sentence and marks of emphasis
(`formatting`), numbers of lines that do not exist (`unknown_line`: taken out, the others stay), more evidence than
is taken (`much_evidence`: the first stay), a code fence around the whole (`fenced`), and keys that nobody asked for
(`extra_key`).
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from drafting.prompt import Limits
from drafting.words import tokens
from streaming.errors import SamedayError
from streaming.types import Statement, UtteranceId

MAX_CHARACTERS = 65_536
"""More than any schema allows."""
LEAST_WORDS = 2
LEFT_OUT = (
    "malformed",
    "empty",
    "unreadable",
    "over_long",
    "control_characters",
    "markup",
    "no_evidence",
    "repeated",
    "too_many",
)

_FENCE = re.compile(r"\s*```(?:json)?\s*(\{.*\})\s*```\s*", re.DOTALL)
_ROWS = re.compile(r'\s*\{\s*"section"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"statements"\s*:\s*\[')
_BULLET = re.compile(r"^(?:[-*•#>]+|\d+[.)])\s+")
_SPACE = re.compile(r"[^\S\x0b\x0c\x1c-\x1f\x85]+")  # separators of files and records are no spaces here
_EMPHASIS = re.compile(r"\*\*|__|`")
_MARKUP = re.compile(
    r"<\s*[|/!?a-z]|[|/]\s*>|[<>]{2}|\[/?(?:inst|system|user|assistant)|\{\s*[\"'{%]|[%}]\s*\}|\bhttps?:|\]\(|&#?\w+;"
    r"|^\s*(?:system|assistant|user|instructions?)\s*:",
    re.IGNORECASE,
)
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")


class BadAnswer(SamedayError):
    """An answer that nothing can be taken from; `why` is one of the reasons above."""

    code = "bad_answer"

    def __init__(self, why: str) -> None:
        super().__init__("The model's answer cannot be used.")
        self.why = why


@dataclass(frozen=True, slots=True)
class Answer:
    """What was taken from an answer, and how often each rule had something to mend or leave out."""

    statements: tuple[Statement, ...]
    faults: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer is read against: the section, the utterances by line, the limits, the most statements."""

    section: str
    ids: Sequence[UtteranceId]
    limits: Limits
    most: int


def read_answer(text: str, asked: Asked, *, cut: bool = False) -> Answer:
    """The statements of an answer; `cut` where it is known that its end is missing. Raises BadAnswer."""
    if len(text) > MAX_CHARACTERS:
        raise BadAnswer("too_long")
    faults: Counter[str] = Counter()
    fenced = _FENCE.fullmatch(text)
    if fenced:
        faults["fenced"] += 1
        text = fenced[1]
    try:
        body = json.loads(text, object_pairs_hook=_object, parse_constant=_refused)
    except (ValueError, RecursionError):
        if not cut:
            raise BadAnswer("not_json") from None
        rows = rows_so_far(text, asked.section)
        if not rows:
            raise BadAnswer("cut") from None
        faults["cut"] += 1
    else:
        rows = _rows(body, asked.section, faults)
    return Answer(_taken(rows, asked, faults), dict(faults))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


def _refused(_: str) -> Any:
    raise ValueError("no number of JSON")


def _rows(body: Any, section: str, faults: Counter[str]) -> list[Any]:
    if not isinstance(body, dict) or not isinstance(body.get("statements"), list):
        raise BadAnswer("wrong_shape")
    if body.get("section") != section:
        raise BadAnswer("wrong_section")
    faults["extra_key"] += len(body) - 2
    rows: list[Any] = body["statements"]
    return rows


def rows_so_far(text: str, section: str) -> list[Any]:
    """The rows that have come whole in an answer that is still being written; none before there is one."""
    begun = _ROWS.match(text)
    if begun is None or not _names(begun[1], section):
        return []
    decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refused)
    rows: list[Any] = []
    at = begun.end()
    while True:
        at = _skipped(text, at, " \t\r\n,")
        try:
            row, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return rows
        rows.append(row)


def _names(quoted: str, section: str) -> bool:
    try:
        return bool(json.loads(quoted) == section)
    except ValueError:
        return False


def _skipped(text: str, at: int, letters: str) -> int:
    while at < len(text) and text[at] in letters:
        at += 1
    return at


def texts_so_far(text: str, asked: Asked) -> tuple[str, ...]:
    """The sentences that have come whole and would be taken, for showing while the rest is written."""
    return tuple(one.text for one in _taken(rows_so_far(text, asked.section), asked, Counter()))


def _taken(rows: Sequence[Any], asked: Asked, faults: Counter[str]) -> tuple[Statement, ...]:
    taken: list[Statement] = []
    told: set[str] = set()
    for row in rows:
        made = _statement(row, asked, faults)
        if isinstance(made, str):
            faults[made] += 1
        elif folded(made.text) in told:
            faults["repeated"] += 1
        elif len(taken) == asked.most:
            faults["too_many"] += 1
        else:
            taken.append(made)
            told.add(folded(made.text))
    for name in [name for name, count in faults.items() if count <= 0]:
        del faults[name]
    return tuple(taken)


def folded(text: str) -> str:
    """The words of a sentence alone, for telling whether it was said before."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def _statement(row: Any, asked: Asked, faults: Counter[str]) -> Statement | str:
    """The statement, or the rule for which it is left out."""
    if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not isinstance(row.get("evidence"), list):
        return "malformed"
    faults["extra_key"] += len(row) - 2
    text = _mended(row["text"], faults)
    if any(unicodedata.category(letter) in _UNSEEN for letter in text):
        return "control_characters"
    if len(tokens(text)) < LEAST_WORDS:
        return "empty"
    if not all(unicodedata.name(letter, "").startswith("LATIN ") for letter in text if letter.isalpha()):
        return "unreadable"
    if len(text) > asked.limits.statement_characters:
        return "over_long"
    if _MARKUP.search(text):
        return "markup"
    evidence = _evidence(row["evidence"], asked, faults)
    return Statement(text, "transcript", evidence) if evidence else "no_evidence"


def _mended(text: str, faults: Counter[str]) -> str:
    one_line = _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip()
    plain = _EMPHASIS.sub("", _BULLET.sub("", one_line)).strip()
    faults["formatting"] += plain != text
    return plain


def _evidence(numbers: Sequence[Any], asked: Asked, faults: Counter[str]) -> tuple[UtteranceId, ...]:
    known = [one for one in numbers if type(one) is int and 1 <= one <= len(asked.ids)]
    faults["unknown_line"] += len(numbers) - len(known)
    places = tuple(dict.fromkeys(asked.ids[one - 1] for one in known))
    faults["much_evidence"] += len(places) > asked.limits.evidence
    return places[: asked.limits.evidence]
