"""Whether Linux's own network emulator can be used here. Faults are made in relays (benchmarks/relay.py)."""

import shutil
import subprocess
from functools import cache

_TRY = "ip link set lo up && tc qdisc add dev lo root netem delay 1ms"


@cache
def missing() -> str:
    """Why `tc netem` cannot be used in a network namespace of our own; empty where it can."""
    if shutil.which("unshare") is None or shutil.which("tc") is None or shutil.which("ip") is None:
        return "unshare, ip or tc is not installed"
    try:
        tried = subprocess.run(
            ["unshare", "--net", "sh", "-c", _TRY], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "a network namespace cannot be made"
    if tried.returncode == 0:
        return ""
    return "this kernel has no netem" if "qdisc" in tried.stderr else "network namespaces are not allowed here"


def how() -> str:
    """What makes the faults, in words."""
    why = missing()
    return "relays in the transport" + (f" ({why})" if why else "; tc netem could be used here too")
