"""Does the evidence say what a sentence says? Any writer's sentence is judged; a failed one is marked, not dropped.

Support is the stemmed cover of the sentence's content words by its evidence, lowered for a speaker, a negation,
a tense, a number, a medicine or a name that the evidence does not bear out, and for observations that nobody can
hear. The cover alone is the baseline of TN-Eval (AUC .82 at finding unfaithful sentences there). Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from drafting.clauses import clean
from drafting.data import load
from drafting.uncertain import uncertain
from drafting.verify_order import turned_round
from drafting.verify_words import contradicts, soft_cover, stems, strangers, wanted_of
from drafting.words import FUNCTION_WORDS, content_stems, numbers, stem, tokens
from streaming.types import Role, Section, SpeakerId, Statement, Transcript, Utterance, UtteranceId

SUPPORTED = 0.5
"""A sentence is supported from this score on; measured in benchmarks/draft_figures.py."""

BASE = 0.25
"""What a sentence scores that no word bears out: half of SUPPORTED, so that a third of its words must be found."""

_FRAME = """
    client patient clinician therapist counselor report reported state stated describe described say said answer
    answered ask asked response respond responded risk session note noted plan homework agree discuss discussed
    suggest propose proposed heard reflect apply appointment review change question technique use used work medication
    rating rate progress goal next assess deny denied endorse volunteer themselves thought agreement person finding
    earlier time spoken also another other view about experience express indicate explore provide today mention share
    explain
    """
_FRAME_STEMS = frozenset(stem(word) for word in _FRAME.split())
_QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Verdict:
    """How well a sentence is borne out: `score` in [0, 1], `cover` the share of its words, `faults` by name."""

    score: float
    cover: float
    faults: tuple[str, ...]

    @property
    def supported(self) -> bool:
        return self.score >= SUPPORTED


@lru_cache(maxsize=1)
def _names() -> dict[str, frozenset[str]]:
    body = load("verify.toml")
    techniques = [row["name"] for row in load("techniques.toml")["technique"]]
    labels = [row["label"] for row in load("risk.toml")["items"].values()]
    given = frozenset(one for text in (*techniques, *labels) for one in content_stems(text))
    return {
        "given": given | _FRAME_STEMS,
        "medicines": frozenset(stem(word) for word in body["medicines"]),
    }


@lru_cache(maxsize=1)
def _patterns() -> dict[str, re.Pattern[str]]:
    body = load("verify.toml")["patterns"]
    return {name: re.compile(text, re.IGNORECASE) for name, text in body.items()}


def covered(sentence: str, evidence: str) -> float:
    """The share of the sentence's content stems found in the evidence; 1 for a sentence with none of its own."""
    wanted = [one for one in stems(sentence) if one not in _names()["given"]]
    if not wanted:
        return 1.0
    have = set(stems(evidence))
    return sum(one in have for one in wanted) / len(wanted)


def verdict(sentence: str, evidence: Sequence[tuple[Role, str]], observed: bool = False) -> Verdict:
    """The verdict on one sentence against utterances given as (role, text); `observed` for clinician entries.

    A quote that is found word for word in what its speaker said is proven and leaves nothing to test but the rest.
    """
    if observed:
        return Verdict(1.0, 1.0, ())
    said = [(role, _clean(text)) for role, text in evidence]
    everything = " ".join(text for _, text in said)
    cover = covered(sentence, everything)
    plain, misquoted = _without_proven_quotes(sentence, said)
    faults = [name for name, test in _TESTS.items() if test(plain, said, everything)]
    if misquoted and "speaker" not in faults:
        faults.append("speaker")
    soft = soft_cover(wanted_of(sentence, _names()["given"]), frozenset(stems(everything)))
    score = BASE + (1 - BASE) * max(cover, soft)
    for name in faults:
        score *= _WEIGHT[name]
    return Verdict(round(score, 4), cover, tuple(faults))


@lru_cache(maxsize=4096)
def _clean(text: str) -> str:
    return clean(text)


def _without_proven_quotes(sentence: str, said: Sequence[tuple[Role, str]]) -> tuple[str, bool]:
    """The sentence without the quotes that are proven, and whether a quote is the other speaker's."""
    misquoted = False
    kept, last = "", 0
    for found in _QUOTED.finditer(sentence):
        before = sentence[last : found.start()]
        kept += before
        who = _speaker_of(before)
        at = _where(found[1], said)
        if not at:
            kept += found[0]
        elif who is not None and who not in at:
            misquoted = True
        last = found.end()
    return kept + sentence[last:], misquoted


def _speaker_of(before: str) -> Role | None:
    """Who a quote is given to: the last of client and clinician named before it."""
    named = _patterns()["who"].findall(before)
    if not named:
        return None
    return "client" if named[-1].lower() in ("client", "patient") else "clinician"


def _where(quote: str, said: Sequence[tuple[Role, str]]) -> set[Role]:
    """The speakers who said these words in this order; a quote that was shortened counts by its beginning."""
    parts = [tokens(part) for part in re.split(r"(?<=[.?!])\s+", quote.split("…")[0])]
    return {role for role, text in said if all(_within(part, tokens(text)) for part in parts)}


def _within(words: Sequence[str], spoken: Sequence[str]) -> bool:
    """Whether words stand in this order among what was spoken, close together."""
    if not words:
        return True
    text = " " + " ".join(spoken) + " "
    return f" {' '.join(words)} " in text


_WEIGHT = {
    "observation": 0.1,
    "number": 0.3,
    "medicine": 0.2,
    "name": 0.5,
    "speaker": 0.4,
    "negation": 0.4,
    "person": 0.35,
    "tense": 0.5,
    "plan": 0.5,
}


def _observation(sentence: str, evidence: Sequence[tuple[Role, str]], everything: str) -> bool:
    """What only eyes can find, unless it is the words of a quote."""
    return _patterns()["observation"].search(_QUOTED.sub(" ", sentence)) is not None


def _number(sentence: str, evidence: Sequence[tuple[Role, str]], everything: str) -> bool:
    return bool(numbers(sentence) - numbers(everything) - {1.0})


def _medicine(sentence: str, evidence: Sequence[tuple[Role, str]], everything: str) -> bool:
    named = {stem(word) for word in tokens(sentence)} & _names()["medicines"]
    return bool(named) and bool(named - {stem(word) for word in tokens(everything)})


def _name(sentence: str, evidence: Sequence[tuple[Role, str]], everything: str) -> bool:
    """A capitalized word inside the sentence that the evidence does not have."""
    plain = _QUOTED.sub(" ", sentence)
    words = re.findall(r"(?<=[a-z,] )[A-Z][a-z]{2,}\b", plain)
    have = {stem(word) for word in tokens(everything)} if words else set()
    return any(stem(word.lower()) not in have and word.lower() not in FUNCTION_WORDS for word in words)


def _speaker(sentence: str, evidence: Sequence[tuple[Role, str]], everything: str) -> bool:
    """A claim about one speaker whose words are mostly the other's."""
    who = _patterns()
    said_by: Role | None = None
    if who["by_client"].search(sentence):
        said_by = "client"
    elif who["by_clinician"].search(sentence):
        said_by = "clinician"
    if said_by is None:
        return False
    own = " ".join(text for role, text in evidence if role == said_by)
    others = " ".join(text for role, text in evidence if role != said_by)
    mine, theirs = covered(sentence, own), covered(sentence, others)
    return mine < 0.5 and theirs >= 0.5 and theirs - mine >= 0.2


def _negation(sentence: str, evidence: Sequence[tuple[Role, str]], everything: str) -> bool:
    """A part of the sentence is negated and the part of the evidence that it tells is not, or the other way round."""
    plain = _QUOTED.sub(" ", sentence)
    marks = _patterns()
    if marks["denies"].search(plain):
        own = " ".join(text for role, text in evidence if role == "client")
        if marks["told_no"].search(plain) is None:
            return False
        return marks["negative"].search(own) is None or contradicts(plain, "", own)
    if turned_round(plain, everything):
        return True
    return any(contradicts(part, _best_clause(part, everything) or "", everything) for part, _ in _split(plain))


def _person(sentence: str, evidence: Sequence[tuple[Role, str]], everything: str) -> bool:
    """Somebody by kinship or office of whom the evidence does not speak."""
    return bool(strangers(_QUOTED.sub(" ", sentence), everything))


def _tense(sentence: str, evidence: Sequence[tuple[Role, str]], everything: str) -> bool:
    """Told as past what was said of now, or told as to come what was not."""
    clause = _best_clause(sentence, everything)
    if clause is None:
        return False
    marks = _patterns()
    past = marks["past"].search(sentence) is not None and marks["past"].search(clause) is None
    coming = marks["future"].search(sentence) is not None and marks["future"].search(everything) is None
    return past or coming


PLAN_COVER = 0.67
"""What is agreed or assigned must be said nearly in full: invented plans are made of the session's common words."""


def _plan(sentence: str, evidence: Sequence[tuple[Role, str]], everything: str) -> bool:
    """An agreement or assignment where nobody proposes anything, or not this."""
    marks = _patterns()
    if marks["agreed"].search(_QUOTED.sub(" ", sentence)) is None:
        return False
    return marks["proposes"].search(everything) is None or covered(sentence, everything) < PLAN_COVER


_TESTS = {
    "observation": _observation,
    "number": _number,
    "medicine": _medicine,
    "name": _name,
    "speaker": _speaker,
    "negation": _negation,
    "person": _person,
    "tense": _tense,
    "plan": _plan,
}


@lru_cache(maxsize=2048)
def _split(text: str) -> tuple[tuple[str, frozenset[str]], ...]:
    parts = re.split(r"(?<=[.?!])\s+|,\s+(?:and|but)\s+|\s+(?:but|because|although)\s+|;\s+", text)
    return tuple((part, frozenset(stems(part))) for part in parts if part.strip())


def _best_clause(sentence: str, evidence: str) -> str | None:
    """The clause of the evidence with most of the sentence's words; None where less than half are in one."""
    wanted = {one for one in stems(sentence) if one not in _names()["given"]}
    if not wanted:
        return None
    best = max(_split(evidence), key=lambda part: len(wanted & part[1]), default=None)
    least = 1 if re.search(r"\b(?:they|their|them|client)\b", sentence, re.IGNORECASE) else 2
    if best is None or len(wanted & best[1]) < max(least, 0.5 * len(wanted)):
        return None
    return best[0]


def verify(sections: Sequence[Section], transcript: Transcript) -> tuple[Section, ...]:
    """The sections with each statement from the transcript judged; chart, clinician and suggestions are as they say.

    A statement that names no evidence, or evidence that is not in the transcript, is not supported.
    """
    said: Mapping[UtteranceId, Utterance] = {one.id: one for one in transcript.utterances}
    return tuple(
        Section(section.name, tuple(_judged(one, said, transcript.roles) for one in section.statements))
        for section in sections
    )


def _judged(one: Statement, said: Mapping[UtteranceId, Utterance], roles: Mapping[SpeakerId, Role]) -> Statement:
    if one.provenance != "transcript":
        return one
    if not one.evidence or any(place not in said for place in one.evidence):
        return replace(one, supported=False)
    cited = [said[place] for place in one.evidence]
    evidence = [(roles.get(each.speaker, "other"), each.text) for each in cited]
    return replace(one, supported=verdict(one.text, evidence).supported, uncertain=uncertain(one.text, cited))
