"""LocalAgreement-2 as published (`benchmarks.local_agreement`) on our recognizer, in a process of its own.

    python -m benchmarks.agreement_process AUDIO...

Prints one JSON object a line per recording, as `benchmarks.peer_process` does. Audio comes in on a clock that is
reckoned: it runs as fast as real time while the recognizer rests, and by what it takes while it works.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.local_agreement import CHUNK_TICKS, LocalAgreement
from streaming.embedded_recognizer import EmbeddedRecognizer
from streaming.media import decode_file
from streaming.ports import Recognizer, Window
from streaming.types import SAMPLE_RATE, Int16Mono, Tick


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    recognizer = EmbeddedRecognizer(1)
    recognizer.recognize([Window(Tick(0), np.zeros(SAMPLE_RATE, dtype=np.int16))])
    for path in argv if argv is not None else sys.argv[1:]:
        pcm = np.concatenate(list(decode_file(Path(path))))
        print(json.dumps({"file": Path(path).name} | heard(pcm, recognizer)), flush=True)
    return 0


def heard(pcm: Int16Mono, recognizer: Recognizer) -> dict[str, Any]:
    """Words with the time each became final, and core-seconds, of audio at 16 kHz."""
    loop, words = LocalAgreement(), []
    began, now_s, end = time.process_time(), 0.0, 0
    while end < len(pcm):
        end = min(len(pcm), max(end + CHUNK_TICKS, int(now_s * SAMPLE_RATE)))
        now_s = max(now_s, end / SAMPLE_RATE)
        started = time.monotonic()
        (hypothesis,) = recognizer.recognize([Window(loop.start, pcm[loop.start : end])])
        committed = loop.hear(hypothesis.words, Tick(end))
        now_s += time.monotonic() - started
        words += [[word.text, round(now_s, 3)] for word in committed]
    words += [[word.text, round(now_s, 3)] for word in loop.flush()]
    return {
        "audio_s": len(pcm) / SAMPLE_RATE,
        "cpu_s": round(time.process_time() - began, 3),
        "words": words,
        "turns": [],
    }


if __name__ == "__main__":
    sys.exit(main())
