"""What a card makes of large-v3-turbo's shape: `python -m benchmarks.gpu_whisper --out FILE.json`, on a CUDA device.

Weights are random, so no word means anything and a decoding would end anywhere: its length is fixed to 15 tokens for
5 s of audio, which is fast talk. What is timed is the work of the shapes: encoding, decoding, alignment.
"""

import argparse
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import kept
from benchmarks.capacity import sessions_per_device
from benchmarks.figure import figure
from benchmarks.parts import Part
from benchmarks.random_whisper import LARGE_V3_TURBO, TINY, Shape, save_random_whisper
from streaming.types import SAMPLE_RATE

TOKENS_PER_S = 3
"""15 tokens for 5 s."""
WINDOWS_PER_S = 1.2
"""What a session that is spoken in asks for: a tentative window a second, and a final one every five."""
TITLE = "random weights, decode length fixed to 15 tokens for 5 s"


class Card:
    """A model of random weights on a device, and its steps on a batch of windows of one length."""

    def __init__(self, folder: Path, device: str, compute_type: str, batch: int, window_s: float) -> None:
        import ctranslate2
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer

        self._views = ctranslate2.StorageView
        self._whisper = WhisperModel(str(folder), device=device, compute_type=compute_type)
        self._tokenizer = Tokenizer(self._whisper.hf_tokenizer, True, "transcribe", "en")
        self._tokens = round(window_s * TOKENS_PER_S)
        self._frames = round(window_s * 100)
        random = np.random.default_rng(0)
        clips = [random.normal(size=round(window_s * SAMPLE_RATE)).astype(np.float32) * 0.05 for _ in range(batch)]
        self.clips = clips
        self.features = self.spectrograms()

    def spectrograms(self) -> Any:
        """Of all windows, on the CPU, filled up to 30 s."""
        from faster_whisper.audio import pad_or_trim

        return np.ascontiguousarray(
            np.stack([pad_or_trim(self._whisper.feature_extractor(clip)[..., :-1]) for clip in self.clips])
        )

    def encode(self) -> Any:
        """The encoder's output, waited for."""
        return self._whisper.model.encode(self._views.from_array(self.features), to_cpu=False)

    def decode(self, encoded: Any) -> list[list[int]]:
        """So many tokens of each row, whatever they are."""
        prompt = [*self._tokenizer.sot_sequence, self._tokenizer.no_timestamps]
        results = self._whisper.model.generate(
            encoded,
            [prompt] * len(self.clips),
            beam_size=1,
            max_length=len(prompt) + self._tokens,
            suppress_tokens=list(range(self._tokenizer.eot, self._tokenizer.eot + 1)),
        )
        return [result.sequences_ids[0] for result in results]

    def align(self, encoded: Any, tokens: list[list[int]]) -> None:
        """Times of all tokens."""
        text = [[token for token in row if token < self._tokenizer.eot] for row in tokens]
        self._whisper.model.align(encoded, self._tokenizer.sot_sequence, text, [self._frames] * len(text))


def timed(card: Card, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each step, and of a whole call. An encoding is over when its decoding can read it."""
    found: dict[str, list[float]] = {"spectrograms": [], "encode and decode": [], "align": [], "call": []}
    for number in range(rounds + 1):
        marks = [time.perf_counter()]
        card.features = card.spectrograms()
        marks.append(time.perf_counter())
        encoded = card.encode()
        tokens = card.decode(encoded)
        marks.append(time.perf_counter())
        card.align(encoded, tokens)
        marks.append(time.perf_counter())
        if number:  # the first call pays for libraries and memory
            steps = [1000 * (after - before) for before, after in itertools.pairwise(marks)]
            for name, step in zip(found, [*steps, sum(steps)], strict=True):
                found[name].append(step)
    return found


def measured(
    shape: Shape, device: str, compute_type: str, batches: Sequence[int], rounds: int, say: Callable[[str], None]
) -> Part:
    """A figure a step and batch size, and the sessions that a device would carry."""
    part = Part()
    window_s = 5.0
    with tempfile.TemporaryDirectory() as folder:
        say(f"  writing {shape.encoder_layers}+{shape.decoder_layers} layers of random weights")
        save_random_whisper(Path(folder), shape)
        for batch in batches:
            say(f"  batch {batch}")
            steps = timed(Card(Path(folder), device, compute_type, batch, window_s), rounds)
            title = f"{TITLE}, batch {batch}, windows of {window_s:.0f} s"
            part.figures += [figure(title, name, "ms", took) for name, took in steps.items()]
            sessions = sessions_per_device(statistics.median(steps["call"]) / 1000, batch, WINDOWS_PER_S)
            part.figures.append(figure(title, "sessions a device carries, an estimate", "count", sessions))
    return part


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, keep; 2 where there is no such device."""
    given = argparse.ArgumentParser(prog="gpu_whisper", description=__doc__)
    given.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    given.add_argument("--shape", default="large-v3-turbo", choices=("large-v3-turbo", "tiny"))
    given.add_argument("--compute-type", default=None, help="float16 on CUDA, float32 on the CPU")
    given.add_argument("--batches", type=int, nargs="+", default=[1, 4, 16])
    given.add_argument("--rounds", type=int, default=10)
    given.add_argument("--out", type=Path, default=Path("out/gpu-whisper.json"))
    chosen = given.parse_args(argv)
    try:
        import ctranslate2
    except ImportError:
        print("gpu_whisper: the package ctranslate2 is not installed: pip install '.[faster-whisper]'.")
        return 2
    if chosen.device == "cuda" and not ctranslate2.get_cuda_device_count():
        print("gpu_whisper: no CUDA device is here.")
        return 2
    shape = LARGE_V3_TURBO if chosen.shape == "large-v3-turbo" else TINY
    compute_type = chosen.compute_type or ("float16" if chosen.device == "cuda" else "float32")
    head = kept.head("gpu_whisper", runs=chosen.rounds, shape=chosen.shape, device=chosen.device)
    part = measured(shape, chosen.device, compute_type, chosen.batches, chosen.rounds, lambda line: print(line))
    body = kept.assembled([part], {**head, "compute_type": compute_type})
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    for one in part.figures:
        print(f"{one.part}: {one.name}: {one.value:.3g} {one.unit}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
