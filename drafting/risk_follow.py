"""How a clinician's words ask: bare words, questions that go back to others, safety plans rehearsed. Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace

from drafting.clauses import Clause
from drafting.risk_mentions import Mention

REACH = 4
"""A bare question takes its subject from so many utterances before it, at most."""
_BARE = re.compile(
    r"(?:(?:and|but|so|okay|what|how|well|um|uh|then|right|i see|i'm sorry|that's hard)[ ,.]+)*"
    r"(?:you,? |yourself,? )?(?:(?:what |how )?about (?:you|yourself)(?: personally)?|you|yourself"
    r"|(?:and )?(?:have|did|do|are|has that been) you"
    r"(?: yourself| ever| personally| also)*(?: (?:tried|thought|felt|done|had|feel|think|have)(?: (?:that|it"
    r"|about it|that way"
    r"|like that|those|those thoughts|the same|anything like that|of that|thoughts like that|any of that))?)?"
    r"|(?:has|did) that ever (?:happen(?:ed)?|cross\w*)(?: \w+){0,3})(?: too| as well| ever| yourself| at all"
    r"| before)*[ ?.]*"
)


def inherited(at: int, groups: Sequence[Sequence[Clause]], found: Sequence[Sequence[Mention]]) -> Mention | None:
    """The mention that a clinician's bare question goes back to, asked of the client now; None where there is none.

    Only talk about somebody else is gone back to: a bare "have you?" after the client's own is another matter.
    """
    asked = next((one for one in groups[at] if one.question and _BARE.fullmatch(one.low.strip())), None)
    if asked is None:
        return None
    for place in range(at - 1, max(-1, at - 1 - REACH), -1):
        for one in found[place]:
            if one.other and one.item in ("si", "attempts", "self_injury", "hi", "being_harmed"):
                return replace(one, clause=asked, other=False, negated=False, strong=True)
    return None


OF_THEM = re.compile(r"\b(?:you|you've|you're|your)\b")
_YOURSELF = re.compile(
    r"\b(?:you|yourself)\b.*\b(?:those|these|that way|like that|the same|similar|such|any|that|it|yourself|ever)\b"
    r"|\b(?:what|how) about you\b|\band you\b|\byourself\b"
)


def asks_of_them(one: Mention, group: Sequence[Clause]) -> bool:
    """Whether talk of somebody else goes on to ask the client: "Your uncle did. Do you have thoughts like that?"."""
    later = group[group.index(one.clause) + 1 :] if one.clause in group else ()
    after = one.clause.low.rpartition(one.phrase)[2]
    if one.clause.question and re.search(r"\b(?:do|have|did|are) you\b", after) and _YOURSELF.search(after):
        return True
    return any(clause.question and _YOURSELF.search(clause.low) for clause in later)


_ASKS_ABOUT = re.compile(
    r"\b(?:have|need|want|going|like|got|supposed) to (?:ask|check)(?: you| in| everyone| again)*(?: about| on"
    r"| if| whether|,)?\b"
    r"|\b(?:should|must|let me|gotta|i ask|i'll|i'm asking|asking) (?:also )?(?:ask|check|about)\b"
)
ENDED = re.compile(
    r"\b(?:thoughts?|feelings?|urges?|cutting|those|they)\b.*\b(?:gone(?: away)?|stopped|went away|lifted|passed"
    r"|let up|subsided"
    r"|disappeared|cleared up|quieted down)\b"
)
"""A question whether it is over: here a yes denies."""
QUESTION_WORDS = 5


def in_effect(clause: Clause) -> bool:
    """Whether a statement asks: "I have to ask about suicide", or bare words such as "Suicidal thoughts"."""
    return _ASKS_ABOUT.search(clause.low) is not None or (
        len(clause.text.split()) <= QUESTION_WORDS and not OF_THEM.search(clause.low)
    )


SUPPOSING = re.compile(
    r"\bif (?:you(?:'d| were to| ever| do| did| start\w*)?|the|those|these|any|things|it)\b[^.?!]{0,60}"
    r"\b(?:come|came|comes|return\w*|start\w*|have|had|get|got|feel|felt|ever|notice\w*|having)\b.*"
    r"\b(?:what (?:would|will|could|can|might) you|who (?:would|could|can|will|might) you|would you (?:call|tell"
    r"|reach|go|know)"
    r"|you(?:'d| would| can| could|'ll) (?:call|tell|reach|go)|what's your plan|what is your plan|safety plan)\b"
)
"""A safety plan is rehearsed: "if the thoughts came back, who would you call?" asks for no thoughts of now."""
