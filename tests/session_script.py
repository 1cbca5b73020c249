"""What a server may say in a session, as the messages of docs/protocol.md: builders, and one short session."""

from datetime import UTC, datetime
from typing import Any

Message = dict[str, Any]


def utterance(number: int, start: float, text: str, speaker: str = "S1", **more: Any) -> Message:
    """An utterance event of the track "mic" that lasts three seconds."""
    return {"type": "utterance", "id": f"mic-{number}", "track": "mic", "start": start, "end": start + 3.0,
            "speaker": speaker, "role": None, "text": text, "confidence": 0.9, "words": []} | more  # fmt: skip


def partial(start: float, committed: str, tentative: str, speaker: str | None = None) -> Message:
    """What is not final yet on the track "mic"."""
    return {"type": "partial", "track": "mic", "start": start, "speaker": speaker, "role": None,
            "committed": committed, "tentative": tentative}  # fmt: skip


def roles(**by: str) -> Message:
    """Who is who, guessed from the talk."""
    return {"type": "roles", "roles": by, "source": "talk", "confidence": 0.7}


def lag(received: float, behind: float = 0.3) -> Message:
    """How far recognition is."""
    track = {"id": "mic", "received_s": received, "transcribed_s": received - behind, "lag_s": behind}
    return {"type": "lag", "tracks": [track]}


def gap(start: float, end: float, cause: str = "disconnected") -> Message:
    """A stretch that was not heard."""
    return {"type": "gap", "track": "mic", "start": start, "end": end, "cause": cause}


def ended(received_s: float, gap_s: float = 0.0, reason: str = "requested") -> Message:
    """The end of a session with one track, its account adding up."""
    totals = {"track": "mic", "received_ticks": round(received_s * 16000), "gap_ticks": round(gap_s * 16000),
              "transcribed_ticks": round(received_s * 16000) - round(gap_s * 16000),
              "speech_ticks": round(received_s * 8000)}  # fmt: skip
    return {"type": "ended", "ended_at": datetime.now(UTC).isoformat(), "reason": reason, "totals": [totals]}


def draft(note: Message) -> Message:
    """The note, as the last event."""
    return {"type": "draft", "note": note}


def failed(stage: str, code: str = "engine_missing") -> Message:
    """A stage that failed."""
    return {"type": "failed", "stage": stage, "code": code}


def relabel(number: int, speaker: str) -> Message:
    """The end's clustering gives an utterance to another speaker."""
    return {"type": "relabel", "id": f"mic-{number}", "speaker": speaker}


TALK = [
    gap(0.0, 0.8, "no_audio"),
    utterance(1, 1.0, "Good morning. How have you been sleeping since last week?"),
    utterance(2, 5.2, "Badly. I wake at four, most nights, and then I lie there and think about work.", "S2"),
    utterance(3, 11.0, "How many nights was it this week?"),
    utterance(4, 14.1, "Four. Last month it was every night.", "S2"),
    gap(17.6, 23.4),
    utterance(5, 24.0, "When you lie there, have you had thoughts of ending your life?"),
    utterance(6, 28.3, "No. Nothing like that.", "S2"),
    utterance(7, 31.0, "Let us write the worry down as a thought record again. What was the thought on Tuesday?"),
    utterance(8, 36.5, "That they will find out that I cannot do it. I left early because of it.", "S2"),
    utterance(9, 42.0, "Could you bring two of those records next week?"),
    utterance(10, 45.1, "Yes, I can do that.", "S2"),
    roles(S1="clinician", S2="client"),
]


def statement(text: str, *evidence: int, source: str = "transcript", supported: bool = True) -> Message:
    """One sentence of a note."""
    ids = [f"mic-{number}" for number in evidence]
    return {"text": text, "provenance": source, "evidence": ids, "supported": supported}


NOTE: Message = {
    "format": "soap",
    "sections": [
        {"name": "Subjective", "statements": [
            statement("Client reports early waking four nights this week, down from every night last month.", 2, 4),
            statement("“They will find out that I cannot do it.”", 8),
            statement("Generalized anxiety disorder, F41.1.", source="chart"),
        ]},
        {"name": "Objective", "statements": [statement("Oriented, affect constricted.", source="clinician")]},
        {"name": "Assessment", "statements": [
            statement("Sleep has improved markedly in all areas of life.", 4, supported=False),
            statement("Worry leads to leaving work early.", 8),
            statement("Clinical interpretation: to be entered by the clinician.", source="suggestion"),
            statement("Risk: not assessed this session: plan, means.", source="suggestion"),
        ]},
        {"name": "Plan", "statements": [
            statement("Client agreed to bring two thought records next week.", 9, 10),
            statement("Consider sleep restriction if early waking stays.", source="suggestion"),
        ]},
    ],
    "risk": {
        "si": {"state": "asked_denied", "evidence": ["mic-5", "mic-6"]},
        "plan": {"state": "not_asked", "evidence": []},
        "intent": {"state": "not_asked", "evidence": []},
        "means": {"state": "not_asked", "evidence": []},
        "attempts": {"state": "not_asked", "evidence": []},
        "self_injury": {"state": "not_asked", "evidence": []},
        "hi": {"state": "not_asked", "evidence": []},
        "harmed": {"state": "volunteered", "evidence": ["mic-8"]},
    },
    "checks": [
        {"rule": "response", "severity": "warning", "section": "Objective",
         "message": "The client’s response to the technique is missing. Say in one sentence how they took it."},
        {"rule": "times", "severity": "error", "section": None,
         "message": "51 minutes fit 90834. Keep the code to the measured time."},
        {"rule": "place", "severity": "info", "section": None, "message": "The place is taken from the calendar."},
    ],
    "billing": {"minutes": 51, "cpt": "90834", "margin_min": 2},
}  # fmt: skip
