"""The embedded recognizer: English, on the CPU, with the moonshine tiny weights of the pinned wheel."""

from collections.abc import Sequence

import numpy as np

from streaming import onnx, weights
from streaming.decoding import loop_start, token_limit
from streaming.ports import Hypothesis, Window
from streaming.tokenizer import BOS, EOS, Tokenizer
from streaming.types import SAMPLE_RATE, Float32, Tick, Word

_LAYERS = 6
_SHORTEST_TICKS = SAMPLE_RATE // 2
_SILENT_RMS = 1e-4


class EmbeddedRecognizer:
    """Moonshine tiny behind the `Recognizer` seam. `threads` are used inside one call."""

    name = "embedded"
    max_window_ticks = 20 * SAMPLE_RATE
    max_batch = 16

    def __init__(self, threads: int = 1) -> None:
        self._encoder = onnx.load(weights.asset("tiny-en/encoder_model.ort"), threads=threads)
        self._decoder = onnx.load(weights.asset("tiny-en/decoder_model_merged.ort"), threads=threads)
        self._tokenizer = Tokenizer(weights.asset("tiny-en/tokenizer.bin").read_bytes())

    def recognize(self, windows: Sequence[Window]) -> list[Hypothesis]:
        """One hypothesis per window, in order."""
        return [self._one(window) for window in windows]

    def _one(self, window: Window) -> Hypothesis:
        audio = window.pcm.astype(np.float32) / np.float32(32768)
        if not len(audio) or float(np.sqrt(np.mean(audio**2))) < _SILENT_RMS:
            return Hypothesis(())
        padded = np.pad(audio, (0, max(0, _SHORTEST_TICKS - len(audio))))
        tokens, probabilities = self._decode(padded)
        spans = self._tokenizer.words(tokens)
        edges = _spread(audio, [len(span.text) + 1 for span in spans])
        return Hypothesis(
            tuple(
                Word(
                    Tick(window.start + start),
                    Tick(window.start + end),
                    span.text,
                    float(np.exp(np.mean(np.log(probabilities[span.first : span.last])))),
                )
                for span, start, end in zip(spans, edges, edges[1:], strict=False)
            )
        )

    def _decode(self, audio: Float32) -> tuple[list[int], list[float]]:
        mask = np.ones((1, len(audio)), np.int64)
        states = self._encoder.run({"input_values": audio[None], "attention_mask": mask})[0]
        past = {
            name: np.zeros((1, 8, 0 if ".decoder." in name else states.shape[1], 36), np.float32)
            for name in self._decoder.inputs
            if name.startswith("past")
        }
        tokens: list[int] = []
        probabilities: list[float] = []
        for step in range(token_limit(len(audio))):
            logits, *present = self._decoder.run(
                {
                    "input_ids": np.array([[tokens[-1] if tokens else BOS]], np.int64),
                    "encoder_hidden_states": states,
                    "encoder_attention_mask": mask,
                    "use_cache_branch": np.array([step > 0]),
                    **past,
                }
            )
            for name, value in zip(self._decoder.outputs[1:], present, strict=True):
                if step == 0 or ".decoder." in name:
                    past[name.replace("present", "past_key_values")] = value
            scores = logits[0, -1]
            token = int(scores.argmax())
            if token == EOS:
                break
            tokens.append(token)
            probabilities.append(float(1 / np.exp(scores - scores.max()).sum()))
            if (start := loop_start(tokens)) is not None:
                return tokens[:start], probabilities[:start]
        return tokens, probabilities


def _spread(audio: Float32, lengths: Sequence[int]) -> list[int]:
    """Edges of words whose lengths in letters are shared out over the loud 20 ms frames."""
    frame = SAMPLE_RATE // 50
    count = -(-len(audio) // frame)
    energy = (np.pad(audio, (0, count * frame - len(audio))).reshape(count, frame) ** 2).mean(1)
    loud = energy >= 0.01 * np.percentile(energy, 95)
    reached = np.concatenate([[0.0], np.cumsum(loud)])
    shares = np.concatenate([[0.0], np.cumsum(lengths)]) / max(1, sum(lengths)) * reached[-1]
    edges = np.searchsorted(reached, shares, side="left") * frame
    return [int(edge) for edge in np.maximum.accumulate(np.minimum(edges, len(audio)))]
