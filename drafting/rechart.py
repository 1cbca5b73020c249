"""A draft whose chart or session facts have changed: those lines anew, what was written from the talk kept. Pure.

A writer's sentences are not asked for again for a diagnosis that was entered late.
"""

from collections.abc import Sequence

from streaming.types import Section, Statement


def recharted(drafted: Sequence[Section], ours: Sequence[Section]) -> tuple[Section, ...]:
    """The drafted sections with chart lines, observations and prompts of `ours`, the core's own sections of a format.

    They stand before or after what is told of the session, as they do in ours; risk stands as it was drafted.
    """
    fresh = {one.name: one.statements for one in ours}
    return tuple(_mixed(one, fresh.get(one.name, ())) for one in drafted)


def _mixed(section: Section, ours: Sequence[Statement]) -> Section:
    told = tuple(one for one in section.statements if not _ours(one))
    first = next((at for at, one in enumerate(ours) if not _ours(one)), len(ours))
    before = tuple(one for one in ours[:first] if _ours(one))
    after = tuple(one for one in ours[first:] if _ours(one))
    return Section(section.name, (*before, *told, *after))


def _ours(one: Statement) -> bool:
    """Chart lines, observations and prompts; what of risk was not assessed is a line of the ledger: the talk's."""
    return one.provenance in ("chart", "clinician", "suggestion") and not one.text.startswith("Risk:")
