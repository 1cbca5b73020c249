"""How an error is told to a client: its status or close code, and its words (docs/protocol.md)."""

import math
from collections.abc import Sequence
from typing import Any

from drafting.backlog import BadPlan
from drafting.chart import BadChart
from drafting.document import tidy
from drafting.phrases import BadPhrases
from drafting.recap import BadRecap
from drafting.review import NotAllowed, NotSignable, UnknownSection
from drafting.review_changes import BadEdit
from drafting.self_check import BadAnswer
from drafting.visit_csv import BadImport
from drafting.visits import BadVisit
from streaming import errors
from streaming.errors import SamedayError
from streaming.visit_book import VisitStays
from streaming.webrtc import NoNetwork
from streaming.websocket_ingest import CLOSE_FAILED, CLOSE_MOVED, CLOSE_OVER

_STATUS: dict[type[SamedayError], int] = {
    errors.NotSignedIn: 401,
    errors.NotAllowedToRole: 403,
    errors.TooMany: 429,
    errors.BadAccount: 422,
    errors.NoConsent: 403,
    errors.UnknownSession: 404,
    errors.UnknownTrack: 404,
    errors.UnknownResource: 404,
    errors.UnknownRecord: 404,
    errors.UnknownUtterance: 404,
    errors.AudioNotKept: 404,
    errors.Conflict: 409,
    errors.Overtaken: 409,
    errors.VersionNeeded: 428,
    errors.NoteSigned: 409,
    NotAllowed: 409,
    NotSignable: 409,
    UnknownSection: 404,
    BadChart: 422,
    BadEdit: 422,
    BadPhrases: 422,
    BadRecap: 422,
    BadVisit: 422,
    BadImport: 422,
    BadPlan: 422,
    BadAnswer: 422,
    VisitStays: 409,
    errors.Replaced: 410,
    errors.NotDrafted: 409,
    errors.RolesUnknown: 409,
    errors.SessionOver: 409,
    errors.SessionPurged: 410,
    errors.SessionGoesOn: 409,
    errors.BadOffer: 422,
    errors.BadAnchor: 422,
    errors.PeerError: 400,
    errors.Overloaded: 503,
    errors.StoreFailed: 503,
    NoNetwork: 503,
}
_CLOSE_CODES: dict[type[SamedayError], int] = {
    errors.NotSignedIn: 4401,
    errors.NotAllowedToRole: 4403,
    errors.NoConsent: 4403,
    errors.SessionPurged: 4410,
    errors.TooMany: 4429,
    errors.UnknownSession: 4404,
    errors.UnknownTrack: 4404,
    errors.SessionOver: CLOSE_OVER,
    errors.Overloaded: 4503,
    errors.StoreFailed: CLOSE_FAILED,
    errors.Fenced: CLOSE_MOVED,
}
HTTP_CODES = {
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
}
"""What a request that reaches no session is refused with."""
_CLOSE_BAD_REQUEST = 4400
_RETRY_AFTER_S = 30


def status(error: SamedayError) -> int:
    """The HTTP status."""
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)


def close_code(error: SamedayError) -> int:
    """The code that a WebSocket is closed with."""
    return _CLOSE_CODES.get(type(error), _CLOSE_BAD_REQUEST)


def headers(error: SamedayError) -> dict[str, str]:
    """What an HTTP answer says beside: when to come again, and how to say who one is."""
    if isinstance(error, errors.TooMany):
        return {"Retry-After": str(math.ceil(error.retry_after_s))}
    if isinstance(error, errors.NotSignedIn):
        return {"WWW-Authenticate": 'Bearer realm="sameday"'}
    return {"Retry-After": str(_RETRY_AFTER_S)} if status(error) == 503 else {}


def told(error: SamedayError) -> dict[str, Any]:
    """The error object of an error, with what some say more: the version that counts, the findings that stand."""
    made = body(error.code, error.message, error.mend)
    if isinstance(error, errors.Conflict):
        made["error"]["version"] = error.current
    if isinstance(error, NotSignable):
        made["error"]["checks"] = [one.as_json() for one in error.checks]
    return made


def body(code: str, message: str, mend: str) -> dict[str, Any]:
    """The error object; a message may name a key that was sent, which can be no text at all (a lone surrogate)."""
    return {"error": {"code": code, "message": tidy(message), "mend": tidy(mend)}}


def faults(found: Sequence[Any]) -> str:
    """Where a request is wrong and why, never what was sent: that may hold names."""
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in found)
