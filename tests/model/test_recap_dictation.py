"""A dictated recap: transcribed as one person's talk, then told as the clinician's with the words that hold it."""

import json
import wave
from pathlib import Path

import pytest

from benchmarks.audio_files import read_audio
from streaming.cli import main

pytestmark = pytest.mark.model

BUNDLED = Path(__file__).resolve().parents[2] / "benchmarks" / "data" / "session"


def test_a_recording_becomes_a_recap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pcm = read_audio(BUNDLED / "clinician.opus")[: 16 * 16_000]
    with wave.open(str(tmp_path / "dictation.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(pcm.tobytes())
    assert main(["recap", str(tmp_path / "dictation.wav"), "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    own = [one for part in body["sections"] for one in part["statements"] if one["provenance"] == "clinician"]
    assert "sleeping" in " ".join(one["text"] for one in own)
    assert all(one["evidence"] for one in own)
    assert all(one["provenance"] != "transcript" for part in body["sections"] for one in part["statements"])
    assert body["risk"]["si"] == {"state": "not_asked", "evidence": []}
