"""Lines of the log: one an entry, in either format, with the session and without what an error says."""

import json
import logging
import sys

import pytest

from streaming.log_lines import JsonLines, TextLines, set_up

pytestmark = pytest.mark.unit

SAID = "I have not slept"


def record(message: str, *arguments: object, session: str | None = None, failing: bool = False) -> logging.LogRecord:
    """An entry as `logging` makes it at 2026-01-02 03:04:05.678 UTC."""
    fault = None
    if failing:
        try:
            raise ValueError(SAID) from KeyError(SAID)
        except ValueError:
            fault = sys.exc_info()
    made = logging.LogRecord("sameday.session", logging.WARNING, __file__, 1, message, arguments, fault)
    made.created = 1767323045.678
    if session is not None:
        made.session = session
    return made


def test_a_line_for_programs() -> None:
    line = JsonLines().format(record("session failed: %s", "StoreFailed", session="0af1"))
    assert json.loads(line) == {
        "time": "2026-01-02T03:04:05.678Z",
        "level": "warning",
        "logger": "sameday.session",
        "message": "session failed: StoreFailed",
        "session": "0af1",
    }


def test_a_line_for_people() -> None:
    line = TextLines().format(record("session failed: %s", "StoreFailed", session="0af1"))
    assert line == "2026-01-02T03:04:05.678Z WARNING sameday.session session failed: StoreFailed [0af1]"


def test_without_a_session_none_is_named() -> None:
    assert "session" not in json.loads(JsonLines().format(record("started")))
    assert TextLines().format(record("started")).endswith("sameday.session started")


@pytest.mark.parametrize("lines", [JsonLines(), TextLines()])
def test_of_an_error_a_line_has_its_kind_and_places_and_not_its_text(lines: logging.Formatter) -> None:
    line = lines.format(record("it broke", failing=True))
    assert f"ValueError {__file__}:" in line
    assert SAID not in line
    assert "\n" not in line


@pytest.mark.parametrize("lines", [JsonLines(), TextLines()])
def test_an_entry_cannot_pass_for_two(lines: logging.Formatter) -> None:
    assert "\n" not in lines.format(record("first\n2026-01-02T03:04:05.678Z INFO sameday.session second"))


def test_what_is_logged_goes_to_standard_error_in_the_format_that_is_set(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in ("aioice", "aiortc", "httpx")}
    root.handlers = []
    try:
        set_up("info", "json")
        logging.getLogger("sameday.session").info("began", extra={"session": "0af1"})
        logging.getLogger("sameday.session").debug("not shown")
        logging.getLogger("aioice").info("192.0.2.7 answered")
    finally:
        root.handlers = before
        root.setLevel(level)
        for name, was in quiet.items():
            logging.getLogger(name).setLevel(was)
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["session"] == "0af1"
