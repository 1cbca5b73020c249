"""The silero voice activity network as a graph of our own, over the weights that the wheel ships. Pure.

The stored graph asks in every call which of two sampling rates it was given, which state it has and of what shape,
and puts the weights of its LSTM together anew; that took half of its time. Here are the operations for chunks of 512
samples at 16 kHz alone: a spectrum of four frames, four convolutions, one step of an LSTM, one number.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streaming.onnx_graph import Graph

CONTEXT = 64
"""Samples before the chunk that the network wants ahead of it."""
_CHUNK = 512
_WIDTH = 128
_BINS = 129
_PLACE = "If_0_then_branch__Inline_0__"
"""The stored graph's branch for 16 kHz."""

Tensors = Mapping[str, NDArray[Any]]


def silero_graph(tensors: Tensors) -> bytes:
    """`audio` (1, 576) and `state` (2, 1, 128) give `voice` (1, 1), a probability, and `state_after`."""
    g = Graph()

    def stored(name: str) -> str:
        return g.weight(name, tensors[_PLACE + name])

    audio = g.input("audio", "float32", [1, CONTEXT + _CHUNK])
    state = g.input("state", "float32", [2, 1, _WIDTH])
    x = g.node("Pad", [audio, g.constant([0, 0, 0, 64])], {"mode": "reflect"})
    x = g.node("Unsqueeze", [x, g.constant([1])])
    x = g.node("Conv", [x, stored("stft.forward_basis_buffer")], {"strides": [_BINS - 1]})
    real, imaginary = g.nodes("Split", [x, g.constant([_BINS, _BINS])], {"axis": 1}, ["", ""])
    squares = [g.node("Mul", [part, part]) for part in (real, imaginary)]
    x = g.node("Sqrt", [g.node("Add", squares)])
    for layer, stride in enumerate((1, 2, 2, 1)):
        weights = [stored(f"encoder.{layer}.reparam_conv.{part}") for part in ("weight", "bias")]
        x = g.node("Relu", [g.node("Conv", [x, *weights], {"strides": [stride], "pads": [1, 1]})])
    x = g.node("Transpose", [x], {"perm": [2, 0, 1]})  # one frame is left: (1, 1, 128)
    before = g.nodes("Split", [state], {"axis": 0, "num_outputs": 2}, ["", ""])
    weights = [g.weight(name, _gates(tensors, name)) for name in ("weight_ih", "weight_hh", "bias")]
    _, *after = g.nodes("LSTM", [x, *weights, "", *before], {"hidden_size": _WIDTH}, ["", "", ""])
    g.nodes("Concat", after, {"axis": 0}, ["state_after"])
    x = g.node("Unsqueeze", [g.node("Squeeze", [after[0], g.constant([0])]), g.constant([2])])
    weights = [stored(f"decoder.decoder.2.{part}") for part in ("weight", "bias")]
    x = g.node("Sigmoid", [g.node("Conv", [g.node("Relu", [x]), *weights])])
    g.nodes("Squeeze", [x, g.constant([2])], {}, ["voice"])
    g.output("voice", "float32", [1, 1])
    g.output("state_after", "float32", [2, 1, _WIDTH])
    return g.model()


def _gates(tensors: Tensors, name: str) -> NDArray[np.float32]:
    """Weights of the LSTM in the order that ONNX wants: in, out, forget, cell; stored are in, forget, cell, out."""
    if name == "bias":
        return np.concatenate([_gates(tensors, "bias_ih"), _gates(tensors, "bias_hh")], axis=1)
    gate_in, forget, cell, out = np.split(np.asarray(tensors[f"{_PLACE}decoder.rnn.{name}"], np.float32), 4)
    return np.concatenate([gate_in, out, forget, cell])[None]
