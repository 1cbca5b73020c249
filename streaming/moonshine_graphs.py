"""The moonshine tiny network as graphs of our own, over the weights that the wheel ships. Pure.

The wheel's graphs cannot serve many sessions in one call: they quantize activations with one scale for the whole
batch, and normalize over padding, so a window's words would depend on what else is in the batch. They also keep their
cross-attention to themselves, which word times need. These graphs take the same stored weights, as float32, and

- encode each clip alone, which costs no more (8 clips of 6 s: 0.019 to 0.022 core-seconds per audio second either
  way), and mask what is padding in the decoder's attention;
- give back only the new keys and values, so that nothing of the past is copied;
- give each new token's most likely successor with its probability instead of 32768 scores, and the attention.

Architecture: Jeffries et al., "Moonshine: Speech Recognition for Live Transcription and Voice Commands", 2024. Six
layers each side, width 288, 8 heads of 36, of which 32 are rotated in pairs; encoder frames are 384 samples apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streaming.onnx_graph import Attribute, Graph
from streaming.types import Float32

WIDTH = 288
HEADS = 8
HEAD = 36
LAYERS = 6
_ROTATED = 32
_POSITIONS = 2048
_EPSILON = 1e-5
_SCALE = 1 / 6  # of attention scores: one over the square root of 36
_UNEMBEDDING = "logits"
_GROUP_SCALE, _GROUP_SHIFT = "onnx::Mul_2080", "onnx::Add_2081"  # the stored graph names them no better

Tensors = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Linear:
    """A stored matrix: `codes` uint8 (inputs, outputs), worth `(codes - zero) * scale`, both per output."""

    codes: NDArray[np.uint8]
    scale: Float32
    zero: NDArray[np.uint8]

    def floats(self) -> Float32:
        """The matrix as numbers."""
        return np.asarray((self.codes.astype(np.float32) - self.zero) * self.scale, np.float32)

    def times(self, factor: float) -> "Linear":
        """The matrix with all its numbers multiplied."""
        return Linear(self.codes, self.scale * np.float32(factor), self.zero)


def side_by_side(matrices: Sequence[Linear]) -> Linear:
    """One matrix that gives the outputs of all."""
    return Linear(
        np.concatenate([each.codes for each in matrices], axis=1),
        np.concatenate([each.scale for each in matrices]),
        np.concatenate([each.zero for each in matrices]),
    )


def linear_weights(nodes: Sequence[tuple[str, tuple[str, ...], str]], tensors: Tensors) -> dict[str, Linear]:
    """The matrices by the place they have in the network, such as `layers.0.mlp.fc1`.

    `nodes` are (kind, inputs, output) of the stored graph. Raises KeyError where a weight is missing.
    """
    found: dict[str, Linear] = {}
    for kind, inputs, output in nodes:
        if kind == "MatMulIntegerToFloat":
            weight, scale, zero = inputs[1], inputs[3], inputs[5]
        elif kind == "DynamicQuantizeMatMul":
            weight, scale, zero = inputs[1], inputs[2], inputs[3]
        else:
            continue
        place = output.removeprefix("/").removeprefix("model/decoder/").rsplit("/", 1)[0].replace("/", ".")
        codes = np.asarray(tensors[weight], np.uint8)
        outputs = codes.shape[1]
        found[place] = Linear(
            codes,
            np.full(outputs, tensors[scale].reshape(-1), np.float32),
            np.full(outputs, tensors[zero].reshape(-1), np.uint8),
        )
    return found


def plain_weights(tensors: Tensors) -> dict[str, Float32]:
    """Norms, biases and convolutions by the same names."""
    return {
        name.removeprefix("model.decoder.").removesuffix("_merged_0").removesuffix("_add_tensor"): np.array(
            value, np.float32
        )
        for name, value in tensors.items()
        if value.dtype == np.float32
    }


@dataclass(frozen=True, slots=True)
class Side:
    """The weights of the encoder or of the decoder, by place."""

    linear: Mapping[str, Linear]
    plain: Mapping[str, Float32]


class _Layers(Graph):
    """A graph with the network's building blocks.

    Products are either of floats or, with `whole_numbers`, of 8-bit codes with one scale for each row of activations
    (the wheel's graph has one for all rows). Codes pay where a product has few rows and its cost is reading the
    matrix: 1.4 against 7 ms for the 288 x 32768 scores of one token. With hundreds of rows, floats are as fast.
    """

    def __init__(self, side: Side, *, whole_numbers: bool) -> None:
        super().__init__()
        self.side = side
        self._whole_numbers = whole_numbers
        angles = np.outer(np.arange(_POSITIONS), 10000.0 ** (-np.arange(0, _ROTATED, 2) / _ROTATED))
        self._cos = self.weight("cos", np.cos(angles).astype(np.float32))
        self._sin = self.weight("sin", np.sin(angles).astype(np.float32))

    def matmul(self, x: str, name: str, matrix: Linear) -> str:
        if not self._whole_numbers:
            return self.node("MatMul", [x, self.weight(name, matrix.floats())])
        largest = self.node("ReduceMax", [self.node("Abs", [x]), self.constant([-1])], {"keepdims": 1})
        unit = self.node("Mul", [largest, self.constant(1 / 127)])
        codes = self.node(
            "QuantizeLinear", [x, self.node("Squeeze", [unit, self.constant([1])]), "middles"], {"axis": 0}
        )
        weights = [self.weight(f"{name}.codes", matrix.codes), self.weight("one", np.array(1, np.float32))]
        weights += [self.weight(f"{name}.scale", matrix.scale), self.weight("middle", np.array(128, np.uint8))]
        weights += [self.weight(f"{name}.zero", matrix.zero)]
        product = self.node("MatMulIntegerToFloat", [codes, *weights], microsoft=True)
        return self.node("Mul", [product, unit])

    def linear(self, x: str, place: str) -> str:
        """The product of x and the matrix of `place`, plus its bias where it has one."""
        product = self.matmul(x, place, self.side.linear[place])
        bias = f"{place}.bias"
        if bias not in self.side.plain:
            return product
        return self.node("Add", [product, self.weight(bias, self.side.plain[bias])])

    def norm(self, x: str, place: str) -> str:
        scale = self.weight(place, self.side.plain[f"{place}.weight"])
        return self.node("LayerNormalization", [x, scale], {"axis": -1, "epsilon": _EPSILON})

    def rotate(self, x: str, positions: str, output: str = "") -> str:
        settings = {"interleaved": 1, "num_heads": HEADS, "rotary_embedding_dim": _ROTATED}
        return self.node("RotaryEmbedding", [x, positions, self._cos, self._sin], settings, output, microsoft=True)

    def queries_keys_values(self, x: str, place: str) -> list[str]:
        """The three projections of self-attention in one product, the scores' scale already in the first."""
        w = self.side.linear
        joined = side_by_side([w[f"{place}.q_proj"].times(_SCALE), w[f"{place}.k_proj"], w[f"{place}.v_proj"]])
        product = self.matmul(x, f"{place}.qkv", joined)
        return self.nodes("Split", [product], {"axis": -1, "num_outputs": 3}, ["", "", ""])

    def heads(self, x: str, output: str = "") -> str:
        """(batch, width), one token each, as (batch, heads, 1, 36)."""
        return self.node("Reshape", [x, self.constant([0, HEADS, 1, HEAD])], output=output)

    def join(self, x: str) -> str:
        """(batch, heads, 1, 36) as (batch, width)."""
        return self.node("Reshape", [x, self.constant([0, WIDTH])])


def encoder_graph(encoder: Side, decoder: Side) -> bytes:
    """Audio of one clip to the keys and values that every decoder layer attends to.

    In: `audio` (1, 1, samples). Out, per layer: `key.N` (1, 8, 36, time) and `value.N` (1, 8, time, 36).
    """
    g = _Layers(encoder, whole_numbers=False)
    x = _front(g, g.input("audio", "float32", [1, 1, "samples"]))
    start = g.constant([0])
    for layer in range(LAYERS):
        place = f"layers.{layer}"
        q, k, v = g.queries_keys_values(g.norm(x, f"{place}.input_layernorm"), f"{place}.self_attn")
        projected = [g.rotate(q, start), g.rotate(k, start), v]
        settings: dict[str, Attribute] = {"num_heads": HEADS, "scale": 1.0}  # the scale is in the queries
        heard = g.node("MultiHeadAttention", projected, settings, microsoft=True)
        x = g.node("Add", [x, g.linear(heard, f"{place}.self_attn.o_proj")])
        inner = g.linear(g.norm(x, f"{place}.post_attention_layernorm"), f"{place}.mlp.fc1")
        inner = g.node("Gelu", [inner], microsoft=True)
        x = g.node("Add", [x, g.linear(inner, f"{place}.mlp.fc2")])
    x = g.norm(x, "layer_norm")
    for layer in range(LAYERS):
        place = f"layers.{layer}.encoder_attn"
        for name, order in (("key", (0, 2, 3, 1)), ("value", (0, 2, 1, 3))):
            wide = g.matmul(x, f"{place}.{name}", decoder.linear[f"{place}.{name[0]}_proj"])
            split = g.node("Reshape", [wide, g.constant([0, 0, HEADS, HEAD])])
            g.node("Transpose", [split], {"perm": order}, f"{name}.{layer}")
            g.output(f"{name}.{layer}", "float32", [1, HEADS, f"{name}_a", f"{name}_b"])
    return g.model()


def _front(g: _Layers, audio: str) -> str:
    """The three convolutions, as (1, time, width). The norm after the first is over all channels and times."""
    w = g.side.plain
    x = g.node("Tanh", [g.node("Conv", [audio, g.weight("conv1", w["conv1.weight"])], {"strides": [64]})])
    flat = g.node("Reshape", [x, g.constant([0, 1, -1])])
    one, none = g.weight("one", np.ones(1, np.float32)), g.weight("none", np.zeros(1, np.float32))
    flat = g.node("InstanceNormalization", [flat, one, none], {"epsilon": _EPSILON})
    x = g.node("Reshape", [flat, g.constant([0, WIDTH, -1])])
    x = g.node("Mul", [x, g.weight("group_scale", w[_GROUP_SCALE])])
    x = g.node("Add", [x, g.weight("group_shift", w[_GROUP_SHIFT])])
    for name, stride in (("conv2", 3), ("conv3", 2)):
        weight, bias = g.weight(name, w[f"{name}.weight"]), g.weight(f"{name}.bias", w[f"{name}.bias"])
        x = g.node("Gelu", [g.node("Conv", [x, weight, bias], {"strides": [stride]})], microsoft=True)
    return g.node("Transpose", [x], {"perm": [0, 2, 1]})


def decoder_graph(decoder: Side, heads: Sequence[tuple[int, int]]) -> bytes:
    """One new token per row to its most likely successor.

    In: `tokens` (batch,) int64 and `position` (1,) int64, the same for all rows; `middles` (batch,) uint8, all 128;
    `sizes` [past, 1] int64; `past_mask` (past + 1,) and `score_mask` (batch, 1, 1, time), 0 or a large negative
    number; per layer `past_key.N` and `past_value.N` (batch, 8, past, 36), and the encoder's `key.N` and `value.N`.
    Out: `next` (batch,) int64 and `probability` (batch,) of that token; `attention` (batch, time), the mean of
    the cross-attention over `heads`, pairs of layer and head; per layer `new_key.N` and `new_value.N` (batch, 8, 1,
    36).
    """
    g = _Layers(decoder, whole_numbers=True)
    tokens = g.input("tokens", "int64", ["batch"])
    g.input("position", "int64", [1])
    g.input("middles", "uint8", ["batch"])
    g.input("sizes", "int64", [2])
    g.input("past_mask", "float32", ["all"])
    g.input("score_mask", "float32", ["batch", 1, 1, "time"])
    embedding = decoder.linear[_UNEMBEDDING]  # the same matrix turned round: its columns are the tokens
    codes = g.node("Gather", [g.weight("embedding", np.ascontiguousarray(embedding.codes.T)), tokens])
    x = g.node("Sub", [g.node("Cast", [codes], {"to": 1}), g.constant(float(embedding.zero[0]))])
    x = g.node("Mul", [x, g.constant(float(embedding.scale[0]))])
    attended = []
    for layer in range(LAYERS):
        place = f"layers.{layer}"
        x = g.node("Add", [x, _self_attention(g, g.norm(x, f"{place}.input_layernorm"), layer)])
        heard, weights = _cross_attention(g, g.norm(x, f"{place}.post_attention_layernorm"), layer)
        chosen = [head for at, head in heads if at == layer]
        if chosen:
            attended.append(g.node("Gather", [weights, g.constant(chosen)], {"axis": 1}))
        x = g.node("Add", [x, heard])
        inner = g.linear(g.norm(x, f"{place}.final_layernorm"), f"{place}.mlp.fc1")
        hidden, gate = g.nodes("Split", [inner], {"axis": -1, "num_outputs": 2}, ["", ""])
        inner = g.node("Mul", [g.node("QuickGelu", [gate], {"alpha": 1.0}, microsoft=True), hidden])
        x = g.node("Add", [x, g.linear(inner, f"{place}.mlp.fc2")])
    _outputs(g, g.norm(x, "norm"), attended)
    return g.model()


def _self_attention(g: _Layers, x: str, layer: int) -> str:
    past_key = g.input(f"past_key.{layer}", "float32", ["batch", HEADS, "past", HEAD])
    past_value = g.input(f"past_value.{layer}", "float32", ["batch", HEADS, "past", HEAD])
    place = f"layers.{layer}.self_attn"
    q, k, v = g.queries_keys_values(x, place)
    queries = g.rotate(g.heads(q), "position")
    keys = g.rotate(g.heads(k), "position", f"new_key.{layer}")
    values = g.heads(v, f"new_value.{layer}")
    for name in (keys, values):
        g.output(name, "float32", ["batch", HEADS, 1, HEAD])
    scores = [g.node("FusedMatMul", [queries, known], {"transB": 1}, microsoft=True) for known in (past_key, keys)]
    scores_all = g.node("Add", [g.node("Concat", scores, {"axis": -1}), "past_mask"])
    old, new = g.nodes("Split", [g.node("Softmax", [scores_all]), "sizes"], {"axis": -1}, ["", ""])
    heard = g.node("Add", [g.node("MatMul", [old, past_value]), g.node("MatMul", [new, values])])
    return g.linear(g.join(heard), f"{place}.o_proj")


def _cross_attention(g: _Layers, x: str, layer: int) -> tuple[str, str]:
    keys = g.input(f"key.{layer}", "float32", ["batch", HEADS, HEAD, "time"])
    values = g.input(f"value.{layer}", "float32", ["batch", HEADS, "time", HEAD])
    place = f"layers.{layer}.encoder_attn"
    matrix = g.side.linear[f"{place}.q_proj"].times(_SCALE)
    queries = g.heads(g.matmul(x, f"{place}.q", matrix))
    weights = g.node("Softmax", [g.node("Add", [g.node("MatMul", [queries, keys]), "score_mask"])])
    heard = g.join(g.node("MatMul", [weights, values]))
    return g.linear(heard, f"{place}.o_proj"), weights


def _outputs(g: _Layers, x: str, attended: Sequence[str]) -> None:
    logits = g.linear(x, _UNEMBEDDING)
    g.node("ArgMax", [logits], {"axis": -1, "keepdims": 0}, "next")
    g.output("next", "int64", ["batch"])
    # Not the highest score less ReduceLogSumExp: that operator took as long as all products together.
    g.node("ReduceMax", [g.node("Softmax", [logits]), g.constant([-1])], {"keepdims": 0}, "probability")
    g.output("probability", "float32", ["batch"])
    both = g.node("Concat", attended, {"axis": 1})
    g.node("ReduceMean", [both, g.constant([1, 2])], {"keepdims": 0}, "attention")
    g.output("attention", "float32", ["batch", "time"])
