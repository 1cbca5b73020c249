"""The clinician's word for who spoke and what was said, also after the end: the note is then drafted anew."""

from collections.abc import Callable

from streaming import roles
from streaming.errors import UnknownUtterance
from streaming.events import Event, RolesAssigned, UtteranceCorrected
from streaming.note_desk import NoteDesk
from streaming.sessions import Sessions
from streaming.state import SessionState
from streaming.types import Role, RoleGuess, SpeakerId, UtteranceId


async def assign_roles(sessions: Sessions, name: str, wanted: dict[SpeakerId, Role] | None) -> None:
    """Take the clinician's word for who is who; None swaps.

    Raises UnknownSession, and NoteSigned: who said what in a signed note does not change.
    """

    def assigned(state: SessionState) -> Event:
        current = state.roles or RoleGuess({}, "talk", 0.0)
        guess = roles.swap(current) if wanted is None else RoleGuess(current.roles | wanted, "clinician", 1.0)
        return RolesAssigned(guess)

    # A note is written by role: with others it would say what the client said of the clinician.
    await _amend(sessions, name, assigned, "roles")


async def correct(sessions: Sessions, name: str, utterance: UtteranceId, text: str) -> None:
    """Take the clinician's word for what was said.

    Raises UnknownSession, UnknownUtterance, NoteSigned, StoreFailed.
    """

    def corrected(state: SessionState) -> Event:
        if utterance not in state.utterances:
            raise UnknownUtterance("The session has no such utterance.", mend="It may have been struck.")
        return UtteranceCorrected(utterance, text)

    await _amend(sessions, name, corrected, "words")


async def _amend(sessions: Sessions, name: str, made: Callable[[SessionState], Event], why: str) -> None:
    async with sessions.lock(name):
        found = await sessions.log_of(name)

        async def amended() -> list[Event]:
            NoteDesk(found, sessions.readings).check_unsigned()
            return [made(found.state)]

        await found.decide(amended)
        await sessions.draft_anew(found, why)
