"""What is recorded of a request: a line for every route. Pure.

A route that is added needs a line here, or one in `SILENT`: a test lists the application's routes and fails without
(`tests/loopback/test_audit_routes.py`). Until it has one, what it answers is recorded as `other`.
"""

import re
from dataclasses import dataclass

from streaming.seats import Seat

WS = "WS"
OTHER = "other"


@dataclass(slots=True)
class Witness:
    """What the layers within find out about a request, for its record.

    `seat` is who asks, as far as that is known; the sign-in says whose it tried. `elsewhere`: another node answers,
    and records it.
    """

    seat: Seat | None = None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A route's record: what is done, to what kind of thing. What `reads` is recorded before it is answered."""

    action: str
    kind: str
    reads: bool
    subject: str = ""

    @property
    def repeats(self) -> bool:
        """Whether the same by the same person within a minute is no news: pages ask again, senders come back."""
        return self.reads or self.action.startswith("audio.")


# Method, path, action. The kind is named by the path, and its id stands in the path, or in the answer's Location
# where it was made. GET and an opened feed of events read; all else changes something.
LINES = """
POST   /api/sign-in                               sign_in
POST   /api/sign-out                              sign_out
GET    /api/oidc/{provider}/back                  sign_in
POST   /api/sessions                              session.start
GET    /api/sessions/{name}                       session.look
DELETE /api/sessions/{name}                       session.delete
POST   /api/sessions/{name}/roles                 transcript.roles
PATCH  /api/sessions/{name}/utterances/{utterance} transcript.correct
GET    /api/sessions/{name}/utterances/{utterance}/clip audio.listen
POST   /api/sessions/{name}/marks                 session.mark
POST   /api/sessions/{name}/participants          consent.presence
POST   /api/sessions/{name}/consent               consent.give
POST   /api/sessions/{name}/revoke                consent.revoke
POST   /api/sessions/{name}/strike                transcript.strike
POST   /api/sessions/{name}/off-record            recording.off
POST   /api/sessions/{name}/on-record             recording.on
POST   /api/sessions/{name}/end                   session.end
GET    /api/sessions/{name}/transcript            transcript.read
WS     /api/sessions/{name}/events                transcript.follow
WS     /api/sessions/{name}/audio                 audio.send
POST   /api/sessions/{name}/whip                  audio.send
DELETE /api/sessions/{name}/whip/{resource}       audio.stop
POST   /api/sessions/{name}/media-token           token.media
PATCH  /api/sessions/{name}/context               session.context
GET    /api/sessions/{name}/note                  note.read
PATCH  /api/sessions/{name}/note                  note.edit
POST   /api/sessions/{name}/note/redraft          note.redraft
POST   /api/sessions/{name}/note/sign             note.sign
POST   /api/sessions/{name}/note/cosign           note.cosign
POST   /api/sessions/{name}/note/return           note.return
POST   /api/sessions/{name}/note/addenda          note.addendum
GET    /api/sessions/{name}/note/trail            note.trail
GET    /api/sessions/{name}/note/thread           note.read
GET    /api/sessions/{name}/note/phrases          note.read
GET    /api/sessions/{name}/note/export           note.export
POST   /api/charts                                chart.make
GET    /api/charts                                chart.list
GET    /api/charts/{key}                          chart.read
PUT    /api/charts/{key}                          chart.edit
DELETE /api/charts/{key}                          chart.delete
POST   /api/recaps                                recap.make
GET    /api/recaps/{key}                          recap.read
POST   /api/recaps/{key}/answers                  recap.edit
GET    /api/backlog                               visit.list
GET    /api/visits                                visit.list
POST   /api/visits                                visit.make
POST   /api/visits/import                         visit.import
GET    /api/visits/{key}                          visit.read
PATCH  /api/visits/{key}                          visit.edit
DELETE /api/visits/{key}                          visit.delete
PUT    /api/phrases                               phrases.edit
GET    /api/audit                                 audit.read
GET    /api/audit/chain                           audit.verify
GET    /api/deletions                             deletion.list
""".strip().splitlines()

SILENT = frozenset(
    line.strip()
    for line in """
    GET /healthz
    GET /readyz
    GET /metrics
    GET /service-worker.js
    GET /sign-in
    GET /authority.crt
    GET /static
    GET /openapi.json
    GET /
    GET /today
    GET /backlog
    GET /clients
    GET /settings
    GET /ops
    GET /audit
    GET /api/seat
    GET /api/oidc/{provider}/start
    GET /api/formats
    GET /api/packs
    GET /api/phrases
    GET /api/pairing
    GET /api/self-check
    POST /api/self-check
    WS /api/dictation
    OPTIONS /api/sessions/{name}/whip
    """.strip().splitlines()
)
"""Routes that give or change nothing of a practice's; the self-check and a dictation keep nothing."""

_KINDS = {"sessions": "session", "charts": "chart", "recaps": "recap", "visits": "visit"}
_ID = re.compile(r"[0-9a-f]{32}")
"""Ids of ours. Anything else in a path was made up, and may be what nobody should read here."""


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(
        "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"({\w+})", path))
    )


_RULES = [
    (
        method,
        _pattern(path),
        Rule(action, _KINDS.get(path.split("/")[2], ""), method == "GET" or path.endswith("/events")),
    )
    for method, path, action in (line.split() for line in LINES)
]
_QUIET = [(method, _pattern(path)) for method, path in (line.split() for line in SILENT)]
ACTIONS = frozenset(rule.action for _, _, rule in _RULES) | {OTHER}
"""What can stand in an entry as `action`, beside `BY_COMMAND`."""
BY_COMMAND = frozenset(
    {
        "account.add", "account.cosignature", "account.disable", "account.enable", "account.password",
        "account.token", "account.drop_tokens", "audit.prune", "audit.read", "audit.verify", "backup.make",
        "backup.restore", "key.rotate", "session.delete", "audit.rolled_back", "visit.import", "visit.list",
    }
)  # fmt: skip
"""What is recorded of commands, and of the server where it deletes what is due or finds an older store."""


def rule_of(method: str, path: str) -> Rule | None:
    """What is recorded of a request; None for one that gives and changes nothing of a practice's."""
    method = "GET" if method == "HEAD" else method
    for wanted, pattern, rule in _RULES:
        if wanted == method and pattern.fullmatch(path):
            return Rule(rule.action, rule.kind, rule.reads, _subject(path))
    if path.startswith("/static/") or any(wanted == method and one.fullmatch(path) for wanted, one in _QUIET):
        return None
    return Rule(OTHER, "", method == "GET")


def id_in(address: str) -> str:
    """The id at the end of an address that something was made under, or nothing."""
    last = address.rpartition("/")[2]
    return last if _ID.fullmatch(last) else ""


def _subject(path: str) -> str:
    parts = path.split("/")
    return parts[3] if len(parts) > 3 and _ID.fullmatch(parts[3]) else ""


def worth_a_record(status: int, seat: Seat | None, rule: Rule) -> str | None:
    """What an entry says of an answer's status, and None for one that gave and changed nothing.

    Somebody who is nobody is refused without an entry, but for attempts to sign in: or anyone could fill the disk.
    """
    if rule.action == "sign_in":
        if status < 400 and seat is not None:
            return "done"
        return {303: "refused", 401: "refused", 403: "refused", 429: "too_many"}.get(status)
    if seat is None:
        return None
    if status < 400:
        return "done"
    if status >= 500:
        return None if rule.reads else "failed"
    return {403: "refused", 404: "not_found", 410: "deleted"}.get(status)
