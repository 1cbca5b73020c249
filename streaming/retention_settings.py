"""What can be set of how long a practice keeps what it need not keep for ever. Part of `settings.py`."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings

Days = Annotated[float, Field(gt=0, le=36_500, allow_inf_nan=False)]


class RetentionSettings(BaseSettings):
    """Times to live. None keeps; a signed note and receipts of deletions are never deleted by time."""

    keep_audio: bool = False
    """Whether audio stays in the log after the session's end."""
    audio_days: Days | None = None
    """Days after a session's end after which audio that is kept is deleted."""
    transcript_days: Days | None = None
    """Days after a note was signed after which its session's audio and words are deleted; the note stays."""
    unsigned_days: Days | None = None
    """Days after a session's end after which it is deleted whole where its note was never signed."""
    audit_days: Days | None = None
    """Days after which entries of the audit log are deleted; under HIPAA they are kept for six years (2192)."""
    sweep_s: Annotated[float, Field(gt=0, le=24 * 3600, allow_inf_nan=False)] = 3600.0
    """How often the server looks for what is due."""
