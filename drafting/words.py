"""Words for comparing: tokens, a light stemmer, content words, numbers in words. Pure, English only."""

import re
from functools import lru_cache

_TOKEN = re.compile(r"\d+(?:[.:,]\d+)*|[a-z]+(?:'[a-z]+)?")

_FUNCTION_WORDS = """
    a an the this that these those some any each every all both either neither such same own other another
    i me my mine myself you your yours yourself he him his himself she her hers herself it its itself we us our ours
    ourselves they them their theirs themselves themself who whom whose which what
    am is are was were be been being do does did doing done have has had having will would shall should can could may
    might must ought gonna wanna gotta let lets
    and or but nor so yet if then than because as while when where why how until since though although unless whether
    of in on at by for with about against between into through during before after above below to from up down out off
    over under again further once here there also just only very too quite rather really even still already almost
    not no never none nothing nobody nowhere n't
    um uh er ah oh hmm mm mhm huh yeah yes ok okay well like know mean sort kind guess right
    i'm i've i'd i'll you're you've you'd you'll he's she's it's we're we've they're they've that's there's what's
    don't doesn't didn't isn't aren't wasn't weren't won't wouldn't can't cannot couldn't shouldn't haven't hasn't
    hadn't ain't 'cause cause cuz thing things something anything everything lot lots bit"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
UNITS = {word: number for number, word in enumerate(_UNITS.split())}
TENS = {word: 10 * number for number, word in enumerate(_TENS.split(), 2)}
COUNTS = {"once": 1, "twice": 2, "couple": 2, "half": 0.5, "dozen": 12}


def tokens(text: str) -> list[str]:
    """Lower-case words and numbers; a typographic apostrophe counts as a plain one."""
    return _TOKEN.findall(text.lower().replace("’", "'"))


_IRREGULAR = {
    word: stem
    for stem, words in {
        "sleep": "slept asleep",
        "feel": "felt",
        "think": "thought thoughts",
        "say": "said says",
        "tell": "told",
        "go": "went gone goes going",
        "get": "got gotten getting gets",
        "make": "made making makes",
        "take": "took taken taking takes",
        "drink": "drank drunk",
        "eat": "ate eaten",
        "lose": "lost losing loss",
        "leave": "left leaving",
        "keep": "kept",
        "begin": "began begun beginning",
        "write": "wrote written writing",
        "drive": "drove driven driving",
        "fall": "fell fallen",
        "hurt": "hurting hurts",
        "quit": "quitting quits",
        "cut": "cutting cuts",
        "come": "came coming comes",
        "see": "saw seen",
        "give": "gave given giving",
        "speak": "spoke spoken speech",
        "wake": "woke woken waking awake",
        "child": "children",
        "person": "people",
        "man": "men",
        "woman": "women",
        "cry": "cried cries crying",
        "worry": "worried worries worrying",
        "argue": "argument arguments arguing argued",
        "die": "died dying dies death dead",
        "anxious": "anxiety",
        "depress": "depressed depression depressing",
        "bring": "brought",
        "buy": "bought",
        "teach": "taught",
        "meet": "met meeting",
        "send": "sent",
        "spend": "spent",
        "break": "broke broken",
        "forget": "forgot forgotten",
        "choose": "chose chosen choice",
        "run": "ran running",
        "practice": "practise practised practising practiced practicing",
        "medication": "meds med medicine medicines medications",
        "exercise": "exercises exercised exercising",
    }.items()
    for word in (stem, *words.split())
}
_SUFFIXES = (
    ("ational", "ate"),
    ("fulness", ""), ("ousness", "ous"), ("iveness", "ive"), ("ization", "ize"), ("lessness", "less"),
    ("ement", "e"), ("ments", ""), ("ment", ""), ("ations", "ate"), ("ation", "ate"), ("ingly", ""), ("edly", ""),
    ("ness", ""), ("ings", ""), ("ies", "y"), ("ied", "y"), ("ing", ""), ("ers", "er"), ("est", ""), ("ful", ""),
    ("ely", "e"), ("ily", "y"), ("ly", ""), ("ed", ""), ("es", "e"), ("s", ""),
)  # fmt: skip


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A crude stem, equal for the inflections of a word; not a dictionary form."""
    word = word.removesuffix("'s")
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or not word.isalpha():
        return word
    for suffix, rest in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3 and not word.endswith("ss"):
            word = word.removesuffix(suffix) + rest
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    word = word.removesuffix("e") if len(word) > 3 else word
    return word[:-1] + "i" if len(word) > 3 and word.endswith("y") else word


@lru_cache(maxsize=65536)
def number_of(word: str) -> float | None:
    """The number a token stands for."""
    word = word.replace(",", "")
    for table in (UNITS, TENS, COUNTS):
        if word in table:
            return float(table[word])
    try:
        return float(word)
    except ValueError:
        return None


def numbers(text: str) -> set[float]:
    """All numbers in the text, in figures or words: "twenty five" is 25, "4 to 5" is 4 and 5."""
    found: set[float] = set()
    tens: float | None = None
    for token in re.findall(r"\d+(?:[.,]\d+)*|[a-z]+", text.lower()):
        value = number_of(token)
        if tens is not None and value is not None and 0 < value < 10:
            found.add(tens + value)
            tens = None
            continue
        if tens is not None:
            found.add(tens)
            tens = None
        if token in TENS:
            tens = value
        elif value is not None:
            found.add(value)
    return found | ({tens} if tens is not None else set())


def content_stems(text: str) -> list[str]:
    """Stems of the words that carry content, in order; numbers as figures."""
    stems = []
    for token in tokens(text):
        if token in FUNCTION_WORDS:
            continue
        value = number_of(token)
        stems.append(f"{value:g}" if value is not None else stem(token))
    return stems


__all__ = ["FUNCTION_WORDS", "content_stems", "number_of", "numbers", "stem", "tokens"]
