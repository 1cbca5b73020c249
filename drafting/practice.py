"""What a practice has added to the drafting: its formats, rule packs and wording, taken once at start-up. Pure.

It counts for the whole process, as settings do; `use(Practice())` goes back to what comes along.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from drafting import formats, packs, wording
from drafting.formats import BadFormat, NoteFormat
from drafting.packs import BadPack, Choice, Pack
from drafting.wording import BadWording, Wording
from streaming.errors import PeerError

Made = TypeVar("Made")


@dataclass(frozen=True)
class Practice:
    """A practice's additions; `payer_packs` are keys of packs by the name of a payer or a setting."""

    formats: Mapping[str, NoteFormat] = field(default_factory=dict)
    packs: Mapping[str, Pack] = field(default_factory=dict)
    payer_packs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    wording: Wording | None = None


class BadPractice(PeerError):
    """A file of the practice that cannot be used; the message names the file and the place in it."""

    code = "bad_practice"


def gathered(
    format_files: Iterable[tuple[str, str]],
    pack_files: Iterable[tuple[str, str]],
    wording_file: tuple[str, str] | None,
    payer_packs: Mapping[str, Sequence[str]],
) -> Practice:
    """A practice out of files given as (name, text). Raises BadPractice, which names the file."""
    own_formats: dict[str, NoteFormat] = {}
    for name, text in format_files:
        made = _of(name, formats.parse, text)
        _once(made.key, own_formats, name)
        own_formats[made.key] = made
    own_packs: dict[str, Pack] = {}
    for name, text in pack_files:
        pack = _of(name, packs.parse, text)
        _once(pack.key, own_packs, name)
        own_packs[pack.key] = pack
    worded = _of(wording_file[0], wording.parse, wording_file[1]) if wording_file else None
    practice = Practice(own_formats, own_packs, payer_packs, worded)
    chosen(practice)
    return practice


def chosen(practice: Practice) -> Choice:
    """Which packs count: the practice's own always but where `payer_packs` names them. Raises BadPractice."""
    base = packs.built_in_choice()
    named = {folded: tuple(keys) for name, keys in practice.payer_packs.items() if (folded := packs.folded(name))}
    have = {**packs.built_in(), **practice.packs}
    for name, keys in practice.payer_packs.items():
        for key in keys:
            if key not in have:
                raise BadPractice(
                    f"payer_packs: {name} names a pack that is not there.",
                    mend=f"Known are {', '.join(sorted(have))}.",
                )
    special = {key for keys in named.values() for key in keys}
    always = (*base.always, *(key for key in practice.packs if key not in special and key not in base.always))
    return Choice(always, {**base.payers, **named}, {**base.settings, **named})


def use(practice: Practice) -> None:
    """Take a practice's additions for this process, in the place of those before."""
    choice = chosen(practice)
    formats.use(practice.formats)
    packs.use(practice.packs, choice)
    wording.use(practice.wording)


def _of(name: str, parse: Callable[[str], Made], text: str) -> Made:
    try:
        return parse(text)
    except (BadFormat, BadPack, BadWording) as error:
        raise BadPractice(f"{name}: {error.message}", mend=error.mend) from error


def _once(key: str, have: Mapping[str, object], name: str) -> None:
    if key in have:
        raise BadPractice(f"{name}: key is {key}, which another file has too.")
