"""Who is the clinician, from the talk alone: questions, reflections, technique words, opening and closing.

Each speaker gets counts of a few kinds of talk; the difference between two speakers, weighted, is the log odds that
the first of them is the clinician. The weights below are a logistic regression with a strong ridge over recorded
motivational interviews and general-practice consultations, whole and cut to short stretches, with and without
punctuation, so that few utterances give a confidence near one half; `benchmarks/draft_figures.py` measures both.
"""

import math
import re
from collections.abc import Mapping, Sequence

from streaming.types import Role, RoleGuess, SpeakerId, Utterance

_RELATIVES = (
    "mom|mum|mother|dad|father|parents?|wife|husband|boyfriend|girlfriend|partner|ex|kids?|son|daughter|"
    "boss|brother|sister|friends?|doctor|job|head|stomach|chest|back|sleep|life"
)

CUES: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "second_person": r"\b(?:you|your|yours|yourself)\b(?! know\b)",
        "first_person": r"\b(?:i|my|me|mine|myself)\b",
        "asks": r"\b(?:do|did|are|were|have|has|would|could|can|will) (?:you|that|it|there|this)\b"
        r"|\b(?:what|how|when|where|which|why|who)(?:'s| is| are| do| did| would| was| were| about| long|"
        r" often| much"
        r"| many| has| have| can| could| else| made| makes| kind| sort)\b"
        r"|\btell me\b|\banything else\b|\bhow come\b",
        "reflects": r"\bsounds? (?:like|as)\b|\bseems? (?:like|to me|as)\b|\bso (?:you|it|that|what|for you"
        r"|if you)\b"
        r"|\bi(?:'m| am)? hear(?:ing)?\b|\byou(?:'re| are|'ve| have|'d| also| really| just)? "
        r"(?:feel|feeling|felt|said|mentioned|told|say|saying|want|think|wonder|notice|noticed|describ\w+"
        r"|frustrated"
        r"|worried|concerned)\b|\bpart of you\b|\bon (?:the )?(?:one|other) hand\b|\bright now you\b",
        "technique": r"\bon a scale\b|\bone to ten\b|\b1 to 10\b|\bhow (?:important|confident|ready)\b|\bi wonder\b"
        r"|\bi'?m wondering\b|\bwould it be (?:ok|okay|all ?right)\b|\bis (?:it|that) (?:ok|okay|all ?right)\b"
        r"|\bevidence\b|\bhomework\b|\bthought record\b|\bworksheet\b|\bbreath(?:e|ing) (?:in|out|exercise)\b"
        r"|\bnext steps?\b|\bgoals?\b|\bstrateg\w+\b|\bcop(?:e|ing)\b|\bwe (?:can|could|might|talked)\b"
        r"|\bin the past\b|\bgo from here\b|\bworks? for you\b|\bfor you\b|\blet's\b|\bi'd like (?:you|us|to)\b"
        r"|\bi appreciate\b|\bi(?:'m| am) (?:glad|curious)\b|\bhelp you\b|\btalk(?:ing)? (?:about|with you|to"
        r" you)\b"
        r"|\bconcern(?:s|ed)?\b|\bany (?:other|pain|history|allerg\w+|family)\b|\bprescri\w+\b|\bexamin\w+\b",
        "frames": r"\bthank(?:s| you) (?:so much )?for (?:coming|sharing|talking|telling|being|letting)\b"
        r"|\bgood to see you\b|\bhow can i help\b|\bwhat brings you\b|\bmy name(?:'s| is)\b|\bi'm dr\b"
        r"|\bsee you (?:next|in|on|again|then)\b|\bnext (?:time|session|week|appointment|visit)\b"
        r"|\bminutes left\b|\bwhere we left\b|\bcome back\b|\bfollow[- ]up\b|\bcheck in\b|\bhow(?:'s| has|'ve"
        r"| have)"
        r" (?:it|things|your|you)\b",
        "own_life": rf"\bmy (?:\w+ )?(?:{_RELATIVES})\b|\bi (?:can't|couldn't|don't|didn't|haven't|feel|felt|"
        r"hate|tried|used to|wanna|had|was|got|went|need|usually|keep)\b"
        r"|\bi(?:'ve| have) (?:been|had|never|tried|got)\b"
        r"|\bi(?:'m| am) (?:not|just|so|scared|afraid|tired|trying|always|pretty)\b|\bit hurts\b|\bbecause i\b"
        r"|\bi don't know\b|\bto me\b",
    }.items()
}
_OPENS_ANSWER = re.compile(
    r"(?:(?:um|uh|er|oh|well|so)[ ,.]+)*(?:yeah|yes|yep|no|nope|nah|right|exactly|i guess|not really|probably"
    r"|i don't|i do|because|'cause|definitely|i mean|true|thank you|thanks)\b"
)
_LISTENS = re.compile(
    r"(?:mm+[- ]?hm+|mhm+|uh[- ]huh|ok(?:ay)?|hmm*|sure|all ?right|great|good|i see|right|[ ,.!-])+"
)
_TOKEN = re.compile(r"[a-z0-9']+")

FEATURES = ("question_mark", *CUES, "opens_answer", "listens", "talk")
WEIGHTS: dict[str, float] = {
    "question_mark": 0.59,
    "second_person": 2.65,
    "first_person": -2.47,
    "asks": 0.74,
    "reflects": 0.41,
    "technique": 0.48,
    "frames": 0.11,
    "own_life": -0.78,
    "opens_answer": -0.82,
    "listens": 0.46,
    "talk": 0.57,
}


def features(turns: Sequence[str], all_words: int) -> tuple[float, ...]:
    """Counts of one speaker's talk, damped so that little talk says little; order of FEATURES."""
    texts = [turn.lower().replace("’", "'") for turn in turns]
    words = sum(len(_TOKEN.findall(text)) for text in texts)
    per_word = 1 / (words + 25)
    per_turn = 1 / (len(texts) + 3)
    joined = "\n".join(texts)
    counts = [len(cue.findall(joined)) * per_word * 10 for cue in CUES.values()]
    return (
        sum("?" in text for text in texts) * per_turn,
        *counts,
        sum(_OPENS_ANSWER.match(text) is not None for text in texts) * per_turn,
        sum(bool(text) and _LISTENS.fullmatch(text) is not None for text in texts) * per_turn,
        words / (all_words + 50),
    )


def _score(turns: Sequence[str], all_words: int) -> float:
    """Evidence that this is the clinician, in units of log odds against another speaker's score."""
    return sum(WEIGHTS[name] * value for name, value in zip(FEATURES, features(turns, all_words), strict=True))


def guess(utterances: Sequence[Utterance], speakers: Sequence[SpeakerId]) -> RoleGuess:
    """The likeliest clinician among the speakers; of the others the one who says most is the client.

    The confidence is that of the clinician being the right one. With one speaker there is nobody to compare with:
    the role is what the talk resembles, the confidence stays under two thirds. With nobody it is 0.
    """
    said: dict[SpeakerId, list[str]] = {speaker: [] for speaker in speakers}
    for utterance in utterances:
        said.setdefault(utterance.speaker, []).append(utterance.text)
    lengths = {speaker: sum(len(text.split()) for text in turns) for speaker, turns in said.items()}
    total = sum(lengths.values())
    scores = {speaker: _score(turns, total) for speaker, turns in said.items()}
    if not scores:
        return RoleGuess({}, "talk", 0.0)
    if len(scores) == 1:
        return _alone(*next(iter(scores.items())))
    order = sorted(scores, key=lambda speaker: -scores[speaker])
    rest = sorted(order[1:], key=lambda speaker: -lengths[speaker])
    roles: dict[SpeakerId, Role] = {order[0]: "clinician", rest[0]: "client"}
    roles |= dict.fromkeys(rest[1:], "other")
    top = scores[order[0]]
    odds = sum(math.exp(max(-60.0, scores[speaker] - top)) for speaker in order)
    return RoleGuess(roles, "talk", round(1 / odds, 3))


ENROLLED = SpeakerId("clinician")
"""The speaker whose voice was enrolled. Diarizers know it by this name."""


def enrolled(speakers: Sequence[SpeakerId]) -> RoleGuess | None:
    """Roles where the enrolled voice is among the speakers; None where it was not heard (yet).

    A second speaker is the client; of several others the talk tells nothing here, and they stay "other".
    """
    if ENROLLED not in speakers:
        return None
    others = [speaker for speaker in speakers if speaker != ENROLLED]
    rest: Role = "client" if len(others) == 1 else "other"
    return RoleGuess({ENROLLED: "clinician", **dict.fromkeys(others, rest)}, "enrolled", 0.95)


_MIDDLE = -0.2
"""Score halfway between the mean clinician and the mean client of the same recordings."""


def _alone(speaker: SpeakerId, score: float) -> RoleGuess:
    leaning = 1 / (1 + math.exp(-max(-60.0, min(60.0, score - _MIDDLE))))
    role: Role = "clinician" if leaning >= 0.5 else "client"
    return RoleGuess({speaker: role}, "talk", round(0.5 + abs(leaning - 0.5) / 3, 3))


def swap(guess: RoleGuess) -> RoleGuess:
    """Clinician and client exchanged, as a clinician corrects it: sure from then on."""
    other: Mapping[Role, Role] = {"clinician": "client", "client": "clinician", "other": "other"}
    return RoleGuess({speaker: other[role] for speaker, role in guess.roles.items()}, "clinician", 1.0)
