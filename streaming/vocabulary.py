"""What to expect in a session's talk, from what is known beside it: names, medicines, techniques. Pure.

It goes to the recognizer with every window, the most telling first. A name that was heard wrong is wrong in the note,
and a common word is not in need of help.
"""

import re
from collections.abc import Iterable

from drafting.clinician_facts import techniques
from streaming.types import NoteContext

_MOST = 60
_LONGEST = 40
_DOSE = re.compile(
    r"\s*[\(\[].*|\s+\d.*|\s+(?:mg|mcg|ml|daily|nightly|twice|once|as needed|prn|bid|tid|qd|qhs)\b.*", re.IGNORECASE
)
_MODALITY = re.compile(r"^[^:]{1,40}:\s*")


def vocabulary(context: NoteContext) -> tuple[str, ...]:
    """Terms to expect, none twice; none at all where nothing is known of the client."""
    names = [context.client or "", context.provider or "", *context.participants]
    medicines = (_DOSE.sub("", one) for one in context.medications)
    usual = (part for one in context.usual_interventions for part in re.split(r"[,;]", _MODALITY.sub("", one)))
    known = _unique([*names, *medicines, *usual])
    if not known:
        return ()
    return tuple(_unique([*known, *(one.name for one in techniques())])[:_MOST])


def _unique(terms: Iterable[str]) -> list[str]:
    """Each term once, as it stands first; what is too long to be a term is left out."""
    found: dict[str, str] = {}
    for term in terms:
        plain = " ".join(term.split())
        if plain and len(plain) <= _LONGEST:
            found.setdefault(plain.casefold(), plain)
    return list(found.values())
