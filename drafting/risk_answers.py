"""How an answer to a question about risk is meant: denied, affirmed, or neither. Pure."""

import re
from typing import Literal

from drafting.clauses import Clause, clean
from drafting.risk_mentions import masked

Answer = Literal["denied", "affirmed", "unclear", "none"]

_LEAD = re.compile(
    r"^(?:(?:um|uh|oh|ha|hah|haha|well|so|hmm|okay|ok|i mean|honestly|like|god|gosh|look|what\?|sorry\?|wow|umm+"
    r"|you know"
    r"|to be honest|thankfully|truthfully|fortunately|right now|at this point|lately|no offense|man|dude|boy|ugh"
    r"|sigh|doctor|doc)[ ,.!]+(?!$))+"
)
_YES = re.compile(
    r"^(?:i think (?:i\b(?! (?:don't|do not|haven't|would not|wouldn't|am not))|so\b)|i (?:suppose|believe) so"
    r"|i suppose\b|(?:i'm )?afraid so"
    r"|constantly|daily|nightly|weekly|regularly|frequently|both\b|always|(?:mm+[- ]?hm+|mhm+|uh[- ]huh)\b"
    r"|most(?:ly)? (?:days|nights|mornings|of the time|every)|in a heartbeat|more than i"
    r"|a (?:big |huge |small |little |good |large )?(?:part|piece|chunk)|less\b|still\b|i (?:won't|can't|couldn't"
    r"|don't want to"
    r"|wouldn't|can not) (?:lie|deny|say no)\b|i can't say (?:i haven't|no|that i haven't)|it (?:does|did|has|is"
    r"|was)\b(?!n't| not)"
    r"|that'?s what i (?:mean|meant)|i(?:'ve)? (?:picture|imagine|fantasi)\w*|i get (?:these|those|the|flashes"
    r"|images|urges|thoughts)"
    r"|how'?d you know|is that (?:bad|weird|normal)|(?:please )?don't (?:tell|send|lock|hospital)|comes and goes"
    r"|here and there|yeah|yes|yep|yup|sometimes|i (?:do|have|did|am|was|would|could"
    r"|might|think so)\b"
    r"(?!n't| not)|a (?:little|bit|few|couple|lot)|maybe|once|twice|occasionally|often|every|all the time"
    r"|sure|i guess|kind of"
    r"|sort of|definitely|probably|possibly|exactly|lately|recently|at times|correct|that's (?:right|true)|of"
    r" course\b(?! not)"
    r"|absolutely\b(?! not)|it(?:'s| has|'d)? (?:cross\w*|comes?|happens?)|more than|now and then|from time"
    r" to time|last"
    r" (?:night|week|month|year|time)|yesterday|this (?:morning|week)|almost|i've (?:thought|been|had|tried"
    r"|done|felt|wished)"
    r"|i(?:'ve)? (?:thought|think) about|there (?:is|are|was|were|have been)|too often|quite|when i|on and"
    r" off|off and on"
    r"|here and there|just (?:once|the|last|a)|only (?:once|when|at|sometimes|a)|part of me|they(?:'re| are|"
    r" come| do)\b(?!n't| not)|(?:pretty|fairly|very|really|so) (?:often|much|regularly|bad)"
    r"|not (?:often|every|always"
    r"|that often|much|today"
    r"|yet|until|as (?:much|often))|some(?: days| nights|times)?\b|right\b|true\b|back in|years ago|in"
    r" (?:high|college|my)"
    r"|(?:one|two|three|four|five|six|seven|eight|nine|ten|\d+)\b)"
)
_NO = re.compile(
    r"^(?:(?:don't|do not|haven't|didn't|wouldn't|can't say|doesn't|hasn't)\b|i wouldn't go that far|no\b|nope"
    r"|nah|naw|nu+h?[- ]uh|zilch|nada|hell no|heavens no|far from it|quite the opposite|the opposite"
    r"|(?:i'm|we're|all) (?:good|okay|fine|safe|clear) (?:on|there|with|in) (?:that|there|it)\b|i'm good there"
    r"|hasn't|never"
    r"|not a thing|not even (?:close|a little|once)|doesn't (?:cross|come)|i (?:could|can) never|i have (?:too"
    r"|so) much"
    r" to live for|i(?:'ve got| have)(?: got)? (?:\w+ )+to live for"
    r"|not (?:my|where my) (?:thing|head|mind)|i don't go there|it'?s (?:just )?(?:a figure of speech"
    r"|an expression)|not at all|not really|not (?:now|lately|any ?more|recently|since|currently"
    r"|ever|me|once"
    r"|these days|like that|right now|a chance|in that way|in years|for years)|none|nothing|absolutely not|of"
    r" course not"
    r"|definitely not|certainly not|uh[- ]uh\b|i (?:don't|do not|haven't|have not|wouldn't|would not|never"
    r"|didn't|couldn't|am not"
    r"|can't say)\b|i'm not\b|i'd never|i would never|i've never|it hasn't|neither|without|there (?:aren't"
    r"|isn't|is no|are no)"
    r"|we don't|he (?:doesn't|has never)|she (?:doesn't|has never))"
)
_UNKNOWN = re.compile(
    r"^(?:i (?:don't|do not)(?: really)? (?:feel like|want to|wanna)(?: be)? (?:answer|talk|discuss|get|go"
    r"|say(?! no)|do this)\w*"
    r"|i (?:don't|do not) (?:know|remember|want to (?:talk|answer|say(?! no)|discuss|get into|go there))|i'm not"
    r" sure|not sure|i'd rather"
    r" not|do i have to|can we (?:not|talk about something)|pass\b|i can't (?:say|answer)|why (?:do|are) you"
    r"|it depends|hard to say)"
)
_NEVER = re.compile(
    r"^(?:(?:they|those|it|that)(?:'re| are|'s| is| have| has)? (?:all )?(?:gone|stopped|passed|went away"
    r"|over)\b|(?:they|it|those|we) (?:don't|do not|doesn't|does not|haven't|hasn't|aren't)\b|that's not"
    r" (?:something|me|how|who|where)|i(?:'ve| have)(?: honestly| truly| really)? never"
    r"|negative\b|zero\b|not in the"
    r" (?:slightest|least)|not that i|i can't imagine|i can(?:'t|not) see myself|thankfully(?:,)? no|no\w* thank)"
)
_YES_SAFE = re.compile(
    r"(?:yes|yeah|yep)[, .]+(?:i'm|i am|we're) (?:safe|okay|ok|fine|good)\b(?! but)[, .]*(?:$|no\b|nothing|none"
    r"|not\b|i (?:don't|haven't))"
    r"|(?:yes|yeah|yep)[, .]+no (?:thoughts?|plans?|urges?|intent\w*)\b"
)
_IF_YES = re.compile(
    r"\bif i (?:say|said|told you) (?:yes|that i (?:do|have|did)|i (?:do|have|did))\b"
    r"|\b(?:don't want to|can't|couldn't|won't|wouldn't) say (?:no\b|that i haven't|i haven't)"
)
_PLAINLY_NOT = re.compile(
    r"\bnothing like that\b|\bnot like that\b|\bnever (?:do|done|have|had|would|thought|act|hurt|go)\b|\bi"
    r" (?:wouldn't|would not|couldn't)"
    r" (?:ever )?(?:do|act|hurt)\b|\bnot at all\b|\bi want to (?:live|be here|be alive)\b|\bi'm safe\b|\bnone"
    r" of that\b"
    r"|\bnot suicidal\b|\bnot (?:in|for) (?:a )?(?:long|years)\b|\bnot (?:going to|gonna) (?:do|hurt)\b|\bnot"
    r" that bad\b"
    r"|\bnothing (?:to|at home)\b"
)
_WHEN = re.compile(
    r"^(?:in|around|back in|about|at|during|after|since|maybe in|probably in|until|when i|before|right after"
    r"|just) ?(?:(?:19|20)\d\d|about|around"
    r"|last|the|my|i|was|christmas|january|february|march|april|may|june|july|august|september|october"
    r"|november|december|\d+|(?:a|two|three"
    r"|four|five|six|ten) (?:days?|weeks?|months?|years?))\b"
)
_FRAGMENT = re.compile(
    r"^(?:only|just|mostly|mainly|usually|always|still|on|in|with|when|whenever|at|after|during|because|most"
    r"|some|every|too|both|either"
    r"|almost|(?:my \w+|he|she|they|it|that|those|we)(?: \w+ly| just| still| always| sometimes)? (?:did|does|do|has"
    r"|have|had|comes?|came|pops?"
    r"|happens?|happened|cross\w*|scares?|keeps?|hits?|hit|started|starts?|gets?|got|tried|used to|will|would"
    r"|might|threatened|goes|feels?"
    r"|pushed|shows? up|won't stop|never stops?))\b"
)
_NO_ANSWER = re.compile(r"\bnot\b|n't\b|\bnever (?!stop)|\bno\b|\?$|\b(?:fine|okay|good|great|safe|well)[.!]?$")
_LATER_YES = re.compile(
    r"\bi'?d be lying\b|\b(?:all the time|every (?:day|night|morning|single)|a lot|more (?:than|and more)"
    r"|some(?:times| days| nights))\b"
    r"|\bit(?:'s| has)? (?:been )?(?:there|on my mind|in my head|cross\w*|comes? (?:and|up|back))|\bi"
    r" (?:picture|imagine|think about|thought"
    r" about|wish|wished|want to|wanted to|have a|keep)\b|\bthe thoughts? (?:is|are|comes?|come|do|does)\b"
    r"|\bonce\b|\btwice\b|\btimes\b|\b(?:always|still|usually) there\b|\b(?:slipped|relapsed)\b|\bon (?:bad|some)"
    r" days\b|\bwho doesn't\b|\bguilty\b|[.?!,] (?:yeah|yes)[, ]+(?:it|i|they|there|pretty|a lot|sometimes"
    r"|still)\b|\bi can't (?:lie|deny)\b|\bunfortunately\b|\bhow did you know\b"
)
_HOWEVER = re.compile(
    r"(?:[,.;!?-]|^|\b(?:but|though|although|except|well|i mean|actually|unless|until|or|okay))[ ,.]*(?:but"
    r"|though|well|actually"
    r"|except|maybe|i mean|okay|then again|honestly|it's just|if i'm honest|to be honest|and|or)*["
    r" ,.]*\b(?:sometimes|maybe (?:once|"
    r"twice|a|sometimes|last|when)|once or twice|a (?:few|couple) (?:of )?(?:times|nights|days)|every (?:now"
    r"|once|so)|i (?:do|did|"
    r"have|had|still|kind of|sort of|guess i)\b(?: sometimes| still| kind of)*(?: think| thought| wish|"
    r" wished| feel like| want| "
    r"wonder| imagin\w+|,|\.|$)|i (?:think|thought) about (?:it|dying|death|that)|it (?:cross\w*|has crossed)"
    r"|the thoughts?"
    r" (?:is|are|come|comes|cross\w*|do|does|has|have|was)|last (?:night|week|month)|occasionally|there"
    r" (?:are|have been|was|were|'ve been)"
    r" (?:times|days|moments|nights|one|a|this)|at times|from time to time|i've (?:thought|wished|wondered"
    r"|had)|i guess (?:i do|yes"
    r"|sometimes|so)|yes\b|yeah i\b|kind of\b|on bad days|when (?:it|i) (?:gets?|get|am|'m))"
)
_SOFT_NO = re.compile(
    r"\b(?:not (?:seriously|actively|in a serious way|exactly dead|with a plan)|nothing (?:serious|active"
    r"|concrete))\b"
)
_USED_TO = re.compile(
    r"(?:well,? |yeah,? |yes,? )?(?:i|we|they|it) used to\b(?!.*\b(?:still|again|now|lately|last (?:night|week))\b)"
)
_PAST_ONLY = re.compile(
    r"\bnot (?:since|for years|in years|any ?more|now|lately|recently|currently|these days)\b|\bused to\b"
    r"|\byears ago\b|\bwhen i was\b"
    r"|\bin (?:high school|college|my (?:teens|twenties))\b|\blong time ago\b|\bas a (?:kid|teen\w*|child)\b"
    r"|\bago\b"
)
_NOT_NOW = re.compile(
    r"\bnot (?:since|for years|in years|any ?more|now|lately|recently|currently|these days|this|at the moment"
    r"|right now|today)\b"
    r"|\bhaven't (?:since|in|for|lately|recently)\b|\bno(?:t)? longer\b|\bdon't any ?more\b"
)


def refuses(text: str) -> bool:
    """Whether the client says that they do not know or will not answer: nothing later is the answer."""
    return _UNKNOWN.match(_LEAD.sub("", text.lower()).strip()) is not None


def past_only(text: str) -> bool:
    """Whether the answer speaks of an earlier time."""
    return _PAST_ONLY.search(text.lower()) is not None


def not_now(text: str) -> bool:
    """Whether the answer says that it is over."""
    low = clean(text).lower()
    return _NOT_NOW.search(low) is not None or _USED_TO.match(low) is not None


_WITHDRAWN = re.compile(
    r"\b(?:that|this|it)(?: is|'s| was)(?:n't| not)(?: quite| really| entirely| completely| exactly| all)?"
    r" (?:true|right|honest|accurate|the truth)\b|\bi (?:just )?lied\b|\bthat(?: was|'s) (?:a lie|not honest)\b"
    r"|\bi take (?:that|it) back\b|\bi (?:wasn't|was not|haven't been|have not been|should be|need to be|have to be"
    r"|want to be) (?:\w+ )?(?:honest|truthful)\b|\bnot (?:quite|entirely|completely|exactly) (?:true|honest)\b"
)
_TURNS = re.compile(
    r"(?:(?:um|uh|oh|well|okay|no|yes|yeah|so|and|hmm)[ ,.]+)*(?:actually|but|though|until|except|unless|i mean|wait"
    r"|honestly|to be honest|if i'm honest|sometimes|maybe|once|last|apart from|other than|just|only)\b|well\b"
)
_THEN_YES = re.compile(
    r"\b(?:actually|wait|i lied|to be honest|if i'm honest|i mean)[, .]+(?:yes|yeah|i (?:do|did|have)\b(?!n't| not))"
)
_ADMITS = re.compile(
    r"\bi(?:'ve)? (?:(?:do|have|did)\b(?! not)(?!n't)|(?:actually |really |still )?(?:think|thought|thinking|want"
    r"|wanted|feel|cut"
    r"|tried|been)\b)|\b(?:yes|yeah)\b|\b(?:last|this) (?:night|week|month)\b|\bthere (?:is|are|was|were|have been)\b"
)
_BACK_TO_IT = re.compile(
    r"\b(?:what|when|earlier|before|question|safety|suicid\w*|asked|said no|told you no|those thoughts"
    r"|hurting myself)\b"
)


def takes_back_earlier(text: str) -> bool:
    """Whether the client comes back to an answer of before and says that it was not so."""
    low = clean(text).lower()
    return withdraws(text) and _BACK_TO_IT.search(low) is not None


_MID_CLAUSE = re.compile(
    r"(?:.* )?(?:not|but|and|because|until|except|or|if|when|the|a|to|of|that)$|(?:well,? )?i (?:don't|do not|haven't"
    r"|have not|didn't|did not|never|wouldn't|am not)$|i'm not$"
)


_HANGS = re.compile(r"(?:.* )?(?:and|but|because|until|except|or|if|when|the|a|to|of)$|(?:no[, ]+)+not$")
"""What also unpunctuated talk cannot end with; "no i'm not" is a whole answer there."""


def breaks_off(clause: Clause) -> bool:
    """Whether an answer's last clause ends in the middle: "No, not" denies nothing by itself."""
    if clause.cut or clause.text != clause.low:
        return _MID_CLAUSE.match(clause.low) is not None and (clause.cut or len(clause.low.split()) > 1)
    return len(clause.low.split()) > 1 and _HANGS.match(clause.low) is not None


def withdraws(text: str) -> bool:
    """Whether the client says that what they said was not so."""
    return _WITHDRAWN.search(clean(text).lower()) is not None


def turns(text: str) -> bool:
    """Whether the words set out to take back or limit what was said before them."""
    return withdraws(text) or _TURNS.match(clean(text).lower()) is not None


def after_denial(
    answer: str, further: str, *, negative: bool = False, inverse: bool = False, echoed: bool = False
) -> Answer:
    """A denial's sense once the client has said more: still denied, affirmed, or unclear where that is in doubt.

    `echoed` is for words that answer the clinician's "None?": there a yes stays with the denial.
    """
    if echoed:
        again = classify(further, negative=True, inverse=inverse)
        return "affirmed" if again in ("unclear", "none") and goes_along(further) else again
    both = classify(f"{answer} {further}", negative=negative, inverse=inverse)
    alone = classify(further, negative=negative, inverse=inverse)
    low = clean(further).lower()
    if withdraws(further):
        return "affirmed" if _THEN_YES.search(low) or _ADMITS.search(low) else "unclear"
    if not echoed and re.fullmatch(
        r"(?:well,? |actually,? )?(?:yes|i (?:do|have|did))(?:[ ,.]+(?:i (?:do|have|did)|sometimes))?[ .!]*", low
    ):
        return "affirmed"
    if turns(further) and alone == "affirmed":
        return "affirmed" if both == "affirmed" else "unclear"
    return "denied" if both != "affirmed" else "affirmed" if turns(further) else "unclear"


_ENDS_NO = re.compile(
    r"\bbut (?:never|not) (?:that|like that|suicid\w*|those|to that point|that far|any of that)[.!]?$"
    r"|\bbut(?:,? (?:um|uh|like))?,? no\b(?:[, ]+(?:not|nothing|i|never)\b(?! (?:do|have|did|am)\b(?!n't"
    r"| not))[^.?!]*)?[.!]?$"
)
"""An answer that comes to a no at its end: "I wish I could sleep, but no, not like that"."""


_SUBJECT_FIRST = re.compile(
    r"(?:i|i'm|i've|i'd|i'll|it|it's|that|that's|this|we|you|he|she|they|my|the only|is|are|can|could|do|does|did"
    r"|what|why|how"
    r"|where|who|when can|will|would|have|has|should|let's|there's|well|um|sorry|pass|god|hello|excuse|thanks"
    r"|thank|okay|ok"
    r"|hmm|huh|fine|good|great|safe|alright|all right|better|whatever|anyway)\b"
)
_MOOD = re.compile(
    r"\b(?:tired|stressed|sad|anxious|angry|busy|frustrated|overwhelmed|exhausted|worried|fine|okay|ok|good|safe"
    r"|bored|lonely"
    r"|confidential|next|question|talk\w*|answer\w*|say|discuss\w*|mad|upset|numb)\b"
)
_BACK_REFERENCE = re.compile(r"\b(?:it|that|them|those|one|this way|that way)\b")
_REFUSING = re.compile(r"\b(?:not|no|none|never|nothing|without|hardly|neither|stopped|quit|gone|over)\b|n't\b|\?")
FRAGMENT_WORDS = 7


def goes_along(text: str) -> bool:
    """Whether an answer that is neither yes nor no says how it is: "Constantly.", "I pray for it most nights"."""
    low = _LEAD.sub("", masked(clean(text)).strip())
    if not low or _REFUSING.search(low) or _UNKNOWN.match(low) or _MOOD.search(low):
        return False
    if len(low.split()) <= FRAGMENT_WORDS and not _SUBJECT_FIRST.match(low):
        return True
    return re.match(r"i\b|i'", low) is not None and _BACK_REFERENCE.search(low) is not None and len(low.split()) <= 14


def comes_to_no(text: str) -> bool:
    """Whether the answer ends in a no, whatever it began with."""
    return _ENDS_NO.search(clean(text).lower()) is not None


def classify(text: str, *, negative: bool = False, inverse: bool = False, open_question: bool = False) -> Answer:
    """The sense of an answer.

    `negative` is for "no thoughts of …?", where "right" denies; `inverse` for "do you feel safe?", where yes denies;
    `open_question` for how and what, where any content is a yes. "No, but sometimes" counts as affirmed.
    """
    low = _LEAD.sub("", masked(clean(text)).strip())
    if _ENDS_NO.search(low) and not (_YES.match(low) and not low.startswith(("i've had", "i have", "when i"))):
        return "affirmed" if inverse else "denied"
    if not low:
        return "none"
    if _IF_YES.search(low):
        return "affirmed"
    if _UNKNOWN.match(low):
        rest = low.split(",", 1)[-1]
        sense: Answer = "affirmed" if rest is not low and _YES.match(rest.strip()) else "unclear"
        return "affirmed" if _HOWEVER.search(low) else sense
    partly = re.match(r"not (?:every|always|often|that often|constantly|all the time)\b", low) is not None
    no = (_NO.match(low) is not None and not partly) or _NEVER.search(low) is not None
    if not no and re.match(
        r"(?:yeah|yes|right|okay|sure|oh)[, .]+(?:no\b|nope|nah|not (?:really|at all)|none|nothing|never|zero)", low
    ):
        no = True
    yes = not no and _YES.match(low) is not None
    agrees = re.match(
        r"(?:(?:yeah|yes|right|correct|exactly|that's (?:right|true|correct)|mm+-?hm+|true)\b[, .!]*)+", low
    )
    if negative and agrees:
        return "affirmed" if _HOWEVER.search(low[agrees.end() :]) else "denied"
    if inverse:
        return _inverse(low, yes=yes, no=no)
    if no:
        if _THEN_YES.search(low):
            return "affirmed"
        if withdraws(low):
            return "unclear"
        however = (_HOWEVER.search(low[2:]) or _SOFT_NO.search(low)) and not not_now(low)
        return "affirmed" if however else "denied"
    if yes:
        return "denied" if _YES_SAFE.match(low) else "affirmed"
    if (_WHEN.match(low) or _FRAGMENT.match(low)) and not _NO_ANSWER.search(low):
        return "affirmed"
    if re.search(r"[, ](?:yes|yeah|yep|i (?:do|have|did))[.!]?$", low) or _LATER_YES.search(low):
        return "affirmed"
    if re.search(r"[, ](?:no|not really|never|nope)[.!]?$", low) and len(low.split()) <= 8:
        return "denied"
    if _PLAINLY_NOT.search(low):
        return "affirmed" if _HOWEVER.search(low) else "denied"
    return "affirmed" if open_question and len(low.split()) >= 2 else "unclear"


def _inverse(low: str, *, yes: bool, no: bool) -> Answer:
    """Safe at home: yes denies being harmed, unless something follows."""
    unsafe = re.search(
        r"\b(?:not (?:always|really)|sometimes|mostly|usually|depends|except|but|most of the time)\b", low
    )
    if no or unsafe:
        return "affirmed"
    return "denied" if yes or re.search(r"\b(?:safe|fine|totally|completely)\b", low) else "unclear"
