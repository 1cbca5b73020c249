"""Every route has a line that says what is recorded of it, or one that says that nothing is."""

import re
from pathlib import Path

import pytest
from starlette.routing import Mount

from streaming import audit_rules
from streaming.app import create_app
from streaming.audit_rules import BY_COMMAND, OTHER, SILENT, rule_of
from streaming.seats import SINGLE, Seat
from streaming.settings import Settings

pytestmark = pytest.mark.unit

ID = "0" * 32


def routes(of: object = None) -> set[tuple[str, str]]:
    """Every route of the application as (method, path), WebSockets as WS."""
    found: set[tuple[str, str]] = set()
    for route in (create_app(Settings()) if of is None else of).routes:  # type: ignore[attr-defined]
        if hasattr(route, "original_router"):
            found |= routes(route.original_router)
        elif isinstance(route, Mount):
            found.add(("GET", route.path))
        else:
            found |= {(method, route.path) for method in getattr(route, "methods", None) or ("WS",)}
    return {(method, path) for method, path in found if method != "HEAD"}


def filled(path: str) -> str:
    return re.sub(r"{\w+}", ID, path)


def test_no_route_is_forgotten() -> None:
    known = routes()
    assert len(known) > 50
    unnamed = {
        (method, path)
        for method, path in known
        if (rule := rule_of(method, filled(path))) is not None and rule.action == OTHER
    }
    assert unnamed == set(), "name them in streaming/audit_rules.py"


def test_no_line_is_of_a_route_that_is_gone() -> None:
    named = {tuple(line.split()[:2]) for line in [*audit_rules.LINES, *SILENT]}
    assert named - routes() == set()
    assert len(named) == len(audit_rules.LINES) + len(SILENT)


def test_what_gives_content_is_never_silent() -> None:
    silent = {tuple(line.split()) for line in SILENT}
    assert not [path for _, path in silent if path.startswith("/api/sessions/") and not path.endswith("/whip")]
    assert not [path for _, path in silent if path.startswith(("/api/charts", "/api/recaps", "/api/visits"))]


def test_a_request_says_what_is_done_to_what() -> None:
    rule = rule_of("GET", f"/api/sessions/{ID}/transcript")
    assert rule is not None
    assert (rule.action, rule.kind, rule.subject, rule.reads) == ("transcript.read", "session", ID, True)
    sign = rule_of("POST", f"/api/sessions/{ID}/note/sign")
    assert sign is not None
    assert (sign.action, sign.reads, sign.repeats) == ("note.sign", False, False)
    feed = rule_of("WS", f"/api/sessions/{ID}/events")
    assert feed is not None
    assert feed.reads


def test_what_somebody_made_up_is_not_written_down() -> None:
    for path in ("/api/sessions/Zebulon/transcript", f"/api/charts/{ID}a", "/api/nothing/Zebulon"):
        rule = rule_of("GET", path)
        assert rule is not None
        assert rule.subject == ""
        assert "Zebulon" not in str(rule)
    assert audit_rules.id_in("/api/charts/Zebulon") == ""
    assert audit_rules.id_in(f"/api/charts/{ID}") == ID


def test_an_answer_says_whether_anything_was_done() -> None:
    read, change = rule_of("GET", f"/api/charts/{ID}"), rule_of("DELETE", f"/api/charts/{ID}")
    tried = rule_of("POST", "/api/sign-in")
    assert read is not None
    assert change is not None
    assert tried is not None
    told = {
        (rule.action, status): audit_rules.worth_a_record(status, SINGLE, rule)
        for rule in (read, change)
        for status in (200, 403, 404, 409, 422, 503)
    }
    assert told == {
        ("chart.read", 200): "done", ("chart.delete", 200): "done",
        ("chart.read", 403): "refused", ("chart.delete", 403): "refused",
        ("chart.read", 404): "not_found", ("chart.delete", 404): "not_found",
        ("chart.read", 409): None, ("chart.delete", 409): None,
        ("chart.read", 422): None, ("chart.delete", 422): None,
        ("chart.read", 503): None, ("chart.delete", 503): "failed",
    }  # fmt: skip
    assert audit_rules.worth_a_record(401, None, read) is None
    assert audit_rules.worth_a_record(401, None, tried) == "refused"
    assert audit_rules.worth_a_record(303, None, tried) == "refused"
    assert audit_rules.worth_a_record(303, Seat("north", "clinician", "cookie"), tried) == "done"
    assert audit_rules.worth_a_record(422, None, tried) is None


def test_the_page_has_words_for_every_action() -> None:
    known = (Path(__file__).parents[2] / "web_client" / "js" / "strings_audit.js").read_text(encoding="utf-8")
    for action in audit_rules.ACTIONS | BY_COMMAND:
        name = f'"{action}"' if "." in action else action
        assert f"{name}: " in known, action
        assert f" {action.partition('.')[0]}: " in known or action == OTHER or action.startswith(("key.", "backup."))


def test_actions_are_words_and_not_content() -> None:
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", one) for one in audit_rules.ACTIONS | BY_COMMAND)
