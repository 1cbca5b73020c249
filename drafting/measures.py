"""Ratings and scores: the clinician's question with the client's number. Pure."""

import re
from collections.abc import Sequence

from drafting.clauses import Clause, end, joined
from drafting.client_facts import quoted
from drafting.facts import Fact

_SCALE = re.compile(
    r"\bscale (?:of|from)\b|\b(?:zero|one|0|1) (?:to|through) (?:ten|10)\b|\bout of (?:ten|10)\b|\bwhat number\b"
)
_ASKED_SCORE = re.compile(r"\b(?:phq|gad|pcl|audit|beck|bdi|score)\b")
_NUMBER = re.compile(
    r"\b(?:\d{1,3}|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty"
    r"|forty|fifty)\b"
)
_RATED = re.compile(
    r"how (strong|bad|intense|severe|high|low|anxious|depressed|strong|important|confident|ready|motivated"
    r"|stressed|sad|angry) "
    r"(?:is|was|are|were|do you feel|would you say|has) (.+?)(?: on a scale.*| right now|\?|$)"
)


def _number_in(groups: Sequence[Sequence[Clause]]) -> Sequence[Clause]:
    """The client's first words with a number."""
    for later in groups:
        if later and later[0].role == "client" and _NUMBER.search(joined(later).lower()):
            return later
    return ()


def _rated(question: str) -> tuple[str, str]:
    """What was rated, where the question says it shortly, and how the rating is introduced in its words."""
    low = question.lower()
    rated = _RATED.search(low)
    what = rated[2].strip() if rated and not re.search(r"\byou\b", rated[2]) else ""
    scale = re.search(r"(?:scale (?:of|from) )?\b(zero|one|0|1) (?:to|through) (ten|10)\b", low)
    shown = f" ({scale[1]} to {scale[2]})" if scale else ""
    if what:
        return what, f"Rating of {what}{shown}"
    if len(question.split()) <= 20:
        return "", f'Asked "{quoted(question)}"'
    asked = re.search(r"\b(?:confident|important|ready|motivated|strong|anxious|depressed|stressed)\b", low)
    return "", f'Rating{shown}, "{asked[0]}"' if asked else f"Rating{shown}"


_EARLIER = re.compile(
    r"\b(?:it was|last (?:month|year|week|time)|used to|in (?:january|february|march|april|may|june|july|august"
    r"|september|october|november|december)|(?:weeks?|months?) ago|before)\b"
)


def _told(reply: Sequence[Clause]) -> list[Clause]:
    """The clauses of an answer with a number; where the first of them tells of earlier, also what came before it.

    Else a misheard "six" leaves "it was an eight in January" as today's rating.
    """
    numbered = [at for at, clause in enumerate(reply) if _NUMBER.search(clause.low)]
    first = numbered[0]
    if _EARLIER.search(reply[first].low) and first > 0:
        numbered.insert(0, first - 1)
    return [reply[at] for at in numbered]


def answers(groups: Sequence[Sequence[Clause]]) -> list[Fact]:
    """Ratings and scores: the clinician's question with the client's number."""
    found: list[Fact] = []
    for at, group in enumerate(groups):
        if not group or group[0].role != "clinician":
            continue
        asked = [clause for clause in group if _SCALE.search(clause.low) or _ASKED_SCORE.search(clause.low)]
        if not asked:
            continue
        reply = next(
            (
                later
                for later in groups[at + 1 : at + 4]
                if later and later[0].role == "client" and _NUMBER.search(joined(later).lower())
            ),
            None,
        )
        if reply is None:
            continue
        text = " ".join(end(clause.text) for clause in _told(reply))
        what, lead = _rated(asked[-1].text)
        found.append(
            Fact(
                kind="measure",
                text=text,
                sentence=f'{lead}: client answered, "{quoted(text)}"',
                evidence=(asked[-1].utterance, reply[0].utterance),
                speaker="client",
                start=asked[-1].start,
                weight=5.0,
                detail={"topic": what or "rating", "severity": text},
            )
        )
    return found
