"""The online diarizer on a scripted model: chunking, watermark, identity, cap, memory."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_speakers import STEP, ScriptedSpeakers, say

from diarization.online import DiarizerSettings, OnlineDiarizer, enroll
from streaming.types import SAMPLE_RATE, Int16Mono, SpeakerId, TrackId, Turn, Turns, seconds, to_tick

pytestmark = pytest.mark.unit
MIC = TrackId("mic")
TALK = say(
    ((), 0.5), ((0,), 3.1), ((), 0.4), ((1,), 2.3), ((0, 1), 0.6), ((0,), 4.2), ((), 3.0), ((1,), 0.5), ((0,), 2.0)
)


def hear(diarizer: OnlineDiarizer, pcm: Int16Mono, chunk: int) -> list[Turns]:
    messages = [diarizer.hear(pcm[at : at + chunk]) for at in range(0, len(pcm), chunk)]
    return [message for message in [*messages, diarizer.flush()] if message is not None]


def turns_of(messages: list[Turns]) -> list[Turn]:
    return [turn for message in messages for turn in message.turns]


def talk_s(turns: list[Turn]) -> dict[SpeakerId, float]:
    totals: dict[SpeakerId, float] = {}
    for turn in turns:
        totals[turn.speaker] = totals.get(turn.speaker, 0.0) + seconds(turn.end - turn.start)
    return totals


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=12))
def test_chunking_changes_nothing(sizes: list[int]) -> None:
    expected = OnlineDiarizer(ScriptedSpeakers(), MIC, 2)
    whole = turns_of(hear(expected, TALK, len(TALK)))
    diarizer = OnlineDiarizer(ScriptedSpeakers(), MIC, 2)
    messages, at = [], 0
    for size in itertools.cycle(sizes):
        messages.append(diarizer.hear(TALK[at : at + size]))
        at += size
        if at >= len(TALK):
            break
    messages.append(diarizer.flush())
    assert turns_of([message for message in messages if message]) == whole
    assert diarizer.settle() == expected.settle()


def test_turns_lie_between_the_watermarks_of_their_messages() -> None:
    before = 0
    for message in hear(OnlineDiarizer(ScriptedSpeakers(), MIC, 2), TALK, 1600):
        assert message.through >= before
        assert all(before <= turn.start < turn.end <= message.through for turn in message.turns)
        before = message.through
    assert before == len(TALK)


def test_speech_is_given_to_the_voices_that_spoke() -> None:
    turns = turns_of(hear(OnlineDiarizer(ScriptedSpeakers(), MIC, 2), TALK, 1600))
    totals = talk_s(turns)
    assert totals == pytest.approx({"S1": 9.9, "S2": 3.4}, abs=0.1)
    assert next(turn.speaker for turn in turns) == "S1"


def test_a_turn_is_final_a_window_and_its_margin_after_its_end() -> None:
    settings = DiarizerSettings()
    latest = to_tick(settings.hop_s + settings.margin_s + 0.05)  # and what whole frames and blocks add
    for silence in np.arange(0.0, 1.5, 0.13):
        pcm = say(((), 0.3 + float(silence)), ((0,), 2.7), ((), 3.0))
        end = len(say(((), 0.3 + float(silence)), ((0,), 2.7)))
        diarizer = OnlineDiarizer(ScriptedSpeakers(), MIC, 2)
        for at in range(0, len(pcm), 320):
            diarizer.hear(pcm[at : at + 320])
            if diarizer.through >= end:
                assert at + 320 - end <= latest
                break
        assert diarizer.through >= end


def test_never_more_speakers_than_expected() -> None:
    pcm = say(*(((voice,), 2.2) for voice in (0, 1, 2, 3, 4, 0, 2, 1)))
    diarizer = OnlineDiarizer(ScriptedSpeakers(), MIC, 2)
    live = turns_of(hear(diarizer, pcm, 8000))
    assert {turn.speaker for turn in live} == {"S1", "S2"}
    assert {turn.speaker for turn in diarizer.settle()} <= {"S1", "S2"}


def test_one_voice_is_not_split() -> None:
    pcm = say(*([((0,), 3.0), ((), 0.6)] * 8))
    diarizer = OnlineDiarizer(ScriptedSpeakers(), MIC, 4)
    assert {turn.speaker for turn in turns_of(hear(diarizer, pcm, 8000))} == {"S1"}
    assert {turn.speaker for turn in diarizer.settle()} == {"S1"}


def test_voices_that_the_segmentation_confuses_are_told_apart() -> None:
    pcm = say(*([((0,), 4.0), ((), 0.3), ((1,), 4.0), ((), 0.3)] * 3))
    diarizer = OnlineDiarizer(ScriptedSpeakers(blind=True), MIC, 2)
    hear(diarizer, pcm, 8000)
    assert talk_s(list(diarizer.settle())) == pytest.approx({"S1": 12.0, "S2": 12.0}, abs=0.3)


def test_ids_stay_after_a_long_silence() -> None:
    pcm = say(((0,), 3.0), ((1,), 3.0), ((), 40.0), ((1,), 3.0), ((), 30.0), ((0,), 3.0))
    turns = turns_of(hear(OnlineDiarizer(ScriptedSpeakers(), MIC, 2), pcm, 8000))
    assert [speaker for speaker, _ in itertools.groupby(turn.speaker for turn in turns)] == ["S1", "S2", "S1"]


def test_an_enrolled_voice_has_its_name() -> None:
    model = ScriptedSpeakers()
    clinician = enroll(model, [np.asarray(say(((1,), 2.0)) / 32768.0, np.float32)])
    diarizer = OnlineDiarizer(model, MIC, 2, enrolled={SpeakerId("clinician"): clinician})
    totals = talk_s(turns_of(hear(diarizer, TALK, 1600)))
    assert totals == pytest.approx({"S1": 9.9, "clinician": 3.4}, abs=0.1)
    assert talk_s(list(diarizer.settle())) == pytest.approx({"S1": 9.9, "clinician": 3.4}, abs=0.1)


def test_silence_runs_no_model_and_is_final() -> None:
    model = ScriptedSpeakers()
    diarizer = OnlineDiarizer(model, MIC, 2)
    message = diarizer.hear(np.zeros(60 * SAMPLE_RATE, np.int16))
    assert message is not None
    assert message.turns == ()
    assert message.through > 59 * SAMPLE_RATE
    assert (model.segmented, model.embedded_s) == (0, 0.0)


def test_each_second_of_clean_speech_is_embedded_once() -> None:
    model = ScriptedSpeakers()
    hear(OnlineDiarizer(model, MIC, 2), TALK, 1600)
    assert model.embedded_s <= 12.2


def test_no_audio_and_less_than_a_frame() -> None:
    diarizer = OnlineDiarizer(ScriptedSpeakers(), MIC, 2)
    assert diarizer.hear(np.zeros(0, np.int16)) is None
    assert diarizer.flush() == Turns(MIC, (), diarizer.through)
    assert diarizer.settle() == ()
    short = OnlineDiarizer(ScriptedSpeakers(), MIC, 2)
    assert short.hear(say(((0,), 0.1))[: STEP // 2]) is None
    assert short.flush().through == STEP // 2


def test_a_flushed_track_takes_no_more() -> None:
    diarizer = OnlineDiarizer(ScriptedSpeakers(), MIC, 2)
    diarizer.flush()
    with pytest.raises(ValueError, match="flushed"):
        diarizer.hear(np.zeros(10, np.int16))
    assert diarizer.flush().turns == ()


@pytest.mark.parametrize("speakers", [0, 17])
def test_a_number_of_speakers_out_of_range_is_refused(speakers: int) -> None:
    with pytest.raises(ValueError, match="speakers"):
        OnlineDiarizer(ScriptedSpeakers(), MIC, speakers)
