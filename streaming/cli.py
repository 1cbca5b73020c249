"""The command line: `sameday serve`, `transcribe`, `draft`, `recap`, `backlog`, `self-check`, `user`, `audit`,
`certificate`, `purge`, `bench`, `doctor`.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from benchmarks.arguments import add_bench
from drafting import text as note_text
from drafting.note import Note
from drafting.stage import draft_note
from streaming import (
    audit_commands,
    certificate_command,
    log_lines,
    practice_commands,
    purge_commands,
    store_commands,
    transcript_json,
    user_commands,
    wire,
)
from streaming.errors import BadTranscript, PeerError, SamedayError
from streaming.given_file import read_given
from streaming.practice_data import use_practice
from streaming.rttm import rttm
from streaming.settings import Settings, load
from streaming.state import SessionState
from streaming.types import Transcript, seconds

_BAD_INPUT = 2
_FAILED = 1
_SETTINGS = ("host", "port", "writer")
"""Arguments that stand for settings of the same name."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 1 failed, 2 what was given cannot be used."""
    chosen = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A letter that the terminal does not know is shown by its number: it must not cost the transcript.
            stream.reconfigure(errors="backslashreplace")
    try:
        given = {name: value for name, value in vars(chosen).items() if name in _SETTINGS and value is not None}
        settings = load(**given)
        log_lines.set_up(settings.log_level, settings.log_format)
        if chosen.run is not _doctor:  # which says what is wrong with them, and goes on
            use_practice(settings)
        status: int = chosen.run(chosen, settings)
    except SamedayError as error:
        print(f"sameday: {error}", file=sys.stderr)
        return _BAD_INPUT if isinstance(error, PeerError) else _FAILED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sameday", description="Live session audio in, a transcript and a draft note out."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the server and its web page")
    serve.add_argument("--host", help="an address; any but loopback takes TLS or a proxy (127.0.0.1)")
    serve.add_argument("--port", type=int, help="8710 unless set; 0 takes a free one")
    serve.set_defaults(run=_serve)

    transcribe = commands.add_parser("transcribe", help="transcribe a recording")
    transcribe.add_argument("audio", type=Path, help="any audio file FFmpeg reads")
    transcribe.add_argument("--json", action="store_true", help="print one JSON object")
    transcribe.add_argument("--rttm", type=Path, metavar="FILE", help="write who spoke when as RTTM")
    transcribe.add_argument("--speakers", type=_speakers, default=2, metavar="N", help="people heard (2)")
    transcribe.add_argument("--pace", choices=("real", "fast"), default="fast", help="fast unless set")
    transcribe.set_defaults(run=_transcribe)

    draft = commands.add_parser("draft", help="write a note from a transcript")
    draft.add_argument("transcript", type=Path, help="what `transcribe --json` printed, or - for standard input")
    known = "soap, dap, birp, girp, pirp, progress, intake, plan, or one of the practice's own"
    draft.add_argument("--format", help=f"{known}; the practice's default unless set")
    draft.add_argument("--writer", choices=("embedded", "vllm"), help="the practice's unless set")
    draft.add_argument("--json", action="store_true", help="print one JSON object")
    draft.add_argument("--out", type=Path, metavar="FILE", help="write a .docx, .pdf, .txt or .json (FHIR) instead")
    draft.add_argument("--with-transcript", action="store_true", help="append the transcript to FILE")
    draft.set_defaults(run=_draft)

    practice_commands.add_recap(
        commands.add_parser("recap", help="a note from two or three lines, typed or dictated"), _print_json
    )
    practice_commands.add_backlog(commands.add_parser("backlog", help="sessions without a signed note"), _print_json)
    practice_commands.add_self_check(commands.add_parser("self-check", help="questions for you alone; keeps nothing"))

    audit_commands.add_audit(commands.add_parser("audit", help="who saw or changed what, and whether that is whole"))
    purge_commands.add_purge(commands.add_parser("purge", help="delete sessions for good, with receipts"))
    user_commands.add_user(commands.add_parser("user", help="accounts: who may sign in"))
    certificate_command.add_certificate(
        commands.add_parser(
            "certificate", help="TLS for the local network, so that tablets may use their microphones"
        )
    )

    enroll = commands.add_parser("enroll", help="learn the clinician's voice, for microphones that people share")
    enroll.add_argument("audio", type=Path, help="at least 10 s of the clinician alone")
    enroll.add_argument("--out", type=Path, required=True, metavar="FILE", help="for SAMEDAY_CLINICIAN_VOICE")
    enroll.set_defaults(run=_enroll)

    add_bench(commands.add_parser("bench", help="measure on this machine: latency, load, accuracy, comparisons"))

    store_commands.add(commands)
    doctor = commands.add_parser("doctor", help="say what works on this machine, and what to do where it does not")
    doctor.set_defaults(run=_doctor)
    return parser


def _speakers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 8:
        raise argparse.ArgumentTypeError("a whole number between 1 and 8")
    return int(text)


def _serve(_: argparse.Namespace, settings: Settings) -> int:
    from streaming import server

    return server.serve(settings)


def _transcribe(chosen: argparse.Namespace, settings: Settings) -> int:
    from streaming.transcribe import transcribe

    if chosen.rttm:
        _check_writable(chosen.rttm, "RTTM")
    progress = _Progress()
    state = asyncio.run(
        transcribe(chosen.audio, settings, speakers=chosen.speakers, pace=chosen.pace, progress=progress)
    )
    progress.done()
    if chosen.json:
        _print_json(wire.transcript(state))
    else:
        _print_transcript(state)
    sys.stdout.flush()
    written = chosen.rttm is None or _write(chosen.rttm, rttm(chosen.audio.stem, state))
    for gap in state.gaps:
        until = f"to {seconds(gap.end):.2f} s" if gap.end > gap.start else "s on: the file is damaged there"
        where = f"{seconds(gap.start):.2f} {until}"
        print(f"sameday: not transcribed: {where} ({gap.cause})", file=sys.stderr)
    for stage, code in state.failures:
        # The note is not what this command is for.
        if stage != "draft":
            print(f"sameday: the stage {stage} failed ({code})", file=sys.stderr)
    failed = state.reason == "failed"
    if failed:
        print("sameday: transcription broke off; what is above is what was understood before.", file=sys.stderr)
    return _FAILED if failed or not written or any(stage != "draft" for stage, _ in state.failures) else 0


def _check_writable(path: Path, what: str) -> None:
    """Refuse a file that cannot be written before the work is done, not after. Raises PeerError."""
    there = path.exists()
    if path.is_dir() or not path.parent.is_dir() or not os.access(path if there else path.parent, os.W_OK):
        raise PeerError(f"The {what} file cannot be written there.", mend="Name a file in a folder you may write to.")


def _write(path: Path, text: str) -> bool:
    """Whether it could be written: what was printed before it must not be lost."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        print(f"sameday: the RTTM file could not be written: {error.strerror}.", file=sys.stderr)
        return False
    return True


def _print_json(body: dict[str, Any]) -> None:
    """One line, readable where the terminal can show it, and JSON where it cannot."""
    wide = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(body, ensure_ascii=not wide))


class _Progress:
    """One line on a terminal that says how far transcription is; nothing where standard error is a file."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._last_s = -1.0

    def __call__(self, heard_s: float) -> None:
        if self._shown and heard_s - self._last_s >= 1.0:
            self._last_s = heard_s
            print(f"\rtranscribed {int(heard_s) // 60}:{int(heard_s) % 60:02}", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        """Clear the line."""
        if self._shown:
            print("\r" + " " * 30 + "\r", end="", file=sys.stderr, flush=True)


def _print_transcript(state: SessionState) -> None:
    for utterance in state.in_order():
        who = state.role_of(utterance.speaker) or utterance.speaker
        print(f"{seconds(utterance.start):8.2f}  {who:<10} {utterance.text}")


def _draft(chosen: argparse.Namespace, settings: Settings) -> int:
    from streaming import note_file

    if chosen.out:
        note_file.format_of(chosen.out)
        _check_writable(chosen.out, "note")
    transcript = transcript_json.parse(read_given(chosen.transcript, "transcript", BadTranscript))
    note = asyncio.run(_drafted(transcript, settings, chosen.format or settings.note_format))
    if chosen.out:
        note_file.write_note(chosen.out, note, transcript, with_transcript=chosen.with_transcript)
    if chosen.json:
        _print_json(note.as_json())
    elif not chosen.out:
        print(note_text.render(note, transcript))
    return 0


async def _drafted(transcript: Transcript, settings: Settings, note_format: str) -> Note:
    from streaming.engines import writer

    async with writer(settings) as chosen:
        return await draft_note(transcript, chosen, note_format)


def _enroll(chosen: argparse.Namespace, settings: Settings) -> int:
    from streaming.engines import speaker_model
    from streaming.enroll import enroll_file

    used_s = enroll_file(chosen.audio, chosen.out, speaker_model(settings))
    print(f"Learned from {used_s:.0f} s of speech. Set SAMEDAY_CLINICIAN_VOICE={chosen.out} for `sameday serve`.")
    return 0


def _doctor(_: argparse.Namespace, settings: Settings) -> int:
    from streaming.doctor import examine

    findings = examine(settings)
    for finding in findings:
        print(f"{finding.state:<5} {finding.name}: {finding.says}" + (f" {finding.mend}" if finding.mend else ""))
    return _FAILED if any(finding.state == "fail" for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
