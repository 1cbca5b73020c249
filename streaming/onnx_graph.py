"""Builds an ONNX model in memory: nodes are written down one by one and come out as the bytes of a ModelProto. Pure.

Only what the project's own graphs need: float, int64, int32, int8, uint8 and bool tensors, and attributes that are
numbers, strings or lists of integers. Field numbers are those of onnx.proto (ONNX 1.16, IR version 9, opset 19); the
operators of the domain com.microsoft are onnxruntime's own.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Attribute = int | float | str | Sequence[int]

_ELEMENT = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9}
_IR_VERSION = 9
_OPSET = 19
_MICROSOFT = "com.microsoft"


class Graph:
    """Collects a model's nodes, weights, inputs and outputs; values are known by name."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._weights: set[str] = set()
        self._count = 0

    def input(self, name: str, element: str, shape: Sequence[int | str]) -> str:
        """Declare an input; a string in the shape names a dimension that may vary."""
        self._parts.append(_message(11, _value_info(name, element, shape)))
        return name

    def output(self, name: str, element: str, shape: Sequence[int | str]) -> None:
        """Declare a value as an output."""
        self._parts.append(_message(12, _value_info(name, element, shape)))

    def weight(self, name: str, array: NDArray[np.generic]) -> str:
        """Add a constant; one of the same name is there already and is kept."""
        if name not in self._weights:
            self._weights.add(name)
            dims = b"".join(_number(1, size) for size in array.shape)
            body = dims + _number(2, _ELEMENT[str(array.dtype)]) + _text(8, name)
            self._parts.append(_message(5, body + _message(9, np.ascontiguousarray(array).tobytes())))
        return name

    def constant(self, value: float | Sequence[int]) -> str:
        """A float scalar, or a vector of int64."""
        if isinstance(value, float):
            return self.weight(f"float:{value}", np.array(value, np.float32))
        return self.weight(f"ints:{list(value)}", np.array(value, np.int64))

    def node(
        self,
        kind: str,
        inputs: Sequence[str],
        attributes: Mapping[str, Attribute] | None = None,
        output: str = "",
        *,
        microsoft: bool = False,
    ) -> str:
        """Add a node of one output and return that output's name."""
        return self.nodes(kind, inputs, attributes, [output], microsoft=microsoft)[0]

    def nodes(
        self,
        kind: str,
        inputs: Sequence[str],
        attributes: Mapping[str, Attribute] | None = None,
        outputs: Sequence[str] = ("",),
        *,
        microsoft: bool = False,
    ) -> list[str]:
        """Add a node of several outputs and return their names; an empty name is replaced by a new one."""
        names = [name or self._name(kind) for name in outputs]
        body = b"".join(_text(1, name) for name in inputs) + b"".join(_text(2, name) for name in names)
        body += _text(4, kind)
        body += b"".join(_message(5, _attribute(key, value)) for key, value in (attributes or {}).items())
        if microsoft:
            body += _text(7, _MICROSOFT)
        self._parts.append(_message(1, body))
        return names

    def model(self) -> bytes:
        """The whole as a ModelProto."""
        graph = _text(2, "sameday") + b"".join(self._parts)
        opsets = _message(8, _number(2, _OPSET)) + _message(8, _text(1, _MICROSOFT) + _number(2, 1))
        return _number(1, _IR_VERSION) + _message(7, graph) + opsets

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._count}"


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are ten bytes of two's complement
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _text(field: int, value: str) -> bytes:
    return _message(field, value.encode())


def _value_info(name: str, element: str, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(_message(1, _text(2, size) if isinstance(size, str) else _number(1, size)) for size in shape)
    tensor = _number(1, _ELEMENT[element]) + _message(2, dims)
    return _text(1, name) + _message(2, _message(1, tensor))


def _attribute(name: str, value: Attribute) -> bytes:
    head = _text(1, name)
    if isinstance(value, float):
        return head + _varint(2 << 3 | 5) + np.float32(value).tobytes() + _number(20, 1)
    if isinstance(value, int):
        return head + _number(3, value) + _number(20, 2)
    if isinstance(value, str):
        return head + _text(4, value) + _number(20, 3)
    return head + b"".join(_number(8, entry) for entry in value) + _number(20, 7)
