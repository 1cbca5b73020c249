"""The floor of a live session's cost: the processor time inside the models alone, by model, at real-time pace.

    python -m benchmarks.model_time [--seconds 60] [--pace real|fast]

What is left of the process's time is everything else: framing, decoding of hypotheses, features, joins, log, note.
With one thread a model (the default) a call's own thread does all of its work, so thread time is the model's.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from benchmarks.measure_live import beginning, bundled
from benchmarks.parts import SESSION
from streaming.onnx import Array, OnnxModel
from streaming.settings import load
from streaming.transcribe import Pace, transcribe
from streaming.types import SAMPLE_RATE

_NAMES = {
    ("audio", "most"): "segmentation, filters",
    ("features",): "segmentation, the rest",
    ("fbank",): "voice embedding",
    ("state",): "voice activity",
    ("audio",): "recognizer, encoder",
    ("tokens",): "recognizer, decoder",
}
"""A model is known by inputs and outputs that it has; the first row that fits counts."""


@dataclass(slots=True)
class Used:
    """Calls of one model and the core-seconds in them."""

    calls: int = 0
    core_s: float = 0.0


@contextmanager
def counted() -> Iterator[dict[str, Used]]:
    """Count what every model uses until the block ends."""
    used: dict[str, Used] = defaultdict(Used)
    plain = OnnxModel.run

    def run(model: OnnxModel, feeds: Mapping[str, Array], outputs: Sequence[str] | None = None) -> list[Array]:
        began = time.thread_time()
        try:
            return plain(model, feeds, outputs)
        finally:
            one = used[name_of(model)]
            one.calls += 1
            one.core_s += time.thread_time() - began

    with mock.patch.object(OnnxModel, "run", run):
        yield used


def name_of(model: OnnxModel) -> str:
    """What a model is for."""
    known = {*model.inputs, *model.outputs}
    return next((name for marks, name in _NAMES.items() if known >= set(marks)), "unknown: " + model.inputs[0])


def measured(length_s: float, pace: Pace) -> tuple[dict[str, Used], float, float]:
    """Use by model, core-seconds of the whole process with loading, seconds of audio."""
    with tempfile.TemporaryDirectory() as work, counted() as used:
        material = beginning(bundled(SESSION), length_s, Path(work))
        began = time.process_time()
        state = asyncio.run(transcribe(material.audio, load(), speakers=2, pace=pace))
        whole_s = time.process_time() - began
    audio_s = max(total.received_ticks for total in state.totals) / SAMPLE_RATE
    return dict(used), whole_s, audio_s


def table(used: Mapping[str, Used], whole_s: float, audio_s: float) -> str:
    """A row a model, the sum, and the process with what loading costs."""
    rows = [f"{'':28} {'calls':>7} {'ms a call':>10} {'core-s/s':>9}"]
    for name, one in sorted(used.items(), key=lambda item: -item[1].core_s):
        rows.append(f"{name:28} {one.calls:7} {1000 * one.core_s / one.calls:10.2f} {one.core_s / audio_s:9.4f}")
    models_s = sum(one.core_s for one in used.values())
    rows.append(f"{'models alone':28} {'':7} {'':10} {models_s / audio_s:9.4f}")
    rows.append(f"{'process, loading included':28} {'':7} {'':10} {whole_s / audio_s:9.4f}")
    return "\n".join(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="model_time", description="Processor time inside the models alone.")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the bundled session (60)")
    parser.add_argument("--pace", choices=("real", "fast"), default="real", help="fast makes no tentative words")
    options = parser.parse_args(argv)
    print(table(*measured(options.seconds, options.pace)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
