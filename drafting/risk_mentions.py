"""Where an utterance talks of risk: which item, about whom, when, denied or not. Pure; patterns are in the two files
of risk_lexicon.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from drafting.clauses import Clause
from drafting.risk_lexicon import ITEMS, RiskItem, label, lexicon, masked, softened

Time = Literal["past", "present"]

_PAST = re.compile(
    r"\bago\b|\bwhen (?:i|you) (?:was|were)\b|\bused to\b|\bback then\b|\bin the past\b|\bin (?:high school"
    r"|college|middle"
    r" school|my (?:teens|twenties|thirties|childhood)|(?:19|20)\d\d)\b|\bas a (?:kid|child|teen\w*|boy|girl)\b"
    r"|\bgrowing up\b|\byears? (?:back|before)\b|\bmy ex\b|\bat (?:fifteen|sixteen|seventeen|eighteen|\d\d)\b"
    r"|\bback in\b|\bbefore (?:i|we) (?:started|met|came)\b|\bat one point\b|\ba long time\b|\bonce before\b"
)
_NOW = re.compile(
    r"\b(?:now|lately|these days|still|again|this (?:week|month|morning)|today|tonight|recently|currently"
    r"|every (?:day|night)|last"
    r" (?:night|week)|yesterday|keeps?|always|anymore)\b"
)
_SUBJECT = re.compile(
    r"\b(i|i'm|i've|i'd|i'll|we|you|you're|you've|you'd|he|he's|he'd|she|she's|she'd|they|they're|they've|who"
    r"|someone"
    r"|somebody|people|kids|teens|patients|everyone|everybody|nobody)\b"
)
_THIRD_WORDS = (
    "he he's he'd she she's she'd they they're they've who someone somebody people kids teens patients"
    " everyone everybody"
    " nobody other"
)
_THIRD = frozenset(_THIRD_WORDS.split())
_FIRST_PERSON = re.compile(r"\b(?:i|i'm|i've|i'd|i'll|me|my|myself)\b")
_NEGATOR = re.compile(
    r"\b(?:nobody(?:'s)?|no ?one(?:'s)?|not|never|no|without|deny|denies|denied|cannot|nor|neither|isn't)\b|n't\b"
)
_UNNEGATE = re.compile(
    r"\b(?:can't|cannot|couldn't|can not|could not) (?:stop|help|stand|shake|get rid|quit|keep)\b|\bdon't"
    r" know\b|\bnot sure\b"
    r"|\bnot (?:only|just)\b|\bwhy not\b|\b(?:haven't|never|not|hasn't|didn't) stop\w*\b|\bno longer\b|\bnot"
    r" a (?:day|night)\b"
    r"|\bdon't care\b|\bnot gonna lie\b|\bnot (?:a|an|one) (?:week|hour)\b|\bdoesn't matter\b|\bdon't see why\b"
    r"|\bno (?:one|body) (?:would|will) (?:care|notice|miss)\b|\bdon't tell\b|\bwouldn't mind\b|\bnot"
    r" (?:going to|gonna) lie\b"
    r"|\bno (?:doubt|question)\b|\bcan't remember\b|\bwouldn't care\b|\bnever told\b|\bdidn't tell\b"
    r"|\bhaven't told\b"
)
_ANEW = re.compile(
    r"(?<!think)(?<!believe)(?<!feel)(?<!say)(?<!mean)(?<!know)(?<!that)(?<!if)(?<!like)(?<!as)(?<!want)(?<!thinking)"
    r"(?<!saying)(?<!have)(?<!do)(?<!would)(?<!did)(?<!wish)(?<!hope) (?:i|i'm|i've|i'd|i'll|it's|he|she|they|we)\b"
)
"""A new subject after a negation begins a new clause, also where nothing is punctuated: "not good i want to die"."""
_NO_ONE = ("nobody", "no one", "noone")
_NEGATION_REACH = 6
"""Words between a negation and what it denies, at most."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One item in one clause. `other` tells that it is about somebody else, `strong` that no context is needed."""

    item: RiskItem
    clause: Clause
    negated: bool
    time: Time
    other: bool
    strong: bool
    inverse: bool = False
    phrase: str = ""


@lru_cache(maxsize=8192)
def mentions(clause: Clause) -> tuple[Mention, ...]:
    """All talk of risk in a clause, also what is denied or about others; callers choose."""
    text = masked(clause.text)
    words = lexicon()
    found: list[Mention] = []
    unsafe = words.unsafe.search(text)
    if unsafe:
        found.append(_mention("being_harmed", clause, text, unsafe, strong=True, negated=False))
    elif inverse := words.inverse.search(text):
        one = _mention("being_harmed", clause, text, inverse, strong=True, negated=False)
        if clause.role == "clinician":
            found.append(_as_inverse(one))
    elif (noun := words.nouns.search(text)) and (clause.question or _OF_ONESELF.search(text)):
        found.append(_mention("being_harmed", clause, text, noun, strong=True))
    attempt_free = _without_attempts(text)
    for item in ITEMS:
        for strong, pattern in ((True, words.direct[item]), (False, words.context[item])):
            where = attempt_free if item in ("si", "intent", "plan") else text
            meant = strong and (item != "hi" or words.volition.search(text) is not None)
            hits = list(_hits(item, clause, where, pattern, strong=meant))
            if hits:
                found.extend(hits)
                break
    known = {one.item for one in found if one.strong}
    found = [*found, *(one for one in _framed(clause, text, known))]
    return tuple(one for one in found if not _fictional(one, text))


def _without_attempts(text: str) -> str:
    """Text in which a told attempt is blanked: it is no plan, intent or thought of now besides."""
    for pattern in (lexicon().direct["attempts"], lexicon().frames["attempts"]):
        text = pattern.sub(lambda hit: "~" * len(hit[0]), text)
    return text


def _hits(item: RiskItem, clause: Clause, where: str, pattern: re.Pattern[str], *, strong: bool) -> Iterator[Mention]:
    """What a pattern finds, but for what is said of anybody or only supposed."""
    for match in pattern.finditer(where):
        before = where[: match.start()]
        if item == "hi" and _generic_you(clause, before):
            continue
        if item == "being_harmed" and _supposed(clause, before):
            continue
        yield _mention(item, clause, where, match, strong=strong)


_TRIGGER = re.compile(
    r"\btry|ever\b|wish|hop(?:e|ing)|pray|born|\btake|took|supposed|soon|bring|pillow|advantage|aliv|\bd(?:ie|ying|ead|eath)"
    r"|kill|suicid|hurt|harm|liv(?:e|ing)\b|\blife\b|exist|\bcut|burn|scratch|punch"
    r"|\bhit|beat|"
    r"slap|smack|chok|strang|kick|push|shov|rap(?:e|ing)|molest|abus|assault|attack|grab|threat|stalk|grop|touch"
    r"|lock|"
    r"afraid|scared|terrif|fright|fear|wak(?:e|ing)|sleep|\bend|wheel|jump|step|driv|crash|swerv|train|bridge|"
    r"disappear|vanish|without (?:me|you)|join|follow|thoughts?|intent|intend|\bact\b|acting|plan|method|how you|gun|"
    r"firearm|weapon|rifle|pistol|knife|knives|razor|blade|pills|medic|meds|tablets|tylenol|xanax|overdos|attempt"
    r"|tried|"
    r"hang|drown|shoot|shot|stab|wrist|bleed|bled|blood|murder|bullet|throat|head|face|violen|rough|aggress|bruis"
    r"|marks|"
    r"scars|bandage|lighter|throw|threw|pension|money|check|hands|room|bed|things to|made me|force|let me|phone|show|"
    r"god|lord|home|point|reason|burden|better|miss|notice|care if|whether i|if i|enough|too long|maker|here|over|"
    r"me (?:who|instead)|stuck|do it|goodbye|letters?|notes?|slic|carv|claw|dig|dug|nails|myself|yourself|off|button|"
    r"safe|unsafe|baby|revenge|pay|school|look|google|search|research"
)


def _framed(clause: Clause, text: str, known: set[RiskItem]) -> Iterator[Mention]:
    """What the wider frames find of items that the plain patterns did not."""
    words = lexicon()
    if clause.role == "other" or not _TRIGGER.search(text):
        return
    plain = softened(text)
    versions = (text,) if plain == text else (text, plain)
    asking = clause.role == "clinician" and clause.question
    by_role = words.asked if asking else words.told if clause.role == "client" else None
    for item in ITEMS:
        if item in known:
            continue
        patterns = [words.frames[item], *([by_role[item]] if by_role else [])]
        if plain != text:
            patterns.append(words.direct[item])
        for version in versions:
            where = _without_attempts(version) if item in ("si", "intent", "plan") else version
            hits = [
                one
                for pattern in patterns
                for one in _hits(
                    item, clause, where, pattern, strong=not (item in _OF_CONTEXT and pattern is words.asked[item])
                )
            ]
            if item == "hi" and clause.role == "client" and not words.volition.search(where):
                hits = [one for one in hits if _VIOLENT.search(one.phrase)]
            if hits:
                yield from hits
                break


_OF_CONTEXT = ("plan", "intent", "attempts")
"""Items whose questions need other talk of risk around them: one plans, intends and attempts many things."""
_VIOLENT = re.compile(
    r"bring|bullet|\bup\b|throat|skull|hands (?:around|on)|thoughts?|images?|flashes|dead|bleed|i swear|\blist"
)


def _generic_you(clause: Clause, before: str) -> bool:
    """Whether a client says it of anybody: "if you drink and drive you could kill somebody"."""
    subjects = _SUBJECT.findall(before)
    return clause.role == "client" and bool(subjects) and subjects[-1].startswith("you")


def _supposed(clause: Clause, before: str) -> bool:
    """Whether a client only supposes it: "if he ever hit me"."""
    return clause.role == "client" and (
        re.search(r"\b(?:if|in case|unless) (?:[^.,?!]{0,40} )?$", before) is not None and " again" not in clause.low
    )


_OF_ONESELF = re.compile(
    r"\b(?:i was|i've been|i have been|i went through|i experienced|i survived|i grew up|i suffered|to me"
    r"|he's|he is|he was"
    r"|she's|she is|she was|my (?:husband|wife|partner|boyfriend|girlfriend|dad|father|mother|mom|ex|stepdad))\b"
)


def embarrassed(one: Mention, utterance: str) -> bool:
    """Whether "I wanted to disappear" stands beside talk of embarrassment."""
    words = lexicon()
    return (
        words.vanishing.search(one.phrase) is not None and words.embarrassment.search(utterance.lower()) is not None
    )


def accidental(one: Mention, around: str) -> bool:
    """Whether "hurt myself" stands near talk of falls, sport or work of the hands."""
    words = lexicon()
    return words.weak.search(one.phrase) is not None and words.accident.search(around.lower()) is not None


def parting(one: Mention, utterance: str) -> bool:
    """Whether "end it" stands beside talk of a relationship, a lease or the like."""
    words = lexicon()
    return words.ending.search(one.phrase) is not None and words.parting.search(utterance.lower()) is not None


def _as_inverse(one: Mention) -> Mention:
    return Mention(one.item, one.clause, one.negated, one.time, one.other, one.strong, True, one.phrase)


def _mention(
    item: RiskItem, clause: Clause, text: str, match: re.Match[str], *, strong: bool, negated: bool | None = None
) -> Mention:
    before = text[: match.start()]
    return Mention(
        item=item,
        clause=clause,
        negated=_negated(before) or match[0].startswith(_NO_ONE) if negated is None else negated,
        time=time_of(text),
        other=_about_other(item, before, match[0]),
        strong=strong,
        phrase=match[0],
    )


def time_of(text: str) -> Time:
    """Past only where the words say so and nothing says now."""
    return "past" if _PAST.search(text) and not _NOW.search(text) else "present"


def _negated(before: str) -> bool:
    """Whether a negation before the mention reaches it: few words off, no break of the clause between."""
    before = _UNNEGATE.sub(lambda found: "~" * len(found[0]), before)
    all_found = list(_NEGATOR.finditer(before))
    if not all_found:
        return False
    between = before[all_found[-1].end() :]
    if _ANEW.search(between):
        return False
    return not re.search(r"[,;:]|\bbut\b|\bbecause\b|\bso\b|\buntil\b|\bunless\b|\band (?:i|then)\b", between) and (
        len(between.split()) <= _NEGATION_REACH
    )


_POSSESSED = re.compile(
    r"(?:\b(?:his|her|their|someone's|somebody's)|\b(?:my|your|a|the|our|his|her) (?:\w+ )?\w+'s)\s*(?:\w+\s)?$"
)
_RELATIVE_SUBJECT = re.compile(
    r"\b(?:my|his|her|their|our|your|the|a|this) (?:\w+ )?(?:husband|wife|partner|boyfriend|girlfriend|ex|mom"
    r"|mum|mother|dad|"
    r"father|brother|sister|son|daughter|kid|child|cousin|uncle|aunt|friend|roommate|boss|coworker|colleague"
    r"|neighbou?r|"
    r"grandfather|grandmother|grandpa|grandma|teacher|guy|girl|boy|man|woman|kids|niece|nephew|classmate"
    r"|buddy|celebrity"
    r"|singer|actor|client|patient|student|stepdad|someone)\b(?! (?:and|or) i\b)"
)


def _about_other(item: RiskItem, before: str, phrase: str) -> bool:
    """Whether the last subject before the mention is somebody else. Being harmed names the other by itself."""
    if item == "being_harmed":
        return not re.search(r"\b(?:me|you|my|us|your)\b", phrase) and _last_subject(before) == "other"
    if item == "hi" or (item == "self_injury" and "self" not in phrase):
        return _last_subject(before) == "other"
    if re.search(r"\b(?:myself|yourself|i|my|your|me|you)\b", phrase):
        return False
    if _FAMILY.search(before) and not re.search(r"\byou\b", before):
        return True
    return _POSSESSED.search(before) is not None or _last_subject(before) == "other"


def denied_before(before: str) -> bool:
    """Whether a negation reaches what follows this text."""
    return _negated(before)


def spoken_of(before: str) -> Literal["self", "other", "none"]:
    """Whose doing what follows this text is: the last subject in it."""
    return _last_subject(before)


_FAMILY = re.compile(
    r"\b(?:anyone|anybody|someone|somebody|people|others?|members?) (?:else )?(?:in|from|of|on) (?:the|your"
    r"|my) (?:\w+ )?family\b"
    r"|\bfamily (?:history|members?)\b|\brelatives\b|\bhas anyone (?:close to you|you (?:know|love))\b"
    r"|\bin your family\b"
)


_ASKED_OF_ALL = re.compile(
    r"\b(?:ask|tell|check with|do this with) (?:everyone|everybody|people|all (?:of )?my \w+)\b"
)
_THEIRS = re.compile(
    r"'s (?:\w+ )?(?:kid|son|daughter|child|brother|sister|mom|dad|wife|husband|friend|father|mother|cousin)\b"
)
_LOST = re.compile(r"\b(?:died|dead|death|passed|lost (?:him|her|them|\w+ \w+|someone|somebody)) (?:by|from|to) $")


def _last_subject(before: str) -> Literal["self", "other", "none"]:
    before = _ASKED_OF_ALL.sub("", before)
    if _LOST.search(before):
        return "other"
    best: tuple[int, Literal["self", "other", "none"]] = (-1, "none")
    for found in _SUBJECT.finditer(before):
        best = (found.start(), "other" if found[0] in _THIRD else "self")
    for found in _THEIRS.finditer(before):
        if found.start() > best[0]:
            best = (found.start(), "other")
    for found in _RELATIVE_SUBJECT.finditer(before):
        rest = before[found.end() :]
        # "my brother died and I ...": a later subject has been seen; "my mom and" alone is not one
        if found.start() > best[0] and not re.match(r"'s\b", rest):
            best = (found.start(), "other")
    return best[1]


def _fictional(one: Mention, text: str) -> bool:
    """A film's or a song's story, unless the words are the speaker's of themselves."""
    if lexicon().fiction.search(text) is None:
        return False
    return one.other or not re.search(r"\b(?:myself|yourself|i|me|my)\b", one.phrase)


__all__ = [
    "ITEMS", "Mention", "RiskItem", "Time", "accidental", "denied_before", "embarrassed", "label", "lexicon",
    "masked", "mentions", "parting", "spoken_of", "time_of",
]  # fmt: skip
