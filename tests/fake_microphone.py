"""What Chromium's fake microphone plays: the beginning of the bundled session."""

import json
import wave
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

SESSION = Path(__file__).resolve().parents[1] / "benchmarks" / "data" / "session"
HEAD_S = 1.0
"""Silence before the talk: Chromium's fake microphone loses its first half second."""


@dataclass(frozen=True, slots=True)
class Talk:
    """The beginning of the bundled session, up to a pause: the fake microphone's file, its length, who says what."""

    microphone: Path
    length_s: float
    said: list[tuple[str, str]]


def written(path: Path, about_s: float, recording: str = "mix") -> Talk:
    """The file as Chromium's fake microphone takes it, 48 kHz, 16 bit, mono, with silence before and after.

    `recording` is mix, clinician or client.
    """
    utterances = json.loads((SESSION / "reference.json").read_text())["utterances"]
    pauses = [
        one["end"]
        for one in utterances
        if not any(two["start"] < one["end"] + 0.3 and two["end"] > one["end"] for two in utterances)
    ]
    cut = max(end for end in pauses if end < about_s) + 0.15
    resampler = av.AudioResampler("s16", "mono", 48_000)
    pieces: list[NDArray[np.int16]] = []
    with av.open(str(SESSION / f"{recording}.opus")) as audio:
        for frame in audio.decode(audio=0):
            pieces += [out.to_ndarray()[0].astype(np.int16) for out in resampler.resample(frame)]
            if sum(map(len, pieces)) > cut * 48_000:
                break
    silence = np.zeros(round(HEAD_S * 48_000), np.int16)
    heard = np.concatenate([silence, np.concatenate(pieces)[: round(cut * 48_000)], *[silence] * 60])
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(heard.tobytes())
    return Talk(path, HEAD_S + cut, [(one["role"], one["text"]) for one in utterances if one["end"] <= cut])
