"""Speech as written text: fillers, stutters and false starts cut, utterances split into clauses. Pure.

Recognized text may lack punctuation; a long stretch without any is split where a new main clause begins.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from streaming.types import Role, SpeakerId, Tick, Transcript, Utterance, UtteranceId

_DAMAGE = re.compile(r"\[(?:unintelligible|inaudible|crosstalk|foreign)[^\]]*\]|<unin\s*/?>", re.IGNORECASE)
_TAG = re.compile(r"\[[^\]]*\]|<[^>]*>|\*+")
_STUTTER = re.compile(r"\b(?!(?:uh|nuh|unh|mm)-(?:uh|unh|mm)\b)([a-z']{1,14})-\s*(?=\1)", re.IGNORECASE)
_RESTART = re.compile(r"\b((?:[\w']+ ){0,3}[\w']+)\s*[-–—]+\s+(?=\1\b)", re.IGNORECASE)
_DOUBLE = re.compile(
    r"\b(i|i'm|the|a|to|and|it|it's|that|of|in|my|we|you|he|she|was|is|so|but|they|if|this|have|be|you|on"
    r"|for),? (?=\1\b)",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"(?:(?<=[,.?!])|(?<=^)|(?<=\s))\s*(?!(?:uh|nuh|unh)-(?:uh|unh)\b)(?:um+|uh+|er+|erm+|hmm+|mm+|ah+|ohh+|oh)\b(?!-)[,.]?(?=\s|$)"
    r"|,?\s*\b(?:you know|i mean)\b,(?! (?:what|how|that|it|the))|,\s*\b(?:you know|i mean|like)\b(?=[,.?!-]|$)"
    r"|(?<=,)\s*like,|(?<!as )(?<!do )(?<!that )(?<!if )\byou know,? (?=i\b|it\b|just\b|like\b)",
    re.IGNORECASE,
)
_ABANDONED = re.compile(
    r"\bi(?:'m|'ve|'d| do| don't| was| just| am| have| would| know| guess| didn't| can| can't)?,? (?=i(?:'m"
    r"|'ve|'d|'ll)? (?:don't|do|was|am|just|have"
    r"|would|try|think|feel|want|need|didn't|can|know)\b)|\band, (?=and\b)",
    re.IGNORECASE,
)
_SAID_BEFORE = re.compile(r"\b(?:like|as) i (?:said|told you|mentioned),?\s*", re.IGNORECASE)
_SPOKEN = {
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "have to",
    "'cause": "because",
    "cuz": "because",
    "kinda": "kind of",
    "sorta": "sort of",
    "dunno": "don't know",
    "gimme": "give me",
    "lemme": "let me",
    "im": "i'm",
    "ive": "i've",
    **{
        f"{word}t": f"{word}'t"
        for word in (
            "don",
            "can",
            "won",
            "didn",
            "doesn",
            "isn",
            "aren",
            "wasn",
            "weren",
            "haven",
            "hasn",
            "hadn",
            "wouldn",
            "couldn",
            "shouldn",
            "ain",
        )
    },
    **{word.replace("'", ""): word for word in ("you're", "they're", "that's", "what's", "he's", "she's", "you've")},
}
_SPOKEN_WORD = re.compile(r"(?<!\w)(" + "|".join(_SPOKEN) + r")\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.?!…])[\"”']?\s+|\s*(?:--+|[–—])\s*|(?<=\w)- (?=\w)")
_NEW_CLAUSE = re.compile(
    r",?\s+(?=(?:and then|but|so then|and so|and i|and it|and my|and he|and she|and they|so i|because i)\b)", re.I
)
LONG_WORDS = 28
"""Above this many words without a full stop a sentence is split at conjunctions."""

_BACKCHANNEL = re.compile(
    r"(?:(?:mm+[- ]?hm+|mhm+|uh[- ]huh|ok(?:ay)?|hmm*|sure|all ?right|great|good|i see|right|wow|oh|yeah|yes|yep|um"
    r"|uh|wonderful|perfect|exactly|cool|absolutely|of course|thank you|thanks|gotcha|got it)[ ,.!?-]*)+",
    re.IGNORECASE,
)
_LISTENING = re.compile(
    r"(?:(?:mm+[- ]?hm+|mhm+|uh[- ]huh|ok(?:ay)?|hmm*|i see|right|sure|yeah|oh|all ?right|wow)[ ,.!-]*)+", re.I
)
_ASKS = re.compile(
    r"(?:(?:and|so|okay|ok|well|now|but|then|right|um|uh|also|or|alright)[, ]+)*"
    r"(?:do|does|did|are|is|was|were|have|has|had|would|could|can|will|shall|should|any|anything|ever|what"
    r"|how|when|"
    r"thoughts? of|where|which|who|whose|why|am|isn't|aren't|don't|didn't|haven't|wouldn't|tell me)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence or main clause of one utterance: `at` is the utterance's place in the transcript, from 0.

    `damaged` tells that words beside it were not understood, `cut` that the speaker broke off.
    """

    utterance: UtteranceId
    at: int
    speaker: SpeakerId
    role: Role
    start: Tick
    text: str
    question: bool
    damaged: bool = False
    cut: bool = False
    more: tuple[UtteranceId, ...] = ()
    """Later utterances whose words are part of it: a turn that went on past a listening noise."""

    @property
    def low(self) -> str:
        return self.text.lower()


_HOLE = "\N{REPLACEMENT CHARACTER}"


def clean(text: str) -> str:
    """Clean verbatim: no tags, fillers, stutters or repeated starts; contractions of speech written out."""
    return re.sub(rf"\s*{_HOLE}", "", _cleaned(text)).strip(" ,…")


def _cleaned(text: str) -> str:
    """Clean verbatim in which words that were not understood leave a mark."""
    text = text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    text = re.sub(r"\b(Dr|Mr|Mrs|Ms|St|etc|vs)\.", r"\1", text)
    text = _TAG.sub(" ", _DAMAGE.sub(f" {_HOLE} ", text))
    for _ in range(3):
        text = _STUTTER.sub("", text)
    text = re.sub(r"\s+", " ", text)
    for _ in range(2):
        text = _RESTART.sub("", text)
        text = _FILLER.sub("", text)
        text = _DOUBLE.sub("", text)
    text = _SAID_BEFORE.sub("", _ABANDONED.sub("", text))
    text = _SPOKEN_WORD.sub(lambda found: _SPOKEN[found[1].lower()], text)
    text = re.sub(r"\s*(?:--+|[–—])\s*", "… ", text)
    text = re.sub(r"\s+([,.?!])", r"\1", re.sub(r"\s+", " ", text))
    return re.sub(r"([,.])(?:\s*[,.])+", r"\1", text).strip(" ,")


def split(text: str) -> list[str]:
    """The sentences of cleaned text; long ones without punctuation cut at conjunctions."""
    parts: list[str] = []
    for sentence in _SENTENCE.split(text):
        pieces = _NEW_CLAUSE.split(sentence) if len(sentence.split()) > LONG_WORDS else [sentence]
        parts.extend(piece.strip(" ,;") for piece in pieces)
    return [part for part in parts if re.search(r"\w", part)]


_INVERTED = re.compile(
    r"\b(?:do|did|have|are|were|has|would|could|can|will|does) (?:you|your|anyone|anybody|he|she|they|that|there)\b"
    r"|\bany (?:thoughts?|plans?|history|intent\w*|attempts?|urges?)\b|\b(?:how|what) (?:about|often|long|much)\b",
    re.IGNORECASE,
)


def is_question(sentence: str) -> bool:
    """By its mark, or where there is none by its first words or by "have you" within unpunctuated talk."""
    bare = sentence.rstrip(' "')
    if bare.endswith(("?", ".", "!")):
        return bare.endswith("?")
    return _ASKS.match(sentence) is not None or (
        _INVERTED.search(sentence) is not None and not re.search(r"[,.;]", sentence)
    )


def clauses_of(utterance: Utterance, at: int, role: Role) -> list[Clause]:
    """The clauses of one utterance, in order."""
    parts = split(_cleaned(utterance.text))
    broken = utterance.text.rstrip().endswith(("-", "–", "—", "…"))
    return [
        Clause(
            utterance=utterance.id,
            at=at,
            speaker=utterance.speaker,
            role=role,
            start=utterance.start,
            text=re.sub(rf"\s*{_HOLE}\s*", " ", part).strip(" -–—,…"),
            question=is_question(part),
            damaged=_HOLE in part,
            cut=part.endswith("…") or (broken and n == len(parts) - 1),
        )
        for n, part in enumerate(parts)
        if re.search(r"\w", part)
    ]


def clauses(transcript: Transcript) -> list[Clause]:
    """All clauses of a transcript; a speaker without a role counts as other.

    What a client left unfinished and said on past a listening noise is read as one, at the place of its first half:
    "I don't want to" (Mm-hmm.) "kill myself" must not be read by halves.
    """
    found: list[Clause] = []
    taken: set[int] = set()
    for at, one in enumerate(transcript.utterances):
        if at in taken:
            continue
        role = transcript.roles.get(one.speaker, "other")
        halves = [] if role == "clinician" else _further_halves(transcript, at)
        taken.update(place for place, _ in halves)
        text = one.text
        for _, half in halves:
            text = f"{_OPEN_END.sub('', text)} {half.text.lstrip(' .…-–—')}"
        more = tuple(half.id for _, half in halves)
        whole = replace(one, text=text) if halves else one
        found.extend(replace(clause, more=more) for clause in clauses_of(whole, at, role))
    return found


MAX_HALVES = 4
"""A turn is joined from so many utterances after its first, at most."""
_OPEN_END = re.compile(r"[\s,.…–—-]+$")
_DANGLES = re.compile(
    r"\b(?:and|but|because|the|a|an|of|or|my|your|if|than|i|i'm|i've|want to|going to|trying to|able to|used to"
    r"|like to|have to)[,.]?$"
)
_NEW_START = re.compile(
    r"(?:i|i'm|i've|i'd|i'll|it|it's|that|that's|he|she|they|we|my|but|and|so|no|yes|yeah|yep|okay|well|what|why)\b"
)


def _further_halves(transcript: Transcript, at: int) -> list[tuple[int, Utterance]]:
    """The utterances that go on with an unfinished one, with their places; only noises of others stand between."""
    first = transcript.utterances[at]
    found: list[tuple[int, Utterance]] = []
    before = first.text
    for place in range(at + 1, len(transcript.utterances)):
        one = transcript.utterances[place]
        if one.speaker != first.speaker:
            if "?" not in one.text and backchannel(one.text):
                continue
            break
        if len(found) == MAX_HALVES or listening(one.text) or listening(before) or not _unfinished(before, one.text):
            break
        found.append((place, one))
        before = one.text
    return found


def _unfinished(before: str, after: str) -> bool:
    """Whether talk breaks off in the middle of a clause that the next words of the speaker go on with."""
    before, after = before.replace("’", "'").strip(), after.replace("’", "'").lstrip(' "')
    if before.endswith(("?", "!")):
        return False
    if not before.endswith("."):
        return True
    if after[:1].islower() and re.match(r"i\b", after) is None:
        return True
    found = _DANGLES.search(before.lower())
    return found is not None and (not found[0].startswith(_INFINITIVE) or _NEW_START.match(after.lower()) is None)


_INFINITIVE = ("want", "going", "trying", "able", "used", "like", "have")


def backchannel(text: str) -> bool:
    """Whether the text only agrees, thanks or shows listening."""
    text = clean(text)
    return not text or _BACKCHANNEL.fullmatch(text) is not None


def listening(text: str) -> bool:
    """Whether the text only shows listening, as one does while the other goes on talking."""
    text = clean(text)
    return not text or _LISTENING.fullmatch(text) is not None


def by_utterance(all_clauses: Iterable[Clause], count: int) -> list[list[Clause]]:
    """Clauses grouped by the place of their utterance."""
    groups: list[list[Clause]] = [[] for _ in range(count)]
    for clause in all_clauses:
        groups[clause.at].append(clause)
    return groups


def joined(group: Sequence[Clause]) -> str:
    """The clauses of an utterance as one text again, each ended."""
    return " ".join(end(clause.text) for clause in group)


def end(text: str) -> str:
    """The text as a sentence: first letter capital, a full stop unless it is ended."""
    text = text.strip(" ,;-")
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."
