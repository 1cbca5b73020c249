"""A server with two practices, and what `sameday user` says of them."""

from collections.abc import Mapping

from forked_server import run

from benchmarks.two_practices import PASSWORD, PEOPLE, House, house_of_two, people

__all__ = ["PASSWORD", "PEOPLE", "House", "house_of_two", "people", "user"]


def user(environment: Mapping[str, str], *arguments: str, typed: str = "") -> str:
    """What `sameday user` printed."""
    done = run(["user", *arguments], environment, typed)
    assert done.returncode == 0, done.stderr
    return done.stdout
