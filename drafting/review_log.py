"""A review as a session's log keeps it: drafts and what people did to them, folded in order. Pure.

What a person does is an action: a JSON object with its result and not its reasons, so that a replay gives the same
review whatever rules and writers have become. An action names the version of the review that it was made on. Of two
that were made on the same version the first in the log counts, wherever they came from; the other changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from drafting import note_json
from drafting.review import (
    SKELETON,
    Action,
    Entry,
    Review,
    addend,
    change,
    cosign,
    overlaid,
    redraft,
    seal,
    send_back,
    sign,
    step,
    switch,
)
from streaming.errors import Conflict, PeerError
from streaming.types import NoteContext, Statement


def drafted(review: Review | None, body: Mapping[str, Any], *, at: str = "", why: str = "end") -> Review:
    """The review after a draft by the server: edited sections stay. A signed note stays as it is."""
    note = note_json.read(body)
    if review is None or (review.note.writer == SKELETON and not review.trail[1:]):
        return Review(note, drafts={note.format: body}, trail=(Entry(at, "server", "draft", why, 1),))
    if review.signed is not None:
        return review
    version = review.version + 1
    return replace(
        review,
        note=overlaid(note, review.edits),
        drafts={note.format: body},
        version=version,
        trail=(*review.trail, Entry(at, "server", "draft", why, version)),
    )


def follow(review: Review, action: Mapping[str, Any]) -> Review:
    """The review after an action of the log; the same where the action does not count."""
    try:
        return apply(review, action)
    except PeerError:
        return review


def apply(review: Review, action: Mapping[str, Any]) -> Review:
    """The review after an action.

    Raises Conflict where the action was made on another version than the review's, NotAllowed, UnknownSection. An
    action that names no version counts on any: what it does goes well with what others did.
    """
    made_on = action.get("version")
    if made_on is not None and made_on != review.version:
        raise Conflict(
            "The note has been changed meanwhile.", current=review.version, mend="Read it again, then change it."
        )
    made = _DO[action["action"]](review, action, {"at": action["at"], "who": action["who"]})
    return replace(made, actions=(*made.actions, action.get("id", "")))


_Who = Mapping[str, str]


def _edit(review: Review, action: Mapping[str, Any], who: _Who) -> Review:
    sections = {
        name: None if rows is None else note_json.statements(rows) for name, rows in action["sections"].items()
    }
    return change(review, sections, **who)


def _redraft(review: Review, action: Mapping[str, Any], who: _Who) -> Review:
    note = note_json.read(action["note"])
    return replace(redraft(review, note, what=action["what"], **who), drafts={note.format: action["note"]})


def _format(review: Review, action: Mapping[str, Any], who: _Who) -> Review:
    note = note_json.read(action["note"])
    drafts = {**review.drafts, note.format: action["note"]}
    return replace(switch(review, note, **who), drafts=drafts)


def _sign(review: Review, action: Mapping[str, Any], who: _Who) -> Review:
    """The note as the action has it: what was signed is not worked out anew."""
    kind: Action = "submit" if "cosigned" in action["record"] else "sign"
    return seal(step(review, kind, what=action["what"], **who), action["record"], action["digest"])


def _cosign(review: Review, action: Mapping[str, Any], who: _Who) -> Review:
    return seal(step(review, "cosign", what=action["what"], **who), action["record"], action["digest"])


def _return(review: Review, action: Mapping[str, Any], who: _Who) -> Review:
    return send_back(review, action["remark"], **who)


def _addend(review: Review, action: Mapping[str, Any], who: _Who) -> Review:
    return addend(review, action["text"], credentials=action["credentials"], **who)


_DO = {
    "edit": _edit, "redraft": _redraft, "format": _format, "sign": _sign, "cosign": _cosign, "return": _return,
    "addend": _addend,
}  # fmt: skip


def editing(
    review: Review, sections: Mapping[str, Sequence[Statement] | None], *, at: str, who: str
) -> dict[str, Any]:
    """The action of `review.change`."""
    told = {name: None if rows is None else note_json.write(rows) for name, rows in sections.items()}
    return {"action": "edit", "version": review.version, "at": at, "who": who, "sections": told}


def redrafting(note: Mapping[str, Any], *, at: str, who: str, what: str = "all") -> dict[str, Any]:
    """The action of `review.redraft`; it goes with any version, since what people edited stays."""
    return {"action": "redraft", "at": at, "who": who, "what": what, "note": dict(note)}


def formatting(review: Review, note: Mapping[str, Any], *, at: str, who: str) -> dict[str, Any]:
    """The action of `review.switch`."""
    return {"action": "format", "version": review.version, "at": at, "who": who, "note": dict(note)}


def signing(
    review: Review,
    *,
    at: str,
    who: str,
    credentials: str,
    override: str,
    late_reason: str,
    context: NoteContext,
    cosignature: bool = False,
) -> dict[str, Any]:
    """The action of `review.sign`, whose findings are those of the review's note. Raises NotSignable, NotAllowed."""
    made = sign(
        review,
        at=at,
        who=who,
        credentials=credentials,
        override=override,
        late_reason=late_reason,
        context=context,
        cosignature=cosignature,
    )
    return _recorded("sign", review, made, at=at, who=who)


def cosigning(review: Review, *, at: str, who: str, credentials: str) -> dict[str, Any]:
    """The action of `review.cosign`. Raises NotAllowed."""
    made = cosign(review, at=at, who=who, credentials=credentials)
    return _recorded("cosign", review, made, at=at, who=who)


def returning(review: Review, remark: str, *, at: str, who: str) -> dict[str, Any]:
    """The action of `review.send_back`."""
    return {"action": "return", "version": review.version, "at": at, "who": who, "remark": remark}


def addending(text: str, *, at: str, who: str, credentials: str) -> dict[str, Any]:
    """The action of `review.addend`; it goes with any version of a signed note."""
    return {"action": "addend", "at": at, "who": who, "text": text, "credentials": credentials}


def _recorded(action: str, review: Review, made: Review, *, at: str, who: str) -> dict[str, Any]:
    """What makes a note the record, or waits for a second signature to: with the whole of it, and its digest."""
    assert made.record is not None
    assert made.signed is not None
    return {
        "action": action,
        "version": review.version,
        "at": at,
        "who": who,
        "what": made.trail[-1].what,
        "record": dict(made.record),
        "digest": made.signed.digest,
    }
