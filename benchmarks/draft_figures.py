"""Figures of the drafting part: roles from talk, risk ledger, verifier, support, speed.

Runs over a folder of transcripts in the documented shape (a development folder by default; other data by argument)
and over the labelled cases of benchmarks/data/risk. `sameday bench draft [FOLDER] [--json]`.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.draft_table import table_of
from benchmarks.verifier_figures import verifier_figures
from drafting.core import assemble, draft, read, render
from drafting.formats import keys, named
from drafting.risk import ledger
from drafting.risk_mentions import ITEMS
from drafting.verify import covered
from streaming.roles import guess
from streaming.transcript_json import parse
from streaming.transcript_json import read as read_transcript
from streaming.types import SAMPLE_RATE, Role, SpeakerId, Statement, Tick, Transcript, Utterance

HERE = Path(__file__).parent
RISK = HERE / "data" / "risk"
SESSION = HERE / "data" / "session"
SHARED = HERE.parent.parent / "shared" / "data" / "therapy"
HOUR_WORDS = 9000
"""Words of an hour of talk at 150 a minute."""


def transcripts(folder: Path) -> dict[str, Transcript]:
    """Every transcript file of a folder, by file name without ending."""
    return {path.stem: parse(path.read_bytes()) for path in sorted(folder.glob("*.json"))}


def hidden(transcript: Transcript, *, bare: bool = False) -> Transcript:
    """The same talk with roles hidden behind speaker letters; `bare` also takes away punctuation and capitals."""
    letters = {
        speaker: SpeakerId(f"S{n}")
        for n, speaker in enumerate(dict.fromkeys(u.speaker for u in transcript.utterances))
    }
    said = tuple(
        replace(one, speaker=letters[one.speaker], text=_bare(one.text) if bare else one.text)
        for one in transcript.utterances
    )
    return replace(transcript, utterances=said, roles={})


def _bare(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter in " '")


EXCERPT_S = 180
"""A short excerpt: three minutes."""
VIEWS: tuple[tuple[str, bool, int | None, int | None], ...] = (
    ("whole", False, None, None),
    ("bare", True, None, None),
    ("minutes_3", False, None, EXCERPT_S),
    ("minutes_3_bare", True, None, EXCERPT_S),
    ("middle_3", False, None, -EXCERPT_S),
    ("first_16", False, 16, None),
    ("first_8", False, 8, None),
)
"""Name, without punctuation, first utterances, seconds from the start (from the middle where negative)."""


def role_figures(sessions: Mapping[str, Transcript]) -> dict[str, Any]:
    """Sessions whose clinician is found from talk alone, by length; speakers are given in either order."""
    figures: dict[str, Any] = {"sessions": len(sessions)}
    for name, bare, first, seconds in VIEWS:
        right, sure = 0, []
        for transcript in sessions.values():
            masked = hidden(transcript, bare=bare)
            said = _excerpt(masked, first, seconds)
            speakers = tuple(dict.fromkeys(one.speaker for one in masked.utterances))
            true = {
                new.speaker: transcript.roles[old.speaker]
                for new, old in zip(masked.utterances, transcript.utterances, strict=True)
            }
            found = [guess(said, order) for order in (speakers, speakers[::-1])]
            right += all(one.roles == true for one in found)
            sure.append(found[0].confidence)
        figures[name] = {
            "right": right,
            "share": round(right / max(1, len(sessions)), 4),
            "mean_confidence": round(statistics.fmean(sure), 3),
        }
    return figures


def _excerpt(transcript: Transcript, first: int | None, seconds: int | None) -> Sequence[Utterance]:
    said = transcript.utterances[:first]
    if seconds is None or not said:
        return said
    begin = said[0].start if seconds > 0 else (said[0].start + said[-1].end) // 2
    until = begin + abs(seconds) * SAMPLE_RATE
    return [one for one in said if begin <= one.start < until] or said


def _states(expected: Mapping[str, str], found: Mapping[str, str]) -> dict[str, int]:
    count = dict.fromkeys(
        ("true_positive", "false_positive", "missed", "right", "items", "spoken_right", "spoken"), 0
    )
    for item in ITEMS:
        want, got = expected.get(item, "not_asked"), found[item]
        positive = (want in ("endorsed", "volunteered"), got in ("endorsed", "volunteered"))
        count["items"] += 1
        count["right"] += want == got
        if want != "not_asked" or got != "not_asked":
            count["spoken"] += 1
            count["spoken_right"] += want == got
        count["true_positive"] += positive == (True, True)
        count["missed"] += positive == (True, False)
        count["false_positive"] += positive == (False, True)
    return count


def _summed(counts: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    total = {key: sum(one[key] for one in counts) for key in counts[0]} if counts else {}
    if not total:
        return {}
    hits, missed, false = total["true_positive"], total["missed"], total["false_positive"]
    return {
        "cases": len(counts),
        "positives": hits + missed,
        "sensitivity": round(hits / (hits + missed), 4) if hits + missed else None,
        "precision": round(hits / (hits + false), 4) if hits + false else None,
        "state_accuracy": round(total["right"] / total["items"], 4),
        "state_accuracy_spoken_of": round(total["spoken_right"] / max(1, total["spoken"]), 4),
        "false_alarms": false,
    }


def risk_cases() -> list[dict[str, Any]]:
    """The written cases: id, kind, split, utterances, expected states of items other than not_asked."""
    return [json.loads(line) for line in (RISK / "cases.jsonl").read_text(encoding="utf-8").splitlines()]


def risk_figures(sessions: Mapping[str, Transcript]) -> dict[str, Any]:
    """Written cases by split, and the labelled sessions; items that a label does not name were not asked."""
    figures: dict[str, Any] = {}
    cases = risk_cases()
    kinds: dict[str, list[Mapping[str, int]]] = {}
    for case in cases:
        kinds.setdefault(case["kind"], []).append(_states(case["expect"], _found(read_transcript(case))))
    figures["kinds"] = {kind: _summed(rows) for kind, rows in kinds.items()}
    for split in dict.fromkeys(case["split"] for case in cases):
        chosen = [case for case in cases if case["split"] == split]
        figures[split] = _summed([_states(case["expect"], _found(read_transcript(case))) for case in chosen])
    labels = json.loads((RISK / "sessions.json").read_text(encoding="utf-8"))
    known = {name: one for name, one in sessions.items() if name in labels["sessions"]}
    if known:
        figures["sessions"] = _summed(
            [_states(labels["sessions"][name]["expect"], _found(one)) for name, one in known.items()]
        )
    return figures


def wide_cases() -> list[dict[str, Any]]:
    """The cases that were written against the wide net: oblique on purpose, in the form of the others."""
    return [json.loads(line) for line in (RISK / "wide.jsonl").read_text(encoding="utf-8").splitlines()]


def wide_figures(sessions: Mapping[str, Transcript]) -> dict[str, Any]:
    """The ledger with the wide net under it: what of endorsed and volunteered risk neither shows, and false calls."""
    cases = risk_cases()
    sets = {split: [one for one in cases if one["split"] == split] for split in ("test", "develop")}
    figures: dict[str, Any] = {name: _called(rows) for name, rows in (sets | {"oblique": wide_cases()}).items()}
    labels = json.loads((RISK / "sessions.json").read_text(encoding="utf-8"))["sessions"]
    harmless = [one for name, one in sessions.items() if not labels.get(name, {}).get("expect") and one.utterances]
    calls = [len({place for found in ledger(one).unclear for place in found.evidence}) for one in harmless]
    hours = sum(one.utterances[-1].end - one.utterances[0].start for one in harmless) / SAMPLE_RATE / 3600
    if calls:
        figures["calls"] = {
            "sessions": len(calls),
            "a_session": round(sum(calls) / len(calls), 2),
            "an_hour": round(sum(calls) / hours, 2) if hours else None,
        }
    return figures


def _called(cases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    alone = wide = positives = harmless = called = 0
    for case in cases:
        found = ledger(read_transcript(case))
        unclear = {one.item for one in found.unclear}
        want = [item for item, state in case["expect"].items() if state in _POSITIVE]
        alone += sum(found[item].state in _POSITIVE for item in want)
        wide += sum(found[item].state in _POSITIVE or item in unclear for item in want)
        positives += len(want)
        harmless += not want
        called += bool(unclear) and not want
    return {
        "cases": len(cases),
        "positives": positives,
        "ledger_alone": round(alone / max(1, positives), 4),
        "with_wide_net": round(wide / max(1, positives), 4),
        "harmless_called": round(called / max(1, harmless), 4),
    }


_POSITIVE = ("endorsed", "volunteered")


def _found(transcript: Transcript) -> dict[str, str]:
    return {one.item: one.state for one in ledger(transcript).findings}


def support_figures(sessions: Mapping[str, Transcript]) -> dict[str, Any]:
    """The embedded writer's statements in all formats: how many name no evidence, how many have no support."""
    told = bare = unsupported = thin = 0
    for transcript in sessions.values():
        reading = read(transcript)
        for key in keys():
            note = assemble(reading, render(reading, named(key)), named(key))
            for section in note.sections:
                for one in section.statements:
                    told += one.provenance == "transcript"
                    bare += one.provenance == "transcript" and not one.evidence
                    thin += one.provenance == "transcript" and covered(one.text, _cited(one, transcript)) < THIN
                    unsupported += not one.supported
    return {"from_transcript": told, "without_evidence": bare, "without_their_words": thin,
            "unsupported": unsupported, "unsupported_share": round(unsupported / max(1, told), 5)}  # fmt: skip


THIN = 0.5
"""A sentence from the transcript of which less than this share of content words is in its evidence."""


def _cited(one: Statement, transcript: Transcript) -> str:
    return " ".join(said.text for said in transcript.utterances if said.id in one.evidence)


def an_hour(sessions: Mapping[str, Transcript]) -> Transcript:
    """Sessions put one after another until they hold an hour's words."""
    said, words, at = [], 0, 0
    roles: dict[SpeakerId, Role] = {}
    for n, transcript in enumerate(sessions.values()):
        for one in transcript.utterances:
            said.append(
                replace(one, id=type(one.id)(f"{n}-{one.id}"), start=Tick(at + one.start), end=Tick(at + one.end))
            )
            words += len(one.text.split())
        roles |= transcript.roles
        at = max((one.end for one in said), default=Tick(0))
        if words >= HOUR_WORDS:
            break
    return Transcript(tuple(said), roles)


def speed_figures(sessions: Mapping[str, Transcript]) -> dict[str, Any]:
    """Median CPU seconds of a draft of an hour's words, and of a switch of format."""
    hour = an_hour(sessions)
    if not hour.utterances:
        return {}
    draft(hour)
    drafts, switches = [], []
    for _ in range(3):
        started = time.process_time()
        draft(hour)
        drafts.append(time.process_time() - started)
    reading = read(hour)
    for key in keys():
        started = time.process_time()
        assemble(reading, render(reading, named(key)), named(key))
        switches.append(time.process_time() - started)
    return {
        "words": sum(len(one.text.split()) for one in hour.utterances),
        "draft_s": round(statistics.median(drafts), 3),
        "format_switch_ms": round(1000 * statistics.median(switches), 1),
        "format_switch_worst_ms": round(1000 * max(switches), 1),
    }


def bundled() -> dict[str, Transcript]:
    """The session that comes with the project, by the words that were spoken."""
    return {"bundled": parse((SESSION / "reference.json").read_bytes())}


def figures(folder: Path | None = None) -> dict[str, Any]:
    """All figures: over the bundled session, and over the sessions of a folder where there is one."""
    folder = folder or SHARED
    sessions = bundled() | (transcripts(folder) if folder.is_dir() else {})
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "sessions": len(sessions),
        "roles": role_figures(sessions),
        "risk": risk_figures(sessions),
        "wide": wide_figures(sessions),
        "verifier": verifier_figures(sessions),
        "support": support_figures(sessions),
        "speed": speed_figures(sessions),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the figures as a table, or as one JSON object."""
    parser = argparse.ArgumentParser(prog="sameday bench draft", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="transcripts in the documented shape")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args(argv)
    if chosen.folder is not None and not chosen.folder.is_dir():
        parser.error("there is no such folder")
    found = figures(chosen.folder)
    print(json.dumps(found, indent=1) if chosen.json else table_of(found), end="\n" if chosen.json else "")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
