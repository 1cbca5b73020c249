"""Rule packs: each rule is met and not met in a case of tests/rule_cases.toml; packs of a payer and of a practice."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.draft_figures import HERE
from drafting.billing import all_codes, billing, told
from drafting.checks import findings
from drafting.core import Reading, assemble, read, render
from drafting.formats import named
from drafting.note import Note
from drafting.packs import BadPack, built_in, built_in_choice, choice, packs_of, parse, phrases
from streaming.transcript_json import parse as parse_transcript
from streaming.transcript_json import read as read_transcript
from streaming.types import Goal, NoteContext, Objective, Section, Service, Statement, Transcript, TreatmentPlan

pytestmark = pytest.mark.unit

CASES: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent.parent / "rule_cases.toml").read_text(encoding="utf-8")
)["case"]
FULL = NoteContext(
    started_at="2026-01-31T10:00:00+01:00",
    ended_at="2026-01-31T10:51:00+01:00",
    modality="in_person",
    place="office",
    client="D.",
    client_id="17",
    date_of_birth="1986-04-02",
    diagnosis="F41.1 Generalized anxiety disorder",
    goals=("go to the team lunch",),
    provider="P.",
    credentials="LCSW",
)


def transcript_of(case: dict[str, Any]) -> Transcript:
    if "rows" in case:
        rows = [{"role": who, "start": 10 * n, "text": text} for n, (who, text) in enumerate(case["rows"])]
        talk = read_transcript({"utterances": rows})
    else:
        talk = parse_transcript((HERE / "data" / "session" / "reference.json").read_bytes())
    if not case.get("talk", True):
        talk = Transcript((), {})
    if case.get("hide_roles"):
        talk = replace(talk, roles={})
    values: dict[str, Any] = {name: value or None for name, value in case.get("context", {}).items()}
    for name in ("participants", "goals"):
        if name in values:
            values[name] = tuple(values[name] or ())
    if "plan" in case:
        values["plan"] = TreatmentPlan(**case["plan"])
    if "objective" in case:
        values["plan_goals"] = (Goal("g1", "go to the team lunch", (Objective("g1.1", **case["objective"]),)),)
    return replace(talk, context=replace(FULL, **values))


_READINGS: dict[str, Reading] = {}


def reading_of(transcript: Transcript) -> Reading:
    """What the talk says; read once, for the same talk is in most cases."""
    key = "\n".join(one.text for one in transcript.utterances) + str(transcript.roles)
    if key not in _READINGS:
        _READINGS[key] = read(transcript)
    return _READINGS[key]


def note_of(case: dict[str, Any], format: str = "soap") -> Note:
    transcript, shape = transcript_of(case), named(format)
    reading = reading_of(replace(transcript, context=NoteContext(goals=transcript.context.goals)))
    reading = replace(reading, transcript=replace(reading.transcript, context=transcript.context))
    written = render(reading, shape)
    if "drop" in case:
        written = tuple(
            Section(part.name, tuple(one for one in part.statements if not re.search(case["drop"], one.text)))
            for part in written
        )
    more = [Statement(text, "clinician", ()) for text in case.get("enter", ())]
    if "invent" in case:
        more.append(Statement(case["invent"], "transcript", (reading.transcript.utterances[1].id,)))
    if case.get("long_quote"):
        more.append(Statement(f'Client said, "{"so it went on and on " * 50}"', "clinician", ()))
    last = Section(written[-1].name, (*written[-1].statements, *more))
    return assemble(reading, (*written[:-1], last), shape)


@pytest.mark.parametrize("case", CASES, ids=[one["rule"] for one in CASES])
def test_each_rule_is_found_where_it_is_not_met_and_only_there(case: dict[str, Any]) -> None:
    format = case.get("format", "soap")
    missed = [one for one in note_of(case["fails"], format).checks if _of(one.rule, case["rule"])]
    assert missed
    assert not any(_of(one.rule, case["rule"]) for one in note_of(case["passes"], format).checks)
    finding = missed[0]
    assert len(finding.message.split()) > 5
    assert "{" not in finding.message
    assert finding.section in {"", *(part.name for part in named(format).sections)}


def _of(found: str, rule: str) -> bool:
    return found == rule or (rule == "thread" and found.startswith("thread_"))


def test_every_rule_has_its_cases() -> None:
    rules = {rule.id for pack in built_in().values() for rule in pack.rules}
    assert {one["rule"] for one in CASES} == rules


def test_the_items_of_every_session_are_errors_and_what_is_unsure_never_is() -> None:
    severity = {rule.id: rule.severity for pack in built_in().values() for rule in pack.rules}
    items = (
        "client_identity provider_identity start_stop_times diagnosis symptoms functional_impairment technique_target"
        " client_response progress_goal risk plan continued_care modality"
    )
    for rule in items.split():
        assert severity[rule] == "error", rule
    unsure = [rule for pack in built_in().values() for rule in pack.rules if rule.unsure]
    assert unsure
    assert not any(rule.severity == "error" for rule in unsure)


def test_every_rule_has_a_source_and_a_date() -> None:
    for pack in built_in().values():
        for rule in pack.rules:
            assert len(rule.source) > 10, rule.id
            assert re.fullmatch(r"20\d\d-\d\d-\d\d", rule.dated)


def test_no_message_suggests_a_longer_session() -> None:
    texts = [rule.message.lower() for pack in built_in().values() for rule in pack.rules]
    texts += [told(billing(lasting(minutes))) for minutes in range(10, 60)]
    assert not any(
        re.search(r"stretch|lengthen|extend the|longer session|\bmore minutes\b|add \d", text) for text in texts
    )


def lasting(minutes: int, **more: Any) -> Transcript:
    end = f"2026-01-31T{10 + minutes // 60:02d}:{minutes % 60:02d}:59+01:00"
    return Transcript((), {}, (), replace(NoteContext(started_at="2026-01-31T10:00:00+01:00", ended_at=end), **more))


@pytest.mark.parametrize(
    "service, minutes, cpt, margin, addons",
    [
        ("psychotherapy", 37, "90832", 1, 0),
        ("psychotherapy", 53, "90837", 0, 0),
        ("crisis", 20, "90832", 18, 0),
        ("crisis", 30, "90839", 0, 0),
        ("crisis", 74, "90839", 44, 0),
        ("crisis", 75, "90839", 45, 1),
        ("crisis", 104, "90839", 74, 1),
        ("crisis", 105, "90839", 75, 2),
        ("family", 25, None, 1, 0),
        ("family", 26, "90847", 0, 0),
        ("family_without_client", 50, "90846", 24, 0),
        ("group", 90, "90853", 0, 0),
        ("intake", 12, "90791", 0, 0),
        ("treatment_plan", 45, None, 0, 0),
    ],
)
def test_codes_by_service(service: Service, minutes: int, cpt: str | None, margin: int, addons: int) -> None:
    found = billing(lasting(minutes, service=service))
    assert (found.cpt, found.margin_min, len(found.addons)) == (cpt, margin, addons)
    assert str(minutes) in told(found)


@pytest.mark.parametrize("em, cpt", [(10, "90836"), (35, "90833"), (40, None), (0, "90836"), (None, None)])
def test_psychotherapy_time_beside_e_m_is_counted_apart(em: int | None, cpt: str | None) -> None:
    found = billing(lasting(51, service="em_addon", em_minutes=em))
    assert found.cpt == cpt
    assert ("entered apart" in told(found)) == (em is None)


def test_what_payers_do_not_agree_on_is_told_with_a_doubt() -> None:
    assert "to be checked" in told(billing(lasting(80, service="crisis")))


def test_the_intake_format_is_billed_as_an_intake_and_untimed() -> None:
    assert note_of({}, "intake").billing.cpt == "90791"
    assert note_of({"context": {"service": "crisis"}}, "intake").billing.cpt == "90839"


def test_all_codes_have_a_service() -> None:
    assert set(all_codes()) == {
        "90832", "90834", "90837", "90833", "90836", "90838", "90839", "90840", "90791", "90846", "90847", "90853"
    }  # fmt: skip


@pytest.mark.parametrize("payer, more", [("Medicare", True), ("medicare", True), ("acme", False), (None, False)])
def test_a_payer_s_pack_counts_for_its_clients_alone(payer: str | None, more: bool) -> None:
    assert ("medicare" in {pack.key for pack in packs_of(NoteContext(payer=payer))}) == more


def test_a_setting_adds_packs_too() -> None:
    assert "medicare" in {pack.key for pack in packs_of(NoteContext(setting="outpatient hospital"))}


OWN = """
key = "own"
title = "Our practice"
source = "Our handbook, page 4"
dated = "2026-02-01"
[[rule]]
id = "interpreter"
severity = "warning"
message = "Say whether an interpreter was there: the handbook asks for it."
needs = "words"
words = ["interpreter*"]
by = ["clinician"]
when = { setting = ["clinic"] }
"""


def test_a_practice_s_own_pack() -> None:
    pack = parse(OWN)
    for sentence, context, found in (
        ("Nobody else was there.", {"setting": "clinic"}, True),
        ("Interpreters were there.", {"setting": "clinic"}, False),
        ("Nobody else was there.", {"setting": "home"}, False),
    ):
        case = {"context": context, "enter": [sentence]}
        transcript = transcript_of(case)
        note = note_of(case)
        rules = [one.rule for one in findings(note, (), transcript, named("soap"), packs=(pack,))]
        assert rules == (["interpreter"] if found else [])


@pytest.mark.parametrize(
    "old, new, place",
    [
        ('severity = "warning"', 'severity = "grave"', "rule[0].severity"),
        ('severity = "warning"', 'severity = "error"\nunsure = true', "rule[0].severity"),
        ('needs = "words"', 'needs = "luck"', "rule[0].needs"),
        ('needs = "words"', 'needs = "kinds"', "rule[0].kinds"),
        ('needs = "words"', 'needs = "kinds"\nkinds = ["weather"]', "rule[0].kinds"),
        ('needs = "words"', 'needs = "fields"\nfields = ["shoe_size"]', "rule[0].fields"),
        ('by = ["clinician"]', 'by = ["printer"]', "rule[0].by"),
        ('words = ["interpreter*"]', 'words = "interpreter"', "rule[0].words"),
        ('setting = ["clinic"]', 'moon = ["full"]', "rule[0].when"),
        ('id = "interpreter"', 'id = "An Interpreter"', "rule[0].id"),
        ('dated = "2026-02-01"', 'dated = "February"', "dated"),
        ('source = "Our handbook, page 4"\n', "", "source"),
        ('title = "Our practice"', 'titel = "Our practice"', "title"),
        ("[[rule]]", "[[rule", "TOML"),
        ('by = ["clinician"]', 'colour = "red"', "rule[0]"),
    ],
)
def test_a_pack_that_is_wrong_names_the_place(old: str, new: str, place: str) -> None:
    with pytest.raises(BadPack) as raised:
        parse(OWN.replace(old, new))
    assert place in str(raised.value)


def test_a_choice_names_only_packs_that_are_there() -> None:
    made = choice({"always": ["wording"], "payer": {"Acme Health": ["medicare"]}}, built_in())
    assert made.keys_for(NoteContext(payer="acme health")) == ("wording", "medicare")
    with pytest.raises(BadPack, match=r"payer\.acme"):
        choice({"payer": {"acme": ["nope"]}}, built_in())
    with pytest.raises(BadPack, match="always"):
        choice({"always": "wording"}, built_in())
    assert set(built_in_choice().always) <= set(built_in())


def test_phrases_are_found_as_whole_words() -> None:
    found = phrases(["safety plan*", "988"])
    assert found.search("A Safety  plan was made.")
    assert found.search("Safety-planning done.")
    assert not found.search("unsafety plan")
    assert not found.search("1988")


@pytest.mark.parametrize(
    "written, late",
    [
        ("2026-01-31T23:30:00+01:00", False),
        ("2026-01-31T23:30:00+00:00", True),
        ("2026-02-01T04:00:00+09:00", False),
        ("2026-02-01T08:00:00+01:00", True),
    ],
)
def test_a_late_entry_is_told_by_the_day_where_the_session_was(written: str, late: bool) -> None:
    rules = {one.rule for one in note_of({"talk": False, "context": {"written_at": written}}).checks}
    assert ("late_entry_marked" in rules) == late


@pytest.mark.parametrize("written, late", [("2026-02-01T00:25:00+01:00", False), ("2026-02-02T00:25:00+01:00", True)])
def test_a_session_that_goes_on_past_midnight_is_not_late_on_the_day_it_ended(written: str, late: bool) -> None:
    times = {
        "started_at": "2026-01-31T23:30:00+01:00",
        "ended_at": "2026-02-01T00:20:00+01:00",
        "written_at": written,
    }
    rules = {one.rule for one in note_of({"talk": False, "context": times}).checks}
    assert ("late_entry_marked" in rules) == late


@pytest.mark.parametrize(
    "sentence, found",
    [
        ("Progress on the goal of sleeping through: five nights, up from three.", False),
        ("Progress at work.", True),
        ("Making progress toward goals.", True),
    ],
)
def test_where_no_goal_is_in_the_chart_one_that_is_named_counts(sentence: str, found: bool) -> None:
    case = {"talk": False, "context": {"goals": []}, "enter": [sentence]}
    assert ("progress_goal" in {one.rule for one in note_of(case).checks}) == found
