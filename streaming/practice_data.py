"""Takes what a practice has added to the drafting, as the settings name it, for this process."""

from drafting import practice
from drafting.formats import keys as format_keys
from drafting.practice_files import read_practice
from streaming.errors import BadSettings
from streaming.settings import Settings


def use_practice(settings: Settings) -> None:
    """Read the practice's own formats, rule packs and wording, and let them count.

    Raises BadPractice, which names the file, and BadSettings for a default format that is not there.
    """
    practice.use(read_practice(settings.formats_dir, settings.packs_dir, settings.wording_file, settings.payer_packs))
    if settings.note_format not in format_keys():
        raise BadSettings(f"note_format: no such note format. Use one of {', '.join(format_keys())}.")
