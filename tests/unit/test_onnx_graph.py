"""The model writer, against onnxruntime, which reads what it writes."""

import numpy as np
import pytest

from streaming import onnx
from streaming.onnx_graph import Graph

pytestmark = pytest.mark.unit


def test_a_graph_runs_as_written() -> None:
    graph = Graph()
    x = graph.input("x", "float32", ["rows", 4])
    weight = np.arange(8, dtype=np.float32).reshape(4, 2)
    product = graph.node("MatMul", [x, graph.weight("w", weight)])
    left, right = graph.nodes("Split", [product], {"axis": -1, "num_outputs": 2}, ["", ""])
    graph.node("Add", [left, graph.node("Mul", [right, graph.constant(0.5)])], output="y")
    graph.output("y", "float32", ["rows", 1])
    given = np.array([[1, 2, 3, 4], [-1, 0, 0, 0.5]], np.float32)
    product_of = given @ weight
    model = onnx.load(graph.model())
    assert (model.inputs, model.outputs) == (("x",), ("y",))
    np.testing.assert_allclose(model.run({"x": given})[0][:, 0], product_of[:, 0] + product_of[:, 1] / 2)


def test_attributes_of_every_kind_arrive() -> None:
    graph = Graph()
    x = graph.input("x", "float32", [1, 2, 3])
    turned = graph.node("Transpose", [x], {"perm": [0, 2, 1]})
    leaky = graph.node("LeakyRelu", [turned], {"alpha": 0.25})
    padded = graph.node("Pad", [leaky, graph.constant([0, 0, -1, 0, 0, 0])], {"mode": "constant"})
    graph.node("QuickGelu", [padded], {"alpha": 0.0}, "y", microsoft=True)
    graph.output("y", "float32", [1, 3, 1])
    given = np.array([[[9, 9, 9], [2, -4, 8]]], np.float32)
    result = onnx.load(graph.model()).run({"x": given})[0]
    np.testing.assert_allclose(result, np.array([[[1], [-0.5], [4]]], np.float32))


def test_a_weight_is_stored_once() -> None:
    graph = Graph()
    first = len(graph.model())
    graph.weight("w", np.zeros(1000, np.float32))
    once = len(graph.model())
    graph.weight("w", np.zeros(1000, np.float32))
    assert first < once == len(graph.model())
