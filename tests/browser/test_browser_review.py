"""The review of a note in real Chromium, against a real server: look, change, sign, add, take along."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from browser_pages import SIZES, OpenPage, at_each
from playwright.sync_api import Locator, Page, expect
from reviewed_session import CONTEXT, INVENTED, write_session

from benchmarks.server_process import running_server
from streaming.types import NoteContext

pytestmark = pytest.mark.browser
pytest_plugins = ("browser_fixtures",)

CARE = "Care continues, because worry still keeps the client from meeting deadlines at work."


@dataclass
class Practice:
    """A server, and the sessions written into its log."""

    url: str
    folder: Path

    def session(self, *, context: NoteContext | None = CONTEXT, days_ago: int = 0) -> str:
        return write_session(self.folder, context=context, days_ago=days_ago)

    def page_of(self, session: str) -> str:
        return f"{self.url}/#session={session}"

    def note(self, session: str) -> dict[str, object]:
        found: dict[str, object] = httpx.get(f"{self.url}/api/sessions/{session}/note").json()
        return found

    def change(self, session: str, **body: object) -> None:
        httpx.patch(f"{self.url}/api/sessions/{session}/note", json=body).raise_for_status()


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    folder = tmp_path_factory.mktemp("review")
    with running_server({"SAMEDAY_DATA_DIR": str(folder)}) as running:
        yield Practice(running.url, folder)


@pytest.fixture
def new_practice(tmp_path: Path) -> Iterator[Practice]:
    """One that has signed nothing yet: a note like a signed one may not be signed without a reason."""
    with running_server({"SAMEDAY_DATA_DIR": str(tmp_path / "data")}) as running:
        yield Practice(running.url, tmp_path / "data")


def opened(practice: Practice, open_page: OpenPage, session: str, size: str = "desktop") -> Page:
    page = open_page(practice.page_of(session), size)
    page.get_by_role("heading", name="Look at these first").wait_for()
    return page


def section(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def sentences(page: Page, name: str) -> list[str]:
    return section(page, name).locator(".statement__text").all_inner_texts()


def mended(page: Page) -> None:
    """The draft's two faults mended: the sentence that nobody said, and why care continues."""
    page.get_by_role("button", name=f"Drop: {INVENTED}").click()
    expect(page.get_by_text(INVENTED)).to_have_count(0)
    page.get_by_role("button", name="Add a sentence to Assessment").click()
    page.keyboard.type(CARE)
    page.keyboard.press("Control+Enter")
    expect(section(page, "Assessment").get_by_text(CARE)).to_be_visible()


def signed(page: Page) -> None:
    page.get_by_role("button", name="Sign the note").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Note · SOAP")


def test_the_least_certain_stands_first_and_leads_to_its_place(practice: Practice, open_page: OpenPage) -> None:
    page = opened(practice, open_page, practice.session())
    looks = section(page, "Look at these first").get_by_role("button")
    kinds = looks.all_inner_texts()
    order = ["Not supported", "Words that were hard", "About risk", "For you to enter"]
    found = [next(at for at, name in enumerate(order) if one.startswith(name)) for one in kinds]
    assert kinds[0].startswith("About risk"), "what could do most harm comes first"
    assert sorted(found) == [0, 1, 1, 2, 3, 3, 3]
    assert found.index(0) < max(at for at, kind in enumerate(found) if kind == 3), (
        "of the same harm the least certain comes first"
    )
    looks = looks.filter(has_text=INVENTED)
    looks.first.press("Enter")
    focused = page.locator(":focus")
    expect(focused).to_contain_text(INVENTED)
    expect(focused).to_be_in_viewport()
    expect(focused.get_by_role("button", name=f"Keep as my own: {INVENTED}")).to_be_visible()
    expect(section(page, "Objective").get_by_text("Heard with doubt: “six”.")).to_be_visible()


def test_a_section_is_edited_by_keyboard_and_kept_sentences_stay_the_sessions(
    practice: Practice, open_page: OpenPage
) -> None:
    session = practice.session()
    page = opened(practice, open_page, session)
    before = sentences(page, "Plan")
    page.get_by_role("button", name="Edit as text: Plan").focus()
    page.keyboard.press("Enter")
    field = page.get_by_role("textbox", name="Plan: one sentence a line")
    expect(field).to_be_focused()
    expect(field).to_have_value("\n".join(before))
    field.fill(f"{before[0]}\nNext session in one week.")
    field.press("Control+Enter")
    expect(page.get_by_role("heading", name="Plan")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("Plan is saved.")
    assert sentences(page, "Plan") == [before[0], "Next session in one week."]
    sources = section(page, "Plan").locator(".source").all_inner_texts()
    assert sources == ["From the session", "Entered by you"]
    expect(section(page, "Plan").get_by_text("Edited by you")).to_be_visible()
    page.reload()
    page.get_by_role("heading", name="Look at these first").wait_for()
    assert sentences(page, "Plan") == [before[0], "Next session in one week."]
    page.get_by_role("button", name="Back to the draft: Plan").click()
    expect(section(page, "Plan").locator(".statement__text")).to_have_text(before)


def test_escape_leaves_a_section_as_it_was(practice: Practice, open_page: OpenPage) -> None:
    session = practice.session()
    page = opened(practice, open_page, session)
    before = sentences(page, "Plan")
    page.get_by_role("button", name="Edit as text: Plan").click()
    page.keyboard.type("Something else. ")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Plan")).to_be_focused()
    assert sentences(page, "Plan") == before
    assert practice.note(session)["version"] == 1


def test_a_prompt_is_answered_and_never_accepted_as_it_is(practice: Practice, open_page: OpenPage) -> None:
    page = opened(practice, open_page, practice.session())
    prompt = section(page, "Objective").locator(".statement").filter(has_text="Appearance, affect and mental status")
    expect(prompt.get_by_role("button", name=re.compile("^Confirm"))).to_have_count(0)
    prompt.get_by_role("button", name=re.compile("^Enter:")).click()
    field = page.get_by_role("textbox", name="Sentence in Objective")
    expect(field).to_have_value("")
    field.press("Control+Enter")
    expect(page.get_by_text("Write something, or cancel.")).to_be_visible()
    field.fill("Casually dressed, affect full range, oriented to person, place and time.")
    page.get_by_role("button", name="Save").click()
    expect(section(page, "Objective").get_by_text("Casually dressed")).to_be_visible()
    expect(section(page, "Objective").get_by_text("to be entered by the clinician")).to_have_count(0)


def test_what_was_not_assessed_is_confirmed_and_an_unsupported_sentence_kept_as_ones_own(
    practice: Practice, open_page: OpenPage
) -> None:
    page = opened(practice, open_page, practice.session())
    page.get_by_role("button", name=re.compile("^Confirm: Risk: not assessed")).click()
    risk = section(page, "Assessment").locator(".statement").filter(has_text="Risk: not assessed")
    expect(risk.locator(".source")).to_have_text("Entered by you")
    page.get_by_role("button", name=f"Keep as my own: {INVENTED}").click()
    kept = section(page, "Objective").locator(".statement").filter(has_text=INVENTED)
    expect(kept).to_have_attribute("data-supported", "true")
    expect(kept.locator(".source")).to_have_text("Entered by you")


def test_another_format_keeps_what_was_edited(practice: Practice, open_page: OpenPage) -> None:
    session = practice.session()
    page = opened(practice, open_page, session)
    mended(page)
    page.get_by_role("combobox", name="Format of the note").select_option("dap")
    expect(page.get_by_role("heading", name="Draft note · DAP")).to_be_visible()
    expect(section(page, "Assessment").get_by_text(CARE)).to_be_visible()
    assert practice.note(session)["format"] == "dap"


def test_a_note_is_signed_when_nothing_is_open_and_then_only_added_to(
    practice: Practice, open_page: OpenPage
) -> None:
    session = practice.session()
    page = opened(practice, open_page, session)
    mended(page)
    expect(page.get_by_label("Reason to sign all the same")).to_be_hidden()
    expect(page.get_by_label("Why this note is written after")).to_be_hidden()
    page.get_by_role("button", name="Sign the note").click()
    expect(page.get_by_text("Enter your name.")).to_be_visible()
    expect(page.get_by_label("Your name")).to_be_focused()
    page.get_by_label("Your name").fill("Pat Doe")
    page.get_by_label("Credentials").fill("LCSW")
    signed(page)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(section(page, "Sign")).to_contain_text("Signed by Pat Doe, LCSW")
    expect(page.get_by_text("to be entered by the clinician")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("^(Edit|Drop|Swap)"))).to_have_count(0)
    page.get_by_role("textbox", name="Addendum").fill("Client called.\nHomework done.")
    page.get_by_role("button", name="Add the addendum").click()
    expect(section(page, "Addenda").get_by_role("listitem")).to_contain_text("1. Pat Doe, LCSW")
    expect(page.get_by_role("textbox", name="Addendum")).to_have_value("")
    note = practice.note(session)
    assert note["state"] == "addended"
    page.reload()
    expect(section(page, "Addenda").get_by_role("listitem")).to_contain_text("Homework done.")


def test_errors_that_stand_need_a_reason_and_a_late_note_another(practice: Practice, open_page: OpenPage) -> None:
    session = practice.session(days_ago=3)
    page = opened(practice, open_page, session)
    page.get_by_label("Your name").fill("Pat Doe")
    page.get_by_label("Credentials").fill("LCSW")
    page.get_by_role("button", name="Sign the note").click()
    expect(page.get_by_text("Give the reason.")).to_be_visible()
    expect(page.get_by_text("Say why it is late.")).to_be_visible()
    page.get_by_label("Reason to sign all the same").fill("Covering for a colleague.")
    page.get_by_label("Why this note is written after").fill("Power cut.")
    signed(page)
    shown = section(page, "Sign")
    expect(shown).to_contain_text("Late entry, written")
    expect(shown).to_contain_text("Reason: Power cut.")
    expect(shown).to_contain_text("Signed in spite of open points. Reason: Covering for a colleague.")


def test_a_change_in_another_window_is_told_and_what_was_typed_stays(practice: Practice, open_page: OpenPage) -> None:
    session = practice.session()
    page = opened(practice, open_page, session)
    page.get_by_role("button", name="Add a sentence to Plan").click()
    page.keyboard.type("Mine.")
    practice.change(session, version=1, changes=[{"op": "add", "section": "Plan", "text": "Theirs."}])
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="changed in another window")).to_be_visible()
    expect(section(page, "Plan").get_by_text("Theirs.")).to_be_visible()
    field = page.get_by_role("textbox", name="New sentence in Plan")
    expect(field).to_have_value("Mine.")
    field.press("Control+Enter")
    expect(section(page, "Plan").locator(".statement__text").last).to_have_text("Mine.")
    assert sentences(page, "Plan")[-2:] == ["Theirs.", "Mine."]


def test_the_note_is_copied_as_its_export_has_it(practice: Practice, open_page: OpenPage) -> None:
    session = practice.session()
    page = opened(practice, open_page, session)
    page.get_by_role("button", name="Copy as plain text").click()
    expect(page.locator(".note__copied")).to_contain_text("The note is copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    export = httpx.get(f"{practice.url}/api/sessions/{session}/note/export?format=txt")
    assert copied == export.text
    assert "DRAFT - not signed" in copied
    assert "Appendix: transcript" not in copied


def test_every_file_is_downloaded_under_a_name_without_the_client(practice: Practice, open_page: OpenPage) -> None:
    page = opened(practice, open_page, practice.session())
    for name, ending in (("Word", "docx"), ("PDF", "pdf"), ("Plain text", "txt"), ("FHIR", "json")):
        with page.expect_download() as started:
            page.get_by_role("link", name=re.compile(f"^Download as {name}")).click()
        suggested = started.value.suggested_filename
        assert re.fullmatch(rf"note-soap-\d{{4}}-\d\d-\d\d-draft\.(?:fhir\.)?{ending}", suggested)
        assert started.value.path().stat().st_size > 1000


def test_the_transcript_goes_along_only_when_it_is_ticked(practice: Practice, open_page: OpenPage) -> None:
    page = opened(practice, open_page, practice.session())
    link = page.get_by_role("link", name="Download as Plain text")
    assert "transcript" not in (link.get_attribute("href") or "")
    page.get_by_role("checkbox", name="With the transcript of the session").check()
    with page.expect_download() as started:
        link.click()
    assert "Appendix: transcript of the session" in started.value.path().read_text()


def test_a_name_that_looks_like_markup_is_text(practice: Practice, open_page: OpenPage) -> None:
    page = opened(practice, open_page, practice.session())
    page.get_by_role("button", name="Add a sentence to Plan").click()
    page.keyboard.insert_text("<img src=x onerror=alert(1)> & “quotes”")
    page.keyboard.press("Control+Enter")
    expect(section(page, "Plan").get_by_text("<img src=x onerror=alert(1)> & “quotes”")).to_be_visible()
    assert page.locator("main img").count() == 0


def test_the_review_fits_every_window(practice: Practice, open_page: OpenPage) -> None:
    page = opened(practice, open_page, practice.session(), "phone")
    page.get_by_role("button", name="Edit as text: Assessment").click()
    page.get_by_role("textbox", name="Assessment: one sentence a line").wait_for()
    for name in at_each(page, [(size, "light") for size in SIZES]):
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
        small = page.evaluate(
            "[...document.querySelectorAll('.act, .look__link, .take .button, .input')]"
            ".filter((one) => one.offsetParent).filter((one) => one.getBoundingClientRect().height < 43.5).length"
        )
        assert small == 0, name


def test_a_section_is_drafted_again_words_are_put_right_and_the_last_note_stands_beside(
    practice: Practice, open_page: OpenPage
) -> None:
    chart = httpx.post(f"{practice.url}/api/charts", json={"client": "Dana Example"}).json()["id"]
    before, session = practice.session(days_ago=7), practice.session()
    for one in (before, session):
        httpx.patch(f"{practice.url}/api/sessions/{one}/context", json={"client": chart}).raise_for_status()
    page = opened(practice, open_page, session)
    looks = page.get_by_role("region", name="Look at these first").locator(".look")
    expect(looks.first).to_contain_text("About risk")
    page.get_by_role("button", name="Compare with the last note").click()
    compare = page.get_by_role("region", name="Compare with the last note")
    expect(compare.get_by_role("heading", level=2)).to_be_focused()
    expect(compare).to_contain_text("stand in both notes")
    expect(compare.locator("[data-same]").first).to_be_visible()
    page.get_by_role("button", name="Close the comparison").click()

    page.get_by_role("button", name="Add a sentence to Objective").click()
    page.keyboard.type("Arrived on time.")
    page.keyboard.press("Control+Enter")
    expect(section(page, "Objective").get_by_text("Arrived on time.")).to_be_visible()
    expect(section(page, "Objective").get_by_role("button", name="Draft again: Objective")).to_have_count(0)
    page.get_by_role("button", name="Draft again: Subjective").click()
    expect(page.get_by_role("status")).to_have_text("Subjective is drafted anew.")
    trail = httpx.get(f"{practice.url}/api/sessions/{session}/note/trail").json()["trail"]
    assert (trail[-1]["action"], trail[-1]["what"]) == ("redraft", "Subjective")

    row = page.locator("[data-utterance]").nth(1)
    row.get_by_role("button", name="Correct what").press("Enter")
    field = row.get_by_role("textbox", name="What was said")
    expect(field).to_be_focused()
    field.fill("Put right by hand.")
    field.press("Enter")
    expect(row.locator(".said")).to_have_text("Put right by hand.")
    expect(page.get_by_role("status")).to_have_text("Corrected.")
    expect(section(page, "Objective").get_by_text("Edited by you")).to_be_visible()


def test_from_a_draft_to_a_signed_note_by_keyboard_alone(new_practice: Practice, open_page: OpenPage) -> None:
    practice = new_practice
    session = practice.session()
    page = opened(practice, open_page, session)
    keys = page.keyboard

    def tab_to(name: str) -> None:
        focused = "() => (document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent)"
        for _ in range(400):
            keys.press("Tab")
            if str(page.evaluate(focused)).startswith(name):
                return
        pytest.fail(f"Tab never reached {name}")

    tab_to("Not supported by what was said · Objective")
    keys.press("Enter")
    tab_to(f"Drop: {INVENTED}")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Objective")).to_be_focused()
    tab_to("Enter: Appearance, affect and mental status")
    keys.press("Enter")
    keys.type("Alert and oriented, affect constricted.")
    keys.press("Control+Enter")
    expect(page.get_by_role("heading", name="Objective")).to_be_focused()
    tab_to("Confirm: Risk: not assessed")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Assessment")).to_be_focused()
    tab_to("Add a sentence to Assessment")
    keys.press("Enter")
    keys.type(CARE)
    keys.press("Control+Enter")
    expect(section(page, "Assessment").get_by_text(CARE)).to_be_visible()
    for name, text in (("Your name", "Pat Doe"), ("Credentials", "LCSW")):
        for _ in range(400):
            keys.press("Tab")
            if page.get_by_label(name, exact=True).evaluate("one => one === document.activeElement"):
                break
        keys.press("Control+A")
        keys.type(text)
    expect(page.get_by_label("Reason to sign all the same")).to_be_hidden(timeout=20_000)
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert practice.note(session)["state"] == "signed"
