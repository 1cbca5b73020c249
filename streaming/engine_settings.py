"""What can be set of the engines: who recognizes, where, and in what batches. Part of `settings.py`."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

ComputeType = Literal[
    "default",
    "auto",
    "int8",
    "int8_float32",
    "int8_float16",
    "int8_bfloat16",
    "int16",
    "float16",
    "bfloat16",
    "float32",
]
Threads = Annotated[int, Field(ge=1, le=256)]
Device = Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d{1,2})?)$")]


class EngineSettings(BaseSettings):
    """Settings of the recognizer and of the speaker model."""

    recognizer: Literal["embedded", "faster-whisper"] = "embedded"
    recognizer_model: str | None = None
    """For faster-whisper: a model folder, or a name on the hub. The embedded recognizer has one model."""
    recognizer_device: Device = "auto"
    recognizer_compute_type: ComputeType | None = None
    """Unless given: float16 on CUDA, int8 on the CPU."""
    recognizer_threads: Threads = 1
    recognizer_batch: Annotated[int, Field(ge=1, le=128)] = 16
    """Windows in one call of the recognizer, of any sessions."""
    recognizer_gather_ms: Annotated[int, Field(ge=0, le=500)] = 15
    """How long a call that is not full waits for other sessions that speak, where the recognizer has been idle."""
    recognizer_timeout_s: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 120.0
    """A call that takes longer has hung: its windows are recognized anew on another thread."""

    diarizer: Literal["embedded", "pyannote"] = "embedded"
    """Who finds the speakers of a shared microphone."""
    diarizer_model: str = "pyannote/speaker-diarization-community-1"
    """For pyannote: a folder built like that one, or a name on the hub."""
    diarizer_token: SecretStr | None = None
    """The hub's token, for a model that asks for one."""
    diarizer_device: Device = "auto"
    diarizer_threads: Threads = 1
    diarizer_batch: Annotated[int, Field(ge=1, le=128)] = 16
    """Sessions whose windows share a call of pyannote's networks."""
    diarizer_turns: Literal["beside", "between"] = "beside"
    """Whether pyannote runs beside recognition, or begins only while no batch is being recognized."""
