"""Runs the moonshine tiny network: clips of any lengths in, greedy tokens with their attention out.

Every row is decoded as if it were alone: tokens, probabilities and attention are the same to the bit in any batch.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streaming import onnx, weights
from streaming.decoding import loop_start, token_limit
from streaming.moonshine_graphs import (
    HEAD,
    HEADS,
    LAYERS,
    Side,
    decoder_graph,
    encoder_graph,
    linear_weights,
    plain_weights,
)
from streaming.tokenizer import BOS, EOS
from streaming.types import SAMPLE_RATE, Float32

FRAME_TICKS = 384
"""One frame of the encoder: what an attention weight stands for."""

SHORTEST_TICKS = SAMPLE_RATE // 10

_ALIGNED_HEADS = ((1, 3), (2, 1))
"""Of all 48 heads these look most at the word being read: 87 and 91 % of their attention lies inside it, over 722
words of synthetic speech with known times."""

_HIDDEN = np.float32(-1e9)
_GROWTH = 32
_GRID = 32  # frames are padded to a multiple: sums then add up in the same order, whatever the longest clip
_NAMES = [(name, layer) for layer in range(LAYERS) for name in ("key", "value")]


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was heard in one clip: n tokens without the begin and end marks.

    `log_probabilities` (n,); `attention` (n, frames): where in the clip the network looked when it read each token
    back. `looped` where a repetition was cut off, `cut` where the limit of tokens was reached: then the last token
    was not read back and its row is zero.
    """

    tokens: tuple[int, ...]
    log_probabilities: Float32
    attention: Float32
    looped: bool
    cut: bool


class Moonshine:
    """The network on the CPU, with `threads` threads inside one call. Raises EngineMissing."""

    def __init__(self, threads: int = 1, *, heads: Sequence[tuple[int, int]] = _ALIGNED_HEADS) -> None:
        encoder = _side(onnx.read_parts(weights.asset("tiny-en/encoder_model.ort")))
        decoder = _side(onnx.read_parts(weights.asset("tiny-en/decoder_model_merged.ort")))
        self._encoder = onnx.load(encoder_graph(encoder, decoder), threads=threads)
        self._decoder = onnx.load(decoder_graph(decoder, heads), threads=threads)

    def transcribe(self, clips: Sequence[Float32]) -> list[Decoded]:
        """Decode clips of at least SHORTEST_TICKS in one batch."""
        batch = _Batch(self._decoder, self._encode(clips), [len(clip) for clip in clips])
        while batch.rows:
            batch.step()
        return batch.results()

    def _encode(self, clips: Sequence[Float32]) -> dict[str, onnx.Array]:
        """Keys and values of all clips, padded at the end of the longest; the mask hides the padding."""
        longest = -(-max(frames(len(clip)) for clip in clips) // _GRID) * _GRID
        kept: dict[str, onnx.Array] = {}
        for layer in range(LAYERS):
            kept[f"key.{layer}"] = np.zeros((len(clips), HEADS, HEAD, longest), np.float32)
            kept[f"value.{layer}"] = np.zeros((len(clips), HEADS, longest, HEAD), np.float32)
        mask = np.full((len(clips), 1, 1, longest), _HIDDEN, np.float32)
        for row, clip in enumerate(clips):
            time = frames(len(clip))
            mask[row, ..., :time] = 0
            outputs = self._encoder.run({"audio": clip[None, None]})
            for name, array in zip(self._encoder.outputs, outputs, strict=True):
                kept[name][row][tuple(slice(size) for size in array.shape[1:])] = array[0]
        return kept | {"score_mask": mask}


class _Batch:
    """Rows that are being decoded. Those that have ended give their place to the last one still running."""

    def __init__(self, decoder: onnx.OnnxModel, encoded: dict[str, onnx.Array], lengths: Sequence[int]) -> None:
        self._decoder = decoder
        self._kept = encoded
        self._limits = [token_limit(length) for length in lengths]
        self._frames = [frames(length) for length in lengths]
        self._capacity = _GROWTH
        shape = (len(lengths), HEADS, _GROWTH, HEAD)
        self._past = {f"past_{name}.{layer}": np.zeros(shape, np.float32) for name, layer in _NAMES}
        self._filled = 0
        self._next = np.full(len(lengths), BOS, np.int64)
        self._tokens: list[list[int]] = [[] for _ in lengths]
        self._scores: list[list[float]] = [[] for _ in lengths]
        self._attention: list[list[Float32]] = [[] for _ in lengths]
        self._loops: dict[int, int] = {}
        self.rows = list(range(len(lengths)))
        """The clip that each running row decodes."""

    def step(self) -> None:
        """One more token of every row."""
        count = len(self.rows)
        if self._filled == self._capacity:
            self._grow()
        feeds = {name: array[:count] for name, array in (self._kept | self._past).items()}
        feeds["tokens"] = self._next[:count]
        feeds["position"] = np.array([self._filled])
        feeds["middles"] = np.full(count, 128, np.uint8)
        feeds["sizes"] = np.array([self._capacity, 1])
        feeds["past_mask"] = np.zeros(self._capacity + 1, np.float32)
        feeds["past_mask"][self._filled : self._capacity] = _HIDDEN
        result = dict(zip(self._decoder.outputs, self._decoder.run(feeds), strict=True))
        for name, layer in _NAMES:
            self._past[f"past_{name}.{layer}"][:count, :, self._filled] = result[f"new_{name}.{layer}"][:, :, 0]
        self._filled += 1
        ended = [row for row, clip in enumerate(self.rows) if self._take(row, clip, result)]
        for row in reversed(ended):
            self._drop(row)

    def results(self) -> list[Decoded]:
        """What each clip gave, in order."""
        return [self._result(clip) for clip in range(len(self._tokens))]

    def _result(self, clip: int) -> Decoded:
        kept = self._loops.get(clip, len(self._tokens[clip]))
        attention = np.zeros((kept, self._frames[clip]), np.float32)
        for row, looked in enumerate(self._attention[clip][1 : kept + 1]):  # the first is the begin mark's
            attention[row] = looked[: self._frames[clip]]
        scores = np.array(self._scores[clip][:kept], np.float32)
        cut = len(self._tokens[clip]) >= self._limits[clip]
        return Decoded(tuple(self._tokens[clip][:kept]), scores, attention, clip in self._loops, cut)

    def _take(self, row: int, clip: int, result: dict[str, onnx.Array]) -> bool:
        """Note the token chosen for a row; true where the row has ended with it."""
        token = int(result["next"][row])
        self._attention[clip].append(result["attention"][row])
        self._next[row] = token
        if token == EOS:
            return True
        self._tokens[clip].append(token)
        self._scores[clip].append(math.log(result["probability"][row]))
        if (start := loop_start(self._tokens[clip])) is not None:
            self._loops[clip] = start
            return True
        return len(self._tokens[clip]) >= self._limits[clip]

    def _grow(self) -> None:
        room = ((0, 0), (0, 0), (0, _GROWTH), (0, 0))
        self._past = {name: np.pad(array[: len(self.rows)], room) for name, array in self._past.items()}
        self._capacity += _GROWTH

    def _drop(self, row: int) -> None:
        last = len(self.rows) - 1
        if row != last:
            for array in (*self._kept.values(), *self._past.values(), self._next):
                array[row] = array[last]
            self.rows[row] = self.rows[last]
        self.rows.pop()


def frames(ticks: int) -> int:
    """How many encoder frames a clip of this length has."""
    return ((_first_frames(ticks) - 7) // 3 + 1 - 3) // 2 + 1


def _first_frames(ticks: int) -> int:
    return (ticks - 127) // 64 + 1


def _side(parts: onnx.Parts) -> Side:
    nodes = [(node.kind, node.inputs, node.outputs[0]) for node in parts.nodes]
    return Side(linear_weights(nodes, parts.tensors), plain_weights(parts.tensors))
