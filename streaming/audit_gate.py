"""Records each request that sees or changes what a practice keeps: the one place for all routes (`audit_rules.py`).

It stands in front of the gate, so that what the gate refuses is recorded too. What is read goes out only once its
entry is durable: without a store there is no reading. What is changed has been changed by then; where its entry
cannot be written it waits, and while too many wait nothing more is changed. Plain ASGI. A WebSocket gives one entry,
with its first message; the same person who reads the same again within a minute gives none.
"""

import json
import time
from collections import OrderedDict

from streaming import audit_rules, refusals, wall_clock
from streaming.audit_chain import HOUSE, Deed
from streaming.audit_rules import Rule, Witness
from streaming.errors import Overloaded, SamedayError, StoreFailed
from streaming.guard import App, Message, Receive, Scope, Send
from streaming.serving import Server

_SAME_S = 60.0
_REMEMBERED = 4096


class AuditGate:
    """Wraps the application."""

    def __init__(self, app: App, server: Server) -> None:
        self._app = app
        self._server = server
        self._seen: OrderedDict[tuple[str, ...], float] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        rule = _rule(scope)
        if rule is not None:
            scope["witness"] = Witness()
        if rule is None or not self._server.started:
            await self._app(scope, receive, send)
            return
        answer = _Answer(self, rule, scope, send)
        try:
            self._server.audit.check_room()
        except Overloaded as error:
            await answer.refuse(error, receive)
            return
        await self._app(scope, receive, answer.send)

    async def record(self, rule: Rule, scope: Scope, outcome: str, made: str) -> None:
        """Write an entry down. Raises StoreFailed where it was about to be read."""
        witness: Witness = scope["witness"]
        seat = witness.seat
        practice = seat.practice if seat is not None else HOUSE
        deed = Deed(
            at=wall_clock.utc(),
            actor=seat.account if seat is not None else "",
            role=seat.role if seat is not None else "nobody",
            way=seat.way if seat is not None else "",
            action=rule.action,
            kind=rule.kind,
            subject="" if outcome == "not_found" else rule.subject or made,  # there is nothing of that name here
            outcome=outcome,
            source=_source(scope) if rule.action == "sign_in" else "",
        )
        key = (practice, deed.actor, deed.way, deed.action, deed.subject, deed.outcome, deed.source)
        repeats = rule.repeats or outcome not in ("done", "refused")
        if repeats and time.monotonic() - self._seen.get(key, -_SAME_S) < _SAME_S:
            return
        if rule.reads and outcome == "done":
            await self._server.audit.append(practice, deed)
        else:
            await self._server.audit.append_surely(practice, deed)
        if repeats:
            self._remember(key)

    def _remember(self, key: tuple[str, ...]) -> None:
        self._seen[key] = time.monotonic()
        self._seen.move_to_end(key)
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)


class _Answer:
    """What is sent to the one who asks, as far as it may go out."""

    def __init__(self, gate: AuditGate, rule: Rule, scope: Scope, send: Send) -> None:
        self._gate = gate
        self._rule = rule
        self._scope = scope
        self._send = send
        self._recorded = False
        self._refused = False

    async def send(self, message: Message) -> None:
        if self._refused:
            return
        told = None if self._recorded or self._scope["witness"].elsewhere else _status(message)
        if told is not None:
            self._recorded = True
            outcome = audit_rules.worth_a_record(told, self._scope["witness"].seat, self._rule)
            if outcome is not None:
                try:
                    await self._gate.record(self._rule, self._scope, outcome, _made(message))
                except StoreFailed as error:
                    await self.refuse(error)
                    return
        await self._send(message)

    async def refuse(self, error: SamedayError, receive: Receive | None = None) -> None:
        """Say why there is no answer; nothing of the application's goes out after it."""
        self._refused = True
        told = json.dumps(refusals.told(error))
        if self._scope["type"] == "websocket":
            if receive is not None:
                await receive()
                await self._send({"type": "websocket.accept"})
            await self._send({"type": "websocket.send", "text": told})
            await self._send({"type": "websocket.close", "code": refusals.close_code(error)})
            return
        headers = {"content-type": "application/json", "content-length": str(len(told))} | refusals.headers(error)
        lines = [(name.encode(), text.encode()) for name, text in headers.items()]
        await self._send({"type": "http.response.start", "status": refusals.status(error), "headers": lines})
        await self._send({"type": "http.response.body", "body": told.encode()})


def _rule(scope: Scope) -> Rule | None:
    if scope["type"] == "http":
        return audit_rules.rule_of(scope["method"], scope["path"])
    return audit_rules.rule_of(audit_rules.WS, scope["path"]) if scope["type"] == "websocket" else None


def _status(message: Message) -> int | None:
    """The status of an answer that begins; a WebSocket's by its first message, which says why where it is refused."""
    if message["type"] == "http.response.start":
        return int(message["status"])
    if message["type"] != "websocket.send":
        return None
    return 403 if str(message.get("text") or "").startswith('{"error"') else 200


def _made(message: Message) -> str:
    """The id of what an answer says was made."""
    headers = dict(message.get("headers", ()))
    return audit_rules.id_in(headers.get(b"location", b"").decode("latin-1"))


def _source(scope: Scope) -> str:
    peer = scope.get("peer")
    return peer.address if peer is not None else ""
