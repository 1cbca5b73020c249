"""What the page does on a bad day, against a scripted server: it says what is so, loses nothing and runs nothing."""

from itertools import pairwise

import pytest
from browser_pages import OpenPage, consent_and_start, end_session, line, live_page, said
from fake_session_server import FakeServer
from playwright.sync_api import Page, expect
from session_script import NOTE, TALK, draft, ended, failed, gap, lag, partial, relabel, roles, statement, utterance

pytestmark = pytest.mark.browser
pytest_plugins = ("browser_fixtures",)

_LOST = "What is said now is kept on this device"


def _tick_all(page: Page) -> None:
    for box in page.get_by_role("checkbox").all():
        box.check()


def test_no_consent_no_request(server: FakeServer, open_page: OpenPage) -> None:
    page = open_page(server.url)
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Start the session").click()
    expect(page.get_by_text("Not started: no consent ticked for the client.")).to_be_visible()
    expect(page.get_by_role("checkbox").nth(1)).to_be_focused()
    assert server.calls("POST", "/sessions") == []


def test_consent_names_each_person_who_shares_the_microphone(server: FakeServer, open_page: OpenPage) -> None:
    page = open_page(server.url)
    page.get_by_role("radio", name="3").check()
    page.get_by_role("combobox", name="Who the third person is").select_option("partner")
    page.get_by_role("combobox", name="How the client agreed").select_option("signed it")
    consent_and_start(page, people=3)
    (body,) = server.calls("POST", "/sessions")
    assert [(one["who"], one["how"]) for one in body["consent"]] == [
        ("clinician", "spoken"), ("client", "written"), ("partner", "spoken"),
    ]  # fmt: skip
    assert "Do you agree?" in body["script"]
    assert body["tracks"] == [{"id": "mic", "speakers": 3}]


def test_a_refused_start_is_explained_and_keeps_the_form(server: FakeServer, open_page: OpenPage) -> None:
    page = open_page(server.url)
    _tick_all(page)
    for status, code, words in (
        (403, "no_consent", ["consent is missing"]),
        (503, "overloaded", ["The server is full"]),
        (503, "store_failed", ["cannot write to its disk"]),
        (400, "brand_new_code", ["It did not work", "Do something."]),
    ):
        server.refusals["POST", "sessions"] = (status, code)
        page.get_by_role("button", name="Start the session").click()
        for part in words:
            expect(page.locator(".problem")).to_contain_text(part)
        expect(page.get_by_role("checkbox").first).to_be_checked()
    server.refusals.clear()
    page.get_by_role("button", name="Start the session").click()
    expect(line(page)).to_contain_text("Connected.")
    expect(page.locator(".problem")).to_be_empty()


def test_no_microphone_is_explained_before_anything_is_started(server: FakeServer, open_page: OpenPage) -> None:
    page = open_page(server.url)
    _tick_all(page)
    refusing = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', '%s'); }"
    for script, words in (
        (refusing % "NotAllowedError", "not allowed to use the microphone"),
        (refusing % "NotFoundError", "No microphone was found"),
        (refusing % "NotReadableError", "Another program may be using it"),
        ("delete window.AudioWorkletNode", "This browser cannot send sound"),
        ("Object.defineProperty(window, 'isSecureContext', {value: false})", "This address is not secure"),
    ):
        page.evaluate(f"() => {{ {script} }}")
        page.get_by_role("button", name="Start the session").click()
        expect(page.locator(".problem")).to_contain_text(words)
        assert server.calls("POST", "/sessions") == []


def test_the_check_shows_the_level_in_words_and_sends_nothing(server: FakeServer, open_page: OpenPage) -> None:
    page = open_page(server.url)
    page.get_by_role("button", name="Check the microphone").click()
    # Chromium's own fake microphone beeps at full scale.
    expect(page.locator(".level__words")).to_have_text("Too loud: move the microphone away")
    expect(page.get_by_role("meter")).to_have_attribute("aria-valuetext", "Too loud: move the microphone away")
    assert page.get_by_role("combobox", name="Use this microphone").locator("option").count() >= 1
    page.get_by_role("button", name="Stop the check").click()
    expect(page.get_by_role("meter")).to_be_hidden()
    assert [path for method, path, _ in server.requests if method == "POST"] == []


def test_a_partial_is_marked_and_not_announced(server: FakeServer, open_page: OpenPage) -> None:
    page = live_page(server, open_page)
    server.emit(partial(0.5, "How have you", "been sweeping"))
    tentative = page.locator(".utterance--partial")
    expect(tentative).to_contain_text("Not final yet")
    expect(tentative).to_contain_text("How have you been sweeping")
    assert page.get_by_role("log").inner_text() == ""
    server.emit(utterance(1, 0.5, "How have you been sleeping?"))
    expect(page.get_by_role("log")).to_have_text("Speaker 1: How have you been sleeping?")
    expect(tentative).to_have_count(0)


def test_utterances_are_shown_by_start_and_change_hands_late(server: FakeServer, open_page: OpenPage) -> None:
    page = live_page(server, open_page)
    server.emit(utterance(2, 9.0, "Second."), utterance(1, 2.0, "First."), utterance(3, 15.0, "Third.", "S2"))
    rows = page.locator("[data-utterance]")
    expect(rows).to_contain_text(["First.", "Second.", "Third."])
    expect(rows).to_contain_text(["Speaker 1", "Speaker 1", "Speaker 2"])
    server.emit(roles(S1="clinician", S2="client"), relabel(1, "S2"))
    expect(rows).to_contain_text(["Client", "Clinician", "Client"])


def test_roles_are_swapped_in_one_tap(server: FakeServer, open_page: OpenPage) -> None:
    page = live_page(server, open_page)
    server.emit(*TALK)
    server.newest.roles = {"S1": "clinician", "S2": "client"}
    expect(said(page, "Four. Last month")).to_contain_text("Client")
    expect(page.get_by_text("uncertain guess")).to_be_visible()
    page.get_by_role("button", name="Swap roles").click()
    expect(said(page, "Four. Last month")).to_contain_text("Clinician")
    expect(page.get_by_text("You set the roles.")).to_be_visible()
    assert server.calls("POST", "/roles") == [{"swap": True}]


def test_of_two_people_naming_one_names_the_other(server: FakeServer, open_page: OpenPage) -> None:
    page = live_page(server, open_page)
    server.emit(utterance(1, 1.0, "Good morning."), utterance(2, 5.0, "Hello.", "S2"))
    expect(page.get_by_role("button", name="Swap roles")).to_be_hidden()
    page.get_by_text("Say who is who").click()
    page.get_by_role("combobox", name="Role of Speaker 2").select_option("Clinician")
    expect(said(page, "Good morning.")).to_contain_text("Client")
    assert server.calls("POST", "/roles") == [{"roles": {"S2": "clinician", "S1": "client"}}]


def test_gaps_are_gaps_and_many_small_ones_are_one(server: FakeServer, open_page: OpenPage) -> None:
    page = live_page(server, open_page)
    losses = [gap(10.0 + number * 0.5, 10.02 + number * 0.5, "packet_loss") for number in range(5)]
    server.emit(utterance(1, 1.0, "Before."), *losses, gap(20.0, 26.0, "disconnected"), utterance(2, 30.0, "After."))
    rows = page.get_by_role("list", name="Transcript").get_by_role("listitem")
    expect(rows).to_contain_text([
        "Before.", "0.1 s missing (0:10 – 0:12). The network lost some of the sound.",
        "6 s missing (0:20 – 0:26). The connection was lost.", "After.",
    ])  # fmt: skip


def test_lag_is_said_in_words(server: FakeServer, open_page: OpenPage) -> None:
    page = live_page(server, open_page)
    server.emit(lag(10.0, 0.4))
    expect(line(page)).to_contain_text("The text keeps up.")
    server.emit(lag(20.0, 7.0))
    expect(line(page)).to_contain_text("The text is 7 s behind. Nothing is lost.")


def test_a_server_that_receives_no_sound_is_noticed(server: FakeServer, open_page: OpenPage) -> None:
    page = live_page(server, open_page)
    for _ in range(6):
        server.emit(lag(10.0))
        page.wait_for_timeout(1000)
    expect(line(page)).to_contain_text("The server receives no sound.")
    expect(page.get_by_text("Not recording")).to_be_visible()
    server.emit(lag(11.0))
    expect(line(page)).to_contain_text("Connected.")


def test_lost_events_are_replayed_from_where_the_page_stands(server: FakeServer, open_page: OpenPage) -> None:
    page = live_page(server, open_page)
    server.emit(utterance(1, 1.0, "Before the loss."), partial(5.0, "", "half a word"))
    said(page, "Before the loss.").wait_for()
    server.take_events = False
    server.cut_events()
    expect(line(page)).to_contain_text("The recording goes on.")
    expect(page.locator(".utterance--partial")).to_have_count(0)
    server.emit(utterance(2, 6.0, "During the loss."))
    server.take_events = True
    said(page, "During the loss.").wait_for()
    expect(page.locator("[data-utterance]")).to_have_count(2)
    assert server.followed[0] == 0
    assert server.followed[-1] == 2, "the start and one utterance were known"


def test_lost_media_is_made_again_and_said(server: FakeServer, open_page: OpenPage) -> None:
    page = open_page(server.url)
    server.take_media = False
    consent_and_start(page)
    expect(line(page)).to_contain_text("only the server has the key to store it", timeout=15_000)
    server.take_media = True
    page.get_by_role("button", name="Try again now").click()
    expect(line(page)).to_contain_text("Connected.", timeout=15_000)
    server.take_media = False
    server.cut_media()
    expect(line(page)).to_contain_text(_LOST, timeout=20_000)
    expect(line(page)).to_contain_text("Kept so far: ")
    expect(line(page)).not_to_contain_text("key")
    expect(page.get_by_text("Not recording")).to_be_hidden()
    expect(page.get_by_role("alert").filter(has_text=_LOST)).to_have_count(1)
    assert page.title() == "Recording · sameday"
    server.take_media = True
    page.get_by_role("button", name="Try again now").click()
    expect(line(page)).to_contain_text("Connected.", timeout=15_000)
    assert server.media_opened == 2
    end_session(page)
    expect(line(page)).to_contain_text("The last words")
    frames = server.newest.frames
    assert [number for number, _, _ in frames] == list(range(len(frames)))
    assert all(tick == before + length for (_, before, length), (_, tick, _) in pairwise(frames)), (
        "a hole, or a repeat"
    )


def test_a_reload_finds_the_session_and_announces_nothing_again(server: FakeServer, open_page: OpenPage) -> None:
    page = live_page(server, open_page)
    server.emit(*TALK)
    said(page, "Yes, I can do that.").wait_for()
    page.reload()
    expect(line(page)).to_contain_text("Connected.")
    said(page, "Yes, I can do that.").wait_for()
    assert page.get_by_role("log").inner_text() == ""
    assert page.url.endswith(f"#session={server.newest.id}")
    assert server.media_opened == 2
    assert len(server.sessions) == 1


def test_a_second_window_watches_until_it_is_told_to_record(server: FakeServer, open_page: OpenPage) -> None:
    first = live_page(server, open_page)
    second = open_page(first.url, beside=first)
    expect(line(second)).to_contain_text("another one records")
    assert server.media_opened == 1
    second.get_by_role("button", name="Record with this device").click()
    expect(line(second)).to_contain_text("Connected.")
    expect(line(first)).to_contain_text("Another device or window records this session now.")
    first.wait_for_timeout(1500)
    assert server.media_opened == 2, "the two windows took the track from each other"


def test_a_track_that_another_device_took_over_is_left_to_it(server: FakeServer, open_page: OpenPage) -> None:
    page = live_page(server, open_page)
    server.cut_media(4000)
    expect(line(page)).to_contain_text("Another device or window records this session now.", timeout=20_000)
    page.wait_for_timeout(2000)
    assert server.media_opened == 1


def test_after_an_hour_of_talk_what_is_new_costs_no_more_than_after_minutes(
    server: FakeServer, open_page: OpenPage
) -> None:
    page = live_page(server, open_page)
    hour = [utterance(n, n * 3.6, f"This is what was said as number {n}.", f"S{1 + n % 2}") for n in range(1, 1001)]
    server.emit(*hour[:200])
    said(page, "as number 200.").wait_for()
    after_minutes = _changes(server, page, 201)
    server.emit(*hour[220:])
    said(page, "as number 1000.").wait_for()
    assert _changes(server, page, 1001) <= 1.5 * after_minutes
    assert page.get_by_role("log").locator("p").count() <= 12


def _changes(server: FakeServer, page: Page, first: int) -> int:
    """How often the page's tree is changed for twenty utterances more."""
    page.evaluate("""() => {
      window.changes = 0;
      const all = { subtree: true, childList: true, attributes: true, characterData: true };
      window.watch = new MutationObserver((seen) => { window.changes += seen.length; });
      window.watch.observe(document.querySelector("main"), all);
    }""")
    for number in range(first, first + 20):
        server.emit(partial(number * 3.6, "And", "more"), utterance(number, number * 3.6, f"And number {number}."))
        said(page, f"And number {number}.").wait_for()
    found: int = page.evaluate("window.watch.disconnect() ?? window.changes")
    print(f"changes from {first} on: {found}")
    return found


def test_the_question_before_the_end_changes_nothing(server: FakeServer, open_page: OpenPage) -> None:
    page = live_page(server, open_page)
    end = page.get_by_role("button", name="End session")
    end.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep recording")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(end).to_be_focused()
    expect(line(page)).to_contain_text("Connected.")
    assert server.calls("POST", "/end") == []


def test_an_end_that_does_not_reach_the_server_is_tried_until_it_does(
    server: FakeServer, open_page: OpenPage
) -> None:
    server.on_end = [ended(10.0), draft(NOTE)]
    page = live_page(server, open_page)
    server.refusals["POST", "end"] = (502, "unknown")
    end_session(page)
    expect(line(page)).to_contain_text("the server cannot be reached to end the session")
    page.reload()  # the end was asked for: the page does not record again
    expect(line(page)).to_contain_text("the server cannot be reached to end the session")
    assert server.media_opened == 1
    server.refusals.clear()
    page.get_by_role("heading", name="Draft note").wait_for(timeout=15_000)


def test_media_is_closed_before_the_end_is_asked_for(server: FakeServer, open_page: OpenPage) -> None:
    server.on_end = [ended(10.0), draft(NOTE)]
    page = live_page(server, open_page)
    end_session(page)
    page.get_by_role("heading", name="Draft note").wait_for()
    asked = [(method, path) for method, path, _ in server.requests if method != "GET"]  # it reads the note afterwards
    assert [method + " " + path.split("/")[4] for method, path in asked[-2:]] == ["CLOSE audio", "POST end"]


def test_a_session_that_the_server_ends_stops_the_microphone(server: FakeServer, open_page: OpenPage) -> None:
    page = live_page(server, open_page)
    server.emit(ended(900.0, 0.0, "idle"), draft(NOTE))
    expect(page.get_by_text("no sound came for a long time")).to_be_visible()
    page.wait_for_timeout(1000)
    assert server.newest.media == []


def test_markup_in_what_was_said_is_text(server: FakeServer, open_page: OpenPage) -> None:
    evil = '<img src=x onerror="window.ran = true"><script>window.ran = true</script>'
    note = NOTE | {"sections": [{"name": evil, "statements": [statement(evil, 1)]}],
                   "risk": {evil: {"state": evil, "evidence": [evil]}},
                   "checks": [{"rule": evil, "severity": evil, "message": evil, "section": evil}]}  # fmt: skip
    server.on_end = [ended(10.0), draft(note)]
    page = live_page(server, open_page)
    server.newest.consent = [evil]
    server.emit({"type": "started", "started_at": evil, "tracks": [], "consent": [evil], "format": evil})
    server.emit(utterance(1, 1.0, evil, evil), partial(5.0, evil, evil, evil), gap(8.0, 9.0, evil))
    server.emit(failed(evil, evil), roles(**{evil: evil}))
    expect(page.locator("[data-utterance] .said")).to_have_text(evil)
    end_session(page)
    expect(page.get_by_role("heading", name="<img")).to_have_text(evil)
    page.get_by_role("button", name="Copy as plain text").click()
    assert page.evaluate("window.ran") is None
    assert page.locator("main img, main script").count() == 0


def test_a_message_that_cannot_be_read_is_said_and_the_next_one_counts(
    server: FakeServer, open_page: OpenPage
) -> None:
    page = live_page(server, open_page)
    server.emit({"type": "utterance"}, {"type": "from a newer version"}, {"type": "lag"})
    expect(page.locator(".problem")).to_contain_text("could not be read")
    server.emit(utterance(1, 1.0, "Still here."))
    said(page, "Still here.").wait_for()
