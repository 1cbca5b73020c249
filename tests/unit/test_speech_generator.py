"""The generator's pure parts with a scripted voice: timeline, room, files' texts; and flite where it is installed."""

import ctypes
import json
import math
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import flite_voice, room, speech_generator
from benchmarks.audio_files import read_audio, write_audio
from benchmarks.flite_voice import Speech, SpokenWord, assign, cut, tokenize
from benchmarks.manifest import parse_rttm
from benchmarks.session_plan import (
    SCRIPTED,
    Line,
    Script,
    Timing,
    overlap_s,
    plan,
    read_script,
    rttm,
    sentences,
    transcript,
    turns,
)
from streaming.errors import BadTranscript, EngineMissing
from streaming.types import SAMPLE_RATE, Role, Tick

pytestmark = pytest.mark.unit


@cache
def hum(text: str, voice: str) -> Speech:
    """A scripted voice: 0.25 s a word, a tone of the voice's own."""
    count = len(text.split())
    hertz = 150 if voice == "rms" else 240
    tone = 8000 * np.sin(2 * np.pi * hertz * np.arange(count * SAMPLE_RATE // 4) / SAMPLE_RATE)
    words = tuple(SpokenWord(word, 0.25 * at, 0.25 * at + 0.25) for at, word in enumerate(text.split()))
    return Speech(tone.astype(np.int16), words)


def script(*lines: Line) -> Script:
    return Script(lines, {"clinician": "slt", "client": "rms"})


def spoken(lines: list[Line]) -> list[list[Speech]]:
    return [[hum(part, "slt") for part in sentences(line.text)] for line in lines]


LINES = st.lists(
    st.builds(
        Line,
        st.sampled_from(["clinician", "client"]),
        st.sampled_from(["Yes.", "I did. It was hard to do.", "How was your week at home and at work?"]),
        st.sampled_from([None, None, -0.4, 0.5]),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


@settings(deadline=None)
@given(LINES, st.integers(0, 5), st.sampled_from([SCRIPTED, Timing(overlap_share=0.5, long_pause_share=0.2)]))
def test_nobody_talks_over_themselves_and_nothing_gets_lost(lines: list[Line], seed: int, timing: Timing) -> None:
    timeline = plan(lines, spoken(lines), timing, seed)
    assert transcript(timeline) == transcript(plan(lines, spoken(lines), timing, seed))
    assert sorted(item.text for item in timeline.placed) == sorted(line.text for line in lines)
    for role in ("clinician", "client"):
        words = [word for item in timeline.placed if item.role == role for word in item.words]
        assert all(one.end_s <= other.start_s + 1e-9 for one, other in pairwise(words))
    assert timeline.duration_s >= max(item.end_s for item in timeline.placed) + timing.lead_out_s - 1e-9
    assert round(timeline.duration_s * SAMPLE_RATE) % 320 == 0
    starts = [item.start_s for item in timeline.placed]
    assert starts == sorted(starts)
    assert starts[0] >= timing.lead_in_s


def test_scripted_gaps_and_overlaps_are_kept() -> None:
    lines = [Line("clinician", "How are you?"), Line("client", "Well.", 3.5), Line("clinician", "Good.", -0.1)]
    first, second, third = plan(lines, spoken(lines), SCRIPTED, 1).placed
    assert second.start_s - first.end_s == pytest.approx(3.5, abs=1e-3)
    assert second.end_s - third.start_s == pytest.approx(0.1, abs=1e-3)


def test_a_backchannel_lies_over_the_end_of_the_first_sentence_and_moves_nothing() -> None:
    plain = [Line("client", "I slept very badly. It was hard."), Line("clinician", "Tell me more.", 0.7)]
    with_it = [plain[0], Line("clinician", "Oh I am sorry.", backchannel=True), plain[1]]
    long, short, after = plan(with_it, spoken(with_it), SCRIPTED, 1).placed
    end_of_first = long.words[3].end_s
    assert short.start_s < end_of_first < short.end_s
    assert after.start_s == pytest.approx(long.end_s + 0.7, abs=1e-3)


def test_drawn_gaps_stay_in_range_and_overlaps_have_their_share() -> None:
    roles: tuple[Role, Role] = ("clinician", "client")
    lines = [Line(roles[at % 2], "I think that this is a fair question.") for at in range(600)]
    calm = plan(lines, spoken(lines), SCRIPTED, 3).placed
    gaps = [other.start_s - one.end_s for one, other in pairwise(calm)]
    assert min(gaps) >= 0.3 - 1e-3
    assert max(gaps) <= 1.5 + 1e-3
    assert 0.5 < float(np.median(gaps)) < 0.7
    lively = plan(lines, spoken(lines), Timing(overlap_share=0.3, long_pause_share=0.05), 3).placed
    gaps = [other.start_s - one.end_s for one, other in pairwise(lively)]
    assert 0.24 < sum(gap < 0 for gap in gaps) / len(gaps) < 0.36
    assert 0.02 < sum(gap > 2.9 for gap in gaps) / len(gaps) < 0.09


def test_a_turn_is_split_where_the_voice_pauses() -> None:
    lines = [Line("client", "I did. It was hard to do.")]
    spans = turns(plan(lines, spoken(lines), SCRIPTED, 1).placed)
    assert [round(end - start, 3) for start, end, _ in spans] == [0.5, 1.25]
    assert parse_rttm(rttm("x", spans))["x"][0].speaker == "client"


def test_seconds_of_talk_at_once() -> None:
    assert overlap_s([(0.0, 2.0, "a"), (1.5, 3.0, "b"), (3.0, 4.0, "a")]) == pytest.approx(0.5)
    assert overlap_s([(0.0, 4.0, "a"), (1.0, 2.0, "b"), (1.5, 3.0, "c")]) == pytest.approx(2.0)
    assert overlap_s([]) == 0.0


def test_the_reference_is_a_transcript_with_roles_and_times() -> None:
    lines = [Line("clinician", "How are you?"), Line("client", "Quite well.")]
    found = transcript(plan(lines, spoken(lines), SCRIPTED, 1))
    assert [(one.id, one.speaker, one.text) for one in found.utterances] == [
        ("mic-1", "clinician", "How are you?"),
        ("mic-2", "client", "Quite well."),
    ]
    assert found.roles == {"clinician": "clinician", "client": "client"}
    assert found.utterances[0].start == found.utterances[0].words[0].start == Tick(SAMPLE_RATE)


def test_scripts_of_both_shapes() -> None:
    ours = read_script({"lines": [{"role": "client", "text": "No.", "gap_s": 0.5}], "voices": {"client": "kal16"}})
    assert ours == Script((Line("client", "No.", 0.5),), {"clinician": "slt", "client": "kal16"})
    therapy = read_script({"utterances": [{"role": "therapist", "text": "Hi.", "start": "00:00:02"}]})
    assert therapy.lines == (Line("clinician", "Hi."),)


@pytest.mark.parametrize(
    "body", [{}, {"lines": [{"role": "judge", "text": "x"}]}, {"lines": [{"role": "client"}]}, {"lines": [3]}]
)
def test_what_is_no_script(body: dict[str, object]) -> None:
    with pytest.raises(BadTranscript):
        read_script(body)


def test_sentences() -> None:
    text = "Dr. Lee said so. Really? Yes! At 10.30 p.m."
    assert sentences(text) == ["Dr. Lee said so.", "Really?", "Yes!", "At 10.30 p.m."]


def test_scripts_repeat_until_the_minutes_are_full() -> None:
    one = script(Line("clinician", "How did it go this week?"), Line("client", "Quite well. I slept."))
    session = speech_generator.generate([one], speech_generator.Recipe(minutes=2.0), hum)
    assert 100 < session.timeline.duration_s < 145
    assert len(session.mix) == round(session.timeline.duration_s * SAMPLE_RATE)
    assert {role: len(pcm) for role, pcm in session.tracks.items()} == dict.fromkeys(session.tracks, len(session.mix))


def test_a_track_is_silent_while_the_other_talks() -> None:
    one = script(Line("clinician", "How did it go?"), Line("client", "Quite well.", 1.4))
    session = speech_generator.generate([one], speech_generator.Recipe(), hum)
    client = session.timeline.placed[1]
    at = int(client.start_s * SAMPLE_RATE)
    assert not session.tracks["client"][:at].any()
    assert np.abs(session.tracks["client"][at : at + 4000]).max() > 500
    assert session.mix[:at].any()


def test_scripts_without_a_word_are_refused() -> None:
    with pytest.raises(ValueError, match="no words"):
        speech_generator.generate([script(Line("client", "[cries] ..."))], speech_generator.Recipe(minutes=1.0), hum)


def test_room_starts_with_the_direct_sound_and_rings_out() -> None:
    place = room.Place(ring_s=0.25, direct_db=10.0)
    response = room.impulse_response(place, 1)
    tail = float(np.sum(response[1:] ** 2))
    assert response[0] == 1.0
    assert 10 * math.log10(1.0 / tail) == pytest.approx(10.0, abs=0.01)
    assert np.sum(response[-1000:] ** 2) < 1e-4 * tail
    assert not np.array_equal(response, room.impulse_response(place, 2))


def test_noise_falls_three_decibels_an_octave() -> None:
    power = np.abs(np.fft.rfft(room.pink_noise(10 * SAMPLE_RATE, 1))) ** 2
    hertz = np.fft.rfftfreq(10 * SAMPLE_RATE, 1 / SAMPLE_RATE)
    octaves = [float(np.mean(power[(hertz >= low) & (hertz < 2 * low)])) for low in (100, 200, 400, 800, 1600, 3200)]
    steps = [10 * math.log10(one / other) for one, other in pairwise(octaves)]
    assert all(2.0 < step < 4.0 for step in steps)


def test_noise_repeats_after_its_period_without_a_seam() -> None:
    period = room.NOISE_PERIOD_S * SAMPLE_RATE
    noise = room.pink_noise(period + 1000, 1)
    assert np.array_equal(noise[:1000], noise[period:])
    assert float(np.sqrt(np.mean(noise**2))) == pytest.approx(1.0, abs=0.01)
    assert len(room.pink_noise(0, 1)) == 0


def test_level_of_a_voice_and_of_the_noise() -> None:
    pcm = hum("one two three four", "rms").pcm
    samples = 4 * SAMPLE_RATE
    voice = room.track([(Tick(SAMPLE_RATE), pcm)], samples, room.Place(level_db=-20.0), None)
    talk = voice[SAMPLE_RATE : SAMPLE_RATE + len(pcm)]
    assert 20 * math.log10(float(np.sqrt(np.mean(talk**2)))) == pytest.approx(-20.0, abs=0.01)
    noise = room.mix([voice], len(pcm), 30.0, 1) - voice
    assert 20 * math.log10(float(np.sqrt(np.mean(noise**2)))) == pytest.approx(-50.0, abs=0.1)
    assert np.array_equal(room.mix([voice, voice], len(pcm), None, 1), voice + voice)
    assert not room.track([], 10, room.Place(), None).any()


def test_a_tail_past_the_end_is_cut_and_loud_samples_are_clipped() -> None:
    pcm = hum("one two", "rms").pcm
    voice = room.track([(Tick(100), pcm)], 100 + len(pcm), room.Place(), room.impulse_response(room.Place(), 1))
    assert len(voice) == 100 + len(pcm)
    assert room.to_pcm(np.array([2.0, -2.0, 0.5], dtype=np.float32)).tolist() == [32767, -32768, 16384]


def test_text_for_the_voice() -> None:
    assert tokenize("I \u2018know\u2019 \u2014 [cries] that <b>is</b> so .") == ["I", "'know'", "that", "is", "so."]
    assert tokenize("\u2026 -- !") == []


def test_a_word_read_as_several_spans_them_all() -> None:
    spans = [(2, 0.1, 0.2), (5, 0.2, 0.5), (8, 0.5, 0.7), (8, 0.7, 0.9)]
    assert assign(["I", "do", "mg"], spans) == [
        SpokenWord("I", 0.1, 0.2),
        SpokenWord("do", 0.2, 0.5),
        SpokenWord("mg", 0.5, 0.9),
    ]


def test_silence_is_cut_and_times_count_from_the_cut() -> None:
    speech = cut(np.full(SAMPLE_RATE, 1000, dtype=np.int16), [SpokenWord("yes", 0.3, 0.6)])
    assert len(speech.pcm) == round(0.35 * SAMPLE_RATE)
    assert speech.words[0].start_s == pytest.approx(0.01)
    assert (speech.pcm[0], speech.pcm[-1], speech.pcm[2000]) == (0, 0, 1000)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_lossless_files_give_the_same_samples(tmp_path: Path, suffix: str) -> None:
    pcm = hum("one two three", "rms").pcm[:-77]
    write_audio(tmp_path / f"a{suffix}", pcm)
    assert np.array_equal(read_audio(tmp_path / f"a{suffix}"), pcm)


def test_opus_keeps_times_and_gives_the_same_bytes(tmp_path: Path) -> None:
    noise = room.to_pcm(0.05 * room.pink_noise(2 * SAMPLE_RATE, 1))
    noise[:8000] = 0
    for name in ("a.opus", "b.opus"):
        write_audio(tmp_path / name, noise)
    assert (tmp_path / "a.opus").read_bytes() == (tmp_path / "b.opus").read_bytes()
    heard = read_audio(tmp_path / "a.opus")
    assert len(heard) == len(noise)
    lags = np.fft.irfft(np.fft.rfft(heard, 65536) * np.conj(np.fft.rfft(noise, 65536)))
    assert abs((int(np.argmax(lags)) + 32768) % 65536 - 32768) < 0.005 * SAMPLE_RATE


def test_what_is_missing_or_wrong_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.json").write_text("{}")
    assert speech_generator.main(["--script", str(tmp_path / "bad.json"), "--out", str(tmp_path / "out")]) == 1
    assert "script" in capsys.readouterr().err
    voiced = {"lines": [{"role": "client", "text": "No."}], "voices": {"client": "nobody"}}
    (tmp_path / "voice.json").write_text(json.dumps(voiced))
    assert speech_generator.main(["--script", str(tmp_path / "voice.json"), "--out", str(tmp_path / "out")]) == 1
    assert "voice" in capsys.readouterr().err


def test_flite_that_is_missing_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str, mode: int) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", absent)
    flite_voice._library.cache_clear()
    with pytest.raises(EngineMissing, match="install flite"):
        flite_voice.speak("Hello.", "slt")


def test_flite_speaks_every_word_at_its_time() -> None:
    text = "It keeps me up, 20 mg at 10:30. Dr. Smith's well-being?"
    try:
        speech = flite_voice.speak(text, "rms")
    except EngineMissing as missing:
        pytest.skip(str(missing))
    assert [word.text for word in speech.words] == text.split()
    assert all(one.start_s < one.end_s <= other.start_s + 1e-6 for one, other in pairwise(speech.words))
    pause = slice(int(speech.words[3].end_s * SAMPLE_RATE) + 320, int(speech.words[4].start_s * SAMPLE_RATE))
    assert np.abs(speech.pcm[pause]).max() < 0.02 * np.abs(speech.pcm).max()
