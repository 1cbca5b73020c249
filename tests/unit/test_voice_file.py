"""The voice file on disk: who may read it."""

import stat
from pathlib import Path

import numpy as np
import pytest

from streaming import voice_file
from streaming.errors import BadSettings

pytestmark = pytest.mark.unit

VOICE = np.array([0.6, 0.8], dtype=np.float32)


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    voice_file.save(tmp_path / "new" / "voice.json", VOICE, "one")
    assert stat.S_IMODE((tmp_path / "new" / "voice.json").stat().st_mode) == 0o600


def test_a_file_that_others_could_read_is_its_owners_alone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "voice.json"
    path.write_text("older, and longer than what replaces it" * 10)
    path.chmod(0o644)
    voice_file.save(path, VOICE, "one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert np.allclose(voice_file.load(path, 2, "one"), VOICE)


def test_a_voice_of_other_weights_is_not_compared(tmp_path: Path) -> None:
    voice_file.save(tmp_path / "voice.json", VOICE, "one")
    with pytest.raises(BadSettings, match="another model"):
        voice_file.load(tmp_path / "voice.json", 2, "other")
