"""What the page shows when a session is over: the note, where it comes from, and what there is without one."""

import json

import pytest
from browser_pages import OpenPage, consent_and_start, end_session, live_page, said
from fake_session_server import FakeServer
from playwright.sync_api import expect
from session_script import NOTE, TALK, Message, draft, ended, failed, gap, statement, utterance

pytestmark = pytest.mark.browser
pytest_plugins = ("browser_fixtures",)


def test_an_empty_session_says_so(server: FakeServer, open_page: OpenPage) -> None:
    empty = {"format": "soap", "sections": [{"name": "Subjective", "statements": []}], "risk": {}, "checks": [],
             "billing": {"minutes": 0.4, "cpt": None, "margin_min": 15.6}}  # fmt: skip
    server.on_end = [ended(24.0), draft(empty)]
    page = live_page(server, open_page)
    end_session(page)
    expect(page.get_by_text("There is nothing to write a note from")).to_be_visible()
    expect(page.get_by_text("No words were recognized in this session.")).to_be_visible()
    expect(page.get_by_text("Under a minute measured: too short for a psychotherapy code")).to_be_visible()


def test_an_interrupted_session_says_so(server: FakeServer, open_page: OpenPage) -> None:
    page = live_page(server, open_page)
    server.emit(utterance(1, 1.0, "What was said is kept."))
    server.newest.state = "interrupted"
    page.reload()
    expect(page.get_by_text("The server stopped while this session ran.")).to_be_visible()
    said(page, "What was said is kept.").wait_for()


def test_a_note_that_fails_leaves_the_transcript(server: FakeServer, open_page: OpenPage) -> None:
    server.on_end = [ended(10.0), failed("draft", "draft_failed")]
    page = live_page(server, open_page)
    server.emit(utterance(1, 1.0, "What was said is kept."))
    end_session(page)
    expect(page.get_by_text("The note could not be drafted.")).to_be_visible()
    said(page, "What was said is kept.").wait_for()


def test_the_note_says_where_each_statement_comes_from(server: FakeServer, open_page: OpenPage) -> None:
    server.on_end = [ended(47.5, 6.6), draft(NOTE)]
    page = live_page(server, open_page)
    server.emit(*TALK)
    end_session(page)
    plan = page.get_by_role("region", name="Plan", exact=True).get_by_role("listitem")
    expect(plan).to_contain_text(["From the session", "Suggested, not said"])
    expect(page.get_by_role("region", name="Assessment").get_by_role("listitem").first).to_contain_text(
        "Not supported by what was said"
    )
    expect(page.get_by_role("region", name="Assessment").get_by_role("listitem")).to_contain_text(
        ["Not supported", "From the session", "For you to enter", "For you to enter"]
    )
    expect(page.get_by_text("From the chart or the session’s clock")).to_be_visible()
    risk = page.get_by_role("row").filter(has_text="Suicidal thoughts")
    expect(risk).to_contain_text("Asked and denied")
    expect(page.get_by_role("row").filter(has_text="Access to means")).to_contain_text("Not assessed this session")
    link = risk.get_by_role("button", name="Client, 0:28: show what was said")
    link.press("Enter")
    expect(said(page, "No. Nothing like that.")).to_be_focused()
    expect(said(page, "When you lie there")).to_have_attribute("data-evidence", "")
    page.keyboard.press("Escape")
    expect(link).to_be_focused()
    whole = page.get_by_role("region", name="Is it all there?")
    expect(whole).to_contain_text("6 s of sound is missing, in 1 gap.")
    expect(whole).to_contain_text("Recording began at 0:01.")


def test_the_note_is_copied_without_the_transcript(server: FakeServer, open_page: OpenPage) -> None:
    server.on_end = [ended(47.5), draft(NOTE)]
    page = live_page(server, open_page)
    server.emit(*TALK)
    end_session(page)
    page.get_by_role("button", name="Copy as plain text").click()
    expect(page.locator(".note__copied")).to_contain_text("The note is copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("SOAP\nDRAFT, NOT SIGNED\n\nSUBJECTIVE\n- Client reports early waking")
    assert "- Consider sleep restriction if early waking stays. [Suggested, not said]" in copied
    assert "[Not supported by what was said: check or drop it]" in copied
    body, _, rest = copied.partition("STILL TO ENTER\n")
    assert "to be entered" not in body
    assert "Risk: not assessed" not in body
    assert rest == (
        "- Clinical interpretation: to be entered by the clinician. (Assessment)\n"
        "- Risk: not assessed this session: plan, means. (Assessment)\n"
    )
    assert "- Access to means: Not assessed this session" in copied
    assert "Yes, I can do that." not in copied


def test_a_note_from_before_a_swap_says_so(server: FakeServer, open_page: OpenPage) -> None:
    server.on_end = [ended(47.5), draft(NOTE)]
    page = live_page(server, open_page)
    server.emit(*TALK)
    server.newest.roles = {"S1": "clinician", "S2": "client"}
    end_session(page)
    page.get_by_role("heading", name="Draft note · SOAP").wait_for()
    with page.expect_response("**/note*"):
        page.get_by_role("button", name="Swap roles").click()
    expect(page.get_by_text("The roles were changed after this note was drafted.")).to_be_visible()
    changed = NOTE | {"sections": [{"name": "Plan", "statements": [statement("Drafted anew.", 9)]}]}
    server.newest.log.append(draft(changed) | {"sequence": len(server.newest.log) + 1})
    page.get_by_role("button", name="Swap roles").click()
    expect(page.get_by_text("Drafted anew.")).to_be_visible()
    expect(page.get_by_text("The roles were changed after this note was drafted.")).to_be_hidden()


_DAP: Message = NOTE | {"format": "dap", "sections": [{"name": "Data", "statements": [statement("As data.", 2)]}]}


def test_another_format_is_shown_by_keyboard_and_remembered(server: FakeServer, open_page: OpenPage) -> None:
    server.on_end = [ended(47.5), draft(NOTE)]
    server.formats["dap"] = _DAP
    page = live_page(server, open_page)
    server.emit(*TALK)
    end_session(page)
    choice = page.get_by_role("combobox", name="Format of the note")
    expect(choice).to_have_value("soap")
    assert choice.locator("option").count() == 8
    choice.focus()
    page.keyboard.press("D")
    expect(page.get_by_role("heading", name="Draft note · DAP")).to_be_visible()
    expect(page.get_by_text("As data.")).to_be_visible()
    expect(choice).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("The note is shown as DAP: Data, Assessment, Plan.")
    page.get_by_role("button", name="Copy as plain text").click()
    expect(page.locator(".note__copied")).to_contain_text("The note is copied.")
    assert page.evaluate("navigator.clipboard.readText()").startswith("DAP\n")
    page.reload()
    expect(page.get_by_role("heading", name="Draft note · DAP")).to_be_visible()
    choice.select_option("soap")
    expect(page.get_by_role("heading", name="Draft note · SOAP")).to_be_visible()


def test_a_format_that_the_server_refuses_leaves_the_note(server: FakeServer, open_page: OpenPage) -> None:
    server.on_end = [ended(47.5), draft(NOTE)]
    page = live_page(server, open_page)
    server.emit(*TALK)
    end_session(page)
    server.refusals["GET", "note"] = (503, "overloaded")
    choice = page.get_by_role("combobox", name="Format of the note")
    choice.select_option("birp")
    expect(page.get_by_text("The server is full")).to_be_visible()
    expect(choice).to_have_value("soap")
    expect(page.get_by_role("heading", name="Draft note · SOAP")).to_be_visible()


def test_what_is_open_before_signing_is_one_link_away(server: FakeServer, open_page: OpenPage) -> None:
    server.on_end = [ended(47.5), draft(NOTE)]
    page = open_page(server.url, "phone")
    consent_and_start(page)
    end_session(page)
    address = page.url
    page.get_by_role("link", name="Before you sign: 3 points").click()
    heading = page.get_by_role("heading", name="Before you sign")
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    expect(page.get_by_text("Complete these in your record before signing.")).to_be_visible()
    assert page.url == address


def test_the_wait_for_the_connection_is_no_loss(server: FakeServer, open_page: OpenPage) -> None:
    server.on_end = [ended(47.5, 1.0), draft(NOTE)]
    page = live_page(server, open_page)
    server.emit(gap(0.0, 1.0, "no_audio"), utterance(1, 2.0, "Good morning."))
    expect(page.locator(".gap")).to_have_text("Recording began at 0:01.")
    end_session(page)
    whole = page.get_by_role("region", name="Is it all there?")
    expect(whole).to_contain_text("All sound that was received has been written down.")
    expect(whole).to_contain_text("Recording began at 0:01.")
    expect(whole.locator("div").filter(has_text="Missing").last).to_have_text("Missingnothing")


def test_earlier_sessions_are_found_again_and_forgotten(server: FakeServer, open_page: OpenPage) -> None:
    server.on_end = [ended(47.5), draft(NOTE)]
    page = live_page(server, open_page)
    server.emit(*TALK)
    end_session(page)
    page.get_by_role("heading", name="Draft note · SOAP").wait_for()
    page.get_by_role("button", name="New session").click()
    earlier = page.get_by_role("region", name="Earlier sessions in this browser")
    kept = page.evaluate("localStorage.getItem('sameday.sessions')")
    assert json.loads(kept) == [{"id": server.newest.id, "at": server.newest.started_at}]
    earlier.get_by_role("link").click()
    page.get_by_role("heading", name="Draft note · SOAP").wait_for()
    page.get_by_role("button", name="New session").click()
    earlier.get_by_role("button", name="Forget").click()
    expect(earlier).to_be_hidden()
    expect(page.get_by_role("heading", name="New session")).to_be_focused()
    page.reload()
    expect(earlier).to_be_hidden()
