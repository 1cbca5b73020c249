"""Makes the tests' own helpers importable from every test folder."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# A busy machine takes its time: how long an example takes is no property of the code.
settings.register_profile("sameday", deadline=None)
settings.load_profile("sameday")
