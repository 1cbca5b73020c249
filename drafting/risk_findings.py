"""What a ledger of risk holds: findings with the spans that show them. A denial needs both of its spans. Pure."""

from dataclasses import dataclass
from typing import Literal

from drafting.risk_mentions import ITEMS, RiskItem, Time
from streaming.types import UtteranceId

RiskState = Literal["asked_denied", "endorsed", "volunteered", "not_asked"]


@dataclass(frozen=True, slots=True)
class Span:
    """What was said of an item: an utterance and the words."""

    utterance: UtteranceId
    text: str
    more: tuple[UtteranceId, ...] = ()
    """Later utterances whose words are in the text."""

    @property
    def ids(self) -> tuple[UtteranceId, ...]:
        return (self.utterance, *self.more)


@dataclass(frozen=True, slots=True)
class Denied:
    """Asked and denied: both spans, or it cannot be made. Raises ValueError for an empty span."""

    item: RiskItem
    question: Span
    answer: Span
    history: Span | None = None
    """An earlier time that the client spoke of while denying it for now."""
    also: tuple[tuple[Span, Span], ...] = ()
    """Further questions with their denying answers."""

    def __post_init__(self) -> None:
        if not (self.question.utterance and self.question.text and self.answer.utterance and self.answer.text):
            raise ValueError("a denial needs the question's and the answer's span")

    @property
    def state(self) -> RiskState:
        return "asked_denied"

    @property
    def evidence(self) -> tuple[UtteranceId, ...]:
        return _ids(self.question, self.answer, self.history, *(span for pair in self.also for span in pair))


@dataclass(frozen=True, slots=True)
class Endorsed:
    """Said of themselves in answer to a question or a reflection of it."""

    item: RiskItem
    question: Span
    answer: Span
    time: Time = "present"

    @property
    def state(self) -> RiskState:
        return "endorsed"

    @property
    def evidence(self) -> tuple[UtteranceId, ...]:
        return _ids(self.question, self.answer)


@dataclass(frozen=True, slots=True)
class Volunteered:
    """Said of themselves without being asked; `spans` in order of time, at least one."""

    item: RiskItem
    spans: tuple[Span, ...]
    time: Time = "present"

    @property
    def state(self) -> RiskState:
        return "volunteered"

    @property
    def evidence(self) -> tuple[UtteranceId, ...]:
        return _ids(*self.spans)


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Not assessed. `question` is there where it was asked but not clearly answered."""

    item: RiskItem
    question: Span | None = None
    answer: Span | None = None

    @property
    def state(self) -> RiskState:
        return "not_asked"

    @property
    def evidence(self) -> tuple[UtteranceId, ...]:
        return _ids(self.question, self.answer)


Finding = Denied | Endorsed | Volunteered | NotAsked


@dataclass(frozen=True, slots=True)
class OtherPerson:
    """Talk of an item about somebody else: shown to the clinician, no finding about the client."""

    item: RiskItem
    span: Span


@dataclass(frozen=True, slots=True)
class Unclear:
    """What may speak of an item and decides nothing: to be read again by the clinician, no state and no sentence."""

    item: RiskItem
    spans: tuple[Span, ...]

    @property
    def evidence(self) -> tuple[UtteranceId, ...]:
        return _ids(*self.spans)


@dataclass(frozen=True, slots=True)
class Ledger:
    """One finding per item, in the order of ITEMS, what was said about others, and what is to be read again."""

    findings: tuple[Finding, ...]
    others: tuple[OtherPerson, ...] = ()
    unclear: tuple[Unclear, ...] = ()

    def __getitem__(self, item: RiskItem) -> Finding:
        return next(one for one in self.findings if one.item == item)

    @property
    def answered(self) -> frozenset[UtteranceId]:
        """Utterances whose point was a question of risk or its answer."""
        pairs = [one for one in self.findings if isinstance(one, Denied | Endorsed)]
        return frozenset(place for one in pairs for place in one.evidence)

    def as_json(self) -> dict[str, dict[str, object]]:
        return {one.item: {"state": one.state, "evidence": list(one.evidence)} for one in self.findings}


def _ids(*spans: Span | None) -> tuple[UtteranceId, ...]:
    return tuple(dict.fromkeys(one for span in spans if span is not None for one in span.ids))


EMPTY = Ledger(tuple(NotAsked(item) for item in ITEMS))
