"""The one door to onnxruntime: loads a model for a fixed number of CPU threads and runs it on numpy arrays.

It is imported when the first model is loaded: it starts a thread, which commands without a model need not have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from streaming.onnx_graph import Attribute

if TYPE_CHECKING:
    import onnxruntime

Array = NDArray[Any]

_ELEMENTS: dict[int, Any] = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64, 9: np.bool_}


class OnnxModel:
    """A loaded model. `run` may be called from any thread, but calls share the model's threads."""

    def __init__(self, session: "onnxruntime.InferenceSession") -> None:
        self._session = session
        self.inputs: tuple[str, ...] = tuple(entry.name for entry in session.get_inputs())
        self.outputs: tuple[str, ...] = tuple(entry.name for entry in session.get_outputs())

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str] | None = None) -> list[Array]:
        """The named outputs, or all, in the model's order."""
        names = None if outputs is None else list(outputs)
        return [np.asarray(value) for value in self._session.run(names, dict(feeds))]


def load(model: bytes | Path, *, threads: int = 1) -> OnnxModel:
    """Load ONNX or ORT-format bytes, or a file, on the CPU.

    Threads do not spin while they wait: several models and sessions share few cores, and a spinning pool
    takes them from the rest.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = model if isinstance(model, bytes) else str(model)
    return OnnxModel(onnxruntime.InferenceSession(source, sess_options=options, providers=["CPUExecutionProvider"]))


@dataclass(frozen=True, slots=True)
class Node:
    """One operation of a stored model: its kind, the names of its inputs and outputs, and its attributes.

    Attributes are numbers, strings and lists of integers; others (tensors, subgraphs) are left out.
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a stored model is made of, those of its subgraphs included: operations in order, weights by name."""

    nodes: tuple[Node, ...]
    tensors: Mapping[str, Array]


def read_parts(path: Path) -> Parts:
    """Take a model in ORT format apart without running it, through the reader that onnxruntime brings along."""
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

    stored = InferenceSession.GetRootAsInferenceSession(path.read_bytes(), 0)
    nodes: list[Node] = []
    tensors: dict[str, Array] = {}
    _collect(stored.Model().Graph(), nodes, tensors)
    return Parts(tuple(nodes), tensors)


def _collect(graph: Any, nodes: list[Node], tensors: dict[str, Array]) -> None:
    for place in range(graph.InitializersLength()):
        tensor = graph.Initializers(place)
        raw = tensor.RawDataAsNumpy()
        if isinstance(raw, np.ndarray) and tensor.DataType() in _ELEMENTS:
            shape = [tensor.Dims(axis) for axis in range(tensor.DimsLength())]
            tensors[tensor.Name().decode()] = raw.view(_ELEMENTS[tensor.DataType()]).reshape(shape)
    for place in range(graph.NodesLength()):
        node = graph.Nodes(place)
        inputs = tuple(node.Inputs(number).decode() for number in range(node.InputsLength()))
        outputs = tuple(node.Outputs(number).decode() for number in range(node.OutputsLength()))
        nodes.append(Node(node.OpType().decode(), inputs, outputs, _attributes(node)))
        for number in range(node.AttributesLength()):
            if (inner := node.Attributes(number).G()) is not None:
                _collect(inner, nodes, tensors)


def _attributes(node: Any) -> dict[str, Attribute]:
    """The plain attributes of a stored operation; numbers of the kinds are those of onnx.proto."""
    found: dict[str, Attribute] = {}
    for place in range(node.AttributesLength()):
        stored = node.Attributes(place)
        name = stored.Name().decode()
        match stored.Type():
            case 1:
                found[name] = float(stored.F())
            case 2:
                found[name] = int(stored.I())
            case 3:
                found[name] = stored.S().decode()
            case 7:
                found[name] = [int(stored.Ints(number)) for number in range(stored.IntsLength())]
    return found
