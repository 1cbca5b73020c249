"""Sentences of known truth about real sessions, to measure the verifier with; made by rule, the same for a seed.

True ones tell a clause in other frames, some without their adverbs. False ones: the wrong speaker, a flipped
negation, a wrong number, an invented observation, an invented plan. Each comes with the utterance it is about and the
one after, as a writer cites them. Being made by rule, they are kinder than a model's own errors.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drafting.clauses import Clause, by_utterance, clauses
from drafting.client_facts import usable
from drafting.third import third_person, to_client
from streaming.types import Role, Transcript

CLASSES = ("true", "speaker", "negation", "number", "observation", "plan")

_FRAMES = (
    "Client reported that {}.",
    "The client shared that {}.",
    "Client stated {}.",
    "Patient described that {}.",
    "They mentioned that {}.",
)
_SPOKE = ("The therapist stated that {}.", "Clinician explained that {}.")
_ASKED = ('Clinician asked, "{}"', "The therapist said that {}.")
_ADVERBS = re.compile(r"\b(?:really|just|very|kind of|a little|sort of|actually|probably|pretty)\s", re.IGNORECASE)
_NUMBER = re.compile(r"\b(?:two|three|four|five|six|seven|eight|nine|ten|\d{1,3})\b", re.IGNORECASE)
_AUXILIARY = re.compile(r"\b(do|did|does|is|are|was|were|have|has|had|can|could|would|will) not\b|\bcannot\b")
_POSITIVE = re.compile(r"\bthey (are|were|have|had|can|could|would|will)\b(?! not)")
_BARE = re.compile(r"\bthey (want|need|like|think|feel|know|smoke|drink|try|work|go|get|use|eat|see)\b")
OBSERVATIONS = (
    "Client maintained good eye contact throughout the session.",
    "Affect was congruent with mood.",
    "Client appeared tired and slightly disheveled.",
    "Client was well-groomed and appropriately dressed.",
    "Client was tearful when describing this.",
    "Speech was normal in rate and volume.",
    "Client presented with a flat affect.",
    "Thought process was linear and goal-directed.",
    "Client fidgeted and avoided eye contact.",
    "Client was alert and oriented x4.",
    "Client smiled when talking about it.",
    "Client displayed good insight and judgment.",
)
PLANS = (
    "Client agreed to practice diaphragmatic breathing daily.",
    "Client will complete a thought record before the next session.",
    "Homework: keep a sleep diary for one week.",
    "Therapist will refer client to a psychiatrist for a medication evaluation.",
    "Client agreed to attend a support group twice weekly.",
    "Next session is scheduled for Thursday at 3 pm.",
    "Client will call the crisis line if symptoms get worse.",
    "Client agreed to limit caffeine and screen time before bed.",
    "Plan: continue weekly CBT with exposure exercises.",
    "Client plans to journal every evening about triggers.",
    "Clinician will coordinate care with the primary physician.",
    "Client agreed to a safety plan and to remove firearms from home.",
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence about a session, its class, and the utterances cited, as (role, text)."""

    text: str
    kind: str
    evidence: tuple[tuple[Role, str], ...]

    @property
    def true(self) -> bool:
        return self.kind == "true"


def sentences(transcript: Transcript, seed: int, per_class: int = 4) -> list[Sentence]:
    """Up to `per_class` sentences of each false class, and as many true ones as false."""
    rng = random.Random(seed)
    groups = by_utterance(clauses(transcript), len(transcript.utterances))
    told = [one for group in groups for one in group if _tellable(one)]
    rng.shuffle(told)
    asked = [one for group in groups for one in group if one.role == "clinician" and 7 <= len(one.text.split()) <= 25]
    rng.shuffle(asked)
    false: list[Sentence] = []
    for kind, made in (
        ("speaker", _speakers(told, asked, rng)),
        ("negation", _negations(told, rng)),
        ("number", _numbers(told, rng)),
        ("observation", ((text, one) for text, one in zip(rng.sample(OBSERVATIONS, 8), told, strict=False))),
        ("plan", ((text, one) for text, one in zip(rng.sample(PLANS, 8), told[::-1], strict=False))),
    ):
        chosen = [pair for pair, _ in zip(made, range(per_class), strict=False)]
        false.extend(Sentence(text, kind, _cited(one, transcript)) for text, one in chosen)
    true = [Sentence(text, "true", _cited(one, transcript)) for text, one in _truths(told, asked, rng)]
    return false + true[: len(false)]


def _tellable(one: Clause) -> bool:
    return one.role == "client" and usable(one) and len(one.text.split()) >= 6 and third_person(one.text) is not None


def _cited(one: Clause, transcript: Transcript) -> tuple[tuple[Role, str], ...]:
    near = transcript.utterances[one.at : one.at + 2]
    return tuple((transcript.roles.get(said.speaker, "other"), said.text) for said in near)


def _truths(told: Sequence[Clause], asked: Sequence[Clause], rng: random.Random) -> Iterator[tuple[str, Clause]]:
    for n, one in enumerate(told):
        text = third_person(one.text) or ""
        yield rng.choice(_FRAMES).format(_ADVERBS.sub("", text) if n % 2 else text), one
        if n % 3 == 0 and n // 3 < len(asked):
            said = asked[n // 3]
            yield (_ASKED[0].format(said.text) if said.question else _ASKED[1].format(to_client(said.text))), said


def _speakers(told: Sequence[Clause], asked: Sequence[Clause], rng: random.Random) -> Iterator[tuple[str, Clause]]:
    for one, said in zip(told[::-1], asked, strict=False):
        yield rng.choice(_SPOKE).format(third_person(one.text)), one
        if not said.question:
            yield f"Client reported that {to_client(said.text)}.", said


def _negations(told: Sequence[Clause], rng: random.Random) -> Iterator[tuple[str, Clause]]:
    for one in told:
        text = third_person(one.text) or ""
        flipped = _AUXILIARY.sub(lambda found: found[1] or "can", text, count=1)
        if flipped == text:
            flipped = _POSITIVE.sub(lambda found: f"they {found[1]} not", text, count=1)
        if flipped == text:
            flipped = _BARE.sub(lambda found: f"they do not {found[1]}", text, count=1)
        if flipped != text:
            yield rng.choice(_FRAMES).format(flipped), one


def _numbers(told: Sequence[Clause], rng: random.Random) -> Iterator[tuple[str, Clause]]:
    for one in told:
        text = third_person(one.text) or ""
        if _NUMBER.search(text):
            yield (
                rng.choice(_FRAMES).format(_NUMBER.sub(rng.choice(("12", "fifteen", "90", "forty")), text, count=1)),
                one,
            )
