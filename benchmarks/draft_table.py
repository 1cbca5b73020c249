"""The figures of the drafting part as a table with their targets. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.figure import Figure, at_least, at_most, figure
from benchmarks.figure import table as figure_table

_ROLE_NAMES = {
    "whole": "whole sessions",
    "bare": "whole, no punctuation, lower case",
    "minutes_3": "first 3 minutes",
    "minutes_3_bare": "first 3 minutes, no punctuation",
    "middle_3": "3 minutes from the middle",
    "first_16": "first 16 utterances",
    "first_8": "first 8 utterances",
}


def table_of(found: Mapping[str, Any]) -> str:
    """A text table of what `draft_figures.figures` found."""
    rows = [
        *_roles(found["roles"]),
        *_risk(found["risk"]),
        *_wide(found.get("wide", {})),
        *_verifier(found["verifier"]),
    ]
    rows += [*_support(found["support"]), *_speed(found["speed"])]
    return figure_table(rows)


def _roles(roles: Mapping[str, Any]) -> Iterator[Figure]:
    part = f"Roles from talk alone, {roles['sessions']} sessions, speakers in either order"
    for key, name in _ROLE_NAMES.items():
        bound = at_least(97) if key in ("whole", "bare") else None
        yield figure(part, name, "%", 100 * roles[key]["share"], bound, exact=True)


def _risk(risk: Mapping[str, Any]) -> Iterator[Figure]:
    names = {"test": "written cases, test only", "develop": "written cases, development", "sessions": "sessions"}
    for key, name in names.items():
        one = risk.get(key)
        if not one:
            continue
        part = f"Risk ledger: {name} ({one['cases']}, {one['positives']} endorsed or volunteered)"
        if one["sensitivity"] is not None:
            yield figure(part, "sensitivity", "%", 100 * one["sensitivity"], at_least(100), exact=True)
        if one["precision"] is not None:
            yield figure(part, "precision", "%", 100 * one["precision"], at_least(90), exact=True)
        yield figure(part, "state right, all items", "%", 100 * one["state_accuracy"], at_least(90), exact=True)
        yield figure(part, "state right, items spoken of", "%", 100 * one["state_accuracy_spoken_of"], exact=True)
        yield figure(part, "false alarms", "count", one["false_alarms"], exact=True)
    for kind, one in risk["kinds"].items():
        yield figure("Risk ledger by kind: state right", f"{kind} ({one['cases']})", "%", 100 * one["state_accuracy"])


def _wide(wide: Mapping[str, Any]) -> Iterator[Figure]:
    for key, name in (("test", "test only"), ("develop", "development"), ("oblique", "oblique on purpose")):
        if one := wide.get(key):
            part = f"Wide net: written cases, {name} ({one['cases']}, {one['positives']} endorsed or volunteered)"
            yield figure(part, "sensitivity of the ledger alone", "%", 100 * one["ledger_alone"], exact=True)
            share = 100 * one["with_wide_net"]
            yield figure(part, "sensitivity with the wide net", "%", share, at_least(100), exact=True)
            yield figure(part, "cases without risk that it calls", "%", 100 * one["harmless_called"], exact=True)
    if calls := wide.get("calls"):
        part = f"Wide net: {calls['sessions']} sessions of harmless talk"
        yield figure(part, "utterances called a session", "count", calls["a_session"], at_most(2), exact=True)
        if calls["an_hour"] is not None:
            yield figure(part, "utterances called an hour", "count", calls["an_hour"], exact=True)


def _verifier(verifier: Mapping[str, Any]) -> Iterator[Figure]:
    for key, name in ((None, "made by rule"), ("written", "written paraphrases")):
        one = verifier if key is None else verifier.get(key)
        if not one:
            continue
        part = f"Verifier: {one['sentences']} sentences {name}"
        yield figure(part, "AUC (x 100)", "points", 100 * one["auc"], at_least(85), exact=True)
        yield figure(part, "AUC of plain word cover", "points", 100 * one["auc_word_cover"], exact=True)
        yield figure(part, "cost of a sentence", "ms", one["ms_per_sentence"], at_most(1))
        for kind, row in one["classes"].items():
            yield figure(
                part, f"{kind} ({row['sentences']}) judged right", "%", 100 * row["judged_right"], exact=True
            )
            if "auc" in row:
                yield figure(part, f"{kind} AUC", "points", 100 * row["auc"], exact=True)


def _support(support: Mapping[str, Any]) -> Iterator[Figure]:
    part = f"Embedded writer, {support['from_transcript']} sentences from transcripts, all formats"
    yield figure(part, "without evidence", "count", support["without_evidence"], at_most(0), exact=True)
    yield figure(
        part, "evidence without their words", "count", support["without_their_words"], at_most(0), exact=True
    )
    yield figure(part, "unsupported", "%", 100 * support["unsupported_share"], at_most(0), exact=True)


def _speed(speed: Mapping[str, Any]) -> Iterator[Figure]:
    if not speed:
        return
    part = f"Speed on one core, {speed['words']} words"
    yield figure(part, "draft", "s", speed["draft_s"], at_most(1.5))
    yield figure(part, "switch of format, median", "ms", speed["format_switch_ms"], at_most(50))
    yield figure(part, "switch of format, worst", "ms", speed["format_switch_worst_ms"], at_most(50))


__all__ = ["table_of"]
