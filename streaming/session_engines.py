"""What all sessions of a process share: the models, their threads, and who waits for them."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from diarization.online import OnlineDiarizer
from diarization.voice_rows import Aside, InMemory
from streaming import roles
from streaming.busy_pool import busy_s
from streaming.onnx import OnnxModel
from streaming.ports import NoteWriter, SpeakerModel
from streaming.remembered import Remembered, RememberedSpeakers
from streaming.scheduler import RecognitionScheduler
from streaming.segmenting import SegmentSettings
from streaming.types import Float32, TrackPlan


@dataclass(frozen=True, slots=True)
class Engines:
    """What all sessions of a process share. `diarizing` and `listening` run models off the event loop."""

    scheduler: RecognitionScheduler
    silero: OnnxModel
    speaker_model: SpeakerModel
    writer: NoteWriter
    listening: Executor
    diarizing: Executor
    segments: SegmentSettings
    clinician_voice: Float32 | None = None
    """The clinician's enrolled voice, for microphones that several people share."""
    aside: Callable[[], Aside] = InMemory
    """Where a track's older voices lie until its end: made once a track."""

    def busy_s(self) -> tuple[float, float, float]:
        """How long recognizer (with final windows), diarizer and voice detector have worked since the start."""
        return self.scheduler.counts.final_busy_s, busy_s(self.diarizing), busy_s(self.listening)

    def diarizer(self, plan: TrackPlan, remembered: Remembered) -> OnlineDiarizer:
        """Tells the voices of one track apart; what models made of it before is not asked again."""
        enrolled = None if self.clinician_voice is None else {roles.ENROLLED: self.clinician_voice}
        model = RememberedSpeakers(self.speaker_model, remembered)
        return OnlineDiarizer(model, plan.id, plan.speakers, enrolled=enrolled, aside=self.aside())
