"""A client's own clause in the third person: "I don't sleep" is "they do not sleep". Pure.

Singular they keeps every verb's form but that of to be, so nothing else has to be guessed. Where the change could
mislead (talk to a "you", a "we", another "they"), there is no third person and the caller quotes instead.
"""

import re

_FIRST = {
    "i": "they",
    "me": "them",
    "my": "their",
    "mine": "theirs",
    "myself": "themselves",
    "i'm": "they are",
    "i've": "they have",
    "i'll": "they will",
}
_EXPANDED = {
    "don't": "do not",
    "doesn't": "does not",
    "didn't": "did not",
    "can't": "cannot",
    "couldn't": "could not",
    "won't": "will not",
    "wouldn't": "would not",
    "shouldn't": "should not",
    "isn't": "is not",
    "aren't": "are not",
    "wasn't": "was not",
    "weren't": "were not",
    "haven't": "have not",
    "hasn't": "has not",
    "hadn't": "had not",
    "ain't": "are not",
}
_BLOCKS = re.compile(
    r"\b(?:you|your|yours|you're|you've|you'd|you'll|yourself|we|we're|we've|we'll|we'd|us|our|ours|let's"
    r"|ma'am|sir)\b"
    r"|\b(?:they|them|their|themselves|they're|they've|they'd|they'll)\b",
    re.IGNORECASE,
)
_LEAD_IN = re.compile(
    r"^(?:(?:and|but|so|or|well|yeah|yes|no(?=[,.]| (?:i|i'm|it|it's|that|that's|he|she|they|we|not)\b)"
    r"|okay|ok|oh|um|uh|right|like|because|then|i mean|you know|honestly"
    r"|actually|just|now"
    r"|also|plus|maybe|sure|basically|anyway|exactly|definitely|i guess|i think|i don't know(?=[,.;]|$)|i suppose"
    r"|probably|cause|wow|man(?=,)|gosh|geez|especially|the thing is(?: that)?|another thing is(?: that)?"
    r"|the other thing is(?: that)?|it's just(?: that)|let me (?:see|think)(?=[,.])|you see|true(?=[,.])"
    r"|yes sir|no sir)\b(?:[ ,.-]+|$))+",
    re.IGNORECASE,
)
_HEDGES = re.compile(r"^(?:i (?:guess|suppose|mean|think)|maybe|probably|i don't know)\b", re.IGNORECASE)
_PAST_VERB = re.compile(
    r"^(?:\w+ed|had|been|got|gone|done|said|felt|thought|known|taken|made|quit|come|never|always|lost)$"
)
_WORD = re.compile(r"[A-Za-z']+|[^A-Za-z']+")


def without_lead(text: str) -> str:
    """The clause without what only opens a turn (yeah, so, well); hedges such as "I guess" stay."""
    hedge = ""
    while (found := _LEAD_IN.match(text)) is not None and found.end() < len(text):
        kept = _HEDGES.match(text)
        if kept is not None and not hedge and not re.match(r"(?:i mean|i don't know)", kept[0].lower()):
            hedge = kept[0]
        first = re.match(
            r"(?:the|another|the other) thing is(?: that)?[ ,]*"
            r"|[\w']+(?: (?:mean|know|guess|think|suppose|don't know))?[ ,.-]*",
            text,
        )
        step = first.end() if first is not None else found.end()
        text = text[step:] if step < len(text) else ""
    return (f"{hedge} {text}" if hedge else text).strip(" ,")


def third_person(text: str) -> str | None:
    """The clause about them, first letter low, no full stop; None where only a quote is safe."""
    text = without_lead(text.strip()).rstrip(" .!,;")
    if not text or text.endswith("?") or _BLOCKS.search(text) or '"' in text:
        return None
    parts = _WORD.findall(text)
    out: list[str] = []
    after_they = 9
    for n, part in enumerate(parts):
        low = part.lower()
        if not part[0].isalpha():
            out.append(part)
            continue
        after_they += 1
        if low in _FIRST:
            out.append(_FIRST[low])
            after_they = 0 if low in ("i", "i'm", "i've", "i'll") else after_they
        elif low == "i'd":
            following = next((one.lower() for one in parts[n + 1 :] if one[0].isalpha()), "")
            out.append(
                "they had" if _PAST_VERB.match(following) and following not in ("never", "always") else "they would"
            )
            after_they = 0
        elif low == "am":
            out.append("are")
        elif low in ("was", "wasn't") and (after_they <= 2 or _before_i(parts, n)):
            out.append("were" if low == "was" else "were not")
        else:
            out.append(_EXPANDED.get(low, part))
    result = "".join(out)
    first = result.split(" ", 1)[0]
    keeps = len(first) > 1 and first.isupper()
    return result if keeps else result[:1].lower() + result[1:]


def _before_i(parts: list[str], n: int) -> bool:
    """Whether the next word is I: "was I"."""
    following = [one.lower() for one in parts[n + 1 : n + 3] if one[0].isalpha()]
    return following[:1] == ["i"]


_TO_CLIENT = {
    "you": "they",
    "your": "their",
    "yours": "theirs",
    "yourself": "themselves",
    "you're": "they are",
    "you've": "they have",
    "you'll": "they will",
    "you'd": "they would",
    "i": "the clinician",
    "me": "the clinician",
    "my": "the clinician's",
    "i'll": "the clinician will",
    "i'm": "the clinician is",
}


def to_client(text: str) -> str:
    """A clinician's words to the client as words about them: you is they, I is the clinician."""
    changed = (_TO_CLIENT.get(part.lower(), _EXPANDED.get(part.lower(), part)) for part in _WORD.findall(text))
    return "".join(changed).strip(" .?!,")
