"""The embedded models: where they are in the pinned wheel, checked by hash, so that nothing is ever downloaded.

The wheel `moonshine-voice` carries an English speech recognizer as files. It also carries, compiled into its shared
library as ORT flatbuffers, the pyannote community-1 segmentation model, the WeSpeaker ResNet34 voice embedding
(both CC BY 4.0, see docs/dependencies.md) and a silero VAD. Those three are found by the flatbuffer's mark and by
their input names, cut out, compared with the known hash and kept as files, so that a later start reads only them.
The package is never imported: that would load its own engine and ask for PortAudio.
"""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from streaming import onnx
from streaming.errors import EngineMissing

_MARK = b"ORTM"
_MARK_OFFSET = 4  # a flatbuffer's identifier follows its four-byte root offset


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A model inside the library: its input names, its length in bytes and the hash of those bytes."""

    inputs: tuple[str, ...]
    length: int
    sha256: str


_COMPILED = {
    "segmentation": _Compiled(
        ("waveforms",), 1_594_112, "75759a0ec8139b24e46193699117732b85a7a8c3acb9c0f68e359c3d1599adbb"
    ),
    "embedding": _Compiled(
        ("fbank", "weights"), 7_000_000, "84a5112773cf5f52418ad690219ca477898c447feef0ac6a247feb30bbd71555"
    ),
    "silero": _Compiled(
        ("input", "state", "sr"),
        2_500_000,
        "d632dc13fad85a0c83305f551acac906f89598b9337d31090fedd2835f2af904",
    ),
}


def asset(name: str) -> Path:
    """A file of the wheel's assets, such as `tiny-en/encoder_model.ort`. Raises EngineMissing."""
    path = _package() / "assets" / name
    if not path.is_file():
        raise EngineMissing(
            f"The wheel moonshine-voice has no {name}.", mend="Install the version that pyproject.toml pins."
        )
    return path


def compiled(name: str) -> Path:
    """The file of a compiled-in model: `segmentation`, `embedding` or `silero`. Raises EngineMissing."""
    model = _COMPILED[name]
    kept = cache_folder() / f"{name}-{model.sha256[:16]}.ort"
    if kept.is_file() and _hash(kept.read_bytes()) == model.sha256:
        return kept
    found = _cut_out(model)
    kept.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may start at once: each writes a file of its own and the rename is atomic.
    handle, temporary = tempfile.mkstemp(dir=kept.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(found)
    Path(temporary).replace(kept)
    return kept


def cache_folder() -> Path:
    """Where cut-out models are kept: `$XDG_CACHE_HOME/sameday`, else `~/.cache/sameday`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sameday"


def _package() -> Path:
    spec = find_spec("moonshine_voice")
    if spec is None or spec.origin is None:
        raise EngineMissing("The wheel moonshine-voice is not installed.", mend="Run make demo or pip install .")
    return Path(spec.origin).parent


def _cut_out(model: _Compiled) -> bytes:
    library = (_package() / "libmoonshine.so").read_bytes()
    at = library.find(_MARK)
    while at >= 0:
        start = at - _MARK_OFFSET
        candidate = library[start : start + model.length]
        if _hash(candidate) == model.sha256 and onnx.load(candidate).inputs == model.inputs:
            return candidate
        at = library.find(_MARK, at + 1)
    raise EngineMissing(
        "The wheel moonshine-voice carries other models than the ones this version was checked with.",
        mend="Install the version that pyproject.toml pins, on x86-64 Linux.",
    )


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
