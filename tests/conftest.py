"""Makes the tests' own helpers importable from every test folder, and their servers quick to start."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

from forked_server import Forked

from benchmarks import server_process

server_process.start = Forked

# A busy machine takes its time: how long an example takes is no property of the code.
settings.register_profile("sameday", deadline=None)
settings.load_profile("sameday")
