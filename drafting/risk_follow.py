"""Questions that take their subject from what was said before: "and you, have you ever?" Pure."""

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
