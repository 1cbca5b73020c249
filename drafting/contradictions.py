"""What a clinician wrote of risk against what was heard. Pure.

Their word counts, and they may have asked where nobody recorded; but a denial that stands against the client's own
words must not be signed by oversight.
"""

import re
from collections.abc import Sequence

from drafting.note import CheckFinding
from drafting.recap_risk import of_sentence
from drafting.risk_findings import Endorsed, Finding, Ledger, Volunteered
from drafting.risk_mentions import label
from streaming.types import Section

_QUOTED = re.compile(r'"[^"]*"')


def contradictions(sections: Sequence[Section], ledger: Ledger) -> tuple[CheckFinding, ...]:
    """An error where a clinician's sentence denies what the client said of themselves, and milder differences."""
    found: list[CheckFinding] = []
    for section in sections:
        for one in section.statements:
            if one.provenance == "clinician":
                told = of_sentence(_QUOTED.sub(" ", one.text))
                found += [said for item, entry in told if (said := _differs(ledger[item], entry, section.name))]
    return tuple(dict.fromkeys(found))


def _differs(heard: Finding, entry: str, section: str) -> CheckFinding | None:
    name = label(heard.item)
    if entry == "denied" and isinstance(heard, Endorsed | Volunteered) and heard.time != "past":
        said = "said yes to" if isinstance(heard, Endorsed) else "spoke of"
        text = f"The note says that {name} was denied, and the client {said} it in the session: correct one of them."
        return CheckFinding("risk_contradicted", "error", text, section)
    if entry == "denied" and heard.state == "not_asked":
        text = f"The note says that {name} was denied; no question with a clear answer was heard in the session."
        return CheckFinding("risk_not_heard", "warning", text, section)
    if entry == "endorsed" and heard.state == "asked_denied":
        text = f"The note says that {name} was endorsed; what was heard in the session is a denial."
        return CheckFinding("risk_differs", "warning", text, section)
    return None
