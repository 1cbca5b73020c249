"""What the clinician did and what was agreed: interventions with target and response, homework, plans,"
" appointments. Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from drafting.clauses import Clause, end, joined, listening
from drafting.client_facts import pattern, quoted, topics
from drafting.data import load
from drafting.facts import Fact
from drafting.third import third_person, to_client
from streaming.types import UtteranceId

RESPONSE_UTTERANCES = 5
TARGET_UTTERANCES = 8


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


def interventions(groups: Sequence[Sequence[Clause]]) -> list[Fact]:
    """Each technique once, at its clearest place, and the client's response that followed it."""
    best: dict[str, tuple[float, int, Clause, Technique]] = {}
    counts: dict[str, int] = {}
    for at, group in enumerate(groups):
        if not group or group[0].role != "clinician":
            continue
        for clause in group:
            for technique in techniques():
                if technique.words.search(clause.low) is None or len(clause.text.split()) < 5:
                    continue
                counts[technique.key] = counts.get(technique.key, 0) + 1
                score = _clarity(clause, technique)
                if technique.key not in best or score > best[technique.key][0]:
                    best[technique.key] = (score, at, clause, technique)
    found: list[Fact] = []
    for score, at, clause, technique in best.values():
        found.extend(_intervention(groups, at, clause, technique, score + min(1.0, 0.1 * counts[technique.key])))
    return found


def _clarity(clause: Clause, technique: Technique) -> float:
    words = len(clause.text.split())
    fit = 0.5 if technique.name in clause.low else 0.0
    length = 0.03 * max(0, words - 28) + 0.05 * max(0, 8 - words)
    return technique.weight + fit - length - 0.5 * (clause.damaged or clause.cut)


def _intervention(
    groups: Sequence[Sequence[Clause]], at: int, clause: Clause, technique: Technique, weight: float
) -> list[Fact]:
    target, shown = _target(groups, at, clause, technique)
    verb = "asked" if clause.question else "reflected" if technique.key == "reflection" else "said"
    applied = f" applied to {target}" if target else ""
    evidence = tuple(dict.fromkeys((*shown, clause.utterance)))
    sentence = f'{technique.name[:1].upper()}{technique.name[1:]}{applied}: clinician {verb}, "{quoted(clause.text)}"'
    detail = {"technique": technique.name, "modality": technique.modality, "target": target, "key": technique.key}
    done = Fact(
        "intervention", clause.text, sentence, evidence, "clinician", clause.start, weight=weight, detail=detail
    )
    found = [done]
    answer = _response(groups, at)
    if answer is not None:
        text, score, ids = answer
        lead = f'After {technique.name}, client responded, "{quoted(text)}"'
        found.append(
            Fact("response", text, lead, ids, "client", clause.start, weight=weight / 2 + score, detail=detail)
        )
    return found


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
    named = _topic_words(clause)
    if named:
        return named, ()
    for group in reversed(groups[max(0, at - TARGET_UTTERANCES) : at]):
        for said in reversed(group):
            if words := _topic_words(said):
                return words, (said.utterance,)
    return "", ()


def _topic_words(clause: Clause) -> str:
    for group in ("substances", "symptoms", "function"):
        found = topics(group, clause.low)
        if found:
            words = found[0][1]
            told = third_person(words) or to_client(words)
            return told if len(words) > 3 else ""
    return ""


def _response(groups: Sequence[Sequence[Clause]], at: int) -> tuple[str, float, tuple[UtteranceId, ...]] | None:
    """The client's clearest answer within a few utterances: words of response first, any full answer else."""
    best: tuple[str, float, tuple[UtteranceId, ...]] | None = None
    for later, group in enumerate(groups[at + 1 : at + 1 + RESPONSE_UTTERANCES]):
        if not group or group[0].role != "client" or listening(joined(group)):
            continue
        clear = pattern("insight", "response").search(joined(group).lower()) is not None
        kept = [clause for clause in group if not clause.question and not clause.cut][:3]
        text = " ".join(end(clause.text) for clause in kept)
        words = len(text.split())
        if words < 3:
            continue
        score = 2.0 * clear - 0.3 * later + min(words, 15) / 15 - 0.5 * group[0].damaged
        if best is None or score > best[1]:
            best = (text, score, (group[0].utterance,))
    return best
