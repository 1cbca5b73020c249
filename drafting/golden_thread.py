"""The golden thread: from the diagnosis over goal, intervention, response and progress to the plan. Pure.

A link is missing where the note has nothing of its kind, and loose where nothing in it takes up a link before it.
Whether one sentence takes up another is judged by shared words, which can err: a loose link is a hint and no error.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from drafting.data import load
from drafting.facts import Fact
from drafting.formats import NoteFormat
from drafting.goals import by_goal, goals_of, stems_of
from drafting.needs import Subject, speaks
from drafting.wording import current, reword
from streaming.types import UtteranceId

LinkState = Literal["held", "loose", "missing"]


@dataclass(frozen=True, slots=True)
class Link:
    """One link: what the note says for it, and how to mend it where it does not hold."""

    key: str
    title: str
    state: LinkState
    texts: tuple[str, ...] = ()
    evidence: tuple[UtteranceId, ...] = ()
    mend: str = ""
    section: str = ""


@dataclass(frozen=True, slots=True)
class GoalThread:
    """What a note says for one goal; `missing` names the links that it says nothing of."""

    goal: str
    objectives: tuple[str, ...]
    interventions: tuple[str, ...]
    progress: tuple[str, ...]
    plan: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thread:
    """All links in order, and each goal with what takes it up."""

    links: tuple[Link, ...]
    goals: tuple[GoalThread, ...]

    @property
    def breaks(self) -> tuple[Link, ...]:
        """The links that do not hold."""
        return tuple(one for one in self.links if one.state != "held")

    def as_json(self) -> dict[str, Any]:
        """For a page."""
        return {
            "links": [
                {
                    "key": one.key,
                    "title": one.title,
                    "state": one.state,
                    "texts": list(one.texts),
                    "evidence": list(one.evidence),
                    "mend": one.mend,
                    "section": one.section,
                }
                for one in self.links
            ],
            "goals": [
                {
                    "goal": one.goal,
                    "objectives": list(one.objectives),
                    "interventions": list(one.interventions),
                    "progress": list(one.progress),
                    "plan": list(one.plan),
                    "missing": list(one.missing),
                }
                for one in self.goals
            ],
        }


@dataclass(slots=True)
class _Said:
    """What a note says of one kind: sentences, where they were said, the stems they are compared by."""

    texts: list[str] = field(default_factory=list)
    evidence: list[UtteranceId] = field(default_factory=list)
    stems: set[str] = field(default_factory=set)

    def add(self, text: str, compared: str, evidence: Sequence[UtteranceId] = ()) -> None:
        self.texts.append(text)
        self.evidence.extend(evidence)
        self.stems |= stems_of(compared)


def golden_thread(subject: Subject, note_format: NoteFormat) -> Thread:
    """The thread of a note as it stands, edits of the clinician's included."""
    said = _said(subject)
    picture = said["diagnosis"].stems | said["symptom"].stems
    aims = said["goal"].stems
    tied = {
        "diagnosis": True,
        "goal": bool(aims & (picture | said["intervention"].stems)) or _names_goal(subject),
        "intervention": bool(said["intervention"].stems & (aims | picture)),
        "response": _answers(subject) or bool(_entered(subject, "response")),
        "progress": _names_goal(subject),
        "plan": bool(said["plan"].stems & (aims | picture | said["intervention"].stems)),
    }
    links = []
    for row in load("golden_thread.toml")["link"]:
        key = row["key"]
        state: LinkState = "missing" if not said[key].texts else "held" if tied[key] else "loose"
        links.append(
            Link(
                key,
                row["title"],
                state,
                tuple(said[key].texts),
                tuple(dict.fromkeys(said[key].evidence)),
                "" if state == "held" else row[state],
                note_format.home(*row["home"]),
            )
        )
    return Thread(tuple(links), _goals(subject))


def _said(subject: Subject) -> dict[str, _Said]:
    said = {key: _Said() for key in ("diagnosis", "symptom", "goal", "intervention", "response", "progress", "plan")}
    context = subject.context
    if context.diagnosis:
        said["diagnosis"].add(context.diagnosis, context.diagnosis)
    for goal in goals_of(context):
        said["goal"].add(goal.text, " ".join((goal.text, *(step.text for step in goal.objectives))))
    for one in subject.facts:
        key = _KEYS.get(one.kind)
        if key is not None and subject.tells(one):
            said[key].add(_sentence(one), _compared(one), one.evidence)
    for kind in ("symptom", "intervention", "response", "progress", "plan"):
        for text in _entered(subject, kind):
            said[kind].add(text, text)
    return said


_KEYS = {
    "concern": "symptom",
    "symptom": "symptom",
    "function": "symptom",
    "substance": "symptom",
    "measure": "symptom",
    "intervention": "intervention",
    "response": "response",
    "progress": "progress",
    "homework": "plan",
    "plan": "plan",
    "appointment": "plan",
}


def _compared(fact: Fact) -> str:
    """What a fact is about, in words: what was said, its target and its technique."""
    return " ".join((fact.text, *(fact.detail.get(name, "") for name in ("target", "technique", "task", "topic"))))


def _sentence(fact: Fact) -> str:
    return reword(fact.sentence, current())


def _entered(subject: Subject, kind: str) -> list[str]:
    return [text for text in subject.entered if speaks(kind, text)]


def _answers(subject: Subject) -> bool:
    """Whether a told response answers a technique that is told too."""
    used = {one.detail.get("technique") for one in _told(subject, "intervention")}
    return any(one.detail.get("technique") in used for one in _told(subject, "response"))


def _told(subject: Subject, *kinds: str) -> Iterable[Fact]:
    return (one for one in subject.facts if one.kind in kinds and subject.tells(one))


def _names_goal(subject: Subject) -> bool:
    """Whether progress told or entered belongs to a goal."""
    stems = {stem for goal in goals_of(subject.context) for stem in stems_of(goal.text)}
    entered = any(stems & stems_of(text) for text in _entered(subject, "progress"))
    told = any(subject.tells(fact) for one in by_goal(subject.facts, subject.context) for fact in one.facts)
    return entered or told


def _goals(subject: Subject) -> tuple[GoalThread, ...]:
    """Each goal with what takes it up: by its words, or by those of its progress."""
    made = []
    for one in by_goal(subject.facts, subject.context):
        stems = stems_of(" ".join((one.goal.text, *(step.text for step in one.goal.objectives))))
        progress = [fact for fact in one.facts if subject.tells(fact)]
        wider = stems | {stem for fact in progress for stem in stems_of(_compared(fact))}
        done = [_sentence(fact) for fact in _told(subject, "intervention") if wider & stems_of(_compared(fact))]
        done += [text for text in _entered(subject, "intervention") if wider & stems_of(text)]
        changed = [_sentence(fact) for fact in progress]
        changed += [text for text in _entered(subject, "progress") if stems & stems_of(text)]
        steps = _told(subject, "homework", "plan")
        planned = [_sentence(fact) for fact in steps if wider & stems_of(_compared(fact))]
        planned += [text for text in _entered(subject, "plan") if wider & stems_of(text)]
        parts = {"intervention": done, "progress": changed, "plan": planned}
        made.append(
            GoalThread(
                one.goal.text,
                tuple(step.text for step in one.goal.objectives),
                tuple(done),
                tuple(changed),
                tuple(planned),
                tuple(name for name, texts in parts.items() if not texts),
            )
        )
    return tuple(made)
