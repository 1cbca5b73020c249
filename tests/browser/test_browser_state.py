"""The page's pure parts, run in the browser without the page: reducer, what is shown of a state, level, texts."""

import itertools
import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_pages import page_with
from fake_session_server import CLIENT
from playwright.sync_api import Browser, Page
from session_script import NOTE, TALK, Message, ended, gap, partial, relabel, roles, utterance

pytestmark = pytest.mark.browser
pytest_plugins = ("browser_fixtures",)

Reduce = Callable[[list[Message]], Any]

_LIBRARY = """async () => {
  const modules = await Promise.all(["state", "selectors", "account", "note_text", "level", "strings", "resampler",
    "time_line"].map((name) => import(`/static/js/${name}.js`)));
  window.pure = Object.assign({}, ...modules);
}"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with page_with(browser, _LIBRARY) as opened:
        yield opened


def test_all_modules_are_fetched_at_once() -> None:
    """Else the browser finds them one after the other, a round trip for each level of imports."""
    named = re.findall(r'rel="modulepreload" href="/static/([^"]+)"', (CLIENT / "index.html").read_text())
    assert sorted(named) == sorted(_modules("js/main.js").keys() - {"js/main.js"}), "run scripts/preloads"


@pytest.mark.parametrize("page", sorted(CLIENT.glob("*.html")), ids=lambda page: page.stem)
def test_scripts_stay_small(page: Path) -> None:
    """What a page needs before it can be used; what comes later, such as the note's review, is asked for then."""
    entries = re.findall(r'<script type="module" src="/static/([^"]+)"', page.read_text())
    assert entries
    needed = {name: size for entry in entries for name, size in _modules(entry).items()}
    assert sum(needed.values()) <= 150_000


def _modules(entry: str) -> dict[str, int]:
    """The modules that an entry imports, directly or not, with their sizes in bytes."""
    found: dict[str, int] = {}
    waiting = [CLIENT / entry]
    while waiting:
        path = waiting.pop()
        name = path.relative_to(CLIENT).as_posix()
        if name not in found:
            text = path.read_text()
            found[name] = len(text.encode())
            named = re.findall(r'^import\b[^;]*?"(\.[^"]+)"', text, re.MULTILINE)
            waiting += [(path.parent / other).resolve() for other in named]
    return found


@pytest.fixture
def reduced(page: Page) -> Reduce:
    """What the page would hold after these messages."""
    return lambda messages: page.evaluate(
        "messages => messages.reduce((state, message) => pure.reduce(state, {at: 0, ...message}), pure.INITIAL)",
        messages,
    )


def _numbered(events: list[Message]) -> list[Message]:
    return [{"sequence": number} | event for number, event in enumerate(events, 1)]


def test_a_repeat_counts_once(reduced: Reduce) -> None:
    events = _numbered(TALK)
    assert reduced(events + events[3:7] + events) == reduced(events)


def test_unknown_messages_and_names_of_objects_are_ignored(reduced: Reduce) -> None:
    strange: list[Message] = [
        {"type": "constructor"},
        {"type": "__proto__"},
        {"type": "newer", "sequence": None},
        {"no": "type"},
    ]
    assert reduced(strange) == reduced([])


def test_the_same_events_in_any_order_of_arrival_are_shown_alike(reduced: Reduce) -> None:
    said = [event for event in TALK if event["type"] == "utterance"]
    expected = [one["id"] for one in reduced(said)["utterances"]]
    for seed in range(5):
        mixed = random.Random(seed).sample(said, len(said))
        assert [one["id"] for one in reduced(mixed)["utterances"]] == expected


def test_roles_and_relabels_count_backwards(page: Page, reduced: Reduce) -> None:
    events = [
        utterance(1, 1.0, "a"),
        utterance(2, 5.0, "b", "S2"),
        relabel(1, "S2"),
        roles(S1="client", S2="clinician"),
    ]
    for order in itertools.permutations(events[2:]):
        state = reduced([*events[:2], *order])
        names = page.evaluate("state => pure.timeline(state).map((entry) => entry.name)", state)
        assert names == ["Clinician", "Clinician"]


def test_a_partial_never_repeats_a_finished_utterance(reduced: Reduce) -> None:
    before = [partial(1.0, "How have", "you"), utterance(1, 1.0, "How have you been?")]
    assert reduced(before)["partials"] == {}
    later = [partial(6.0, "", "And"), utterance(1, 1.0, "How have you been?")]
    assert list(reduced(later)["partials"]) == ["mic"]


def test_an_end_that_was_asked_for_is_not_taken_back_by_an_older_answer(reduced: Reduce) -> None:
    live: Message = {"id": "x", "state": "live", "tracks": [], "roles": {}, "last_event": 3}
    asked: list[Message] = [{"type": "page/session", "session": live}, {"type": "page/ending"}]
    assert reduced([*asked, {"type": "page/session", "session": live}])["phase"] == "ending"
    assert reduced([*asked, ended(3.0), {"type": "page/session", "session": live}])["phase"] == "ended"


def test_a_long_silence_at_the_start_is_still_missing_sound(page: Page, reduced: Reduce) -> None:
    state = reduced([gap(0.0, 90.0, "no_audio"), ended(100.0, 90.0)])
    [entry] = page.evaluate("state => pure.timeline(state)", state)
    assert "quiet" not in entry
    assert page.evaluate("state => pure.completeness(state).gapS", state) == 90.0


def test_lengths_of_merged_gaps_add_up(page: Page, reduced: Reduce) -> None:
    state = reduced([gap(1.0, 1.02, "packet_loss"), gap(1.5, 1.54, "packet_loss"), gap(9.0, 9.02, "packet_loss")])
    entries = page.evaluate("state => pure.timeline(state)", state)
    assert [round(entry["length"], 2) for entry in entries] == [0.06, 0.02]


@pytest.mark.parametrize(
    "message", [{"type": "utterance", "id": "mic-1"}, {"type": "lag"}, {"type": "draft", "note": None}]
)
def test_an_event_without_what_it_must_have_is_refused(page: Page, message: Message) -> None:
    refused = "message => { try { pure.reduce(pure.INITIAL, message); } catch (error) { return error.name; } }"
    assert page.evaluate(refused, message) == "TypeError"


@pytest.mark.parametrize(
    "billing,line",
    [
        ({"minutes": 51, "cpt": "90834", "margin_min": 2}, "51 minutes measured: 90834, 2 minutes short of 90837."),
        (
            {"minutes": 60, "cpt": "90837", "margin_min": 7},
            "60 minutes measured: 90837, 7 minutes past its least time.",
        ),
        (
            {"minutes": 1, "cpt": None, "margin_min": 15},
            "1 minute measured: too short for a psychotherapy code, 15 minutes short of 90832.",
        ),
        (
            {"minutes": 0, "cpt": None, "margin_min": 16},
            "Under a minute measured: too short for a psychotherapy code, 16 minutes short of 90832.",
        ),
        (None, ""),
    ],
)
def test_billing_says_how_far_the_next_code_is(page: Page, billing: Message | None, line: str) -> None:
    assert page.evaluate("billing => pure.billingLine(billing)", billing) == line


def test_every_statement_and_every_risk_is_in_the_plain_text(page: Page) -> None:
    text = page.evaluate("note => pure.noteText(note)", NOTE)
    for section in NOTE["sections"]:
        for one in section["statements"]:
            assert one["text"] in text
    assert text.count("Not assessed this session") == 6


_BLOCKS = """pattern => pure.judge(pattern
  .flatMap(([seconds, rmsDb, clipped]) => Array.from({ length: seconds * 10 }, () => ({ rmsDb, clipped })))
  .map((block, index) => ({ at: index * 100, ...block })))"""


@pytest.mark.parametrize(
    "pattern,verdict",
    [
        ([[4, -20, False]], "good"),
        ([[6, -62, False]], "quiet"),
        ([[3, -70, False], [1, -50, False], [3, -70, False], [1, -52, False]], "too_quiet"),
        ([[4, -20, False], [1, -3, True]], "clipping"),
        ([[4, -120, False]], "dead"),
        ([[2, -20, False], [7, -60, False]], "quiet"),
    ],
)
def test_the_level_is_judged_by_speech_and_not_by_silence(page: Page, pattern: list[Any], verdict: str) -> None:
    assert page.evaluate(_BLOCKS, pattern) == verdict


def test_lengths_of_time_never_round_to_nothing(page: Page) -> None:
    given = [0.02, 0.5, 6.0, 61.0, 3725.0]
    assert page.evaluate("given => given.map(pure.duration)", given) == [
        "0.02 s",
        "0.5 s",
        "6 s",
        "1 min 1 s",
        "1 h 2 min 5 s",
    ]
    assert page.evaluate("given => given.map(pure.clock)", given) == ["0:00", "0:00", "0:06", "1:01", "1:02:05"]


def test_no_message_is_without_words(page: Page) -> None:
    empty = """() => {
      const faults = [];
      const walk = (value, path) => {
        if (typeof value === "string" && !value.trim()) faults.push(path);
        if (!value || typeof value !== "object") return;
        for (const [key, one] of Object.entries(value)) walk(one, `${path}.${key}`);
      };
      walk(pure.S, "S");
      return faults;
    }"""
    assert json.dumps(page.evaluate(empty)) == "[]"


@pytest.mark.parametrize("rate", [48_000, 44_100, 16_000, 8_000])
def test_a_microphone_of_any_rate_becomes_16_khz_without_what_is_too_high_for_it(page: Page, rate: int) -> None:
    """A tone that fits keeps its height and loudness, one above 8 kHz leaves nothing that sounds like another."""
    tone = """([rate, hertz]) => {
      const resampler = new pure.Resampler(rate, 16000), out = [];
      for (let at = 0; at < rate; at += 128) {
        const sine = (_, i) => Math.sin(2 * Math.PI * hertz * (at + i) / rate);
        const block = Float32Array.from({length: Math.min(128, rate - at)}, sine);
        resampler.push(block, (sample) => out.push(sample));
      }
      const middle = out.slice(2000, -2000);
      const off = middle.map((sample, i) => Math.abs(sample - Math.sin(2 * Math.PI * hertz * (2000 + i) / 16000)));
      return [out.length, Math.max(...off), Math.max(...middle.map(Math.abs))];
    }"""
    count, off, _ = page.evaluate(tone, [rate, 1000])
    assert 16_000 - 40 <= count <= 16_000
    assert off < 0.01
    if rate > 20_000:
        _, _, loudest = page.evaluate(tone, [rate, 9500])
        assert loudest < 0.01


@pytest.mark.parametrize(
    "known,elapsed_s,expected",
    [
        (None, 0.4, 0),
        (None, 90.0, 90 * 16_000),
        ({"tick": 800_000, "wall": 1_000}, 52.0, 800_000 + 32_000),
        ({"tick": 800_000, "wall": 3_601_000}, 52.0, 52 * 16_000),
        ({"tick": 800_000, "wall": 1_000}, 20.0, 800_000),
    ],
    ids=["a new session", "another device's", "a reload", "the clock was set", "never back"],
)
def test_where_a_page_begins_to_capture(page: Page, known: Message | None, elapsed_s: float, expected: int) -> None:
    assert page.evaluate("([known, s]) => pure.beginning(known, s, 3000)", [known, elapsed_s]) == expected


def test_a_device_that_takes_its_time_to_begin_is_not_behind_the_session(page: Page) -> None:
    first = "([tick, now]) => pure.firstSample({tick, wall: 1000}, now, 1600)"
    assert page.evaluate(first, [800_000, 7_000]) == 800_000 + 6 * 16_000 - 1600
    assert page.evaluate(first, [800_000, 1_050]) == 800_000, "never back"
    assert page.evaluate(first, [0, 7_000]) == 0, "a session that has just begun begins with its first sample"


def test_a_device_that_slept_goes_on_where_the_session_is(page: Page) -> None:
    skipped = "([at, standing]) => pure.skipped(at, standing)"
    assert page.evaluate(skipped, [16_000, {"tick": 0, "clock": 40_000}]) == 16_000, "a delay is no sleep"
    assert page.evaluate(skipped, [16_000, {"tick": 0, "clock": 9_600_000}]) == 9_600_000
    assert page.evaluate(skipped, [16_000, {"tick": 20_000, "clock": None}]) == 20_000
