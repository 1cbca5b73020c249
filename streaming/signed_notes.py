"""Prints of signed notes, kept so that a new note can be held against them: a copied one fails audits.

A print is hashed groups of words: it says whether two notes repeat each other, not what they say. A client is known
by their chart; a session without one is held against all the others' notes as other clients'.
"""

from contextlib import suppress

from drafting.clones import Earlier, grams, own_words
from drafting.review import Review
from streaming.errors import UnknownRecord
from streaming.note_desk import Compared
from streaming.ports import Records

KIND = "signed_note"
_OF_CLIENT = 50
_OF_OTHERS = 100
"""The newest notes that are compared: who copies, copies what is at hand."""


async def keep(records: Records, session: str, client: str | None, review: Review) -> None:
    """Keep the print of a signed note's own words. Raises StoreFailed."""
    if review.signed is None:
        return
    context = review.signed.context
    date = (context.started_at if context else None) or review.signed.signed_at
    print_ = sorted(grams(own_words(review.note)))
    await records.put(KIND, session, {"client": client, "date": date, "print": print_})


async def forget(records: Records, session: str) -> None:
    """The session was deleted: no print of its note is kept. Raises StoreFailed."""
    with suppress(UnknownRecord):
        await records.remove(KIND, session)


async def compared(records: Records, session: str, client: str | None) -> Compared:
    """The notes that this session's must not repeat. Raises StoreFailed."""
    kept = [one.body for one in await records.all(KIND) if one.key != session]
    newest = sorted(kept, key=lambda body: str(body["date"]), reverse=True)
    mine = [body for body in newest if client is not None and body["client"] == client]
    others = [body for body in newest if client is None or body["client"] != client]
    return Compared(
        tuple(Earlier(body["date"], frozenset(body["print"])) for body in mine[:_OF_CLIENT]),
        tuple(frozenset(body["print"]) for body in others[:_OF_OTHERS]),
    )
