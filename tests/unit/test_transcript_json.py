"""Transcript files: every documented shape is read, every malformed one is refused with a clear message."""

import json
from typing import Any

import pytest
from shared_data import shared_data

from streaming.errors import BadTranscript
from streaming.transcript_json import parse, read, write
from streaming.types import seconds

pytestmark = pytest.mark.unit

SIMPLE = {
    "utterances": [
        {"role": "therapist", "start": "00:00:02", "text": "Hi."},
        {"role": "client", "start": 4, "text": "Hello."},
    ]
}


def test_roles_and_clock_times_are_read() -> None:
    transcript = read(SIMPLE)
    assert [seconds(one.start) for one in transcript.utterances] == [2.0, 4.0]
    assert [transcript.roles[one.speaker] for one in transcript.utterances] == ["clinician", "client"]
    assert [one.id for one in transcript.utterances] == ["mic-1", "mic-2"]


def test_an_utterance_without_end_ends_by_the_next_start() -> None:
    body = {
        "utterances": [
            {"role": "client", "start": 0, "text": "word " * 50},
            {"role": "clinician", "start": 3, "text": "Mm."},
        ]
    }
    assert seconds(read(body).utterances[0].end) == 3.0


def test_utterances_come_in_order_of_start() -> None:
    body = {"utterances": [{"role": "client", "start": 9, "text": "b"}, {"role": "client", "start": 1, "text": "a"}]}
    assert [one.text for one in read(body).utterances] == ["a", "b"]


def test_an_empty_transcript_is_a_transcript() -> None:
    assert read({"utterances": []}).utterances == ()


def test_context_is_read() -> None:
    context = {
        "started_at": "2026-01-31T10:00:00+01:00",
        "modality": "telehealth_video",
        "goals": ["sleep"],
        "odd": 1,
    }
    found = read({"utterances": [], "context": context}).context
    assert (found.started_at, found.modality, found.goals) == (
        "2026-01-31T10:00:00+01:00",
        "telehealth_video",
        ("sleep",),
    )


def test_a_speaker_without_role_is_kept_without_role() -> None:
    transcript = read({"utterances": [{"speaker": "S1", "start": 0, "text": "Hi.", "role": None}]})
    assert transcript.roles == {}


def test_what_is_written_is_read_the_same() -> None:
    body: dict[str, Any] = {
        "gaps": [{"track": "mic", "start": 1.0, "end": 2.0, "cause": "packet_loss"}],
        "utterances": [
            {
                "id": "mic-7",
                "start": 0.12345,
                "end": 1.5,
                "speaker": "S1",
                "role": "client",
                "text": "Not sure.",
                "confidence": 0.5,
                "words": [{"text": "Not", "start": 0.2, "end": 0.4}, {"text": "sure.", "start": 0.4, "end": 1.0}],
            }
        ],
    }
    transcript = read(body)
    again = read(json.loads(json.dumps(write(transcript))))
    assert (again.utterances, again.roles, again.gaps) == (transcript.utterances, transcript.roles, transcript.gaps)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '"x"', "null", "{}", '{"utterances": {}}', '{"utterances": [1]}', "[" * 100_000, b"\xff\xfe\x00"],
)
def test_what_is_not_a_transcript_is_refused(text: str | bytes) -> None:
    with pytest.raises(BadTranscript):
        parse(text)


@pytest.mark.parametrize(
    "row, place",
    [
        ({"role": "client", "text": "x"}, "start"),
        ({"role": "client", "start": "soon", "text": "x"}, "start"),
        ({"role": "client", "start": -1, "text": "x"}, "start"),
        ({"role": "client", "start": True, "text": "x"}, "start"),
        ({"role": "client", "start": 10**400, "text": "x"}, "start"),
        ({"role": "client", "start": float("nan"), "text": "x"}, "start"),
        ({"role": "client", "start": "00:99:00", "text": "x"}, "start"),
        ({"role": "client", "start": 2, "end": 1, "text": "x"}, "ends before"),
        ({"role": "client", "start": 0}, "text"),
        ({"role": "client", "start": 0, "text": 5}, "text"),
        ({"role": "pilot", "start": 0, "text": "x"}, "role"),
        ({"role": 3, "start": 0, "text": "x"}, "role"),
        ({"start": 0, "text": "x"}, "role"),
        ({"role": "client", "start": 0, "text": "x", "confidence": 7}, "confidence"),
        ({"role": "client", "start": 0, "text": "x", "words": "x"}, "words"),
        ({"role": "client", "start": 0, "text": "x", "words": [{"text": "x"}]}, "words[0]"),
        ({"role": "client", "start": 0, "text": "x", "id": []}, "id"),
        ({"role": "client", "start": 0, "text": "x", "speaker": 4}, "speaker"),
    ],
)
def test_a_malformed_utterance_is_refused_with_its_place(row: dict[str, Any], place: str) -> None:
    with pytest.raises(BadTranscript) as refused:
        read({"utterances": [row]})
    assert "utterances[0]" in refused.value.message
    assert place in refused.value.message


def test_messages_hold_no_content() -> None:
    with pytest.raises(BadTranscript) as refused:
        read({"utterances": [{"role": "secret words", "start": 0, "text": "x"}]})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "context",
    [
        [],
        {"started_at": "yesterday"},
        {"started_at": "2026-01-31T10:00:00"},
        {"modality": "phone box"},
        {"goals": [1]},
        {"client": 5},
    ],
)
def test_a_malformed_context_is_refused(context: Any) -> None:
    with pytest.raises(BadTranscript):
        read({"utterances": [], "context": context})


def test_one_speaker_in_two_roles_is_refused() -> None:
    rows = [
        {"speaker": "S1", "role": "client", "start": 0, "text": "x"},
        {"speaker": "S1", "role": "clinician", "start": 1, "text": "y"},
    ]
    with pytest.raises(BadTranscript):
        read({"utterances": rows})


def test_two_utterances_of_one_id_are_refused() -> None:
    rows = [{"id": "a", "role": "client", "start": n, "text": "x"} for n in range(2)]
    with pytest.raises(BadTranscript):
        read({"utterances": rows})


def test_development_transcripts_are_read_as_they_are_and_survive_writing() -> None:
    for path in sorted(shared_data("therapy").glob("*.json")):
        transcript = parse(path.read_bytes())
        assert set(transcript.roles.values()) == {"clinician", "client"}
        assert read(write(transcript)).utterances == transcript.utterances


def test_the_context_takes_goals_with_objectives_and_the_plan_s_terms() -> None:
    context = {
        "service": "family",
        "participants": ["mother"],
        "group_size": 8,
        "plan_goals": [{"text": "Sleep", "objectives": [{"text": "Asleep by eleven", "target": "5 nights"}]}],
        "plan": {"frequency": "weekly", "unknown": 1},
    }
    found = read({"utterances": [], "context": context}).context
    assert (found.service, found.participants, found.group_size) == ("family", ("mother",), 8)
    assert found.goals == ("Sleep",)
    assert found.plan_goals[0].objectives[0].id == "g1.1"
    assert found.plan is not None
    assert found.plan.frequency == "weekly"


@pytest.mark.parametrize(
    "context",
    [
        {"service": "hairdressing"},
        {"group_size": "8"},
        {"group_size": -1},
        {"plan_goals": [{}]},
        {"plan_goals": [{"text": "a", "objectives": [{}]}]},
        {"plan": "weekly"},
        {"written_at": "2026-01-31T10:00:00"},
    ],
)
def test_a_malformed_chart_in_the_context_is_refused(context: Any) -> None:
    with pytest.raises(BadTranscript):
        read({"utterances": [], "context": context})
