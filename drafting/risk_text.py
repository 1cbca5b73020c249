"""The ledger in sentences. A denial is written from a `Denied` alone, which cannot exist without both spans. Pure."""

from drafting.client_facts import quoted
from drafting.risk import Denied, Endorsed, Finding, Ledger, NotAsked, Volunteered
from drafting.risk_mentions import label
from streaming.types import Statement

MAX_OTHERS = 2
MAX_FURTHER = 2


def denial(found: Denied) -> str:
    """The one place where a denial is worded."""
    text = (
        f'Risk: client denied {label(found.item)} when asked. Clinician asked, "{quoted(found.question.text)}" '
        f'Client answered, "{quoted(found.answer.text)}"'
    )
    for question, answer in found.also[:MAX_FURTHER]:
        text += f' Also asked, "{quoted(question.text)}", client answered, "{quoted(answer.text)}"'
    if found.history is None or found.history == found.answer:
        return text if found.history is None else f"{text} The answer speaks of an earlier time."
    return f'{text} Earlier time spoken of: "{quoted(found.history.text)}"'


def _positive(found: Endorsed | Volunteered) -> str:
    when = " in the past" if found.time == "past" else ""
    if isinstance(found, Endorsed):
        return (
            f'Risk: client endorsed {label(found.item)}{when}. Clinician said, "{quoted(found.question.text)}" '
            f'Client answered, "{quoted(found.answer.text)}"'
        )
    said = " ".join(f'"{quoted(span.text)}"' for span in found.spans[:3])
    return f"Risk: client volunteered {label(found.item)}{when}: {said}"


def _worded(found: Finding) -> str | None:
    if isinstance(found, Denied):
        return denial(found)
    if isinstance(found, NotAsked):
        if found.question is None:
            return None
        answer = f' The answer was, "{quoted(found.answer.text)}"' if found.answer else ""
        return (
            f"Risk: {label(found.item)} was asked about but not clearly answered: "
            f'"{quoted(found.question.text)}"{answer} Not assessed this session.'
        )
    return _positive(found)


def statements(ledger: Ledger) -> list[Statement]:
    """Positive findings first, then denials, then what was not assessed, then talk about others."""
    rank = {"volunteered": 0, "endorsed": 0, "asked_denied": 1, "not_asked": 2}
    found: list[Statement] = []
    for one in sorted(ledger.findings, key=lambda one: rank[one.state]):
        text = _worded(one)
        if text is not None:
            found.append(Statement(text, "transcript", one.evidence))
    missing = [label(one.item) for one in ledger.findings if isinstance(one, NotAsked) and one.question is None]
    if missing:
        found.append(Statement(f"Risk: not assessed this session: {', '.join(missing)}.", "suggestion", ()))
    for other in ledger.others[:MAX_OTHERS]:
        text = f'Said about another person, no finding about the client: "{quoted(other.span.text)}"'
        found.append(Statement(text, "transcript", (other.span.utterance,)))
    return found
