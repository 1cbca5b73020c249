"""A clinician's own check-in: answers lead to people, never to a score or a diagnosis. Pure.

Questions, answers and pointers are in self_check.toml. Nothing here is counted: each answer brings its own pointers,
and thoughts of self-harm bring the crisis lines of the country first, whatever else was answered. Whoever calls this
keeps no answer and writes none into a log, a figure or an export.
"""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drafting.data import load
from streaming.errors import PeerError

WIDTH = 100


class BadAnswer(PeerError):
    """An answer to no question, or one that the question does not offer; never says which was given."""

    code = "bad_answer"


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its answers, as pairs of a key and words."""

    id: str
    text: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Pointer:
    """A way to somebody who can help; `lines` are numbers to call."""

    id: str
    title: str
    text: str
    lines: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "title": self.title, "text": self.text, "lines": list(self.lines)}


def _data() -> dict[str, Any]:
    return load("self_check.toml")


def questions() -> tuple[Question, ...]:
    """The questions in order."""
    return tuple(Question(row["id"], row["text"], tuple(row["answers"].items())) for row in _data()["question"])


def countries() -> tuple[tuple[str, str], ...]:
    """Countries whose lines are known, as pairs of ISO 3166 code and name, in order of name."""
    rows = ((code, row["name"]) for code, row in _data()["countries"].items())
    return tuple(sorted(rows, key=lambda one: one[1]))


def words() -> tuple[str, str]:
    """What is said before the questions and after the pointers."""
    return _data()["intro"], _data()["close"]


def pointers(answers: Mapping[str, str], country: str = "us") -> tuple[Pointer, ...]:
    """The pointers for some of the questions' answers; those of a crisis first. Raises BadAnswer.

    A country that is not known gets what holds anywhere.
    """
    rows = {row["id"]: row for row in _data()["question"]}
    wanted: set[str] = set()
    for name, answer in answers.items():
        if name not in rows:
            raise BadAnswer("There is no such question.", mend="Ask for the questions anew.")
        if answer not in rows[name]["answers"]:
            raise BadAnswer("The question has no such answer.", mend="Ask for the questions anew.")
        wanted |= set(rows[name]["points"].get(answer, ()))
    if not wanted:
        wanted = {"nothing"}
    shown = [row for row in _data()["pointer"] if row["id"] in wanted]
    lines = _lines(country)
    return tuple(Pointer(row["id"], row["title"], row["text"], lines if row.get("lines") else ()) for row in shown)


def _lines(country: str) -> tuple[str, ...]:
    row = _data()["countries"].get(country.lower(), _data()["any"])
    return (*row["lines"], f"Emergency: {row['emergency']}")


def as_json() -> dict[str, Any]:
    """The questions for a page."""
    intro, close = words()
    return {
        "intro": intro,
        "close": close,
        "questions": [
            {"id": one.id, "text": one.text, "answers": [{"id": key, "text": text} for key, text in one.answers]}
            for one in questions()
        ],
        "countries": [{"id": code, "name": name} for code, name in countries()],
    }


def for_reading(found: tuple[Pointer, ...]) -> str:
    """The pointers as text for a terminal."""
    return "\n\n".join(
        "\n".join([one.title.upper(), textwrap.fill(one.text, WIDTH), *(f"  - {line}" for line in one.lines)])
        for one in found
    )
