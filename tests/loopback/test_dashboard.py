"""Every metric that the dashboard, the alerts and the autoscaler ask for is one that a real server tells."""

import promql_parser
import pytest
from deploy_files import expressions
from live_server import client_of, server
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.server_process import Running

__all__ = ["server"]

pytestmark = pytest.mark.loopback

OF_PROMETHEUS = {"up"}
"""What Prometheus makes itself."""
OF_NODES = {"sameday_sessions_fenced_total", "sameday_sessions_waiting"}
"""What servers tell that share a Redis, which this one does not."""


def asked(expression: str) -> set[str]:
    """The names of the series in an expression."""
    names: set[str] = set()
    queue = [promql_parser.parse(expression)]
    while queue:
        one = queue.pop()
        if isinstance(one, promql_parser.VectorSelector):
            names.add(str(one.name))
        queue += [
            getattr(one, part) for part in ("expr", "lhs", "rhs", "vector_selector") if getattr(one, part, None)
        ]
        queue += getattr(one, "args", None) or []
    return names


def test_names_are_found_wherever_they_stand() -> None:
    assert asked("sum(rate(a_total[5m])) / (b > 0.5 * c) or max by (x) (d)") == {"a_total", "b", "c", "d"}


async def test_what_is_asked_for_is_told(server: Running) -> None:
    async with client_of(server) as client:
        text = (await client.get("/metrics")).text
    families = list(text_string_to_metric_families(text))
    told = {one.name + ("_total" if one.type == "counter" else "") for one in families}
    missing = {where: asked(expression) - told - OF_PROMETHEUS - OF_NODES for where, expression in expressions()}
    assert {where: names for where, names in missing.items() if names} == {}
