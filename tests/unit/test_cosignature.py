"""A supervisor's co-signature: what awaits it is frozen, and is the record or its author's again."""

import json
from dataclasses import replace
from typing import Any

import pytest

from drafting import review_log
from drafting.core import draft
from drafting.document import AWAITING_BANNER, document
from drafting.export_fhir import resource
from drafting.exports import name_of
from drafting.review import NotAllowed, Review, addend, cosign, digest, edit, send_back, sign
from streaming.errors import Conflict
from streaming.types import NoteContext, Section, Statement, Transcript

pytestmark = pytest.mark.unit

AT, LATER = "2026-02-01T09:00:00+01:00", "2026-02-01T10:00:00+01:00"
SESSION = NoteContext(started_at="2026-02-01T08:00:00+01:00", ended_at="2026-02-01T08:51:00+01:00", client="A. B.")
PROMPT = Statement("Appearance: to be entered.", "suggestion", ())


def logged() -> Review:
    sections = (Section("Subjective", (Statement("Worry most days.", "chart", ()),)), Section("Plan", (PROMPT,)))
    note = replace(draft(Transcript((), {})), sections=sections, checks=(), format="soap")
    return review_log.drafted(None, note.as_json(), at=AT)


def submitted(review: Review | None = None) -> Review:
    return sign(review or logged(), at=AT, who="Nora", credentials="LSW", context=SESSION, cosignature=True)


def test_what_awaits_is_frozen_and_not_the_record() -> None:
    waiting = submitted()
    assert (waiting.state, waiting.final, waiting.intact) == ("awaiting", False, True)
    with pytest.raises(NotAllowed):
        edit(waiting, "Plan", ["x"], at=LATER, who="Nora")
    with pytest.raises(NotAllowed):
        sign(waiting, at=LATER, who="Nora", context=SESSION)
    with pytest.raises(NotAllowed):
        addend(waiting, "x", at=LATER, who="Nora")
    with pytest.raises(NotAllowed, match="their own"):
        cosign(waiting, at=LATER, who="Nora")


def test_a_co_signature_is_in_the_record_and_its_digest() -> None:
    waiting = submitted()
    assert waiting.signed is not None
    done = cosign(waiting, at=LATER, who="Sven", credentials="PhD")
    assert (done.state, done.final, done.intact) == ("signed", True, True)
    assert done.record is not None
    assert done.signed is not None
    assert done.record["cosigned"] == {
        "by": "Sven", "credentials": "PhD", "at": LATER, "signed_digest": waiting.signed.digest,
    }  # fmt: skip
    assert (done.signed.signer, done.signed.signed_at, done.signed.cosigner) == ("Nora", AT, "Sven")
    assert done.signed.digest == digest(done.record) != waiting.signed.digest
    forged = replace(done, record={**done.record, "cosigned": done.record["cosigned"] | {"by": "Mallory"}})
    assert not forged.intact
    assert addend(done, "Later.", at=LATER, who="Nora").state == "addended"


def test_a_note_that_comes_back_is_as_it_was_before_it_was_signed() -> None:
    before = edit(logged(), "Subjective", ["Worry each day."], at=AT, who="Nora")
    back = send_back(submitted(before), "Say how it went.", at=LATER, who="Sven")
    assert (back.state, back.signed, back.record, back.version) == ("edited", None, None, before.version + 2)
    assert back.note.sections == before.note.sections
    assert [(one.who, one.text) for one in back.remarks] == [("Sven", "Say how it went.")]
    assert "Say how it went." not in str(back.trail)
    assert submitted(back).state == "awaiting"


def test_the_log_gives_the_same_again() -> None:
    actions: list[dict[str, Any]] = []
    review = logged()

    def act(action: dict[str, Any]) -> None:
        nonlocal review
        review = review_log.apply(review, action)
        actions.append(json.loads(json.dumps(action)))

    who = {"at": AT, "who": "Nora", "credentials": "LSW", "override": "", "late_reason": ""}
    act(review_log.signing(review, **who, context=SESSION, cosignature=True))
    act(review_log.returning(review, "Say how it went.", at=LATER, who="Sven"))
    act(review_log.signing(review, **who, context=SESSION, cosignature=True))
    stale = review_log.cosigning(review, at=LATER, who="Sven", credentials="PhD")
    act(stale)
    assert (review.state, review.intact) == ("signed", True)
    again = logged()
    for action in actions:
        again = review_log.follow(again, action)
    assert again == review
    with pytest.raises(Conflict):
        review_log.apply(review, stale)


def test_who_needs_none_signs_as_before() -> None:
    signed = sign(logged(), at=AT, who="Anna", context=SESSION)
    assert signed.record is not None
    assert (signed.state, "cosigned" in signed.record) == ("signed", False)


def test_what_is_exported_says_who_signed_and_what_is_awaited() -> None:
    waiting = document(submitted())
    assert (waiting.banner, waiting.is_signed) == (AWAITING_BANNER, True)
    assert ("Co-signature", "awaited") in [(one.label, one.value) for one in waiting.signature]
    assert resource(waiting)["docStatus"] == "preliminary"
    assert name_of(waiting, "pdf").endswith("-awaiting.pdf")
    done = document(cosign(submitted(), at=LATER, who="Sven", credentials="PhD"))
    assert done.banner == ""
    fields = {one.label: one.value for one in done.signature}
    assert (fields["Signed by"], fields["Co-signed by"]) == ("Nora, LSW", "Sven, PhD")
    assert fields["Co-signed at"].startswith("2026-02-01 10:00")
    assert resource(done)["docStatus"] == "final"
    assert resource(done)["authenticator"]["display"] == "Sven"
