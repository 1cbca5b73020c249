"""Denials that may be none: answers that hedge, and words after them that take them back. Pure."""

import re
from collections.abc import Sequence

from drafting.clauses import Clause, joined
from drafting.risk_findings import Span

_LATER_DOUBT = re.compile(
    r"(?:(?:um|uh|oh|yeah|yes|so|and|no|okay|hmm|see)[ ,.]+)*(?:well|maybe|actually|sometimes|i mean|i guess"
    r"|fine|it's just"
    r"|it's complicated|kind of|sort of|not (?:exactly|really|never|quite|always)|sure you|what if|but|though"
    r"|if i'm honest"
    r"|honestly|to be honest|define|depends|once|i (?:did|do|have)\b(?! not)|i think about)\b"
    r"|.*\b(?:i lied|wasn't honest|not (?:true|telling)|cross\w* my mind|i(?:'ve| have) (?:thought|wished"
    r"|wondered|imagined))\b"
)


def doubted_later(pair: tuple[Span, Span], groups: Sequence[Sequence[Clause]]) -> list[Span]:
    """A denial and the client's next words, where those take it back or hedge and the clinician did not move on."""
    at = next((n for n, group in enumerate(groups) if group and group[0].utterance == pair[1].utterance), None)
    for later in range(at + 1, min(len(groups), at + 4)) if at is not None else ():
        group = groups[later]
        if not group:
            continue
        if group[0].role == "clinician":
            if len(joined(group).split()) > REMARK_WORDS:
                return []
            continue
        text = joined(group)
        if not _LATER_DOUBT.match(text.lower()):
            return []
        return [*pair, Span(group[0].utterance, text, group[0].more)]
    return []


REMARK_WORDS = 12
"""A clinician's remark of so many words does not end an answer."""
_PLAIN_NO = re.compile(
    r"(?:(?:oh|um|uh|well|god|hell|oh my|gosh|honestly|okay|yeah|ha|like i said|actually|look|right now)[ ,.!]+)*"
    r"(?:no\b|nope|nah|naw|never|none|nothing|not at all|not (?:ever|once|any ?more|now|right now|lately|recently"
    r"|today|like that|anything)|absolutely not|definitely not|of course not|i (?:don't|haven't|wouldn't"
    r"|would never"
    r"|have never|never|am not|do not|couldn't|could never|didn't)|i'm not|i've never|i'd never|not (?:really|me)"
    r"|nu+h|uh[- ]uh|neither|zero|negative)"
)
_DOUBT = re.compile(
    r"\bnot (?:where|that (?:anyone|i)|yet|exactly|seriously|deep|so (?:much|far)|as)\b|\bdefine\b|\bdepends\b"
    r"|\b(?:but|except|unless|though|although)\b(?:(?!n't|\bno|[.?!]).){0,40}\b(?:sometimes|once|thought|wish"
    r"|wonder|feel like|want to (?:die|end|disappear|hurt|kill)"
    r"|think about|almost|idea|maybe|if (?:it|things|he|she|they))\b|\bwhy (?:would|do) (?:i|you)\b"
    r"|\bwould(?:n't)? (?:i )?tell you\b"
    r"|\bi(?:'m| am) here,? (?:aren't|am)\b|\bi guess\b|\bi don't think so\b.*\bmaybe\b|\bnot yet\b"
)


def doubtful(answer: str) -> bool:
    """Whether a denial's words hedge, or hold no word of denial at all."""
    answer = answer.lower()
    return _DOUBT.search(answer) is not None or (
        _PLAIN_NO.match(answer) is None and _ENDS_NO.search(answer) is None and _SAFE.search(answer) is None
    )


_ENDS_NO = re.compile(
    r"\b(?:no|nope|never|not (?:at all|really|ever|like that|me|any ?more)|none|nothing like that)[.! ]*$"
    r"|\b(?:never|don't|didn't|haven't|wouldn't|couldn't|won't|no (?:thoughts?|plans?|intent\w*)"
    r"|not (?:going to|suicidal))\b"
)
_SAFE = re.compile(
    r"\b(?:safe|i want to live|too much to live|(?:way )?in the past|years ago|used to|stopped|over that"
    r"|opposite|figure of"
    r" speech|just (?:tired|venting|mad|an expression)|right|correct|good|fine|yes|yeah|yep|mm-?hm)\b"
)


def plainly_no(answer: str) -> bool:
    """Whether an answer begins with a no and does not hedge."""
    return _PLAIN_NO.match(answer.lower()) is not None and not doubtful(answer)


__all__ = ["doubted_later", "doubtful", "plainly_no"]
