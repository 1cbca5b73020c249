"""A note and its sentences from the JSON of `Note.as_json`, as a session's log holds it. Pure.

Logs are ours and outlive versions: a key that is missing has its default, one that is not known is ignored.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from drafting.billing import Billing
from drafting.note import CheckFinding, Note, statement_json
from drafting.recap_risk import Entered
from drafting.risk_findings import EMPTY
from streaming.types import NoteContext, Section, Statement, UtteranceId


def read(body: Mapping[str, Any], context: NoteContext | None = None) -> Note:
    """The note of a JSON. Its ledger is empty: the JSON has no spans, and the talk has to be read for them.

    `context` says whether the minutes are the clock's.
    """
    return Note(
        version=int(body.get("version", 1)),
        format=str(body.get("format", "")),
        sections=tuple(
            Section(row["name"], statements(row.get("statements", ()))) for row in body.get("sections", ())
        ),
        risk=EMPTY,
        checks=tuple(
            CheckFinding(
                row["rule"],
                row["severity"],
                row["message"],
                row.get("section", ""),
                tuple(UtteranceId(one) for one in row.get("evidence", ())),
            )
            for row in body.get("checks", ())
        ),
        billing=_billing(body.get("billing", {}), context),
        writer=str(body.get("writer", "embedded")),
        entered=tuple(
            Entered(item, row["entered"]["finding"], row["entered"]["text"])
            for item, row in body.get("risk", {}).items()
            if "entered" in row
        ),
    )


def statements(rows: Iterable[Mapping[str, Any]]) -> tuple[Statement, ...]:
    """Sentences of `write`."""
    return tuple(
        Statement(
            row["text"],
            row["provenance"],
            tuple(UtteranceId(one) for one in row.get("evidence", ())),
            row.get("supported", True),
            tuple(row.get("uncertain", ())),
        )
        for row in rows
    )


def write(told: Iterable[Statement]) -> list[dict[str, Any]]:
    """Sentences as JSON."""
    return [statement_json(one) for one in told]


def _billing(row: Mapping[str, Any], context: NoteContext | None) -> Billing:
    measured = context is not None and bool(context.started_at and context.ended_at)
    return Billing(
        minutes=row.get("minutes", 0),
        cpt=row.get("cpt"),
        margin_min=row.get("margin_min", 0),
        source="clock" if measured else "transcript",
        service=row.get("service", "psychotherapy"),
        addons=tuple(row.get("addons", ())),
    )
