"""A clinician's enrolled voice: who is who on a shared microphone, from the first word."""

import asyncio
import stat
from pathlib import Path

import numpy as np
import pytest

from benchmarks.audio_files import read_audio, write_audio
from streaming import cli, voice_file
from streaming.errors import BadSettings, BadVoice
from streaming.settings import load
from streaming.state import SessionState
from streaming.transcribe import transcribe
from streaming.types import SAMPLE_RATE

pytestmark = pytest.mark.model

VOICES = "wespeaker-resnet34"
SESSION = Path(__file__).parents[2] / "benchmarks" / "data" / "session"


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clinician's voice, learned from the end of the session, which the tests do not transcribe."""
    folder = tmp_path_factory.mktemp("voice")
    write_audio(folder / "clinician.flac", read_audio(SESSION / "clinician.opus")[75 * SAMPLE_RATE :])
    assert cli.main(["enroll", str(folder / "clinician.flac"), "--out", str(folder / "voice.json")]) == 0
    return folder / "voice.json"


def transcribed(source: str, start_s: int, end_s: int, voice: Path, folder: Path) -> SessionState:
    piece = folder / "piece.flac"
    write_audio(piece, read_audio(SESSION / source)[start_s * SAMPLE_RATE : end_s * SAMPLE_RATE])
    return asyncio.run(transcribe(piece, load(clinician_voice=voice), speakers=2, pace="fast"))


def test_the_file_is_its_owners_alone(voice: Path) -> None:
    assert stat.S_IMODE(voice.stat().st_mode) == 0o600
    assert np.linalg.norm(voice_file.load(voice, 256, VOICES)) == pytest.approx(1.0, abs=1e-4)


def test_the_enrolled_voice_is_the_clinician_and_the_other_the_client(voice: Path, tmp_path: Path) -> None:
    state = transcribed("mix.opus", 0, 20, voice, tmp_path)
    assert state.roles is not None
    assert state.roles.source == "enrolled"
    first, second = state.in_order()[:2]
    assert (state.role_of(first.speaker), state.role_of(second.speaker)) == ("clinician", "client")


def test_a_session_without_the_enrolled_voice_falls_back_to_the_talk(voice: Path, tmp_path: Path) -> None:
    state = transcribed("client.opus", 7, 22, voice, tmp_path)
    assert state.roles is not None
    assert state.roles.source == "talk"


def test_too_little_speech_is_refused(tmp_path: Path) -> None:
    write_audio(tmp_path / "short.flac", read_audio(SESSION / "clinician.opus")[: 8 * SAMPLE_RATE])
    assert cli.main(["enroll", str(tmp_path / "short.flac"), "--out", str(tmp_path / "voice.json")]) == 2
    assert not (tmp_path / "voice.json").exists()
    with pytest.raises(BadVoice, match="Only 3 s"):
        voice_file.clips(np.zeros(3 * SAMPLE_RATE, np.int16))


def test_a_recording_of_two_people_is_refused(tmp_path: Path) -> None:
    write_audio(tmp_path / "both.flac", read_audio(SESSION / "mix.opus")[: 45 * SAMPLE_RATE])
    assert cli.main(["enroll", str(tmp_path / "both.flac"), "--out", str(tmp_path / "voice.json")]) == 2
    assert not (tmp_path / "voice.json").exists()


@pytest.mark.parametrize("text", ["", "{}", '{"version": 1, "model": "other", "voice": [1.0]}', '{"voice": "x"}'])
def test_a_file_that_is_no_voice_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "voice.json").write_text(text)
    with pytest.raises(BadSettings, match="clinician_voice"):
        voice_file.load(tmp_path / "voice.json", 256, VOICES)
