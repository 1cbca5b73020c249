"""The peer: moonshine-voice's own streaming `Transcriber`, on the same weights, in a process of its own.

    python -m benchmarks.peer_process [--speakers] [--gate-off] AUDIO...

Prints one JSON object a line per recording: what was said, who spoke when (with `--speakers`), the processor time
it took from the first chunk to the final transcript, and when each word was final, on a clock that is reckoned as if
audio came at real-time pace. Loading is left out. Chunks of 0.5 s are given as fast as they are taken, with an update
after each, as it ships. It recognizes and diarizes in one: its cost is that of both.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from streaming import weights
from streaming.media import decode_file
from streaming.types import SAMPLE_RATE, Float32

CHUNK_S = 0.5


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="peer_process", description="moonshine-voice's own streaming transcriber.")
    parser.add_argument("audio", type=Path, nargs="+")
    parser.add_argument("--speakers", action="store_true", help="with its own diarization")
    parser.add_argument(
        "--gate-off", action="store_true", help="take all for speech: its diarizer then hears quiet speakers too"
    )
    options = parser.parse_args(argv)
    chosen = {"identify_speakers": "true"} if options.speakers else {}
    if options.gate_off:
        chosen["vad_threshold"] = "0.0"
    # With the gate off a line never ends and each update reads all of it again: ten seconds apart will do.
    update_s = 10.0 if options.gate_off else CHUNK_S
    for path in options.audio:
        pcm = np.concatenate(list(decode_file(path))).astype(np.float32) / np.float32(32768)
        print(json.dumps({"file": path.name} | heard(pcm, chosen, update_s)), flush=True)
    return 0


def heard(audio: Float32, options: dict[str, str], update_s: float) -> dict[str, Any]:
    """Lines in order, speaker turns in seconds, and core-seconds, of mono audio at 16 kHz."""
    # Not moonshine_voice.mic_transcriber, which asks for PortAudio.
    from moonshine_voice.transcriber import ModelArch, Transcriber

    transcriber = Transcriber(weights.asset("tiny-en/tokenizer.bin").parent, ModelArch.TINY, options=options)
    stream = transcriber.create_stream(update_interval=update_s)
    clock = _Clock()
    final_s: dict[int, float] = {}

    def completed(event: Any) -> None:
        if type(event).__name__ == "LineCompleted":
            final_s.setdefault(event.line.line_id, clock.now_s())

    stream.add_listener(completed)
    stream.start()
    began = _cpu_s()
    for number, chunk in enumerate(_chunks(audio), 1):
        with clock.working(min(number * CHUNK_S, len(audio) / SAMPLE_RATE)):
            stream.add_audio(chunk, SAMPLE_RATE)
    with clock.working(len(audio) / SAMPLE_RATE):
        lines = stream.stop().lines
    cost = _cpu_s() - began
    stream.close()
    transcriber.close()
    return {
        "audio_s": len(audio) / SAMPLE_RATE,
        "cpu_s": round(cost, 3),
        "words": [
            [word, round(final_s.get(line.line_id, clock.now_s()), 3)] for line in lines for word in line.text.split()
        ],
        "lines": [[line.start_time, line.duration, line.text] for line in lines],
        "turns": [
            [span.start_time, span.start_time + span.duration, f"P{span.speaker_index}"]
            for line in lines
            for span in line.speaker_spans or ()
        ],
    }


class _Clock:
    """Time as it would be at real-time pace: it waits for audio, and runs on while something works."""

    def __init__(self) -> None:
        self._at_s = 0.0
        self._began: float | None = None

    @contextmanager
    def working(self, arrived_s: float) -> Iterator[None]:
        """Work that cannot begin before audio to `arrived_s` has come."""
        self._at_s = max(self._at_s, arrived_s)
        self._began = time.monotonic()
        try:
            yield
        finally:
            self._at_s += time.monotonic() - self._began
            self._began = None

    def now_s(self) -> float:
        """Seconds since the first sample was spoken."""
        return self._at_s + (time.monotonic() - self._began if self._began is not None else 0.0)


def _chunks(audio: Float32) -> Iterator[list[float]]:
    size = int(CHUNK_S * SAMPLE_RATE)
    for start in range(0, len(audio), size):
        yield audio[start : start + size].tolist()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
