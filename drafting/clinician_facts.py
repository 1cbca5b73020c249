"""What the clinician did and what was agreed: interventions with target and response, homework, plans,"
" appointments. Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from drafting.agreed_facts import TASK
from drafting.clauses import Clause, backchannel, end, joined, listening
from drafting.client_facts import pattern, quoted
from drafting.data import load
from drafting.facts import Fact
from streaming.types import UtteranceId

RESPONSE_UTTERANCES = 5
TARGET_UTTERANCES = 8
TOPIC_UTTERANCES = 3
TOPIC_CLAUSES = 2
TOPIC_WITHIN = 30 * 16_000
"""Ticks. What a technique was applied to is what the client ended on just before it: what was spoken of earlier, or
at the start of a long turn, is often another matter, and a wrong target is worse than none."""


@dataclass(frozen=True, slots=True)
class Technique:
    """A named technique and the words that show it."""

    key: str
    name: str
    modality: str
    weight: float
    target: str
    words: re.Pattern[str]


@lru_cache(maxsize=1)
def techniques() -> tuple[Technique, ...]:
    """The techniques of techniques.toml."""
    return tuple(
        Technique(
            row["key"], row["name"], row["modality"], float(row["weight"]), row["target"],
            re.compile("|".join(f"(?:{one})" for one in row["patterns"])),
        )
        for row in load("techniques.toml")["technique"]
    )  # fmt: skip


@dataclass(slots=True)
class _Use:
    """Where a technique was used: every place, and the clearest."""

    technique: Technique
    places: list[int]
    score: float
    at: int
    clause: Clause


def interventions(groups: Sequence[Sequence[Clause]]) -> list[Fact]:
    """Each technique once, at its clearest place, and the client's response that followed it."""
    uses: dict[str, _Use] = {}
    for at, group in enumerate(groups):
        if not group or group[0].role != "clinician":
            continue
        for clause in group:
            for technique in techniques():
                if len(clause.text.split()) >= 5 and technique.words.search(clause.low) is not None:
                    _note(uses, technique, at, clause)
    found: list[Fact] = []
    answered: set[UtteranceId] = set()
    told: set[Clause] = set()
    for use in sorted(uses.values(), key=lambda use: -use.score):
        if use.clause in told:
            continue
        told.add(use.clause)
        found.extend(_intervention(groups, use, answered))
    return found


def _note(uses: dict[str, _Use], technique: Technique, at: int, clause: Clause) -> None:
    score = _clarity(clause, technique)
    known = uses.get(technique.key)
    if known is None:
        uses[technique.key] = _Use(technique, [at], score, at, clause)
        return
    known.places.append(at)
    if score > known.score:
        known.score, known.at, known.clause = score, at, clause


_REVIEW = re.compile(r"^(?:did you|have you|were you able to|how did) |did i get (?:that|it) right")
_ALTERNATIVE = re.compile(r"\b(?:balanced|alternative|another way|different way|more (?:helpful|realistic))\b")


def alternatives(groups: Sequence[Sequence[Clause]]) -> list[Fact]:
    """The other view of a thought that the client found when asked for it."""
    found: list[Fact] = []
    for at, group in enumerate(groups[:-1]):
        asked = [one for one in group if one.role == "clinician" and one.question and _ALTERNATIVE.search(one.low)]
        answer = groups[at + 1]
        if not asked or not answer or answer[0].role != "client" or len(joined(answer).split()) < 5:
            continue
        text = joined([one for one in answer if not one.question and not one.damaged][:3])
        detail = {"technique": "cognitive restructuring", "key": "alternative"}
        found.append(
            Fact(
                kind="response",
                text=text,
                sentence=f'Asked for another view, "{quoted(asked[0].text)}", client answered, "{quoted(text)}"',
                evidence=(asked[0].utterance, answer[0].utterance),
                speaker="client",
                start=asked[0].start,
                weight=6.0,
                detail=detail,
            )
        )
    return found


def _clarity(clause: Clause, technique: Technique) -> float:
    words = len(clause.text.split())
    fit = 0.5 if technique.name in clause.low else 0.0
    length = 0.03 * max(0, words - 28) + 0.05 * max(0, 8 - words)
    assigned = 2.0 if _REVIEW.search(clause.low) or TASK.search(clause.low) else 0.0
    return technique.weight + fit - length - assigned - 1.5 * (clause.damaged or clause.cut)


def _intervention(groups: Sequence[Sequence[Clause]], use: _Use, answered: set[UtteranceId]) -> list[Fact]:
    technique, clause = use.technique, use.clause
    target, shown = _target(groups, use.at, clause, technique)
    weight = use.score + min(1.0, 0.1 * len(use.places))
    applied = f" applied to {target}" if target else ""
    name = technique.name[:1].upper() + technique.name[1:]
    sentence = f"{name}{applied}: {_what_was_said(groups[use.at], clause, technique)}"
    detail = {"technique": technique.name, "modality": technique.modality, "target": target, "key": technique.key}
    evidence = tuple(dict.fromkeys((*shown, clause.utterance)))
    found = [
        Fact("intervention", clause.text, sentence, evidence, "clinician", clause.start, weight=weight, detail=detail)
    ]
    answer = _response(groups, use, answered)
    if answer is not None:
        text, score, place = answer
        answered.add(place)
        lead = f'After {technique.name}, client responded, "{quoted(text)}"'
        told = Fact(
            "response", text, lead, (place,), "client", clause.start, weight=weight / 2 + score, detail=detail
        )
        found.append(told)
    return found


def _what_was_said(group: Sequence[Clause], clause: Clause, technique: Technique) -> str:
    """The clinician's words; a question right after them in the same breath belongs to them."""
    place = list(group).index(clause)
    following = group[place + 1 : place + 2]
    if clause.question:
        return f'clinician asked, "{quoted(_whole(clause))}"'
    verb = "reflected" if technique.key in ("reflection", "summary") else "said"
    if following and following[0].question and 3 <= len(following[0].text.split()) <= 20 and not following[0].cut:
        return f'clinician {verb}, "{quoted(clause.text)}" and asked, "{quoted(following[0].text)}"'
    return f'clinician {verb}, "{quoted(_whole(clause))}"'


_DANGLING = re.compile(
    r"(?:[ ,]+(?:the|a|an|of|and|or|but|even|your|my|because|if|with the|to the|is the))+$", re.IGNORECASE
)


def _whole(clause: Clause) -> str:
    """The clause; where the speaker broke off, without the words that hang in the air."""
    kept = _DANGLING.sub("", clause.text)
    return f"{kept}…" if kept != clause.text and len(kept.split()) >= 4 else clause.text


_THOUGHT = re.compile(
    r"\bi (?:thought|think|keep thinking|was thinking|kept thinking|believe|told myself|tell myself|feel like"
    r"|felt like)\b[, ]+(?:that )?(.+)|"
    r"\b(what if .+)"
)


def _target(
    groups: Sequence[Sequence[Clause]], at: int, clause: Clause, technique: Technique
) -> tuple[str, tuple[UtteranceId, ...]]:
    """What a technique was applied to, in words that were said, and where they were said."""
    if technique.target == "thought":
        for group in reversed(groups[max(0, at - TARGET_UTTERANCES) : at]):
            for said in reversed(group):
                thought = _THOUGHT.search(said.text[:1].lower() + said.text[1:]) or _THOUGHT.search(said.low)
                words = (thought[1] or thought[2]) if thought else None
                if said.role == "client" and words and 3 <= len(words.split()) <= 25:
                    return f'the thought "{words.strip(" .,!")}"', (said.utterance,)
    if named := _noun(clause.low):
        return named, ()
    before = (group for group in reversed(groups[max(0, at - TOPIC_UTTERANCES) : at]) if group)
    last = next((group for group in before if group[0].role == "client" and not listening(joined(group))), ())
    for said in reversed(last[-TOPIC_CLAUSES:]):
        if clause.start - said.start <= TOPIC_WITHIN and (named := _noun(said.low)):
            return named, (said.utterance,)
    return "", ()


_NOUN = re.compile(
    r"\b(?:panic attacks?|panic|anxiety|worry|worries|stress|depression|sadness|mood|sleep|insomnia"
    r"|nightmares|pain|anger|temper|guilt"
    r"|shame|fears?|smoking|cigarettes|drinking|alcohol|weed|marijuana|cocaine|drugs|work|school|grades"
    r"|exercise|walking|weight|diet|food"
    r"|diabetes|asthma|blood sugar|medication|medicine|headaches?|migraines?|court|probation|deadlines|trauma"
    r"|flashbacks|grief|loss"
    r"|self-esteem|burden|relationship|marriage|parenting|felony|interviews?|piercing|flossing|urges?"
    r"|cravings?|conflict|bullying)\b"
)


def _noun(low: str) -> str:
    found = _NOUN.search(low)
    return found[0] if found else ""


def _response(
    groups: Sequence[Sequence[Clause]], use: _Use, answered: set[UtteranceId]
) -> tuple[str, float, UtteranceId] | None:
    """The client's turn that directly follows the told use of a technique, past listening noises; else None."""
    for group in groups[use.at + 1 : use.at + 1 + RESPONSE_UTTERANCES]:
        if not group or listening(joined(group)):
            continue
        if group[0].role != "client" or group[0].utterance in answered:
            return None
        kept = [one for one in group if not (one.question or one.cut or one.damaged or backchannel(one.text))][:3]
        text = " ".join(end(clause.text) for clause in kept)
        words = len(text.split())
        if words < 3:
            return None
        clear = pattern("insight", "response").search(text.lower()) is not None
        return text, 2.0 * clear + min(words, 15) / 15, group[0].utterance
    return None
