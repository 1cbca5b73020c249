"""A speaker model of random weights in a folder built like speaker-diarization-community-1: it knows no voices."""

from pathlib import Path
from typing import Any


def save_random_pyannote(folder: Path, seed: int = 0) -> None:
    """Write both networks' checkpoints: segmentation in the shape of its task but narrow, the embedding whole."""
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import WeSpeakerResNet34
    from pyannote.audio.models.segmentation import PyanNet

    torch.manual_seed(seed)
    segmentation = PyanNet(lstm={"hidden_size": 8, "num_layers": 1}, linear={"hidden_size": 8, "num_layers": 1})
    _save(
        segmentation,
        Specifications(
            problem=Problem.MONO_LABEL_CLASSIFICATION,
            resolution=Resolution.FRAME,
            duration=10.0,
            classes=["speaker#1", "speaker#2", "speaker#3"],
            powerset_max_classes=2,
            permutation_invariant=True,
        ),
        folder / "segmentation",
    )
    embedding = Specifications(
        problem=Problem.REPRESENTATION,
        resolution=Resolution.CHUNK,
        duration=5.0,
        min_duration=1.0,
        classes=["a", "b"],
    )
    _save(WeSpeakerResNet34(), embedding, folder / "embedding")


def _save(model: Any, specifications: Any, folder: Path) -> None:
    """A checkpoint as training leaves it."""
    import lightning
    import torch

    model.specifications = specifications
    model.build()
    checkpoint: dict[str, Any] = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": lightning.__version__,
    }
    model.on_save_checkpoint(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(checkpoint, folder / "pytorch_model.bin")
