"""Review: the transition table, edits and where words come from, signing, addenda, and the same from a log."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drafting import review_log
from drafting.core import draft
from drafting.note import CheckFinding, Note
from drafting.rechart import recharted
from drafting.review import (
    TRANSITIONS,
    NotAllowed,
    NotSignable,
    Review,
    UnknownSection,
    addend,
    digest,
    edit,
    redraft,
    sign,
    switch,
)
from drafting.review_changes import BadEdit, Change, changed
from streaming.errors import Conflict
from streaming.types import NoteContext, Section, Statement, Transcript, UtteranceId

pytestmark = pytest.mark.unit

AT, LATER = "2026-02-01T09:00:00+01:00", "2026-02-01T10:00:00+01:00"
SAID = Statement("Worry most days.", "transcript", (UtteranceId("mic.1"),))
DOUBTFUL = Statement("Sleeps ten hours.", "transcript", (UtteranceId("mic.2"),), supported=False)
PROMPT = Statement("Appearance: to be entered.", "suggestion", ())
SUGGESTED = Statement("Suggested: thought record.", "suggestion", ())
NOT_ASKED = Statement("Risk: not assessed this session: suicidal ideation.", "suggestion", ())
SESSION = NoteContext(started_at="2026-02-01T08:00:00+01:00", ended_at="2026-02-01T08:51:00+01:00", client="A. B.")


def note(*sections: Section, checks: tuple[CheckFinding, ...] = (), format: str = "soap") -> Note:
    made = sections or (Section("Subjective", (SAID, DOUBTFUL)), Section("Plan", (PROMPT, SUGGESTED, NOT_ASKED)))
    return replace(draft(Transcript((), {})), sections=made, checks=checks, format=format)


def logged(*sections: Section, checks: tuple[CheckFinding, ...] = ()) -> Review:
    return review_log.drafted(None, note(*sections, checks=checks).as_json(), at=AT)


def texts(review: Review, section: str) -> list[str]:
    return [told.text for one in review.note.sections if one.name == section for told in one.statements]


def error(rule: str) -> CheckFinding:
    return CheckFinding(rule, "error", "It is missing.", "Plan")


# States


def test_every_state_of_the_table_is_reached_from_a_draft() -> None:
    reached, more = {"draft"}, True
    while more:
        new = {to for (state, _), to in TRANSITIONS.items() if state in reached} - reached
        reached, more = reached | new, bool(new)
    assert reached == {"draft", "edited", "awaiting", "signed", "addended"}


def test_each_step_is_a_version_with_a_line_in_the_trail_that_holds_no_words() -> None:
    review = edit(Review(note()), "Plan", ("Walks daily.",), at=AT, who="P. Doe")
    review = addend(sign(review, at=LATER, who="P. Doe", context=SESSION), "Called back.", at=LATER, who="S. Roe")
    assert [(one.version, one.action, one.who) for one in review.trail] == [
        (2, "edit", "P. Doe"),
        (3, "sign", "P. Doe"),
        (4, "addend", "S. Roe"),
    ]
    assert review.version == 4
    assert not any(word in one.what for one in review.trail for word in ("Walks", "Called"))


# Edits


def test_a_sentence_left_as_it_was_keeps_where_it_comes_from() -> None:
    edited = edit(Review(note()), "Subjective", ("Worry most days.", "Walks daily."), at=AT, who="P")
    assert [one.provenance for one in edited.note.sections[0].statements] == ["transcript", "clinician"]
    assert edited.note.sections[0].statements[0].evidence == SAID.evidence


def test_a_redraft_never_overwrites_what_a_person_wrote() -> None:
    edited = edit(Review(note()), "Plan", ("Walks daily.",), at=AT, who="P")
    again = redraft(edited, note(Section("Subjective", ()), Section("Plan", (SAID,))), at=AT, who="server")
    assert (texts(again, "Subjective"), texts(again, "Plan")) == ([], ["Walks daily."])
    assert again.state == "edited"


def test_a_section_without_an_edit_takes_the_redraft() -> None:
    again = redraft(Review(note()), note(Section("Plan", (SAID,))), at=AT, who="server")
    assert (texts(again, "Plan"), again.state) == (["Worry most days."], "draft")


def test_an_edit_goes_along_to_formats_that_have_the_section_and_comes_back() -> None:
    edited = edit(
        edit(logged(), "Plan", ("Walks daily.",), at=AT, who="P"), "Subjective", ("Tired.",), at=AT, who="P"
    )
    dap = switch(edited, note(Section("Data", (SAID,)), Section("Plan", ()), format="dap"), at=AT, who="P")
    assert (texts(dap, "Data"), texts(dap, "Plan")) == (["Worry most days."], ["Walks daily."])
    back = switch(dap, note(), at=AT, who="P")
    assert (texts(back, "Subjective"), texts(back, "Plan")) == (["Tired."], ["Walks daily."])


def _made(*changes: Change) -> dict[str, list[tuple[str, str]] | None]:
    found = changed(logged(), changes)
    return {name: rows and [(one.text, one.provenance) for one in rows] for name, rows in found.items()}  # type: ignore[misc]


def test_changes_follow_each_other() -> None:
    assert _made(
        Change("drop", "Subjective", 1),
        Change("add", "Subjective", text="Slept well."),
        Change("add", "Subjective", 0, "Came on time."),
        Change("rewrite", "Subjective", 1, "Worry every day."),
        Change("accept", "Plan", 1),
    ) == {
        "Subjective": [
            ("Came on time.", "clinician"),
            ("Worry every day.", "clinician"),
            ("Slept well.", "clinician"),
        ],
        "Plan": [
            (PROMPT.text, "suggestion"),
            (SUGGESTED.text, "clinician"),
            (NOT_ASKED.text, "suggestion"),
        ],
    }


def test_a_rewritten_sentence_shows_what_it_was_written_from() -> None:
    (after,) = changed(logged(), [Change("rewrite", "Subjective", 0, "Worry every day.")]).values()
    assert after is not None
    assert (after[0].provenance, after[0].evidence) == ("clinician", SAID.evidence)
    (same,) = changed(logged(), [Change("rewrite", "Subjective", 0, SAID.text)]).values()
    assert same is not None
    assert same[0] == SAID


def test_who_accepts_a_doubtful_sentence_stands_for_it() -> None:
    (after,) = changed(logged(), [Change("accept", "Subjective", 1), Change("accept", "Subjective", 0)]).values()
    assert after == (SAID, Statement(DOUBTFUL.text, "clinician", DOUBTFUL.evidence, True))


def test_a_section_goes_back_to_the_draft() -> None:
    edited = edit(logged(), "Plan", ("Walks daily.",), at=AT, who="P")
    action = review_log.editing(edited, changed(edited, [Change("restore", "Plan")]), at=AT, who="P")
    assert texts(review_log.apply(edited, action), "Plan") == [PROMPT.text, SUGGESTED.text, NOT_ASKED.text]
    assert review_log.apply(edited, action).edited == frozenset()


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (Change("drop", "Mood", 0), UnknownSection),
        (Change("drop", "Plan", 3), UnknownSection),
        (Change("drop", "Plan", -1), UnknownSection),
        (Change("add", "Plan", 4, "x"), UnknownSection),
        (Change("drop", "Plan"), BadEdit),
        (Change("accept", "Plan", 0), BadEdit),
        (Change("write", "Plan", texts=("x",) * 201), BadEdit),
    ],
)
def test_a_change_that_cannot_be_made(change: Change, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        changed(logged(), [change])


def test_what_is_given_back_is_not_changed_in_the_same_breath() -> None:
    with pytest.raises(BadEdit):
        changed(logged(), [Change("restore", "Plan"), Change("drop", "Plan", 0)])


# Signing


def test_signing_is_blocked_by_errors_unless_overridden_with_a_reason() -> None:
    review = Review(note(checks=(error("client_identity"), error("diagnosis"))))
    for reason in ("", "  "):
        with pytest.raises(NotSignable) as refused:
            sign(review, at=AT, who="P", override=reason)
        assert [one.rule for one in refused.value.checks] == ["client_identity", "diagnosis"]
    signed = sign(review, at=AT, who="P", override="chart is down").signed
    assert signed is not None
    assert (signed.override, signed.overridden) == ("chart is down", ("client_identity", "diagnosis"))


def test_a_reason_for_no_error_is_not_kept() -> None:
    signed = sign(Review(note()), at=AT, who="P", override="just in case").signed
    assert signed is not None
    assert (signed.override, signed.overridden) == ("", ())


def test_prompts_are_no_part_of_what_is_signed_and_risk_that_was_not_assessed_is() -> None:
    signed = sign(Review(note()), at=AT, who="P")
    assert texts(signed, "Plan") == [NOT_ASKED.text]
    assert signed.signed is not None
    assert signed.signed.draft == signed.note.draft


def test_what_is_signed_never_changes_and_takes_addenda() -> None:
    signed = sign(Review(note()), at=AT, who="P", credentials="LCSW", context=SESSION)
    attempts: list[Callable[[], Review]] = [
        lambda: edit(signed, "Plan", ("x",), at=AT, who="P"),
        lambda: redraft(signed, note(), at=AT, who="P"),
        lambda: switch(signed, note(format="dap"), at=AT, who="P"),
        lambda: sign(signed, at=AT, who="P"),
    ]
    for attempt in attempts:
        with pytest.raises(NotAllowed):
            attempt()
    assert review_log.drafted(signed, note().as_json()) is signed
    after = addend(addend(signed, "First.", at=AT, who="P"), "Second.", at=LATER, who="P")
    assert [one.text for one in after.addenda] == ["First.", "Second."]
    assert (after.note, after.signed, after.record) == (signed.note, signed.signed, signed.record)
    with pytest.raises(NotAllowed):
        addend(Review(note()), "x", at=AT, who="P")


def test_the_digest_is_that_of_the_record_and_shows_any_change_of_it() -> None:
    signed = sign(Review(note()), at=AT, who="P", context=SESSION)
    assert signed.record is not None
    assert signed.signed is not None
    canonical = json.dumps(signed.record, sort_keys=True, separators=(",", ":"))
    assert signed.signed.digest == hashlib.sha256(canonical.encode()).hexdigest()
    assert signed.intact
    for name in signed.record:
        forged = replace(signed, record={**signed.record, name: "forged"})
        assert not forged.intact, name


def test_the_record_names_client_and_session_as_they_were_known() -> None:
    signed = sign(Review(note()), at=AT, who="P", credentials="LCSW", context=SESSION)
    assert signed.record is not None
    assert signed.record["context"] == {
        "started_at": SESSION.started_at,
        "ended_at": SESSION.ended_at,
        "client": "A. B.",
    }
    assert signed.signed is not None
    assert (signed.signed.context, signed.signed.credentials) == (SESSION, "LCSW")


def test_a_late_signature_says_so_and_why() -> None:
    late = sign(Review(note()), at="2026-02-03T09:00:00+01:00", who="P", late_reason="ill", context=SESSION)
    assert late.late_entry == "Late entry, written 2026-02-03 for the session of 2026-02-01. Reason: ill."
    with pytest.raises(NotSignable) as refused:
        sign(Review(note()), at="2026-02-03T09:00:00+01:00", who="P", context=SESSION)
    assert [one.rule for one in refused.value.checks] == ["late_entry_marked"]


@pytest.mark.parametrize(
    ("at", "late"),
    [
        ("2026-02-01T23:59:00+01:00", False),
        ("2026-02-02T00:01:00+01:00", True),
        ("2026-02-01T23:30:00+00:00", True),  # in the session's zone it is the next day
        ("2026-02-02T05:00:00+09:00", False),
    ],
)
def test_the_day_is_the_one_of_the_sessions_own_clock(at: str, late: bool) -> None:
    signed = sign(Review(note()), at=at, who="P", late_reason="ill", context=SESSION)
    assert (signed.late_entry is not None) == late


def test_a_session_over_midnight_is_not_late_on_the_day_it_ended() -> None:
    over = NoteContext(started_at="2026-01-31T23:30:00+01:00", ended_at="2026-02-01T00:20:00+01:00")
    assert sign(Review(note()), at="2026-02-01T08:00:00+01:00", who="P", context=over).late_entry is None


# The log


def _edited(review: Review, text: str, who: str = "P") -> dict[str, Any]:
    made = changed(review, [Change("add", "Plan", text=text)])
    return {"id": text, **review_log.editing(review, made, at=AT, who=who)}


def test_of_two_edits_of_one_version_the_first_in_the_log_counts() -> None:
    start = logged()
    one, other = _edited(start, "one"), _edited(start, "other")
    after = review_log.follow(review_log.follow(start, one), other)
    assert texts(after, "Plan")[-1] == "one"
    assert after.actions == ("one",)
    with pytest.raises(Conflict) as refused:
        review_log.apply(review_log.apply(start, one), other)
    assert refused.value.current == 2


def test_a_redraft_and_an_addendum_go_with_any_version() -> None:
    start = logged()
    drafted = review_log.redrafting(note(Section("Plan", (SAID,))).as_json(), at=AT, who="P")
    after = review_log.apply(review_log.apply(start, _edited(start, "mine")), drafted)
    assert texts(after, "Plan")[-1] == "mine"
    signed = review_log.apply(after, _signed(after))
    added = [review_log.addending(text, at=AT, who="P", credentials="") for text in ("a", "b")]
    assert [one.text for one in review_log.apply(review_log.apply(signed, added[0]), added[1]).addenda] == ["a", "b"]


def _signed(review: Review) -> dict[str, Any]:
    return review_log.signing(
        review, at=AT, who="P", credentials="LCSW", override="", late_reason="", context=SESSION
    )


def test_what_was_signed_stays_whatever_draft_comes_after_it_in_the_log() -> None:
    start = logged()
    signed = review_log.apply(start, _signed(start))
    assert review_log.drafted(signed, note(Section("Plan", ())).as_json()) == signed
    assert review_log.follow(signed, _edited(start, "late")) == signed
    assert signed.intact


def test_an_edit_that_was_made_before_a_signature_on_the_same_version_cannot_be_lost_in_it() -> None:
    start = logged()
    seal, change = _signed(start), _edited(start, "meanwhile")
    after = review_log.follow(review_log.follow(start, change), seal)
    assert (after.state, after.signed) == ("edited", None)


def test_a_skeleton_is_replaced_by_the_draft_unless_it_was_edited() -> None:
    bare = replace(note(), writer="skeleton").as_json()
    start = review_log.drafted(None, bare)
    assert review_log.drafted(start, note().as_json()).version == 1
    kept = review_log.drafted(review_log.apply(start, _edited(start, "mine")), note().as_json())
    assert (kept.version, texts(kept, "Plan")[-1]) == (3, "mine")


_STEPS = st.lists(
    st.sampled_from(["edit", "old edit", "redraft", "server", "sign", "addend", "restore", "format"]), max_size=12
)


@given(_STEPS)
def test_a_replay_gives_the_same_review_and_a_signed_one_stays(steps: list[str]) -> None:
    """Whatever is written in whatever order, by whoever: JSON through a file gives the same fold."""
    events: list[dict[str, Any]] = []
    live = start = logged()
    sealed: Review | None = None
    for number, step in enumerate(steps):
        action = _step(live, start, step, number)
        events.append(action)
        live = _fold(live, action)
        if sealed is not None:
            assert (live.note, live.record, live.signed) == (sealed.note, sealed.record, sealed.signed)
        elif live.signed is not None:
            sealed = live
    again = start
    for action in json.loads(json.dumps(events)):
        again = _fold(again, action)
    assert again == live
    assert [one.version for one in live.trail] == list(range(1, live.version + 1))


def _fold(review: Review, action: dict[str, Any]) -> Review:
    if action["action"] == "server":
        return review_log.drafted(review, action["note"], at=AT)
    return review_log.follow(review, action)


def _step(live: Review, start: Review, step: str, number: int) -> dict[str, Any]:
    newer = note(Section("Subjective", (Statement(f"Draft {number}.", "transcript", ()),)), Section("Plan", ()))
    match step:
        case "edit" | "old edit":
            return {**_edited(start, f"{number}"), "version": live.version if step == "edit" else 1}
        case "restore":
            return {**review_log.editing(live, {"Plan": None}, at=AT, who="P")}
        case "redraft":
            return review_log.redrafting(newer.as_json(), at=AT, who="P")
        case "format":
            return review_log.formatting(live, replace(newer, format="dap").as_json(), at=AT, who="P")
        case "server":
            return {"action": "server", "note": newer.as_json()}
        case "addend":
            return review_log.addending(f"{number}", at=AT, who="P", credentials="")
    try:
        return _signed(live)
    except NotAllowed:
        return _signed(start)


def test_digest_of_nothing_in_particular_is_a_sha256() -> None:
    assert digest({"b": 1, "a": "é"}) == hashlib.sha256(b'{"a":"\\u00e9","b":1}').hexdigest()


# Chart lines anew


def test_chart_lines_are_replaced_and_what_was_written_from_the_talk_stays() -> None:
    def chart(text: str) -> Statement:
        return Statement(text, "chart", ())

    drafted = (Section("S", (chart("Old."), SAID, PROMPT)), Section("Extra", (SAID,)))
    ours = (Section("S", (chart("New."), chart("More."), DOUBTFUL, SUGGESTED)), Section("Other", ()))
    assert recharted(drafted, ours) == (
        Section("S", (chart("New."), chart("More."), SAID, SUGGESTED)),
        Section("Extra", (SAID,)),
    )
    assert recharted((Section("P", (NOT_ASKED,)),), (Section("P", (NOT_ASKED,)),)) == (Section("P", (NOT_ASKED,)),)
