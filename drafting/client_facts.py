"""What the client told: symptoms, their effect, use, history, motivation, progress, and answers to"
" measures. Pure.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from drafting.clauses import Clause, end
from drafting.data import load
from drafting.facts import Fact, FactKind, FactTime
from drafting.third import third_person, without_lead
from streaming.types import UtteranceId

MIN_WORDS = 4
MAX_QUOTE_WORDS = 40


@lru_cache(maxsize=64)
def pattern(group: str, name: str) -> re.Pattern[str]:
    """A pattern of lexicon.toml."""
    return re.compile(load("lexicon.toml")[group][name])


def topics(group: str, text: str) -> list[tuple[str, str]]:
    """The topics of a group found in lower-case text, each with the words that show it."""
    found = ((name, pattern(group, name).search(text)) for name in load("lexicon.toml")[group])
    return [(name, match[0]) for name, match in found if match is not None]


_FIRST = re.compile(r"\b(?:i|i'm|i've|i'd|i'll|me|my|myself)\b", re.IGNORECASE)
_NEGATED = re.compile(r"\b(?:not|never|no|without|none)\b|n't\b", re.IGNORECASE)
_FINITE = re.compile(
    r"\b(?:they|is|are|was|were|has|have|had|does|do|did|will|would|can|could|cannot|makes?|made|gets?|got"
    r"|feels?|felt|goes"
    r"|went|helps?|helped|means?|takes?|took|comes?|came|says?|said|keeps?|kept|knows?|wants?|started"
    r"|stopped)\b|'s\b"
)
_DANGLING = re.compile(
    r"\b(?:and|but|so|because|the|a|an|to|of|with|for|in|on|or|if|that|like|when|is|was|were|are|am|i|i'm|my"
    r"|it's|their|they|than|as|about)$",
    re.IGNORECASE,
)
_SUBORDINATE = re.compile(r"^(?:when|if|or|which|because|while|although|where|who|whose|than|until|unless)\b[^,]*$")
_BROKEN = re.compile(
    r"\b(\w+) \1\b|\b(?:of|a|the|to|was|is|it's|that's|and|my|with) (?:i|i'm|they|we|he|she|do|don't|that's"
    r"|it's|was)\b"
    r"|\bthey this\b|\bi (?:said|was like|go|goes)\b,?|\bof like\b|\b(?:is|was|are) (?:is|was|are)\b"
    r"|\bfuck\w*|\bshit\w*"
)
_HEDGED = re.compile(
    r"\bi (?:suppose|guess|don't know|would say|mean)\b|\byou know\b|\bor whatever\b|\bor something\b|\bsort"
    r" of\b|\bkind of\b"
)
_UNSURE_START = re.compile(r"^(?:it|that|this|these|those|which|he|she)\b", re.IGNORECASE)


def usable(clause: Clause) -> bool:
    """Whether the clause can stand in a note: complete, understood and the speaker's own statement."""
    words = clause.text.split()
    return (
        not clause.question
        and len(without_lead(clause.text).split()) >= MIN_WORDS
        and len(words) <= 60
        and not _DANGLING.search(clause.text.rstrip(" .,!"))
        and not _SUBORDINATE.match(without_lead(clause.low))
        and not re.search(r"\b(?:ma'am|sir)\b", clause.low)
    )


def reported(text: str, lead: str = "Client reported that") -> str:
    """A report in the third person, or a quote where that could mislead."""
    told = third_person(text)
    if told is None or _FINITE.search(told) is None or _UNSURE_START.match(told) or not _has_subject(told):
        return f'Client said, "{quoted(text)}"'
    return f"{lead} {told}."


_BARE_VERB = re.compile(
    r"^(?:just |really |always |never )?(?:start|stop|try|feel|go|get|make|take|do|keep|have|be|am|been|think|want"
    r"|need|like|know|see|say|talk|work|drink|smoke|use|sleep|eat|wake|put|give|come|look|find|guess|hope|wish|got|went"
    r"|did|started|stopped|tried|felt|made|took|kept|had|thought|wanted|needed|knew|saw|said|used|slept|woke|came)\b"
)
_TOPIC_LEFT = re.compile(r"^[\w']+, (?:when|whenever|if|because|while|where|like|sometimes|but|and)\b")


def _has_subject(told: str) -> bool:
    """Whether a clause can follow "that": not one whose subject was left out ("start to feel stressed"), and not a
    topic with something else after it ("liquor, whenever people are mixing").
    """
    return _BARE_VERB.match(told) is None and _TOPIC_LEFT.match(told) is None


def quoted(text: str) -> str:
    """A quote's words from where the speaker started: first letter capital, ended, not longer than can be read."""
    words = text.split()
    if len(words) > MAX_QUOTE_WORDS:
        words = [*words[:MAX_QUOTE_WORDS], "…"]
    text = " ".join(words).strip(" ,;-")
    text = text.replace('"', "'")
    return end(text[:1].upper() + text[1:]) if text else ""


def narrated(groups: Sequence[Sequence[Clause]], taken: frozenset[UtteranceId]) -> list[Fact]:
    """What the client told by themselves, one fact per clause that says something a note needs."""
    found: list[Fact] = []
    for group in groups:
        if not group or group[0].role == "clinician" or group[0].utterance in taken:
            continue
        drug = next((clause for clause in group if _is_medication(clause)), None)
        if drug is not None:
            found.append(_medication(drug, group))
        for place, clause in enumerate(group):
            if drug is not None and place >= group.index(drug) and place < group.index(drug) + MEDICATION_CLAUSES:
                continue
            fact = _thought(clause) or _told(clause, group[place + 1] if place + 1 < len(group) else None)
            if fact is not None:
                found.append(fact)
    return found


MEDICATION_CLAUSES = 3
"""A medicine, its dose and how it is taken and borne are told together, over so many clauses."""


def _is_medication(clause: Clause) -> bool:
    low = clause.low
    return (
        not clause.question
        and not clause.damaged
        and len(low.split()) >= 3
        and pattern("medication", "pattern").search(low) is not None
        and not topics("substances", low)
    )


def _medication(clause: Clause, group: Sequence[Clause]) -> Fact:
    """What the client said of a medicine, in their own words: a dose is never reworded."""
    place = list(group).index(clause)
    kept = [one for one in group[place : place + MEDICATION_CLAUSES] if not one.question and not one.damaged]
    text = " ".join(end(one.text) for one in kept)
    drug = pattern("medication", "pattern").search(clause.low)
    return Fact(
        kind="medication",
        text=text,
        sentence=f'Medication: client said, "{quoted(text)}"',
        evidence=(clause.utterance,),
        speaker=clause.role,
        start=clause.start,
        polarity="denied" if _NEGATED.search(clause.low) else "affirmed",
        time=_time(clause.low),
        experiencer="client" if _FIRST.search(text) or _FIRST.search(clause.low) is None else "other",
        weight=3.0 + 1.0 * bool(re.search(r"milligrams?|\bmg\b|dose|every|daily|missed|side effect", text.lower())),
        detail={"topic": drug[0] if drug else "medication"} | details(text.lower()),
    )


_VOICED = re.compile(
    r"^(?:and |so |but |then |well,? )*i (?:thought|was thinking|kept thinking|keep thinking|told myself|tell"
    r" myself)\b[, ]+"
    r"(?:that )?(?P<thought>(?:this|i|i'm|i'll|it|they|he|she|what if|nobody|everyone|everybody|something"
    r"|my)\b.{8,})",
    re.IGNORECASE,
)


def _thought(clause: Clause) -> Fact | None:
    """A thought the client voiced, kept in their words: what cognitive work is done on."""
    voiced = _VOICED.match(clause.text) if not clause.question and not clause.damaged else None
    if voiced is None or clause.cut or not usable(clause) or len(clause.text.split()) > 35:
        return None
    thought = voiced["thought"]
    return Fact(
        kind="symptom",
        text=clause.text,
        sentence=f'Client described the thought "{quoted(thought)}"',
        evidence=(clause.utterance,),
        speaker=clause.role,
        start=clause.start,
        weight=3.2,
        detail={"topic": "thought"},
    )


_COMPARED = re.compile(
    r"\b(?:last (?:month|year|week|time)|it was (?:a|an|every)|down from|up from|used to|when we started|in"
    r" (?:january|february|march"
    r"|april|may|june|july|august|september|october|november|december)|(?:weeks?|months?) ago|before|than)\b"
)


def changes_of(told: Sequence[Fact]) -> list[Fact]:
    """Progress out of what was told: symptoms and ratings that the client compared with an earlier time."""
    return [
        Fact(
            kind="progress",
            text=one.text,
            sentence=f'Change reported{_of(one)}: "{quoted(one.text)}"',
            evidence=one.evidence,
            speaker="client",
            start=one.start,
            weight=one.weight,
            detail=one.detail,
        )
        for one in told
        if one.kind in ("symptom", "measure", "substance", "function")
        and one.detail.get("topic") != "thought"
        and (one.detail.get("trend") in ("better", "worse") or _COMPARED.search(one.text.lower()))
        and (one.detail.keys() & {"frequency", "severity", "trend"})
    ]


def _of(one: Fact) -> str:
    topic = one.detail.get("topic", "")
    return f" ({topic})" if one.kind == "measure" and topic not in ("", "rating") else ""


def _told(clause: Clause, following: Clause | None) -> Fact | None:
    if not usable(clause):
        return None
    low = clause.low
    kind, topic, weight = _kind(low)
    if kind is None:
        return None
    detail = {"topic": topic} | details(low)
    text = clause.text
    own_words = topic in ("self_worth", "thought")
    sentence = f'Client said of themselves, "{quoted(text)}"' if own_words and _FIRST.search(low) else reported(text)
    more = following is not None and _goes_on(following)
    if more and following is not None:
        detail = details(following.low) | detail
        extra = third_person(following.text)
        text = f"{end(text)} {following.text}"
        if sentence.startswith("Client reported") and extra is not None and not _UNSURE_START.match(extra):
            sentence = f"{sentence.rstrip('.')}; {extra}."
        else:
            sentence = (
                reported(text)
                if sentence.startswith("Client said")
                else f'{sentence.rstrip(".")} ("{quoted(following.text)}").'
            )
    return Fact(
        kind=kind,
        text=text,
        sentence=sentence,
        evidence=(clause.utterance,),
        speaker=clause.role,
        start=clause.start,
        polarity="denied" if _NEGATED.search(low) else "affirmed",
        time=_time(low),
        experiencer="client" if _FIRST.search(low) else "other",
        weight=round(weight + _quality(clause, detail), 3),
        detail=detail,
    )


def _goes_on(clause: Clause) -> bool:
    """Whether a short clause only adds how often or since when to the one before it."""
    low = clause.low
    return (
        usable(clause)
        and len(low.split()) <= 12
        and re.match(r"^(?:it|that|last|every|about|maybe|sometimes|usually|for|since|mostly)\b", low) is not None
        and any(pattern(name, "pattern").search(low) for name in ("frequency", "duration"))
    )


_MOVES = ("commitment", "need", "desire", "ability", "reason")


def _kind(low: str) -> tuple[FactKind | None, str, float]:
    """The kind of a clause, its topic and how much a note wants it."""
    symptom, use, effect = topics("symptoms", low), topics("substances", low), topics("function", low)
    impaired = pattern("impairment", "pattern").search(low) is not None
    moves = [
        name
        for name in ("commitment", "need", "desire", "ability", "reason")
        if pattern("motivation", name).search(low)
    ]
    mine = _FIRST.search(low) is not None
    if mine and pattern("goal", "pattern").search(low):
        return "goal", _topic(symptom, use, effect), 3.0
    if (symptom or use or (effect and _BETTER.search(low))) and mine and _changed(low):
        return "progress", _topic(symptom, use, effect), 3.0
    if effect and impaired:
        return "function", effect[0][0], 3.0
    if use:
        past = pattern("history", "pattern").search(low)
        return ("history" if past else "substance"), use[0][0], 2.6 if past else 2.8
    if symptom:
        return "symptom", symptom[0][0], 3.0
    if pattern("stressor", "pattern").search(low):
        return "stressor", "stressor", 2.2
    if moves and mine:
        return "motivation", moves[0], 1.8
    if pattern("history", "pattern").search(low):
        return "history", "history", 1.2
    return ("stressor", "relationships", 0.4) if effect and mine else (None, "", 0.0)


def _topic(*groups: list[tuple[str, str]]) -> str:
    return next((group[0][0] for group in groups if group), "")


_BETTER = re.compile(r"\b(?:better|easier|improv\w+|worse)\b")
_DID = re.compile(
    r"\b(?:i(?:'ve)? (?:stopped|quit|managed to|cut (?:back|down)|haven't (?:had|smoked|used|drunk|drank"
    r"|missed|cut))|for the first time"
    r"|no longer|days? (?:sober|clean|without)|(?:weeks?|months?) (?:sober|clean|without))\b"
)


_WISHED = re.compile(r"\b(?:want|ready|would|could|should|if|might|need|hope|going to|sometimes|whenever)\b")


def _changed(low: str) -> bool:
    """Whether the clause tells of a change and not only of something done."""
    if _WISHED.search(low):
        return False
    return any(pattern("trend", name).search(low) for name in ("better", "worse")) or _DID.search(low) is not None


def details(low: str) -> dict[str, str]:
    """Severity, frequency, duration and trend as said."""
    found = {name: pattern(name, "pattern").search(low) for name in ("frequency", "duration", "severity")}
    detail = {name: match[0] for name, match in found.items() if match is not None}
    for name in ("better", "worse", "same"):
        if pattern("trend", name).search(low):
            detail["trend"] = name
            break
    return detail


def _time(low: str) -> FactTime:
    if re.search(r"\b(?:will|i'll|going to|tomorrow|next (?:week|month|time))\b", low):
        return "future"
    past = re.search(r"\b(?:ago|used to|when i was|last (?:year|month)|back then|years? back)\b", low)
    return "past" if past and not re.search(r"\b(?:now|still|these days|lately)\b", low) else "present"


def _quality(clause: Clause, detail: dict[str, str]) -> float:
    """What makes a clause worth its line: numbers, the client's own, of a readable length, understood."""
    low, words = clause.low, len(clause.text.split())
    score = 1.0 * ("frequency" in detail) + 0.7 * ("severity" in detail) + 0.4 * ("duration" in detail)
    score += 0.3 * ("trend" in detail) + 0.4 * bool(pattern("impairment", "pattern").search(low))
    score += 0.8 if re.match(r"^(?:\w+,? ){0,2}(?:i|i'm|i've|my)\b", low) else 0.2 if _FIRST.search(low) else -1.0
    score -= 0.05 * max(0, words - 22) + 0.15 * max(0, 7 - words)
    score -= 0.7 * max(0, len(re.findall(r"\blike\b", low)) - 1)
    score -= 0.4 * min(3, len(_HEDGED.findall(low))) + 1.5 * (_BROKEN.search(low) is not None)
    score -= 0.5 * bool(re.match(r"^(?:she|he|they|it|that|this)(?:'s)?\b", without_lead(low)))
    score -= 0.8 * (third_person(clause.text) is None) + 0.5 * clause.cut
    return score - 0.6 * bool(re.search(r"\b(?:yeah|so yeah|stuff like that|and stuff|you know)\b", low))
