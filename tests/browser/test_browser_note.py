"""What the page shows when a session is over: the note, where it comes from, and what there is without one."""

import pytest
from browser_pages import OpenPage, end_session, live_page, said
from fake_session_server import FakeServer
from playwright.sync_api import expect
from session_script import NOTE, TALK, draft, ended, failed, statement, utterance

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
    expect(page.get_by_text("too short for a psychotherapy code")).to_be_visible()


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
    server.on_end = [ended(47.5, 5.8), draft(NOTE)]
    page = live_page(server, open_page)
    server.emit(*TALK)
    end_session(page)
    plan = page.get_by_role("region", name="Plan", exact=True).get_by_role("listitem")
    expect(plan).to_contain_text(["From the session", "Suggested, not said"])
    expect(page.get_by_role("region", name="Assessment").get_by_role("listitem").first).to_contain_text(
        "Not supported by what was said"
    )
    risk = page.get_by_role("row").filter(has_text="Suicidal thoughts")
    expect(risk).to_contain_text("Asked and denied")
    expect(page.get_by_role("row").filter(has_text="Access to means")).to_contain_text("Not assessed this session")
    link = risk.get_by_role("button", name="Client, 0:28: show what was said")
    link.press("Enter")
    expect(said(page, "No. Nothing like that.")).to_be_focused()
    expect(said(page, "When you lie there")).to_have_attribute("data-evidence", "")
    page.keyboard.press("Escape")
    expect(link).to_be_focused()
    expect(page.get_by_role("region", name="Is it all there?")).to_contain_text("6 s of sound is missing, in 1 gap.")


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
