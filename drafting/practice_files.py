"""Reads a practice's own formats, rule packs and wording from the folders and the file that settings name."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from drafting.practice import BadPractice, Practice, gathered

MAX_BYTES = 256 * 1024


def read_practice(
    formats_dir: Path | None = None,
    packs_dir: Path | None = None,
    wording_file: Path | None = None,
    payer_packs: Mapping[str, Sequence[str]] | None = None,
) -> Practice:
    """The practice's additions; the `*.toml` files of a folder in order of name. Raises BadPractice.

    A folder or file that is named and not there is an error: rules must not fall away unseen.
    """
    return gathered(
        _folder(formats_dir, "formats_dir"),
        _folder(packs_dir, "packs_dir"),
        None if wording_file is None else _file(wording_file),
        payer_packs or {},
    )


def _folder(path: Path | None, setting: str) -> list[tuple[str, str]]:
    if path is None:
        return []
    if not path.is_dir():
        raise BadPractice(f"{setting} is no folder.", mend="Make it, or leave the setting out.")
    return [_file(one) for one in sorted(path.glob("*.toml"))]


def _file(path: Path) -> tuple[str, str]:
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise BadPractice(f"{path.name}: larger than {MAX_BYTES // 1024} KiB.")
        return path.name, data.decode()
    except OSError as error:
        raise BadPractice(f"{path.name}: cannot be read.", mend=error.strerror or "") from error
    except UnicodeDecodeError as error:
        raise BadPractice(f"{path.name}: not UTF-8.") from error
