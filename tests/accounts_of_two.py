"""A server with two practices, and what `sameday user` says of them."""

import os
import subprocess
import sys
from collections.abc import Mapping

from benchmarks.two_practices import PASSWORD, PEOPLE, House, house_of_two, people

__all__ = ["PASSWORD", "PEOPLE", "House", "house_of_two", "people", "user"]


def user(environment: Mapping[str, str], *arguments: str, typed: str = "") -> str:
    """What `sameday user` printed."""
    done = subprocess.run(
        [sys.executable, "-m", "streaming.cli", "user", *arguments],
        env=os.environ | dict(environment),
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
