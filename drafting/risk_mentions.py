"""Where an utterance talks of risk: which item, about whom, when, denied or not. Pure; patterns are in"
" risk.toml.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from drafting.clauses import Clause
from drafting.data import load

RiskItem = Literal["si", "plan", "intent", "means", "attempts", "self_injury", "hi", "being_harmed"]
ITEMS: tuple[RiskItem, ...] = get_args(RiskItem)
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
_NEGATOR = re.compile(r"\b(?:not|never|no|without|deny|denies|denied|cannot|nor|neither|isn't)\b|n't\b")
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


@dataclass(frozen=True, slots=True)
class _Lexicon:
    idioms: re.Pattern[str]
    fiction: re.Pattern[str]
    direct: dict[RiskItem, re.Pattern[str]]
    context: dict[RiskItem, re.Pattern[str]]
    inverse: re.Pattern[str]
    unsafe: re.Pattern[str]
    nouns: re.Pattern[str]
    volition: re.Pattern[str]
    accident: re.Pattern[str]
    weak: re.Pattern[str]
    embarrassment: re.Pattern[str]
    vanishing: re.Pattern[str]
    labels: dict[RiskItem, str]


@lru_cache(maxsize=1)
def lexicon() -> _Lexicon:
    """The compiled patterns of risk.toml."""
    body = load("risk.toml")
    lists: dict[str, str] = dict(body["lists"])
    lists["OTHER"] = lists["OTHER"].replace("{RELATION}", lists["RELATION"])

    def compiled(patterns: list[str]) -> re.Pattern[str]:
        text = "|".join(f"(?:{one})" for one in patterns) or r"(?!)"
        for name, words in lists.items():
            text = text.replace("{" + name + "}", words)
        return re.compile(rf"(?:(?<![a-z])|(?='))(?:{text})")

    items = body["items"]
    return _Lexicon(
        compiled(body["idioms"]["patterns"]),
        re.compile(body["fiction"]["pattern"]),
        {item: compiled(items[item]["direct"]) for item in ITEMS},
        {item: compiled(items[item].get("context", [])) for item in ITEMS},
        compiled(items["being_harmed"]["inverse"]),
        compiled(items["being_harmed"]["unsafe"]),
        compiled(items["being_harmed"]["nouns"]),
        re.compile(items["hi"]["volition"]),
        re.compile(body["accident"]["words"]),
        re.compile(body["accident"]["weak"]),
        re.compile(body["embarrassment"]["words"]),
        re.compile(body["embarrassment"]["weak"]),
        {item: items[item]["label"] for item in ITEMS},
    )


def label(item: RiskItem) -> str:
    """The item in the words of a note."""
    return lexicon().labels[item]


_MEANT = re.compile(r"\b(?:on purpose|deliberately|intentionally)\b")


@lru_cache(maxsize=4096)
def masked(text: str) -> str:
    """Lower-case text with harmless idioms blanked, same length."""
    low = text.lower()
    return low if _MEANT.search(low) else lexicon().idioms.sub(lambda found: "~" * len(found[0]), low)


def mentions(clause: Clause) -> list[Mention]:
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
    attempt_free = words.direct["attempts"].sub(lambda hit: "~" * len(hit[0]), text)
    for item in ITEMS:
        for strong, pattern in ((True, words.direct[item]), (False, words.context[item])):
            where = attempt_free if item in ("si", "intent", "plan") else text
            meant = strong and (item != "hi" or words.volition.search(text) is not None)
            hits = [
                _mention(item, clause, text, match, strong=meant)
                for match in pattern.finditer(where)
                if not (item == "hi" and _generic_you(clause, text[: match.start()]))
                and not (item == "being_harmed" and _supposed(clause, text[: match.start()]))
            ]
            if hits:
                found.extend(hits)
                break
    return [one for one in found if not _fictional(one, text)]


def _generic_you(clause: Clause, before: str) -> bool:
    """Whether a client says it of anybody: "if you drink and drive you could kill somebody"."""
    subjects = _SUBJECT.findall(before)
    return clause.role == "client" and bool(subjects) and subjects[-1].startswith("you")


def _supposed(clause: Clause, before: str) -> bool:
    """Whether a client only supposes it: "if he ever hit me"."""
    return clause.role == "client" and re.search(r"\b(?:if|in case|unless) $", before) is not None


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


def _as_inverse(one: Mention) -> Mention:
    return Mention(one.item, one.clause, one.negated, one.time, one.other, one.strong, True, one.phrase)


def _mention(
    item: RiskItem, clause: Clause, text: str, match: re.Match[str], *, strong: bool, negated: bool | None = None
) -> Mention:
    before = text[: match.start()]
    return Mention(
        item=item,
        clause=clause,
        negated=_negated(before) if negated is None else negated,
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
    if re.search(r"\b(?:myself|yourself|i|my|your|me|you)\b", phrase):
        return False
    return _POSSESSED.search(before) is not None or _last_subject(before) == "other"


def _last_subject(before: str) -> Literal["self", "other", "none"]:
    best: tuple[int, Literal["self", "other", "none"]] = (-1, "none")
    for found in _SUBJECT.finditer(before):
        best = (found.start(), "other" if found[0] in _THIRD else "self")
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
