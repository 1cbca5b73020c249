"""The risk ledger: for each item asked and denied, endorsed, volunteered or not asked, with both spans. Pure.

A question's span is the clinician's and an answer's the client's; the answer is looked for across interruptions,
listening noises and the clinician's own rephrasing. Where an answer decides nothing, the item stays "not asked" with
the question as evidence. `Denied` cannot be made without both spans, and nothing else lets a denial be written.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from drafting.clauses import Clause, backchannel, by_utterance, clauses, joined, listening
from drafting.risk_answers import (
    Answer,
    after_denial,
    breaks_off,
    classify,
    comes_to_no,
    goes_along,
    not_now,
    past_only,
    refuses,
    takes_back_earlier,
    turns,
)
from drafting.risk_findings import (
    EMPTY,
    Denied,
    Endorsed,
    Finding,
    Ledger,
    NotAsked,
    OtherPerson,
    RiskState,
    Span,
    Volunteered,
)
from drafting.risk_follow import ENDED, OF_THEM, SUPPOSING, asks_of_them, in_effect, inherited
from drafting.risk_lexicon import lexicon, masked
from drafting.risk_mentions import ITEMS, Mention, RiskItem, accidental, embarrassed, mentions, parting, time_of
from drafting.risk_states import Event, finding
from drafting.risk_wide import with_unclear
from streaming.types import Transcript

CONTEXT_UTTERANCES = 10
"""Talk that needs context ("do you have a plan?") counts this many utterances after direct talk of risk."""
ACCIDENT_UTTERANCES = 4
"""Talk of falls or sport so many utterances back makes "hurt myself" harmless."""
ANSWER_UTTERANCES = 6
"""An answer is looked for this many utterances past the question."""


def ledger(transcript: Transcript) -> Ledger:
    """The ledger of a transcript whose speakers have roles."""
    return ledger_of(by_utterance(clauses(transcript), len(transcript.utterances)))


def ledger_of(groups: Sequence[Sequence[Clause]]) -> Ledger:
    """The ledger of clauses grouped by utterance."""
    found = [[one for clause in group for one in mentions(clause)] for group in groups]
    _drop_without_context(found, groups)
    events: dict[RiskItem, list[Event]] = {item: [] for item in ITEMS}
    others: list[OtherPerson] = []
    answered: dict[tuple[int, RiskItem], Event] = {}
    for at, group in enumerate(groups):
        if not group:
            continue
        role = group[0].role
        for one in _first_of_each(found[at], prefer_self=True):
            if role == "clinician" and one.other and asks_of_them(one, group):
                one = replace(one, other=False)
            if one.other and not (role == "clinician" and _GENERAL.search(one.clause.low)):
                others.append(OtherPerson(one.item, Span(one.clause.utterance, one.clause.text, one.clause.more)))
            elif role == "clinician" and (event := _asked(one, at, groups, found)) is not None:
                events[one.item].append(event)
                answered[event.at, one.item] = event
            elif role == "client" and (at, one.item) not in answered and not one.negated and not one.clause.question:
                span = Span(one.clause.utterance, one.clause.text, one.clause.more)
                events[one.item].append(Event(at, "volunteered", None, span, one.time))
        if role == "clinician" and not found[at] and (same := inherited(at, groups, found)) is not None:
            found[at].append(same)
            if (event := _asked(same, at, groups, found)) is not None:
                events[same.item].append(event)
                answered[event.at, same.item] = event
        elif role == "client" and takes_back_earlier(joined(group)):
            for item, earlier in _denied_before(at, events):
                events[item].append(_after_all(at, group, earlier))
        if role == "clinician" and not found[at] and (past := _past_asked(at, groups, found)) is not None:
            events["attempts"].append(past)
    return with_unclear(Ledger(tuple(finding(item, events[item]) for item in ITEMS), tuple(others)), groups, found)


def _denied_before(at: int, events: dict[RiskItem, list[Event]]) -> list[tuple[RiskItem, Event]]:
    """The denials of the last question of risk that was denied before this place, of each item it asked for."""
    denied = [(item, one) for item in ITEMS for one in events[item] if one.kind == "denied" and one.at < at]
    last = max((one.at for _, one in denied), default=-1)
    of_thoughts: list[tuple[RiskItem, Event]] = [(item, one) for item, one in denied if item == "si"]
    latest = [(item, one) for item, one in denied if one.at == last]
    return of_thoughts[-1:] or latest


def _after_all(at: int, group: Sequence[Clause], denied: Event) -> Event:
    """A denial that was taken back later in the session."""
    said = _said(group)
    both = Span(denied.answer.utterance, f"{denied.answer.text} {said.text}", (*denied.answer.more, *said.ids))
    return Event(at, "affirmed", denied.question, both, "present", withdrawn=True)


_OF_THE_PAST = re.compile(
    r"(?:(?:okay|ok|and|but|so|what|how|about|right|or|maybe|not)[ ,.]+)*(?:in the past|in your past"
    r"|before(?: that| now)?|ever|ever before|previously|earlier|in your life|at any (?:point|time)|any (?:time"
    r"|other time)"
    r"|when you were (?:younger|a \w+))(?: at all| then)?[ ,]*\?"
)
_MEANT_TO_DIE = re.compile(
    r"\b(?:took|swallowed|downed) .*\b(?:pills?|tablets?|medication|meds|overdose)\b|\boverdosed?\b"
    r"|\bi (?:\w+ )?tried\b|\battempt\w*\b|\b(?:cut|slit|slashed) my\b|\balmost (?:did it|died)\b|\bi did it\b"
    r"|\bhang\w* myself\b"
)


def _past_asked(at: int, groups: Sequence[Sequence[Clause]], found: Sequence[Sequence[Mention]]) -> Event | None:
    """What "and in the past?" after a question of suicide brought: an attempt told, or an answer to be checked."""
    asked = next((one for one in groups[at] if _OF_THE_PAST.fullmatch(one.low)), None)
    before = range(max(0, at - ANSWER_UTTERANCES), at)
    of_risk = [one for place in before for one in found[place] if one.item in _OF_SUICIDE and not one.other]
    question = next((one.clause for one in reversed(of_risk) if one.clause.role == "clinician"), None)
    reply = next(_replies("attempts", at, groups, found, broken=False), None) if asked and question else None
    if asked is None or question is None or reply is None:
        return None
    answer = _said(groups[reply])
    span = Span(question.utterance, joined([question, asked]), (asked.utterance,))
    if _MEANT_TO_DIE.search(answer.text.lower()) and classify(answer.text) != "denied":
        return Event(reply, "affirmed", span, answer, "past")
    sense = classify(answer.text)
    return None if sense == "denied" else Event(reply, "unclear", span, answer, "present")


_OF_SUICIDE = ("si", "plan", "intent", "means", "attempts")


def _first_of_each(found: Sequence[Mention], *, prefer_self: bool) -> list[Mention]:
    """One mention per item of an utterance: about oneself before others, affirmed before negated."""
    best: dict[RiskItem, Mention] = {}
    for one in sorted(found, key=lambda one: (one.other and prefer_self, one.negated)):
        best.setdefault(one.item, one)
    return list(best.values())


def _drop_without_context(found: list[list[Mention]], groups: Sequence[Sequence[Clause]]) -> None:
    """Takes out talk of accidents, and what means an item only near direct talk of risk."""
    for at, group in enumerate(found):
        if any(one.item in ("si", "self_injury") for one in group):
            until = at + (1 if any(one.clause.question for one in group) else 2)
            around = " ".join(joined(near) for near in groups[max(0, at - ACCIDENT_UTTERANCES) : until])
            told = joined(groups[at])
            group[:] = [
                one for one in group if not (accidental(one, around) or embarrassed(one, told) or parting(one, told))
            ]
    last = last_hi = last_thought = -CONTEXT_UTTERANCES - 1
    for at, group in enumerate(found):
        if any(one.strong and one.item not in ("being_harmed", "hi") for one in group):
            last = at
        if any(one.strong and one.item in ("si", "hi", "intent", "plan") for one in group):
            last_thought = at
        if any(one.strong and one.item == "hi" for one in group):
            last_hi = at
        near = at - last <= CONTEXT_UTTERANCES
        near_hi = near or at - last_hi <= CONTEXT_UTTERANCES
        thought_near = at - last_thought <= CONTEXT_UTTERANCES
        by_item = {"means": thought_near, "hi": near_hi, "being_harmed": near_hi}
        group[:] = [one for one in group if one.strong or by_item.get(one.item, near)]
        group[:] = [one for one in group if one.strong or one.clause.question or one.clause.role == "client"]


_GENERAL = re.compile(
    r"\b(?:some|many|most|other|lots of|a lot of) (?:\w+ ){0,2}(?:people|folks|clients|patients|kids|teens"
    r"|students|vets|veterans"
    r"|moms|mothers|parents|men|women|girls|boys|folk|adults|survivors|soldiers|teenagers)\b|\bsometimes people\b"
    r"|\b(?:some|many|most) (?:\w+ )?\w+s (?:tell|say|feel|find|describe|have told|get)\b|\bpeople (?:sometimes"
    r"|often)\b"
)
_ASKING_AFTER = re.compile(r"\b(?:you|your|ever|any|that|this|those|these|either)\b")
_NONE_BEFORE = re.compile(
    r"\b(?:marked|checked|circled|put|answered|said|wrote)(?: down)? (?:a )?(?:zero|no|none|never|not at all)\b"
)


def _asked(
    one: Mention, at: int, groups: Sequence[Sequence[Clause]], found: Sequence[Sequence[Mention]]
) -> Event | None:
    """What came of a clinician's mention: an answer to a question or a reflection; None where it is neither."""
    group = list(groups[at])
    place = group.index(one.clause)
    if SUPPOSING.search(" ".join(clause.low for clause in group[place : place + 2])):
        return None
    question = one.clause if one.clause.question or in_effect(one.clause) else None
    if question is not None and ENDED.search(" ".join(clause.low for clause in group[place : place + 2])):
        one = replace(one, inverse=True)
    if question is None:
        later = [c for c in group[place + 1 :] if c.question and _ASKING_AFTER.search(c.low)]
        question = later[0] if later else None
    reflection = question is None
    if reflection and (_GENERAL.search(one.clause.low) or not OF_THEM.search(one.clause.low)):
        return None
    span = Span(
        one.clause.utterance,
        one.clause.text if question in (None, one.clause) else joined([one.clause, question or one.clause]),
    )
    wh = re.search(r"\b(?:what|how|when|where|which|tell me)\b", (question or one.clause).low) is not None
    negative = one.negated or _NONE_BEFORE.search(span.text.lower()) is not None
    reply: int | None = None
    sense: Answer = "none"
    for place_of_answer in _replies(one.item, at, groups, found, broken=one.clause.cut):
        text = joined(groups[place_of_answer])
        judged = _sense(
            one,
            text,
            found[place_of_answer],
            span.text.lower(),
            negative=negative,
            open_question=wh and not reflection,
        )
        if reply is None or judged in ("affirmed", "denied"):
            reply, sense = place_of_answer, judged
        if judged in ("affirmed", "denied") or refuses(text) or reflection:
            break
    if reply is None:
        return None if reflection else Event(at, "unclear", span, span, "present")
    answer = _said(groups[reply])
    if reflection and (sense not in ("affirmed", "denied") or len(group) - place > 2):
        return None
    if sense in ("unclear", "none"):
        return Event(reply, "unclear", span, answer, "present")
    if sense == "denied":
        again = _taken_back(one, reply, groups, found, negative=negative)
        if again is not None:
            return replace(again, question=span)
    asked_ever = _EVER.search(span.text.lower()) is not None
    ever = asked_ever and not (_NOW_EVER.search(span.text.lower()) and _LONG_OVER.search(answer.text.lower()))
    return _outcome(reply, sense, span, answer, ever=ever)


_EVER = re.compile(r"\b(?:ever|history|in the past|previous\w*|before(?! (?:we|i|you|our)\b))\b")
_NOW_EVER = re.compile(r"\b(?:does|do|is|are)\b[^?]*\bever\b")
_LONG_OVER = re.compile(
    r"\bnot (?:for|in) (?:a |so |such a )*(?:long|years|months|ages)|\bit's been (?!a|bad|hard|on|there)"
    r"|\bi stopped\b"
)


def _taken_back(
    one: Mention,
    reply: int,
    groups: Sequence[Sequence[Clause]],
    found: Sequence[Sequence[Mention]],
    *,
    negative: bool,
) -> Event | None:
    """What a denial came to in the client's next words, heard as part of the answer; None where it stands."""
    first = _said(groups[reply])
    remark = echoed = False
    for later in range(reply + 1, min(len(groups), reply + 1 + ANSWER_UTTERANCES)):
        group = groups[later]
        text = joined(group) if group else ""
        bare_yes = bool(group) and group[0].role == "client" and _BARE_YES.fullmatch(text.lower()) is not None
        if not group or (backchannel(text) and not bare_yes):
            continue
        if group[0].role == "clinician":
            echoed = _ECHO.fullmatch(text.lower()) is not None
            remark = len(text.split()) <= REMARK_WORDS and not any(clause.question for clause in group)
            if not remark and not echoed:
                break
            continue
        if remark and not turns(text) and not bare_yes:
            break
        said = [other for other in found[later] if other.item == one.item and not other.other]
        sense = after_denial(first.text, text, negative=negative, inverse=one.inverse, echoed=echoed)
        if any(not other.negated and not other.clause.question for other in said):
            sense = "affirmed"
        if sense != "denied":
            both = Span(first.utterance, f"{first.text} {text}", (*first.more, *_said(group).ids))
            kind: Literal["affirmed", "unclear"] = "affirmed" if sense == "affirmed" else "unclear"
            return Event(reply, kind, None, both, "past" if past_only(text) else "present", withdrawn=True)
    if breaks_off(groups[reply][-1]):
        return Event(reply, "unclear", None, first, "present", withdrawn=True)
    return None


_BARE_YES = re.compile(r"yes(?:[, ]+i (?:do|have|did))?[ .!]*")
"""Right after a denial this is no listening noise."""
_ECHO = re.compile(
    r"(?:(?:no|none|nothing|never|not at all|not even (?:once|a little)|not really|really|are you sure"
    r"|you're sure|you sure"
    r"|zero|not once|no thoughts(?: at all)?|you hesitated|not (?:a single )?one|no\?|you paused"
    r"|is that right)[ ,.?!]*)+"
)
"""What a clinician asks after a denial to hear whether it stands."""
REMARK_WORDS = 12
"""A clinician's remark of so many words does not end an answer that is then taken back."""


def _said(group: Sequence[Clause]) -> Span:
    """The words of a whole utterance."""
    return Span(group[0].utterance, joined(group), group[0].more)


def _outcome(at: int, sense: Answer, question: Span, answer: Span, *, ever: bool) -> Event:
    past = past_only(answer.text) or time_of(question.text.lower()) == "past"
    if sense == "affirmed" and not_now(answer.text) and not ever:
        return Event(at, "denied", question, answer, "present", history=True)
    if sense == "denied" and ever and not_now(answer.text) and past_only(answer.text):
        return Event(at, "affirmed", question, answer, "past")
    if sense == "affirmed":
        return Event(at, "affirmed", question, answer, "past" if past else "present")
    return Event(at, "denied", question, answer, "present", history=past_only(answer.text))


_MEANS_OTHER = re.compile(
    r"\b(?:talking about|do you mean|did you mean|you mean|are you saying|is it that|referring to)\b"
)
_OTHER_MEANING = re.compile(
    r"(?:oh,? |well,? |god,? |no,? )*(?:i(?:'m| am| was)? (?:talking|mean|meant|saying|just mean)|more like"
    r"|it's (?:more|just)|out of|done with"
    r"|about (?:the|my)|just (?:the|my|tired|done with))\b"
)


def _sense(
    one: Mention, text: str, in_answer: Sequence[Mention], question: str, *, negative: bool, open_question: bool
) -> Answer:
    """The answer's sense: what it says of the item in so many words goes before its yes or no."""
    said = [other for other in in_answer if other.item == one.item and not other.other]
    sense = classify(text, negative=negative, inverse=one.inverse, open_question=open_question)
    if any(not other.negated and not other.clause.question for other in said):
        return "denied" if sense == "denied" and comes_to_no(text) else "affirmed"
    low = masked(text)
    denies = lexicon().not_so[one.item].search(low) is not None
    if _MEANS_OTHER.search(question) and _OTHER_MEANING.match(low) and sense in ("unclear", "none", "affirmed"):
        return "denied"
    if denies and (one.item in ("attempts", "intent") or sense in ("unclear", "none")):
        return "denied"
    of_others = any(other.item == one.item and other.other for other in in_answer) or _TO_OTHERS.search(low)
    if of_others and one.item in ("being_harmed", "attempts", "self_injury", "si") and sense in ("unclear", "none"):
        return "unclear"
    if sense in ("unclear", "none") and lexicon().answer[one.item].search(low) and not _HAS_NOT.search(low):
        return "affirmed"
    if sense in ("unclear", "none") and not open_question and not one.inverse and goes_along(text):
        return "denied" if negative else "affirmed"
    return "denied" if said and sense in ("unclear", "none") else sense


_TO_OTHERS = re.compile(r"^my (?:\w+ ){0,2}\w+ (?:\w+ )?(?:\w+) (?:his|her|their|him|them)\b")
_HAS_NOT = re.compile(r"\b(?:no|not|never|none|nothing)\b|n't\b|\?$")


def _replies(
    item: RiskItem,
    at: int,
    groups: Sequence[Sequence[Clause]],
    found: Sequence[Sequence[Mention]],
    *,
    broken: bool,
) -> Iterator[int]:
    """The places of the client's next words: past listening noises and the clinician's own going on.

    Ends where the clinician has gone on to something else: so many words that do not ask for the item again, or a new
    question once the client has said something.
    """
    clinician_words, answered = 0, False
    for later in range(at + 1, min(len(groups), at + 1 + ANSWER_UTTERANCES)):
        group = groups[later]
        text = joined(group) if group else ""
        if not group or (listening(text) and group[0].role == "clinician"):
            continue
        if group[0].role == "clinician":
            clinician_words += len(text.split())
            asks_again = any(one.item == item for one in found[later])
            new_question = answered and any(clause.question for clause in group)
            if not asks_again and (clinician_words > GOES_ON_WORDS or new_question):
                return
            continue
        following = groups[later + 1] if later + 1 < len(groups) else ()
        if broken and listening(text) and following and following[0].role == "clinician":
            continue
        if _NOISE.fullmatch(text.lower()):
            continue
        answered = True
        yield later


GOES_ON_WORDS = 45
_NOISE = re.compile(r"(?:hmm*|um+|uh+|oh|what|sorry|pardon|excuse me|okay|well)[?., ]*")


__all__ = [
    "EMPTY", "Denied", "Endorsed", "Finding", "Ledger", "NotAsked", "OtherPerson", "RiskState", "Span", "Volunteered",
    "ledger", "ledger_of",
]  # fmt: skip
