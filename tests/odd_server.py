"""`sameday serve` with a fault that a test turns on and off while it runs. Run as a program.

ODD_STEP names a file with the seconds by which the machine's time of day is off; ODD_FAIL one that makes the
recognizer fail while it is there. Neither touches a clock that does not step.
"""

import datetime
import os
import sys
import time
from pathlib import Path
from typing import Any, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

STEP, FAIL = Path(os.environ.get("ODD_STEP", "/nowhere")), Path(os.environ.get("ODD_FAIL", "/nowhere"))
SECRET = "Quimbelsaft"
"""What the recognizer's error says, as if it were of the talk."""


def _off_s() -> float:
    try:
        return float(STEP.read_text())
    except (OSError, ValueError):
        return 0.0


class _Stepped(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Self:
        return super().now(tz) + datetime.timedelta(seconds=_off_s())


def main() -> int:
    """Put the faults in, then be the command line."""
    really = time.time
    time.time = lambda: really() + _off_s()
    datetime.datetime = _Stepped  # type: ignore[misc]

    from streaming import cli, embedded_recognizer

    recognize = embedded_recognizer.EmbeddedRecognizer.recognize

    def failing(self: Any, windows: Any) -> Any:
        if FAIL.exists():
            raise MemoryError(SECRET)
        return recognize(self, windows)

    embedded_recognizer.EmbeddedRecognizer.recognize = failing  # type: ignore[method-assign]
    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
