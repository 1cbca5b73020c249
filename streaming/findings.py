"""What an examination of the machine says of one part of it."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`says` how it stands, `mend` what to do where it does not stand well."""

    name: str
    state: State
    says: str
    mend: str = ""
