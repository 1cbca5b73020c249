"""RTTM, TextGrid, manifests and folders as references."""

import json
from pathlib import Path

import pytest
from shared_data import shared_data

from benchmarks.manifest import (
    parse_rttm,
    parse_textgrid,
    read_manifest,
    read_reference,
    textgrid_transcript,
    turns_of,
)
from streaming.errors import BadTranscript
from streaming.types import SpeakerId, Turn, to_tick

pytestmark = pytest.mark.unit

RTTM = """SPEAKER call 1 6.690 0.430 <NA> <NA> speaker90 <NA> <NA>
SPKR-INFO call 1 <NA> <NA> <NA> unknown speaker90 <NA> <NA>

SPEAKER call 1 1.500 0.800 <NA> <NA> speaker91 <NA> <NA>
"""
GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 9.5
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "Doctor"
        xmin = 0
        xmax = 9.5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 2.5
            text = ""
        intervals [2]:
            xmin = 2.5
            xmax = 4
            text = "He said ""no""."
        intervals [3]:
            xmin = 4
            xmax = 9.5
            text = "Right."
"""
TRANSCRIPT = {"utterances": [{"role": "client", "start": 1.0, "end": 2.0, "text": "hello"}]}


def test_rttm_turns_are_in_order_and_other_lines_ignored() -> None:
    assert parse_rttm(RTTM) == {
        "call": (
            Turn(to_tick(1.5), to_tick(2.3), SpeakerId("speaker91")),
            Turn(to_tick(6.69), to_tick(7.12), SpeakerId("speaker90")),
        )
    }


@pytest.mark.parametrize(
    "line", ["SPEAKER call 1 x 0.4 <NA> <NA> a", "SPEAKER call 1 1.0", "SPEAKER c 1 1 inf <NA> <NA> a",
             "SPEAKER call 1 5.0 -1.0 <NA> <NA> a", "SPEAKER call 1 -5.0 1.0 <NA> <NA> a"]
)  # fmt: skip
def test_bad_rttm_names_its_line(line: str) -> None:
    with pytest.raises(BadTranscript, match="Line 2"):
        parse_rttm("\n" + line)


def test_textgrid_labels_and_quotes() -> None:
    assert parse_textgrid(GRID) == {"Doctor": [(2.5, 4.0, 'He said "no".'), (4.0, 9.5, "Right.")]}


@pytest.mark.parametrize("text", ["", "SPEAKER", GRID.replace("xmax = 4", "xmax = four")])
def test_bad_textgrid(text: str) -> None:
    with pytest.raises(BadTranscript):
        parse_textgrid(text)


def test_textgrids_of_two_people_become_one_transcript_in_order() -> None:
    other = GRID.replace("Doctor", "Patient").replace("2.5", "3.5")
    found = textgrid_transcript([other, GRID])
    assert [(one.id, one.speaker, one.text) for one in found.utterances] == [
        ("mic-1", "Doctor", 'He said "no".'),
        ("mic-2", "Patient", 'He said "no".'),
        ("mic-3", "Patient", "Right."),
        ("mic-4", "Doctor", "Right."),
    ]
    assert found.roles == {"Doctor": "clinician", "Patient": "client"}


def test_a_folder_pairs_recordings_with_what_lies_beside_them(tmp_path: Path) -> None:
    for name in ("call.wav", "alone.flac", "notes.md"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "call.rttm").write_text(RTTM)
    (tmp_path / "call.txt").write_text("hello there\n")
    alone, call = read_manifest(tmp_path)
    assert (alone.name, alone.reference.turns, alone.reference.words_known()) == ("alone", None, False)
    assert (call.reference.text, call.reference.speakers, call.reference.words_known()) == ("hello there", 2, True)


def test_a_manifest_names_its_references(tmp_path: Path) -> None:
    (tmp_path / "a.rttm").write_text(RTTM)
    (tmp_path / "b.json").write_text(json.dumps(TRANSCRIPT))
    (tmp_path / "list.json").write_text(
        json.dumps(
            {"items": [{"name": "one", "audio": "x/one.wav", "reference": ["a.rttm", "b.json"], "speakers": 3},
                       {"audio": "two.wav", "text": "good morning"}]}
        )
    )  # fmt: skip
    one, two = read_manifest(tmp_path / "list.json")
    assert (one.name, one.audio, one.reference.speakers) == ("one", tmp_path / "x" / "one.wav", 3)
    assert one.reference.transcript is not None
    assert turns_of(one.reference.transcript) == (Turn(to_tick(1.0), to_tick(2.0), SpeakerId("client")),)
    assert (two.name, two.reference.text, two.reference.turns) == ("two", "good morning", None)


@pytest.mark.parametrize("text", ["", "[]", '{"items": [{}]}', '{"items": 3}', '{"items": ["a.wav"]}'])
def test_bad_manifest(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.json").write_text(text)
    with pytest.raises(BadTranscript):
        read_manifest(tmp_path / "list.json")


def test_references_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "two.rttm").write_text(RTTM + RTTM.replace("call", "other"))
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "words.docx").write_text("hello")
    for name in ("two.rttm", "latin.txt", "words.docx"):
        with pytest.raises(BadTranscript):
            read_reference([tmp_path / name])


def test_a_consultation_of_two_textgrids() -> None:
    paths = [shared_data(f"consultations/day1_consultation01_{who}.TextGrid") for who in ("doctor", "patient")]
    transcript = read_reference(paths).transcript
    assert transcript is not None
    assert set(transcript.roles.values()) == {"clinician", "client"}
    assert len(transcript.utterances) > 50


def test_meeting_clips_are_read_as_a_folder() -> None:
    items = read_manifest(shared_data("conversations"))
    assert {item.name for item in items} >= {"sample", "dev00"}
    assert all(item.reference.turns and item.reference.speakers for item in items)
