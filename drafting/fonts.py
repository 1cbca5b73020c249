"""The letters of a PDF: Noto Sans (SIL Open Font License), as it lies in the wheel of pymupdf-fonts."""

from functools import lru_cache


@lru_cache(maxsize=4)
def noto_sans(*, bold: bool = False) -> bytes:
    """The TrueType file. PyMuPDF itself is not needed for it."""
    import pymupdf_fonts

    font: bytes = pymupdf_fonts.myfont("notosbo" if bold else "notos")
    return font
