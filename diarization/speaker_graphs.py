"""The speaker models as graphs of our own, over the weights that the wheel ships. Pure.

The stored graphs keep their weights as 8-bit codes and unfold them anew in every call, which also keeps onnxruntime
from fusing and laying out the convolutions; and every window computes its filter bank anew, although eleven
twelfths of its audio were in the window before. Here

- the embedding is the stored graph as it stands, written so that its weights are unfolded once, at loading;
- the segmentation's filter bank (`FilterBank`) runs once over a track's audio, and the rest of the network reads it;
- its four LSTM layers multiply by the stored codes themselves.

Segmentation: pyannote community-1, a SincNet (Ravanelli and Bredin, SLT 2018), four bidirectional LSTM layers, two
linear ones and a powerset of at most two of three speakers (Plaquet and Bredin, Interspeech 2023).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streaming.onnx_graph import Attribute, Graph
from streaming.types import SAMPLE_RATE, Float32

POOLED_TICKS = 30
"""One column of pooled filter outputs: the filters step 10 samples and the best of three steps is kept."""
_STRIDE = 10
_EPSILON = 1e-5
_MIN_HZ, _MIN_BAND_HZ = 50.0, 50.0

Tensors = Mapping[str, NDArray[Any]]
Stored = Sequence[tuple[str, tuple[str, ...], tuple[str, ...], Mapping[str, Attribute]]]
"""A stored graph's operations: kind, inputs, outputs, attributes."""


def embedding_graph(nodes: Stored, tensors: Tensors) -> bytes:
    """The voice embedding: `fbank` (batch, frames, 80) and `weights` (batch, frames) give voices (batch, 256)."""
    graph = Graph()
    graph.input("fbank", "float32", ["batch", "frames", 80])
    graph.input("weights", "float32", ["batch", "frames"])
    for kind, inputs, outputs, attributes in nodes:
        for name in inputs:
            if name in tensors:
                graph.weight(name, tensors[name])
        graph.nodes(kind, inputs, attributes, outputs)
    graph.output(nodes[-1][2][0], "float32", ["batch", 256])
    return graph.model()


@dataclass(frozen=True, slots=True)
class FilterBank:
    """The first layer: 80 band-pass filters, (80, 251), and the scale and shift of the window's normalization."""

    filters: Float32
    weight: float
    bias: float

    def graph(self) -> bytes:
        """`audio` (1, 1, 30 n + 241 or more) gives `most` and `least` (1, 80, n): the extremes of 30 samples each."""
        graph = Graph()
        audio = graph.input("audio", "float32", [1, 1, "samples"])
        heard = graph.node("Conv", [audio, graph.weight("filters", self.filters[:, None])], {"strides": [_STRIDE]})
        pool = {"kernel_shape": [3], "strides": [3]}
        graph.nodes("MaxPool", [heard], pool, ["most"])
        graph.nodes("Neg", [graph.node("MaxPool", [graph.node("Neg", [heard])], pool)], {}, ["least"])
        for name in ("most", "least"):
            graph.output(name, "float32", [1, len(self.filters), "columns"])
        return graph.model()

    def features(self, window: Float32, most: Float32, least: Float32) -> Float32:
        """What the window's normalized audio gives: the best absolute output, from the raw audio's extremes.

        Normalization is a factor and an offset, and so are they in a filter's output; the greatest magnitude of three
        lies at one of their extremes.
        """
        factor = self.weight / float(np.sqrt(window.var() + _EPSILON))
        offset = (self.bias - factor * float(window.mean())) * self.filters.sum(axis=1, keepdims=True)
        return np.asarray(np.maximum(np.abs(factor * most + offset), np.abs(factor * least + offset)), np.float32)


def filter_bank(tensors: Tensors) -> FilterBank:
    """The filters from their stored cut-off frequencies: 40 even ones and 40 odd ones, in a Hamming window."""
    place = "inner.sincnet.conv1d.0.filterbank"
    stored = {
        name: np.asarray(tensors[f"{place}.{name}"], np.float64) for name in ("low_hz_", "band_hz_", "window_", "n_")
    }
    low = _MIN_HZ + np.abs(stored["low_hz_"])
    high = np.clip(low + _MIN_BAND_HZ + np.abs(stored["band_hz_"]), _MIN_HZ, SAMPLE_RATE / 2)
    band = high - low
    time = stored["n_"]
    even = (np.sin(high * time) - np.sin(low * time)) / (time / 2) * stored["window_"]
    odd = (np.cos(low * time) - np.cos(high * time)) / (time / 2) * stored["window_"]
    both = np.concatenate(
        [
            np.concatenate([even, 2 * band, even[:, ::-1]], axis=1) / (2 * band),
            np.concatenate([odd, np.zeros_like(band), -odd[:, ::-1]], axis=1) / (2 * band),
        ]
    )
    norm = "inner.sincnet.wav_norm1d"
    return FilterBank(
        np.asarray(both, np.float32),
        float(np.asarray(tensors[f"{norm}.weight"])[0]),
        float(np.asarray(tensors[f"{norm}.bias"])[0]),
    )


def segmentation_graph(nodes: Stored, tensors: Tensors) -> bytes:
    """All after the filter bank: `features` (1, 80, n) give `speakers`, each frame's class, (frames,).

    `powerset` has what a class means.
    """
    graph = Graph()
    value = graph.input("features", "float32", [1, 80, "columns"])
    value = _normalized(graph, tensors, value, 0)
    for layer in (1, 2):
        kernel, bias = f"inner.sincnet.conv1d.{layer}.weight", f"inner.sincnet.conv1d.{layer}.bias"
        weights = [graph.weight(kernel, _unfolded(tensors, kernel)), graph.weight(bias, tensors[bias])]
        value = graph.node("Conv", [value, *weights], {"kernel_shape": [5]})
        value = graph.node("MaxPool", [value], {"kernel_shape": [3], "strides": [3]})
        value = _normalized(graph, tensors, value, layer)
    value = graph.node("Transpose", [value], {"perm": [2, 0, 1]})
    for inputs in (inputs for kind, inputs, _, _ in nodes if kind == "LSTM"):
        value = _lstm(graph, tensors, value, *inputs[1:4])
    value = graph.node("Squeeze", [value, graph.constant([1])])
    for layer, name in enumerate(["inner.linear.0", "inner.linear.1", "inner.classifier"]):
        weight = _multiplied_before(nodes, f"{name}.bias")
        weights = [
            graph.weight(weight, _unfolded(tensors, weight)),
            graph.weight(f"{name}.bias", tensors[f"{name}.bias"]),
        ]
        value = graph.node("Add", [graph.node("MatMul", [value, weights[0]]), weights[1]])
        if layer < 2:
            value = graph.node("LeakyRelu", [value], {"alpha": 0.01})
    graph.nodes("ArgMax", [value], {"axis": 1, "keepdims": 0}, ["speakers"])
    graph.output("speakers", "int64", ["frames"])
    return graph.model()


def powerset(nodes: Stored, tensors: Tensors) -> Float32:
    """Which of three speakers each class says are active, (7, 3)."""
    return np.asarray(tensors[next(inputs[1] for kind, inputs, outputs, _ in nodes if outputs[0] == "segmentation")])


def _normalized(graph: Graph, tensors: Tensors, value: str, layer: int) -> str:
    names = [f"inner.sincnet.norm1d.{layer}.{part}" for part in ("weight", "bias")]
    inputs = [value, *(graph.weight(name, tensors[name]) for name in names)]
    value = graph.node("InstanceNormalization", inputs, {"epsilon": _EPSILON})
    return graph.node("LeakyRelu", [value], {"alpha": 0.01})


def _lstm(graph: Graph, tensors: Tensors, value: str, weight: str, recurrent: str, bias: str) -> str:
    """Both directions of a layer, (frames, 1, 256) from (frames, 1, inputs), on the stored codes."""
    codes = [_codes(tensors, name.removesuffix("_add_tensor")) for name in (weight, recurrent)]
    (input_codes, *input_scale), (state_codes, *state_scale) = codes
    names = [graph.weight(f"{weight}_codes", input_codes), graph.weight(f"{recurrent}_codes", state_codes)]
    scales = [
        graph.weight(f"{name}_{part}", np.concatenate([one, one]))
        for name, both in ((weight, input_scale), (recurrent, state_scale))
        for part, one in zip(("scale", "zero"), both, strict=True)
    ]
    value = graph.node(
        "DynamicQuantizeLSTM",
        [value, *names, graph.weight(bias, tensors[bias]), "", "", "", "", *scales],
        {"hidden_size": 128, "direction": "bidirectional"},
        microsoft=True,
    )
    value = graph.node("Transpose", [value], {"perm": [0, 2, 1, 3]})
    return graph.node("Reshape", [value, graph.constant([0, 0, 256])])


def _codes(tensors: Tensors, name: str) -> tuple[NDArray[np.int8], Float32, NDArray[np.int8]]:
    """A layer's codes as onnxruntime wants them, (directions, inputs, gates), with their scale and zero code."""
    scale = np.asarray(tensors[f"{name}_scale"], np.float32)
    zero = np.round(-np.asarray(tensors[f"{name}_zero_point"], np.float32) / scale).astype(np.int8)
    codes = np.asarray(tensors[f"{name}_quantized"], np.int8)
    return np.ascontiguousarray(codes.transpose(0, 2, 1)), scale, zero


def _unfolded(tensors: Tensors, name: str) -> Float32:
    """Weights as numbers: stored as such, or as codes with a scale and an offset."""
    name = name.removesuffix("_add_tensor")
    if name in tensors:
        return np.asarray(tensors[name], np.float32)
    return np.asarray(
        tensors[f"{name}_quantized"] * tensors[f"{name}_scale"] + tensors[f"{name}_zero_point"], np.float32
    )


def _multiplied_before(nodes: Stored, bias: str) -> str:
    """The matrix of the product that this bias is added to."""
    added = next(inputs for kind, inputs, _, _ in nodes if kind == "Add" and bias in inputs)
    product = next(name for name in added if name != bias)
    return next(inputs[1] for kind, inputs, outputs, _ in nodes if kind == "MatMul" and outputs[0] == product)
