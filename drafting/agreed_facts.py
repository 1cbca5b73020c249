"""What was agreed: homework looked back at, tasks and offers with the client's answer, the next appointment. Pure."""

import re
from collections.abc import Sequence

from drafting.clauses import Clause, end, joined, listening
from drafting.client_facts import quoted, usable
from drafting.facts import Fact
from drafting.third import third_person, to_client
from drafting.words import content_stems

_HOMEWORK = re.compile(
    r"\b(?:homework|assignment|thought record|worksheet|log|diary|practice(?:d)?|exercise (?:we|i)|what we"
    r" (?:talked|discussed)"
    r"|(?:last|previous) (?:week|time|session) (?:we|you|i)|you were going to|you had planned|you (?:said"
    r"|agreed) (?:you|that you|to))\b"
)
_REVIEWS = re.compile(
    r"\b(?:did you|have you|were you able|how did|how was|how has|how'd|how is|how's|how are|let us look"
    r"|let's look|able to|how many)\b"
)


_NAMED = re.compile(r"thought record|worksheet|log\b|diary|breathing|exposure|exercise")


def _next_answer(groups: Sequence[Sequence[Clause]], at: int) -> Sequence[Clause]:
    """The client's next words that are more than listening, within three utterances."""
    for later in groups[at + 1 : at + 4]:
        if later and later[0].role == "client" and not listening(joined(later)):
            return later
    return ()


def homework_reviews(groups: Sequence[Sequence[Clause]]) -> list[Fact]:
    """Homework looked back at, with the client's account."""
    found: list[Fact] = []
    for at, group in enumerate(groups):
        if not group or group[0].role != "clinician" or not any(clause.question for clause in group):
            continue
        text = joined(group).lower()
        what = _HOMEWORK.search(text)
        reply = _next_answer(groups, at)
        if what is None or not _REVIEWS.search(text) or not reply:
            continue
        kept = [clause for clause in reply if not clause.question][:3]
        said = " ".join(end(clause.text) for clause in kept)
        told = [third_person(clause.text) for clause in kept]
        named = (_NAMED.search(text) or what)[0]
        plain = "; ".join(one for one in told if one)
        body = f"client reported that {plain}." if all(told) and plain else f'client said, "{quoted(said)}"'
        ids = (group[0].utterance, reply[0].utterance)
        sentence = f"Homework reviewed ({named}): {body}"
        found.append(
            Fact(
                "homework_reviewed",
                said,
                sentence,
                ids,
                "client",
                group[0].start,
                weight=5.0,
                detail={"topic": named},
            )
        )
    return found


TASK = re.compile(
    r"\b(?:i(?:'d| would) like you to|i want you to|i(?:'m| am) going to ask you to|your homework (?:is|will"
    r" be|this week is)(?: to)?"
    r"|for homework,?(?: (?:please|try to|i'd like you to|let's))*|(?:for|before|until|by) (?:next|the next"
    r"|this|our next) (?:week|time|session|appointment)?,?"
    r"(?: (?:please|try to|i'd like you to|could you|can you|let's|you(?:'ll| will)))+|(?:could|can|would)"
    r" you (?:try to |please |maybe )+"
    r"|i(?:'d| would) (?:suggest|recommend|encourage)(?: that)?(?: you)?(?: to)?|let's (?:plan on|plan to"
    r"|have you|agree that)"
    r"|(?:^|please |just |you to )(?:keep|continue) (?=\w+ing|taking|using|with the)|(?:then |please )*(?=start with)"
    r"|between now and (?:then|next"
    r" \w+),?)\s*(?P<task>.{8,})"
)
_OFFER = re.compile(
    r"\b(?:we (?:could|can|might) (?:set up|schedule|talk about|work on|try|start|meet|look at)|i (?:could"
    r"|can|will|'ll) (?:give|send|refer|prescribe|set up|write|call|get|help)"
    r"|i'm going to (?:give|send|refer|prescribe|set|write|call|arrange)|what (?:if|about) (?:we|you)|how"
    r" about (?:we|you|if)|would you be (?:willing|interested|open)"
    r"|have you (?:considered|thought about) (?:trying|talking"
    r"|going|joining)|you (?:could|might) (?:try|want to|consider|start)"
    r"|another option|one (?:option|idea|thing you could)|there(?:'s| is| are) (?:also )?(?:a lot of "
    r"|different |some )?(?:support groups?|medications?|classes|programs?|apps?|resources))\b"
)
_ACCEPTS = re.compile(
    r"\b(?:yes|yeah|yep|sure|okay|ok|fine|sounds (?:good|great|nice|fair)|works for me|i can|i will|i'll|i"
    r" could|would be (?:really |very |so )?(?:great|good|nice|helpful|fine|ok)"
    r"|i'd like that|i would like that|definitely|absolutely|i think so|good idea|all ?right|let's do|i'm"
    r" willing|perfect|please|great|deal|of course)\b"
)
_REFUSES = re.compile(
    r"\b(?:no\b|not sure|i (?:don't|do not) (?:think|like|want|know)|can't|cannot|can not|won't|will not"
    r"|(?:would|could)(?:n't| not)"
    r"|do not (?:think|like|want)|rather not|too (?:busy|hard|much)|maybe"
    r" not|i doubt|not really|i'm not)\b"
)
_COMMITS = re.compile(
    r"\bi(?:'ll| will| am going to|'m going to| am willing to|'m willing to| plan to|'d be"
    r" willing to| promise) (?:(?:definitely|probably|maybe|try to|just|also|start|really) )*"
    r"(?:set|call|try|write|talk|go|start|stop|do|make|cut|keep|take|use|practice|practise|look|check|ask"
    r"|tell|read|walk|exercise|quit|limit|schedule|come|bring|join|sign|apply|get|find|avoid|reduce|give"
    r"|work|put|throw|switch|track|meet)\b"
)


def plans(groups: Sequence[Sequence[Clause]]) -> list[Fact]:
    """What is to be done later: tasks and offers with the client's answer, and what the client commits to."""
    spoken = [at for at, group in enumerate(groups) if group]
    late = spoken[len(spoken) * 45 // 100] if spoken else 0
    found: list[Fact] = []
    for at, group in enumerate(groups):
        for clause in group:
            fact = None
            if clause.role == "clinician":
                fact = _task(groups, at, clause, late=at >= late)
            elif clause.role == "client" and at >= late and usable(clause) and _commits(clause.low):
                fact = _commitment(clause)
            if fact is not None:
                found.append(fact)
    return found


def _task(groups: Sequence[Sequence[Clause]], at: int, clause: Clause, *, late: bool) -> Fact | None:
    task = TASK.search(clause.low) if late or "homework" in clause.low else None
    offer = _OFFER.search(clause.low) if late else None
    if (task is None and offer is None) or clause.cut or len(clause.text.split()) < 5:
        return None
    if _APPOINTMENT.search(clause.low) and _WHEN.search(clause.low) and task is None:
        return None
    agreed, reply = _agreement(groups, at, clause)
    evidence = (clause.utterance, reply[0].utterance) if reply else (clause.utterance,)
    answer = f' Client answered, "{quoted(joined(reply[:2]))}"' if reply else ""
    if task is not None:
        words = to_client(_CONNECTIVES.sub("", clause.text[task.start("task") :]))
        words = "; ".join([words[:1].lower() + words[1:], *_further_tasks(groups[at], clause)])
        name = {"yes": "Agreed in session, homework", "no": "Proposed by clinician, not agreed"}.get(
            agreed, "Proposed by clinician, agreement not heard"
        )
        return Fact(
            "homework", clause.text, f"{name}: {words}.{answer}", evidence, "clinician", clause.start,
            time="future", weight=5.0, detail={"agreed": agreed, "task": words},
        )  # fmt: skip
    name = {"yes": "Discussed and agreed", "no": "Suggested by clinician, not agreed"}.get(
        agreed, "Suggested by clinician, agreement not heard"
    )
    sentence = f'{name}: clinician said, "{quoted(clause.text)}"{answer}'
    return Fact(
        "plan", clause.text, sentence, evidence, "clinician", clause.start,
        time="future", weight=2.0 + (agreed == "yes"), detail={"agreed": agreed},
    )  # fmt: skip


_CONNECTIVES = re.compile(
    r"^(?:(?:then|now|so|maybe|just|and|well|is|would be|will be|to|that you|that|for you to|please|perhaps"
    r"|kind of)[ ,]+)+",
    re.IGNORECASE,
)
"""What joins a task to the words that gave it: "then, is to move your smoking outside"."""


_IMPERATIVE = re.compile(
    r"^(?:and |also |then |please |maybe )*(?P<task>(?:call|write|try|practi[cs]e|do|keep|take|note|read|use"
    r"|fill|set|walk|talk|bring"
    r"|schedule|go|notice|track|record|start|pick|choose|make|log|spend)\b.{6,})",
    re.IGNORECASE,
)


def _further_tasks(group: Sequence[Clause], clause: Clause) -> list[str]:
    """Tasks named in the same breath after the first one."""
    place = list(group).index(clause)
    found = [_IMPERATIVE.match(one.text) for one in group[place + 1 : place + 4] if not one.question]
    return [to_client(one["task"][:1].lower() + one["task"][1:]) for one in found if one is not None]


_GOAL_ASKED = re.compile(
    r"\b(?:goals?|objectives?) (?:was|were|is|has been|had been)(?: to)? (?P<goal>.{4,60})|\byou wanted to"
    r" (?P<want>.{4,60})"
)


def goal_progress(groups: Sequence[Sequence[Clause]], goals: Sequence[str]) -> list[Fact]:
    """A goal that the clinician asked about, with the client's account of it."""
    found: list[Fact] = []
    for at, group in enumerate(groups):
        if not group or group[0].role != "clinician" or not any(clause.question for clause in group):
            continue
        named = next((match for clause in group if (match := _GOAL_ASKED.search(clause.text))), None)
        chart = next((goal for goal in goals if _covers(goal, joined(group))), None)
        if named is not None and chart is None:
            words = next(clause for clause in group if clause.text == named.string)
            found.append(_named_goal(words))
        reply = _next_answer(groups, at)
        if not reply or (named is None and chart is None):
            continue
        kept = [clause for clause in reply if not clause.question and not clause.damaged][:3]
        said = " ".join(end(clause.text) for clause in kept)
        goal = chart or ((named["goal"] or named["want"]) if named else "")
        sentence = f'Progress on the goal "{goal.strip(" .,!?")}": client said, "{quoted(said)}"'
        ids = (group[0].utterance, reply[0].utterance)
        if kept:
            detail = {"topic": "goal", "goal": goal}
            found.append(Fact("progress", said, sentence, ids, "client", group[0].start, weight=6.0, detail=detail))
    return found


def _named_goal(clause: Clause) -> Fact:
    """A goal as the clinician spoke of it."""
    sentence = f'Goal spoken of: clinician said, "{quoted(clause.text)}"'
    return Fact("goal", clause.text, sentence, (clause.utterance,), "clinician", clause.start, weight=4.0)


def _covers(goal: str, text: str) -> bool:
    """Whether talk names a chart goal: two of its content words, or its only one."""
    wanted = set(content_stems(goal))
    return bool(wanted) and len(wanted & set(content_stems(text))) >= min(2, len(wanted))


_NOT_MEANT = re.compile(
    r"\b(?:say|said|says|thought|told|if i|don't know|not sure|used to|can't|won't|never|every (?:new )?year"
    r"|wish|try(?:ing)? to figure)\b"
)


def _commits(low: str) -> bool:
    """Whether the client says what they will do, for themselves and without doubt."""
    return _COMMITS.search(low) is not None and _NOT_MEANT.search(low) is None


def _commitment(clause: Clause) -> Fact:
    told = third_person(clause.text)
    sentence = f"Client stated that {told}." if told else f'Client said, "{quoted(clause.text)}"'
    return Fact(
        "plan", clause.text, sentence, (clause.utterance,), "client", clause.start,
        time="future", weight=2.6, detail={"agreed": "client"},
    )  # fmt: skip


_NO_REFUSAL = re.compile(
    r"\b(?:no (?:problem|worries|objections?|trouble)|why not|not a problem|(?:don't|do not|wouldn't|would not) mind"
    r"|(?:can't|cannot) wait)\b"
)
_NO_TO_A_DOUBT = re.compile(
    r"^(?:oh |well,? )?(?:no[, .]+)+(?=(?:that|it|this)(?:'s| is| sounds| works| would| makes| will)\b"
    r"|i (?:definitely |really )?(?:will|can|think i (?:will|can|could)|like|agree|want to)\b|i'll\b"
    r"|i'd (?:like|love)\b|sure\b)"
)


_ASKS_AGREEMENT = re.compile(
    r"\b(?:okay|ok|all right|alright|right|sound|sounds|work for you|works for you|willing|agree|can you"
    r"|could you|would you"
    r"|will you|do you think you|shall we|fair|doable|manage|possible|feel about (?:that|it)|think (?:about"
    r"|of) (?:that|it))\b"
)
_ANSWERS_FIRST = re.compile(
    r"(?:(?:oh|well|um|uh)[ ,.]+)*(?:yes|yeah|yep|sure|okay|ok|no|nope|fine|i(?:'ll| will| can't| cannot| won't"
    r"| don't)\b"
    r"|i can do (?:that|it)|sounds|that sounds|all ?right|definitely|absolutely|good idea)\b"
)


def _accepted(text: str) -> str:
    """Whether words accept ("yes"), decline or doubt ("no"), or neither ("unheard")."""
    low = _NO_REFUSAL.sub("sure", text.lower())
    low = _NO_TO_A_DOUBT.sub("", low)
    if _REFUSES.search(low[:60]):
        return "no"
    return "yes" if _ACCEPTS.search(low) else "unheard"


def _agreement(groups: Sequence[Sequence[Clause]], at: int, asked: Clause) -> tuple[str, Sequence[Clause]]:
    """The client's next words, and whether they accept ("yes"), decline or doubt ("no"), or neither ("unheard").

    Where another question was put before they answered, only words that begin by accepting or declining count.
    """
    rest = list(groups[at])[list(groups[at]).index(asked) + 1 :]
    other = any(map(_asks_else, rest))
    for group in groups[at + 1 : at + 4]:
        if not group or group[0].role != "client":
            other = other or any(map(_asks_else, group))
            continue
        if other and _ANSWERS_FIRST.match(joined(group).lower()) is None:
            return "unheard", ()
        return _accepted(joined(group)), group
    return "unheard", ()


def _asks_else(clause: Clause) -> bool:
    """Whether a question asks for something other than agreement."""
    return clause.role == "clinician" and clause.question and not _ASKS_AGREEMENT.search(clause.low)


_APPOINTMENT = re.compile(
    r"\b(?:see you|meet(?: again)?|next (?:appointment|session|visit|time)|same time|come (?:back|in)"
    r"|follow[- ]?up|schedul\w+|book|check in|appointment|review (?:you|in)|call me|touch base)\b"
)
_WHEN = re.compile(
    r"\b(?:(?:next|this|on|coming) (?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|week|month)"
    r"|monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow"
    r"|in (?:a|one|two|three|four|six|\d+|a couple of|a few) (?:days?|weeks?|months?)|(?:one|two|three|four"
    r"|six|\d+)[- ](?:days?|weeks?|months?)|same time|\d{1,2}(?::\d\d)? ?(?:am|pm|o'clock)"
    r"|next (?:time|appointment|session|visit)|another appointment|at (?:ten|eleven|twelve|one|two|three|four"
    r"|five|nine|eight)(?: thirty| fifteen| forty five)?)\b"
)


def appointments(groups: Sequence[Sequence[Clause]]) -> list[Fact]:
    """The next appointment as spoken of in the last third, the latest mention first in weight."""
    spoken = [at for at, group in enumerate(groups) if group]
    late = spoken[len(spoken) * 2 // 3] if spoken else 0
    found: list[Fact] = []
    for at, group in enumerate(groups):
        for clause in group if at >= late else ():
            if clause.role != "clinician" or not (_APPOINTMENT.search(clause.low) and _WHEN.search(clause.low)):
                continue
            if TASK.search(clause.low) or len(clause.text.split()) > 40:
                continue
            agreed, reply = _agreement(groups, at, clause)
            evidence = (clause.utterance, reply[0].utterance) if reply else (clause.utterance,)
            answer = f' Client answered, "{quoted(joined(reply[:2]))}"' if reply else ""
            named = "Next appointment agreed" if agreed == "yes" else "Next appointment spoken of"
            found.append(
                Fact(
                    "appointment", clause.text, f'{named}: clinician said, "{quoted(clause.text)}"{answer}', evidence,
                    "clinician", clause.start, time="future", weight=4.0 + (agreed == "yes") + 0.001 * at,
                    detail={"agreed": agreed},
                )
            )  # fmt: skip
    return found
