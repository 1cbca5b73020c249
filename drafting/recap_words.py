"""A clinician's own line as a sentence of a note: short forms written out, the third person where that is safe. Pure.

Safe means that no word is guessed: an "I" or "we" that opens the line is the clinician, a line that opens with
"denies" or "reports" is about the client unless the recap speaks of somebody else. All else stays as it was written.
"""

import re

from drafting.shorthand import written_out

_I_DID = re.compile(r"^(?:(?P<lead>today|then|also|and) )?i (?=(?:also |then |again )?(?:(?P<verb>[a-z]+)\b))", re.I)
_WE_DID = re.compile(
    r"^(?:(?P<lead>today|then|also|and),? )?we (?=(?:also |then |again )?(?:(?P<verb>[a-z]+)\b))", re.I
)
_FIRST = re.compile(r"\b(?:i|i'm|i've|i'd|i'll|me|my|mine|we|us|our|ours|myself)\b", re.IGNORECASE)
_PAST = re.compile(
    r"(?:[a-z]{2,}ed|taught|led|did|made|gave|went|spoke|set|built|wrote|began|drew|met|saw|kept|chose|found|had|read"
    r"|will|would|could|can)$"
)
_ELIDED = re.compile(
    r"^(?:(?:also|today|currently|again|still|strongly|adamantly|openly|initially|now),? )?"
    r"(?:reports?|reported|denies|denied|endorses|endorsed|feels|felt|complains of|describes|described)\b",
    re.IGNORECASE,
)
_SOMEBODY = re.compile(
    r"\b(?:he|she|they|parents?|mother|father|mom|mum|dad|couple|both|wife|husband|partner|spouse|teacher|family|guardian"
    r"|caregivers?|son|daughter|child|group|members?|siblings?|brother|sister|clients)\b",
    re.IGNORECASE,
)
_FILLERS = re.compile(r"\b(?:um+|uh+|er+|erm|hm+)\b,? ?", re.IGNORECASE)


def worded(source: str, *, alone: bool, dictated: bool = False) -> str:
    """The piece as a sentence. `alone` tells that the recap speaks of no person but the client and the clinician."""
    text = _FILLERS.sub("", source) if dictated else source
    text = written_out(re.sub(r"\s+", " ", text).strip())
    text = _third_person(text)
    if alone and _ELIDED.match(text):
        text = f"Client {text[:1].lower()}{text[1:]}"
    return _sentence(text)


def alone(text: str) -> bool:
    """Whether a recap speaks of no person that a line without a subject could be about but the client."""
    return _SOMEBODY.search(text) is None


def _third_person(text: str) -> str:
    for opening, subject in ((_I_DID, "clinician"), (_WE_DID, "clinician and client")):
        found = opening.match(text)
        if found and _PAST.match(found["verb"].lower()) and not _FIRST.search(text[found.end() :]):
            lead = f"{found['lead']}, " if found["lead"] else ""
            return f"{lead}{subject} {text[found.end() :]}"
    return text


def _sentence(text: str) -> str:
    opens = re.match(r"[^\W\d_]", text)
    if opens and not re.match(r"[a-z]+[A-Z]", text):
        first = text[:1].upper()
        text = (first if len(first) == 1 else text[:1]) + text[1:]  # a sharp s has no capital of one letter
    return text if re.search(r"[.!?][\"”)]?$", text) else f"{text}."
