"""The one door to onnxruntime: loads a model for a fixed number of CPU threads and runs it on numpy arrays."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Array = NDArray[Any]


class OnnxModel:
    """A loaded model. `run` may be called from any thread, but calls share the model's threads."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
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
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = model if isinstance(model, bytes) else str(model)
    return OnnxModel(onnxruntime.InferenceSession(source, sess_options=options, providers=["CPUExecutionProvider"]))
