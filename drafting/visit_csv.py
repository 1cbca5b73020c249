"""Past visits from the CSV file of a practice system or a spreadsheet. Pure.

Good rows are taken, bad ones are named by their line; a file whose dates can be read in two ways is refused until the
clinician says which. Messages name lines and columns, never what stands in them.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from drafting.data import load
from drafting.visit_dates import DateOrder, read_clock, read_date, read_instant, read_minutes, shown_order
from drafting.visits import MAX_MINUTES, BadVisit, NoteState, Visit, key_of
from drafting.visits import read as read_visit
from streaming.errors import PeerError

MAX_BYTES = 10_000_000
MAX_ROWS = 20_000
DELIMITERS = ",;\t|"


class BadImport(PeerError):
    """A file that no visits can be read from."""

    code = "bad_import"


class AmbiguousDates(BadImport):
    """Dates that can be read with the day or with the month first, and nothing says which."""

    code = "ambiguous_dates"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about one line of a file, counted from 1; a record over several lines goes by its first."""

    line: int
    message: str

    def as_json(self) -> dict[str, object]:
        return {"line": self.line, "message": self.message}


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held: visits in its order, rows that cannot be used, rows left out for a reason, and remarks."""

    visits: tuple[Visit, ...]
    faults: tuple[Remark, ...] = ()
    left_out: tuple[Remark, ...] = ()
    remarks: tuple[Remark, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "read": len(self.visits),
            "faults": [one.as_json() for one in self.faults],
            "left_out": [one.as_json() for one in self.left_out],
            "remarks": [one.as_json() for one in self.remarks],
        }


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Mapping[str, str]


class _LeftOut(Exception):
    """The row tells of no session."""


@dataclass(slots=True)
class _Sorted:
    """Rows as they are found good or not."""

    visits: dict[str, tuple[int, Visit]]
    faults: list[Remark]
    left_out: list[Remark]
    remarks: list[Remark]


def read_csv(data: bytes | str, zone: ZoneInfo, order: DateOrder | None = None) -> Imported:
    """The visits of a file whose times are those of `zone`. Raises AmbiguousDates, BadImport."""
    text = _text(data)
    found = _Sorted({}, [], [], [])
    rows = list(_rows(text, found.faults))
    order = order or _order(rows)
    for row in rows:
        try:
            visit, remarks = _visit(row, zone, order)
        except _LeftOut as reason:
            found.left_out.append(Remark(row.line, str(reason)))
        except BadVisit as error:
            found.faults.append(Remark(row.line, str(error)))
        else:
            found.remarks += [Remark(row.line, one) for one in remarks]
            _take(found, row.line, visit)
    visits = tuple(visit for _, visit in found.visits.values())
    faults = tuple(sorted(found.faults, key=lambda one: one.line))
    return Imported(visits, faults, tuple(found.left_out), tuple(found.remarks))


def _take(found: _Sorted, line: int, visit: Visit) -> None:
    known = found.visits.get(visit.id)
    if known is None:
        found.visits[visit.id] = (line, visit)
        return
    why = "" if visit.start else "; a start time would tell them apart"
    found.left_out.append(Remark(line, f"The same client and time as line {known[0]}{why}."))


def _text(data: bytes | str) -> str:
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    if len(data) > MAX_BYTES:
        raise BadImport("The file is larger than 10 MB.", mend="Export fewer months at once.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")  # what spreadsheets on Windows save as "CSV"


def _rows(text: str, faults: list[Remark]) -> Iterator[_Row]:
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)
    first = next((at for at, line in enumerate(lines) if line.strip(" \t\r\n,;|")), None)
    if first is None:
        raise BadImport("The file is empty.")
    delimiter = max(
        DELIMITERS, key=lambda mark: (len(_columns(_split(lines[first], mark))), lines[first].count(mark))
    )
    reader = csv.reader(lines[first:], delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        columns = _columns(next(reader, []))
    except csv.Error:
        raise BadImport("The first line is no CSV: check its quotes.") from None
    missing = [one for one in load("visit_columns.toml")["required"] if one not in columns.values()]
    if missing and "start" not in columns.values():
        known = ", ".join(load("visit_columns.toml")["columns"]["date"][:4])
        raise BadImport("The file has no column for the date.", mend=f"Call one of its columns {known}.")
    count = 0
    while True:
        line = first + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            whole = "unexpected end" in str(error)
            says = "A quote is opened here and never closed: nothing from this line on could be read."
            faults.append(Remark(line, says if whole else "The line is no CSV: check its quotes."))
            if whole:
                return
            continue
        if any(one.strip() for one in cells):
            count += 1
            if count > MAX_ROWS:
                raise BadImport(f"The file has more than {MAX_ROWS} rows.", mend="Export fewer months at once.")
            yield _Row(line, {name: cells[at].strip() for at, name in columns.items() if at < len(cells)})


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []


@lru_cache(maxsize=1)
def _headers() -> dict[str, str]:
    body = load("visit_columns.toml")
    known = {words: name for name, all_words in body["columns"].items() for words in all_words}
    return known | dict.fromkeys(body["skip"]["columns"], "held") | {"first name": "first", "last name": "last"}


def _columns(cells: list[str]) -> dict[int, str]:
    """Our names by place; the first column of a name counts."""
    found: dict[int, str] = {}
    for at, cell in enumerate(cells):
        words = " ".join(re.sub(r"[^a-z0-9]+", " ", cell.lower().replace("\ufeff", "")).split())
        name = _headers().get(words)
        if name and name not in found.values():
            found[at] = name
    return found


def _order(rows: list[_Row]) -> DateOrder | None:
    """What the dates of the file show. Raises AmbiguousDates where some need it and nothing shows it."""
    dates = [(row.line, row.cells.get(name, "")) for row in rows for name in ("date", "start", "stop", "signed_at")]
    shown = shown_order(text for _, text in dates)
    if shown == "day_first" or shown == "month_first":
        return shown
    for line, text in dates:
        found = read_date(text, None)
        if found is not None and found.day is None:
            why = "other lines contradict each other" if shown == "both" else "no other line shows which"
            raise AmbiguousDates(
                f"The date in line {line} can be read with the day or with the month first, and {why}.",
                mend="Say whether the day or the month comes first.",
            )
    return None


def _visit(row: _Row, zone: ZoneInfo, order: DateOrder | None) -> tuple[Visit, list[str]]:
    cells, remarks = row.cells, list[str]()
    _check_held(cells)
    day, start, stop = _when(cells, zone, order)
    note, signed_at = _note(cells, order, zone, remarks)
    cpt = re.search(r"\b9\d{4}\b", cells.get("cpt", ""))
    body: dict[str, Any] = {
        "id": "-", "date": day.isoformat(), "source": "csv", "note": note, "signed_at": signed_at,
        "start": start and start.isoformat(), "stop": stop and stop.isoformat(),
        "label": cells.get("label") or " ".join(filter(None, (cells.get("first"), cells.get("last")))),
        "client_id": cells.get("client_id"), "payer": cells.get("payer"), "cpt": cpt[0] if cpt else "",
        "minutes": _minutes(cells, remarks), "kind": _kind(cells),
        "audit": _flag(cells, "audit", remarks), "risk": _flag(cells, "risk", remarks),
    }  # fmt: skip
    if not body["label"] and not body["client_id"]:
        raise BadVisit("Neither a client's name nor an id is there.")
    visit = read_visit(body)
    return replace(visit, id=key_of(visit)), remarks


def _check_held(cells: Mapping[str, str]) -> None:
    not_held = load("visit_columns.toml")["skip"]["not_held"]
    for name in ("held", "note"):
        if cells.get(name, "").lower() in not_held:
            raise _LeftOut("No session was held.")
    if cells.get("held", "").lower() in ("no", "n", "false", "0"):
        raise _LeftOut("No session was held.")


def _when(
    cells: Mapping[str, str], zone: ZoneInfo, order: DateOrder | None
) -> tuple[date, datetime | None, datetime | None]:
    """The day, and start and stop as instants where their times are there."""
    whole = read_instant(cells.get("start", "")) or read_instant(cells.get("date", ""))
    end = read_instant(cells.get("stop", ""))
    if whole is not None:
        local = whole.astimezone(zone)
        return local.date(), local, end.astimezone(zone) if end else None
    written = cells.get("date") or cells.get("start", "")
    found = read_date(written, order)
    if found is None or found.day is None:
        raise BadVisit("The date is missing." if not written else "The date cannot be read.", mend="Use 2026-01-31.")
    start = _clock(cells.get("start", ""), order) or (read_clock(found.rest) if found.rest else None)
    stop = _clock(cells.get("stop", ""), order)
    if cells.get("start") and start is None:
        raise BadVisit("The start time cannot be read.", mend="Use 10:00 or 2:30 PM.")
    if cells.get("stop") and stop is None:
        raise BadVisit("The stop time cannot be read.", mend="Use 10:00 or 2:30 PM.")
    return found.day, _at(found.day, start, zone), _at(found.day, stop, zone) if start else None


def _clock(text: str, order: DateOrder | None) -> time | None:
    """A time of day, alone or behind a date."""
    found = read_date(text, order)
    return read_clock(found.rest if found else text)


def _at(day: date, clock: time | None, zone: ZoneInfo) -> datetime | None:
    return None if clock is None else datetime.combine(day, clock, zone)


def _note(
    cells: Mapping[str, str], order: DateOrder | None, zone: ZoneInfo, remarks: list[str]
) -> tuple[NoteState, str | None]:
    """How far the note is, and when it was signed where a time of day is there; an unknown status is open."""
    states: dict[str, list[str]] = load("visit_columns.toml")["note_states"]
    said = " ".join(cells.get("note", "").lower().split())
    signed = cells.get("signed_at", "")
    for text in filter(None, (signed, cells.get("note", ""))):
        instant = read_instant(text)
        found = read_date(text, order)
        if instant is not None:
            return "signed", instant.isoformat()
        if found is not None:
            clock = read_clock(found.rest) if found.rest else None
            at = _at(found.day, clock, zone) if found.day else None
            return "signed", None if at is None else at.isoformat()
    for name, words in states.items():
        if said in words:
            state: NoteState = name  # type: ignore[assignment]
            return state, None
    remarks.append("The note's status is not known; it counts as unsigned.")
    return "unsigned", None


def _minutes(cells: Mapping[str, str], remarks: list[str]) -> int | None:
    text = cells.get("minutes", "")
    found = read_minutes(text)
    if text and (found is None or not 0 < found <= MAX_MINUTES):
        remarks.append("The minutes cannot be read; they are left out.")
        return None
    return found


def _kind(cells: Mapping[str, str]) -> str:
    said = f"{cells.get('kind', '')} {cells.get('cpt', '')}".lower()
    kinds: dict[str, list[str]] = load("visit_columns.toml")["kinds"]
    return next((name for name in ("plan", "intake") if any(word in said for word in kinds[name])), "progress")


def _flag(cells: Mapping[str, str], name: str, remarks: list[str]) -> bool:
    words = load("visit_columns.toml")["flags"]
    said = cells.get(name, "").lower()
    if said not in words["yes"] and said not in words["no"]:
        remarks.append(f"The column for {name} is neither yes nor no; it counts as yes.")
    return said not in words["no"]


__all__ = ["AmbiguousDates", "BadImport", "Imported", "Remark", "read_csv"]
