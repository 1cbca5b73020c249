"""Pieces of a recording, and what goes to and comes from the senders' process."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.live import Recording, shown_times
from benchmarks.live_figures import Final
from benchmarks.ramp import Step, step_figures
from benchmarks.step_figures import judged, settled, step_of
from benchmarks.talk_pieces import cut, pauses, pieces
from benchmarks.traffic import Caller, Job, Outcome, read_job, read_outcome, write_job, write_outcome
from streaming.types import (
    SAMPLE_RATE,
    SpeakerId,
    Tick,
    TrackId,
    Transcript,
    Turn,
    Utterance,
    UtteranceId,
    Word,
    to_tick,
)

pytestmark = pytest.mark.unit


def said(number: int, start_s: float, end_s: float) -> Utterance:
    word = Word(to_tick(start_s), to_tick(end_s), f"word{number}", 1.0)
    return Utterance(
        UtteranceId(f"mic-{number}"), TrackId("mic"), word.start, word.end, SpeakerId("S1"), word.text, 1.0, (word,)
    )


TALK = Transcript(tuple(said(number, 1.0 + 2.0 * number, 2.0 + 2.0 * number) for number in range(5)), {})
SPOKEN = tuple(Turn(one.start, one.end, one.speaker) for one in TALK.utterances)
PCM = np.arange(11 * SAMPLE_RATE, dtype=np.int64).astype(np.int16)


def spans(transcript: Transcript) -> list[tuple[float, float, str]]:
    return [(one.start / SAMPLE_RATE, one.end / SAMPLE_RATE, one.text) for one in transcript.utterances]


def test_pauses_are_in_the_middle_of_silences() -> None:
    assert [at / SAMPLE_RATE for at in pauses(TALK, Tick(len(PCM)))] == [0.0, 2.5, 4.5, 6.5, 8.5]


def test_a_piece_has_its_own_time_and_goes_round_the_end() -> None:
    piece = cut(PCM, TALK, SPOKEN, to_tick(8.5), to_tick(6.0))
    assert spans(piece.reference) == [(0.5, 1.5, "word4"), (3.5, 4.5, "word0")]
    assert [(turn.start / SAMPLE_RATE, turn.end / SAMPLE_RATE) for turn in piece.spoken] == [(0.5, 1.5), (3.5, 4.5)]
    assert piece.pcm[0] == PCM[to_tick(8.5)]
    assert piece.pcm[to_tick(2.5)] == PCM[0]


def test_a_piece_ends_before_an_utterance_that_it_would_cut() -> None:
    piece = cut(PCM, TALK, SPOKEN, Tick(0), to_tick(3.5))
    assert spans(piece.reference) == [(1.0, 2.0, "word0")]
    assert piece.length_s == 3.0


def test_pieces_begin_at_pauses_far_apart() -> None:
    found = pieces(PCM, TALK, SPOKEN, 4.0, 2)
    assert [piece.reference.utterances[0].text for piece in found] == ["word0", "word2"]
    with pytest.raises(ValueError, match="empty"):
        pieces(PCM[:0], TALK, SPOKEN, 4.0, 2)


def test_a_job_and_an_outcome_survive_their_files() -> None:
    job = Job("http://127.0.0.1:1", (Caller("a.pcm", "webrtc", 0.5),))
    assert read_job(write_job(job)) == job
    recording = Recording("s", [(1.5, {"type": "lag"})], end_asked=3.0, transcript={"utterances": []})
    one = read_outcome(write_outcome(Outcome(2, recording, [10.0, 10.02], 320)))
    assert (one.caller, one.recording.messages, one.recording.end_asked) == (2, [(1.5, {"type": "lag"})], 3.0)
    assert one.recording.sent_at(Tick(320)) == 10.02
    with pytest.raises(LookupError):
        one.recording.sent_at(Tick(640))


def test_a_sender_is_late_by_what_it_lost_since_its_earliest_frame() -> None:
    one = Outcome(0, sent=[5.02, 5.04, 5.09], frame_ticks=320)
    assert one.late_s() == pytest.approx([0.0, 0.0, 0.03])
    assert Outcome(0).late_s() == []


def partial(committed: str, tentative: str) -> dict[str, object]:
    return {"type": "partial", "track": "mic", "start": 0.0, "committed": committed, "tentative": tentative}


def closed(*texts: str) -> dict[str, object]:
    words = [{"text": text, "start": 0.0, "end": 0.1, "confidence": 1.0} for text in texts]
    return {"type": "utterance", "track": "mic", "words": words, "text": " ".join(texts), "start": 0.0, "end": 0.1}


def test_a_word_is_shown_with_the_first_message_that_fills_its_place() -> None:
    messages = [
        (1.0, partial("", "a b")),
        (2.0, partial("a", "b c")),
        (3.0, closed("a", "b")),
        (4.0, closed("c", "d")),
    ]
    assert shown_times(Recording(messages=messages)) == [1.0, 1.0, 2.0, 4.0]


def finished(piece_words: list[tuple[str, float, float]], frames: int = 500) -> Outcome:
    """A session that heard these words, all final 0.3 s after they were sent, and all that was sent."""
    ticks = frames * 320
    words = [{"text": text, "start": start, "end": end, "confidence": 1.0} for text, start, end in piece_words]
    utterance = {"id": "mic-1", "start": words[0]["start"], "end": words[-1]["end"], "speaker": "S1", "role": None,
                 "text": " ".join(text for text, _, _ in piece_words), "confidence": 1.0, "words": words}  # fmt: skip
    totals = [
        {"track": "mic", "received_ticks": ticks, "transcribed_ticks": ticks, "gap_ticks": 0, "speech_ticks": 1}
    ]
    messages: list[tuple[float, dict[str, object]]] = [
        (100.0 + piece_words[-1][2] + 0.3, {"type": "utterance", "track": "mic", **utterance}),
        (112.0, {"type": "turns", "track": "mic", "turns": [{"start": 1.0, "end": 2.0, "speaker": "S1"}]}),
        (112.1, {"type": "ended", "totals": totals}),
        (112.2, {"type": "draft", "note": {}}),
    ]
    body = {"audio_s": ticks / SAMPLE_RATE, "received_ticks": ticks, "transcribed_ticks": ticks, "gaps": [],
            "utterances": [utterance]}  # fmt: skip
    recording = Recording("s", messages, end_asked=111.0, transcript=json.loads(json.dumps(body)))
    one = Outcome(0, recording, [100.0 + 0.02 * (number + 1) for number in range(frames)], 320)
    recording.sent_at = one.sent_at
    return one


def test_a_session_is_judged_against_its_piece() -> None:
    piece = cut(PCM, TALK, SPOKEN, Tick(0), to_tick(3.0))
    one = judged(finished([("word0", 1.0, 2.0)], frames=150), piece)
    assert one is not None
    assert one.complete
    assert one.words.errors == 0
    assert one.live.final_s == pytest.approx([0.28], abs=0.021)
    assert one.partial_s == pytest.approx((0.3,), abs=0.021)
    assert one.diarization is None or one.diarization.rate == 0


def test_a_session_whose_end_did_not_arrive_is_not_complete() -> None:
    piece = cut(PCM, TALK, SPOKEN, Tick(0), to_tick(3.0))
    short = finished([("word0", 1.0, 2.0)], frames=150)
    short.sent += [103.5] * 60
    one = judged(short, piece)
    assert one is not None
    assert one.complete, "what is sent after the piece's end is no part of it"
    shorter = finished([("word0", 1.0, 2.0)], frames=100)
    shorter.sent += [103.5] * 60
    one = judged(shorter, piece)
    assert one is not None
    assert not one.complete


def test_a_session_without_its_end_is_no_result() -> None:
    assert (
        judged(Outcome(0, Recording(transcript={"utterances": []})), cut(PCM, TALK, SPOKEN, Tick(0), to_tick(3.0)))
        is None
    )


def test_settled_turns_are_on_the_senders_time() -> None:
    wait = {"type": "gap", "track": "mic", "start": 0, "end": 0.5, "cause": "no_audio"}
    turns = {"type": "turns", "track": "mic", "turns": [{"start": 1.5, "end": 2.0, "speaker": "S1"}]}
    assert settled(Recording(messages=[(1.0, wait), (2.0, turns)])) == [
        Turn(to_tick(1.0), to_tick(1.5), SpeakerId("S1"))
    ]


def test_a_step_is_the_sum_of_its_sessions() -> None:
    piece = cut(PCM, TALK, SPOKEN, Tick(0), to_tick(3.0))
    good, failed = finished([("word0", 1.0, 2.0)], frames=150), Outcome(1, error="TimeoutError")
    first = judged(good, piece)
    assert first is not None
    found = step_of(
        Step(2, "webrtc", 3.0, wall_s=4.0),
        [good, failed],
        [first, None],
        [(first.words, first.diarization), None],
        {"recognition": 0.5},
        [(1.0, 2.0), (1.5, 4.0)],
        0.1,
    )
    assert found.errors == ("TimeoutError",)
    assert (found.complete, found.wer, found.wer_alone) == (1, 0.0, 0.0)
    assert found.lag_s == (1.25, 4.0)
    assert found.audio_s == 3.0


@pytest.mark.parametrize(("audio_s", "early", "late"), [(601.0, [0.4], [0.9]), (599.0, [], [])])
def test_a_long_session_is_compared_with_itself_at_its_ends(
    audio_s: float, early: list[float], late: list[float]
) -> None:
    good = finished([("word0", 1.0, 2.0)], frames=150)
    first = judged(good, cut(PCM, TALK, SPOKEN, Tick(0), to_tick(3.0)))
    assert first is not None
    finals = tuple(Final("u", *times, 1.0) for times in ((299.0, 0.4), (300.5, 3.0), (600.0, 0.9)))
    long = replace(first, live=replace(first.live, audio_s=audio_s, finals=finals))
    found = step_of(Step(1, "websocket", audio_s), [good], [long], [None], {}, [], 0.1)
    assert (found.distributions["early_s"], found.distributions["late_s"]) == (early, late)
    named = [row.name for row in step_figures("long", found) if "five minutes" in row.name]
    assert len(named) == len(early) + len(late)
