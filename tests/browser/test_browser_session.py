"""The whole way in a real browser against the real server: consent, start, words, end, note with its evidence.

The microphone plays the beginning of the bundled session; what the page shows is compared with the reference.
"""

from collections.abc import Iterator
from itertools import permutations

import jiwer
import pytest
from browser_pages import CHROMIUM, FLAGS, consent_and_start, end_session, line
from fake_microphone import Talk, written
from playwright.sync_api import Page, Playwright, expect

from benchmarks.normalise import words
from benchmarks.server_process import running_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
pytest_plugins = ("browser_fixtures",)

ABOUT_S = 38.0
MAX_WER = 0.20
"""The bundled session reads at up to 12 %; a hundred words of it through a browser are allowed more."""
MAX_SPEAKER_WER = 0.30
"""The same, with each word under the right speaker."""


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    """`sameday serve` in a process of its own, on a free port, with a folder of its own."""
    with running_server() as running:
        yield running.url


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    return written(tmp_path_factory.mktemp("audio") / "microphone.wav", ABOUT_S)


@pytest.fixture
def page(playwright: Playwright, talk: Talk, server_url: str) -> Iterator[Page]:
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={talk.microphone}%noloop"]
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, permissions=["microphone"])
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    opened.on("dialog", lambda dialog: dialog.accept())
    opened.goto(server_url)
    yield opened
    browser.close()


def test_from_consent_to_a_note_whose_statements_lead_to_what_was_said(page: Page, talk: Talk) -> None:
    consent_and_start(page)
    expect(line(page)).to_contain_text("Connected.")
    page.locator(".utterance--partial").first.wait_for()
    page.wait_for_timeout(int((talk.length_s + 1.0) * 1000))
    end_session(page)
    page.get_by_role("heading", name="Draft note · SOAP").wait_for(timeout=30_000)

    shown = _shown(page)
    wer = jiwer.wer(_joined(talk.said), _joined(shown))
    with_speakers = _speaker_wer(talk.said, shown)
    print(f"page: WER {wer:.1%}, with speakers {with_speakers:.1%}, {talk.length_s:.0f} s")
    assert wer <= MAX_WER
    assert with_speakers <= MAX_SPEAKER_WER

    expect(page.get_by_role("region", name="Is it all there?")).to_contain_text("Written down")
    evidence = page.get_by_role("button", name="show what was said").first
    utterance = page.locator(f'[data-utterance="{evidence.get_attribute("data-evidence-of")}"]')
    evidence.press("Enter")
    expect(utterance).to_be_focused()
    utterance.get_by_role("button", name="Back to the note").press("Enter")
    expect(evidence).to_be_focused()


def _shown(page: Page) -> list[tuple[str, str]]:
    """Speaker and text of each utterance on the page, in its order."""
    script = (
        "rows => rows.map(row => [row.querySelector('.name').textContent, row.querySelector('.said').textContent])"
    )
    return [(name, text) for name, text in page.locator("[data-utterance]").evaluate_all(script)]


def _joined(said: list[tuple[str, str]]) -> str:
    return " ".join(words(" ".join(text for _, text in said)))


def _speaker_wer(reference: list[tuple[str, str]], shown: list[tuple[str, str]]) -> float:
    """Word errors where each reference speaker is compared with one of the page's, the best of all pairings."""
    roles = sorted({who for who, _ in reference})
    names = sorted({who for who, _ in shown})
    names += [""] * (len(roles) - len(names))
    return min(
        jiwer.wer([_of(reference, who) for who in roles], [_of(shown, name) for name in order])
        for order in permutations(names, len(roles))
    )


def _of(said: list[tuple[str, str]], speaker: str) -> str:
    return _joined([(who, text) for who, text in said if who == speaker])
