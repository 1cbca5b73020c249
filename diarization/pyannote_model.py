"""The speaker model on pyannote.audio, for machines with a CUDA device: community-1, or a folder built like it.

The package is an extra (`pip install .[pyannote]`) and is imported only when this model is chosen. Of the pipeline
only its two networks are taken, segmentation and voice embedding; clustering is ours, the same as for the embedded
model. Windows of all sessions share a call (`gathering.py`). Audio never leaves the process, and pyannote's own
telemetry, which is on unless switched off, is off.
"""

import hashlib
import os
import threading
import warnings
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from diarization.gathering import Gathering
from streaming.errors import EngineMissing
from streaming.types import SAMPLE_RATE, Float32

COMMUNITY = "pyannote/speaker-diarization-community-1"
_SHORTEST_TICKS = SAMPLE_RATE // 5
"""A voice's statistics are taken over frames of 80 ms: a shorter clip has none."""
_SWITCHES = {"PYANNOTE_METRICS_ENABLED": "0", "HF_HUB_DISABLE_TELEMETRY": "1"}


class PyannoteSpeakerModel:
    """`streaming.ports.SpeakerModel`, which may be called from many threads at once: their windows share a call.

    `model` is a folder with `segmentation/pytorch_model.bin` and `embedding/pytorch_model.bin`, or a name on the hub,
    which asks for a `token`. A checkpoint is a pickle: give only those that you trust with the process. `device` is
    auto, cpu, cuda or cuda:N; `turn` is waited for before a call, where recognition shall have the device first.
    Raises EngineMissing.
    """

    def __init__(
        self,
        model: str = COMMUNITY,
        *,
        token: str | None = None,
        device: str = "auto",
        threads: int = 1,
        max_batch: int = 16,
        turn: threading.Event | None = None,
    ) -> None:
        os.environ.update(_SWITCHES)
        try:
            with warnings.catch_warnings():
                # It would read files through torchcodec and complains at length where that cannot be loaded.
                warnings.simplefilter("ignore")
                import torch
                from pyannote.audio import Model
                from pyannote.audio.utils.powerset import Powerset
        except (ImportError, OSError):
            raise EngineMissing(
                "The package pyannote.audio is not installed.", mend="Run pip install '.[pyannote]'."
            ) from None
        self._torch = torch
        self._device = _device(torch, device)
        if self._device.type == "cpu":
            torch.set_num_threads(threads)
        segmentation = _load(Model, model, "segmentation", token).to(self._device).eval()
        self._network = segmentation
        self._voices = _load(Model, model, "embedding", token).to(self._device).eval()
        self._stream = torch.cuda.Stream(self._device) if self._device.type == "cuda" else None
        self.window_ticks, self.frame_ticks, self.lead_ticks = _times(segmentation)
        self.window_frames = int(segmentation.num_frames(self.window_ticks))
        specifications = segmentation.specifications
        self.local_speakers = len(specifications.classes)
        self.dimension = int(self._voices.dimension)
        self.voices = _print(self._voices)
        self._powerset = (
            Powerset(self.local_speakers, specifications.powerset_max_classes).to(self._device)
            if specifications.powerset
            else None
        )
        self._windows: Gathering[Float32, Float32] = Gathering(self._segment, max_batch, turn=turn)
        self._clips: Gathering[Float32, Float32] = Gathering(self._embed, max_batch, turn=turn)

    def follow(self) -> "PyannoteSegmentation":
        """The segmentation of one track's windows."""
        return PyannoteSegmentation(self._windows)

    def embed(self, clips: Sequence[Float32]) -> Float32:
        """Unit-length embeddings, (len(clips), dimension). A clip under 0.2 s has none: all zeros."""
        voices = np.zeros((len(clips), self.dimension), np.float32)
        for row, clip in enumerate(clips):
            if len(clip) >= _SHORTEST_TICKS:
                voices[row] = self._clips.ask(clip)
        return voices

    def _segment(self, windows: list[Float32]) -> list[Float32]:
        audio = self._torch.from_numpy(np.stack(windows)[:, None])
        with self._running():
            scores = self._network(audio.to(self._device))
            if self._powerset is not None:
                scores = self._powerset.to_multilabel(scores)
            return list(scores.float().cpu().numpy())

    def _embed(self, clips: list[Float32]) -> list[Float32]:
        """Clips of one length share a call: padding would be part of the mean that is taken off the features."""
        by_length: dict[int, list[int]] = defaultdict(list)
        for place, clip in enumerate(clips):
            by_length[len(clip)].append(place)
        voices: list[Float32] = [np.zeros(0, np.float32)] * len(clips)
        with self._running():
            for places in by_length.values():
                audio = self._torch.from_numpy(np.stack([clips[place] for place in places])[:, None])
                found = self._voices(audio.to(self._device)).float().cpu().numpy()
                lengths = np.linalg.norm(found, axis=1, keepdims=True)
                for place, voice in zip(places, found / np.maximum(lengths, 1e-9), strict=True):
                    voices[place] = voice
        return voices

    def _running(self) -> AbstractContextManager[Any]:
        """No gradients, and on CUDA a stream of its own: recognition's work is not queued behind this."""
        around = ExitStack()
        around.enter_context(self._torch.inference_mode())
        if self._stream is not None:
            around.enter_context(self._torch.cuda.stream(self._stream))
        return around


class PyannoteSegmentation:
    """`streaming.ports.Segmentation`: nothing is kept from one window to the next."""

    def __init__(self, windows: Gathering[Float32, Float32]) -> None:
        self._windows = windows

    def segment(self, begin: int, window: Float32) -> Float32:
        """Activity in [0, 1], (window_frames, local_speakers)."""
        return self._windows.ask(window)


def _device(torch: Any, name: str) -> Any:
    there = torch.cuda.device_count()
    if name == "auto":
        name = "cuda" if there else "cpu"
    if name.startswith("cuda") and there <= int(name.partition(":")[2] or 0):
        raise EngineMissing("No such CUDA device is here.", mend="Set diarizer_device to cpu, or another number.")
    return torch.device(name)


def _load(model_class: Any, model: str, part: str, token: str | None) -> Any:
    """A network of the pipeline. Raises EngineMissing."""
    if model.startswith((".", "/", "~")):
        path = Path(model).expanduser() / part / "pytorch_model.bin"
        if not path.is_file():
            raise EngineMissing(
                f"The speaker model's folder has no {part}/pytorch_model.bin.",
                mend="Give a folder with the files of speaker-diarization-community-1.",
            )
        model, subfolder = str(path), None
    else:
        subfolder = part
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions that a checkpoint was made with
            loaded = model_class.from_pretrained(model, subfolder=subfolder, token=token)
    except Exception as error:
        # The hub's errors, and whatever a damaged pickle raises; their text may hold the token's owner.
        raise EngineMissing(f"The speaker model cannot be loaded: {type(error).__name__}.", mend=_MEND) from None
    if loaded is None:
        raise EngineMissing("The speaker model cannot be loaded.", mend=_MEND)
    return loaded


_MEND = "Give a folder, or a hub name with a diarizer_token whose owner has accepted the model's conditions."


def _print(network: Any) -> str:
    """Names a network by its weights."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"


def _times(segmentation: Any) -> tuple[int, int, int]:
    """Ticks of a window, of a frame, and from a window's begin to what its first frame stands for."""
    window = round(segmentation.specifications.duration * SAMPLE_RATE)
    field = segmentation.receptive_field
    step = round(field.step * SAMPLE_RATE)
    return window, step, (round(field.duration * SAMPLE_RATE) - step) // 2
