"""`sameday recap`, `sameday backlog` and `sameday self-check`."""

import argparse
import asyncio
import json
import sys
import textwrap
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, get_args

from drafting import backlog as backlogs
from drafting import plan_text, self_check
from drafting import text as note_text
from drafting.backlog import Backlog, Order, Plan
from drafting.recap import BadRecap, Recap, Spoken, recap
from drafting.visit_csv import BadImport, Imported, read_csv
from streaming import audit_commands, context_json, visit_book
from streaming.errors import BadTranscript
from streaming.given_file import read_given
from streaming.local_zone import zone_of
from streaming.ports import Records, Store
from streaming.seats import LOCAL
from streaming.session_log import SessionLog
from streaming.settings import Settings
from streaming.types import NoteContext, Transcript

Printer = Callable[[dict[str, Any]], None]
Found = TypeVar("Found")
_SOUNDS = (".wav", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".opus", ".webm", ".mp4", ".wma", ".aiff", ".aif", ".amr")
_DAYS_BACK = 366
_MAX_TEXT_BYTES = 100_000
_WIDTH = 100


def add_recap(parser: argparse.ArgumentParser, print_json: Printer) -> None:
    """What `sameday recap` takes."""
    parser.add_argument("recap", help="a text file, a recording of a dictation, or - for standard input")
    parser.add_argument("--format", help="a note format; the practice's default unless set")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--context", type=Path, metavar="FILE", help="JSON: the chart, and the session's times")
    parser.add_argument(
        "--written-on", type=_day, metavar="DATE", help="today unless set; later than the session is late"
    )
    parser.add_argument("--session-date", type=_day, metavar="DATE", help="where the context has no times")
    parser.add_argument("--late-reason", default="", metavar="TEXT", help="why it is late")
    parser.add_argument("--answer", action="append", default=[], metavar="KIND=TEXT", help="an answer to a question")
    parser.add_argument("--zone", metavar="NAME", help="such as America/New_York; this machine's unless set")
    parser.set_defaults(run=lambda chosen, settings: _recap(chosen, settings, print_json))


def add_backlog(parser: argparse.ArgumentParser, print_json: Printer) -> None:
    """What `sameday backlog` takes, alone or with `import`."""
    _add_backlog_options(parser)
    parser.set_defaults(run=lambda chosen, settings: _backlog(chosen, settings, print_json))
    kinds = parser.add_subparsers(metavar="import FILE")
    take = kinds.add_parser("import", help="take over past sessions from a CSV or calendar (.ics) file")
    take.add_argument("file", type=Path, help="- for standard input")
    take.add_argument("--dates", choices=("day_first", "month_first"), help="how to read 03/04/2026")
    take.add_argument("--since", type=_day, metavar="DATE", help="of a calendar: the first day (a year back)")
    take.add_argument("--zone", metavar="NAME", help="such as America/New_York; this machine's unless set")
    take.add_argument("--json", action="store_true", help="print one JSON object")
    take.set_defaults(run=lambda chosen, settings: _import(chosen, settings, print_json))


def _add_backlog_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--order", choices=get_args(Order), default="newest", help="newest unless set")
    parser.add_argument(
        "--block", action="append", default=[], metavar="'mon 12:00 60'", help="protected time each week"
    )
    parser.add_argument("--new-a-week", type=_amount, default=0.0, metavar="N", help="new sessions each week")
    parser.add_argument("--hours", default="mon-fri 09:00-18:00", help="working hours (mon-fri 09:00-18:00)")
    parser.add_argument("--zone", metavar="NAME", help="such as America/New_York; this machine's unless set")


def add_self_check(parser: argparse.ArgumentParser) -> None:
    """What `sameday self-check` takes."""
    codes = [code for code, _ in self_check.countries()]
    parser.add_argument(
        "--country", default="us", metavar="CODE", help=f"whose lines to show: {', '.join(codes)} (us)"
    )
    parser.set_defaults(run=_self_check)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a date such as 2026-01-31") from None


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = -1.0
    if not 0 <= amount <= 200:
        raise argparse.ArgumentTypeError("a number from 0 to 200")
    return amount


def _recap(chosen: argparse.Namespace, settings: Settings, print_json: Printer) -> int:
    context = _context(chosen.context)
    today = chosen.written_on or datetime.now(UTC).astimezone(zone_of(chosen.zone)).date()
    found = recap(
        _said(chosen.recap, settings),
        context,
        chosen.format or settings.note_format,
        written_on=today.isoformat(),
        late_reason=chosen.late_reason,
        service_date=chosen.session_date and chosen.session_date.isoformat(),
        answers=[_answer(one) for one in chosen.answer],
    )
    if chosen.json:
        print_json(found.as_json())
    else:
        print(as_text(found, context))
    return 0


def as_text(found: Recap, context: NoteContext) -> str:
    """The note for a terminal, with the header of a late entry before it and the questions after it."""
    parts = [note_text.render(found.note, Transcript((), {}, (), context)).rstrip()]
    if found.header:
        parts.insert(0, found.header)
    if found.questions:
        asked = zip(found.asks, found.questions, strict=True)
        parts.append("\n".join(["STILL TO SAY", *(f"- {text}  (--answer {one.kind}=…)" for one, text in asked)]))
    return "\n\n".join(parts)


def _answer(text: str) -> tuple[str, str]:
    kind, equals, said = text.partition("=")
    if not equals or not said.strip():
        raise BadRecap("An answer is not KIND=TEXT.", mend="Such as --answer 'risk=denied SI'.")
    return kind.strip(), said.strip()


def _context(path: Path | None) -> NoteContext:
    if path is None:
        return NoteContext()
    try:
        body = json.loads(path.read_bytes())
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise BadTranscript(f"The context cannot be read: {why}.", mend="Check the path.") from None
    except (ValueError, RecursionError):
        raise BadTranscript("The context is not JSON.", mend="Give one JSON object.") from None
    return context_json.read(body.get("context", body) if isinstance(body, dict) else body)


def _said(name: str, settings: Settings) -> str | Spoken:
    """A text as it is; a recording is transcribed as one person's dictation. Raises BadRecap, BadAudio."""
    if name == "-":
        return _decoded(sys.stdin.buffer.read(_MAX_TEXT_BYTES + 1))
    path = Path(name)
    if path.suffix.lower() in _SOUNDS:
        from streaming.transcribe import transcribe

        state = asyncio.run(transcribe(path, settings, speakers=1, pace="fast"))
        said = tuple((one.id, one.text) for one in state.in_order() if one.text.strip())
        if not said:
            raise BadRecap("Nothing was understood in the dictation.", mend="Dictate again, or type the recap.")
        return Spoken(said)
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_TEXT_BYTES + 1)
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise BadRecap(f"The recap cannot be read: {why}.", mend="Check the path.") from None
    return _decoded(data)


def _decoded(data: bytes) -> str:
    if len(data) > _MAX_TEXT_BYTES:
        raise BadRecap("The recap has more than 100 kB.", mend="Two or three lines are enough.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRecap(
            "The recap is not UTF-8 text.", mend="Save it as UTF-8; a recording needs its ending."
        ) from None


def _import(chosen: argparse.Namespace, settings: Settings, print_json: Printer) -> int:
    zone, now = zone_of(chosen.zone), datetime.now(UTC)
    data = read_given(chosen.file, "file", BadImport)
    found: Imported
    if chosen.file.suffix.lower() == ".ics" or data.lstrip(b"\xef\xbb\xbf \r\n\t")[:15].upper() == b"BEGIN:VCALENDAR":
        from drafting.visit_ics import read_ics

        since = chosen.since or now.astimezone(zone).date() - timedelta(days=_DAYS_BACK)
        found = read_ics(data, zone, since=since, until=now)
    else:
        found = read_csv(data, zone, chosen.dates)
    taken = _with_records(settings, "visit.import", lambda records, _: visit_book.take(records, found))
    if chosen.json:
        print_json(found.as_json() | taken.as_json())
    else:
        print(f"{taken.new} new, {taken.filled} completed, {taken.known} known already.")
        for title, remarks in (("not read", found.faults), ("left out", found.left_out), ("note", found.remarks)):
            for one in remarks:
                print(f"  {title}, {one.line}: {one.message}")
    return 0


def _backlog(chosen: argparse.Namespace, settings: Settings, print_json: Printer) -> int:
    zone = zone_of(chosen.zone)
    slots = tuple(plan_text.slot(one) for one in chosen.block)
    plan = Plan(slots, chosen.new_a_week, plan_text.hours(chosen.hours))
    visits = _with_records(
        settings, "visit.list", lambda records, store: visit_book.with_sessions(records, _Logs(store), zone)
    )
    found = backlogs.backlog(visits, now=datetime.now(UTC), zone=zone, plan=plan, order=chosen.order)
    if chosen.json:
        print_json(found.as_json())
    else:
        print(told(found))
    return 0


def told(found: Backlog) -> str:
    """The backlog for a terminal."""
    lines = [*found.words, found.same_day.words, ""]
    for band in found.bands:
        if band.visits:
            lines += [
                f"{band.name.upper()} ({len(band.visits)}): {band.title}",
                textwrap.fill(band.advice, _WIDTH),
                "",
            ]
    for one in found.visits:
        marks = ", ".join(mark for mark, there in (("audit", one.audit), ("risk", one.risk)) if there)
        lines.append(
            f"  {one.date}  {one.note:<9} {one.label or one.client_id or '-'}" + (f"  [{marks}]" if marks else "")
        )
    if found.blocks:
        lines += ["", "BLOCKS"]
        lines += [
            f"  {one.start:%a %Y-%m-%d %H:%M}  {one.minutes} min: {len(one.visits)} notes" for one in found.blocks
        ]
    week = found.after_hours[-1]
    if week.notes:
        lines += ["", f"This week {week.outside} of {week.notes} notes were written outside your working hours."]
    return "\n".join(lines).rstrip()


class _Logs:
    """The log's sessions, none of which goes on in this process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def names(self) -> list[str]:
        return await self._store.sessions()

    def find(self, name: str) -> None:
        return None

    async def has_news(self, name: str, after: int) -> bool:
        return bool([one async for one in self._store.replay(name, after)])

    async def log_of(self, name: str) -> SessionLog:
        found = SessionLog(name, self._store)
        await found.catch_up()
        return found


def _with_records(
    settings: Settings, action: str, work: Callable[[Records, Store], Coroutine[Any, Any, Found]]
) -> Found:
    """Something done with the practice's records and log, opened for it; the audit log says so."""
    from streaming import engines

    async def run() -> Found:
        store = engines.open_store(settings)
        try:
            records = engines.open_records(store)
            done = await work(records, store)
            await audit_commands.record(records, settings, LOCAL, audit_commands.by_command(action))
            return done
        finally:
            await store.close()

    return asyncio.run(run())


def _self_check(chosen: argparse.Namespace, _: Settings) -> int:
    intro, close = self_check.words()
    print(f"{textwrap.fill(intro, _WIDTH)}\n")
    given: dict[str, str] = {}
    for question in self_check.questions():
        print(question.text)
        for number, (_key, words) in enumerate(question.answers, 1):
            print(f"  {number}  {words}")
        answer = _choice(len(question.answers))
        if answer is not None:
            given[question.id] = question.answers[answer - 1][0]
        print()
    print(self_check.for_reading(self_check.pointers(given, chosen.country)))
    print(f"\n{close}")
    return 0


def _choice(most: int) -> int | None:
    """A number that was typed; None for an empty line or the end, which leave a question out."""
    while True:
        try:
            typed = input("> ").strip()
        except EOFError:
            return None
        if not typed:
            return None
        if typed.isdecimal() and 1 <= int(typed) <= most:
            return int(typed)
        print(f"A number from 1 to {most}, or nothing to leave it out.")
