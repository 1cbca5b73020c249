"""Asks the server of this container how it is: `health.py healthz` (alive) or `readyz` (takes a session).

The exit status is the answer, 0 for yes. It asks under the address that the server listens on, so that it works where
that is loopback, which no prober from outside can reach. Standard library alone.
"""

import http.client
import os
import sys

_TIMEOUT_S = 4.0
_QUESTIONS = ("healthz", "readyz")


def asked(question: str, port: int) -> bool:
    """Whether the server says yes within four seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", f"/{question}")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(arguments: list[str]) -> int:
    """The exit status; 2 where the question is none."""
    if len(arguments) != 1 or arguments[0] not in _QUESTIONS:
        print(f"health.py {'|'.join(_QUESTIONS)}", file=sys.stderr)
        return 2
    return 0 if asked(arguments[0], int(os.environ.get("SAMEDAY_PORT") or 8710)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
