"""What a session must have to begin. Pure."""

from streaming.consents import Agreement
from streaming.errors import NoConsent, PeerError
from streaming.types import TrackPlan


def check(tracks: tuple[TrackPlan, ...], consent: Agreement) -> None:
    """Raises NoConsent, PeerError."""
    if not consent.present:
        raise NoConsent(
            "Nobody has consented to the recording.", mend="Name every participant who agreed in `consent`."
        )
    names = [plan.id for plan in tracks]
    if not tracks or len(set(names)) != len(names):
        raise PeerError("A session needs at least one track, and each an id of its own.", mend="Mend `tracks`.")
    if sum(plan.speakers > 1 for plan in tracks) > 1:
        # Voices are told apart within a track: S1 of one and S1 of the other would be taken for one person.
        raise PeerError("Only one track of a session can have several speakers.", mend="Give the others one each.")
