"""Errors of ours, apart by whose fault they are. No message holds content of a session."""

from typing import ClassVar


class SamedayError(Exception):
    """Root of all errors raised on purpose. `code` is stable and goes on the wire; `mend` says what to do."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message} {self.mend}".strip()


class PeerError(SamedayError):
    """The caller sent something that cannot be used; the session goes on."""

    code = "bad_request"


class BadAudio(PeerError):
    """Audio that cannot be read or decoded."""

    code = "bad_audio"


class BadOffer(PeerError):
    """An SDP offer that cannot be answered."""

    code = "bad_offer"


class BadAnchor(PeerError):
    """An anchor by which a WebRTC connection's audio cannot lie where the session is."""

    code = "bad_anchor"


class BadVoice(PeerError):
    """A recording that a voice cannot be enrolled from, or a file that it cannot be written to."""

    code = "bad_voice"


class BadTranscript(PeerError):
    """A transcript file that is not of the documented shape."""

    code = "bad_transcript"


class UnknownSession(PeerError):
    """No such session on this server."""

    code = "unknown_session"


class UnknownTrack(PeerError):
    """The session has no such track."""

    code = "unknown_track"


class UnknownResource(PeerError):
    """No such WHIP resource."""

    code = "unknown_resource"


class Replaced(PeerError):
    """A newer connection has taken the track over."""

    code = "replaced"


class SessionOver(PeerError):
    """The session has ended and takes no more audio."""

    code = "session_over"


class NotDrafted(PeerError):
    """The note was asked for before there is one."""

    code = "not_drafted"


class UnknownRecord(PeerError):
    """No such chart, visit or other record."""

    code = "unknown_record"


class UnknownUtterance(PeerError):
    """The session has no such utterance."""

    code = "unknown_utterance"


class AudioNotKept(PeerError):
    """The audio is gone: it was not kept, or has been deleted."""

    code = "audio_not_kept"


class Conflict(PeerError):
    """It has been changed since it was read: `current` is the version that counts, 0 where there is none."""

    code = "conflict"

    def __init__(self, message: str, *, current: int, mend: str = "") -> None:
        super().__init__(message, mend=mend)
        self.current = current


class Overtaken(PeerError):
    """The session's log has been changed since it was read: nothing of what was made of it is written."""

    code = "overtaken"

    def __init__(self) -> None:
        super().__init__("The session has been changed at the same moment.", mend="Read it again, then ask again.")


class VersionNeeded(PeerError):
    """A change that does not say which version it was made on: it might undo what somebody else did."""

    code = "version_needed"


class NoteSigned(PeerError):
    """The note is signed: what it was made of does not change any more."""

    code = "note_signed"


class RolesUnknown(PeerError):
    """Roles were to be swapped before there are any."""

    code = "roles_unknown"


class NotSignedIn(PeerError):
    """There are accounts, and the request comes from none that may be here."""

    code = "not_signed_in"


class NotAllowedToRole(PeerError):
    """The account's role does not reach so far."""

    code = "not_allowed_to_role"


class TooMany(PeerError):
    """Asked too often; `retry_after_s` says when it will be answered again."""

    code = "too_many"

    def __init__(self, message: str, *, retry_after_s: float, mend: str = "") -> None:
        super().__init__(message, mend=mend)
        self.retry_after_s = retry_after_s


class BadAccount(PeerError):
    """An account, a password or a token that cannot be made as asked."""

    code = "bad_account"


class NoConsent(PeerError):
    """Audio was offered before every participant consented."""

    code = "no_consent"


class Overloaded(SamedayError):
    """The server cannot take one more session now."""

    code = "overloaded"


class StoreFailed(SamedayError):
    """The log could not be written: nothing of this append is acknowledged."""

    code = "store_failed"


class KeyRefused(StoreFailed):
    """The key that the log is encrypted with is missing, is another one, or cannot be read. Says nothing of a key."""

    code = "key_refused"


class SessionPurged(PeerError):
    """The session was deleted for good: all that is left is that it was held, and when."""

    code = "session_purged"


class SessionGoesOn(PeerError):
    """The session has not ended, and nobody asked for it to be stopped."""

    code = "session_goes_on"


class Fenced(StoreFailed):
    """Another node has the session: nothing of it is written here any more."""

    code = "moved"


class EngineMissing(SamedayError):
    """An engine was chosen whose package, weights or device is not there."""

    code = "engine_missing"


class BadSettings(SamedayError):
    """A setting has no such name, or not such a value; says which and why, never the value."""

    code = "bad_settings"


class RecognizerFailed(SamedayError):
    """The engine could not recognize a window; the window becomes a gap."""

    code = "recognizer_failed"


class PortTaken(SamedayError):
    """Another process listens where this one should."""

    code = "port_taken"
