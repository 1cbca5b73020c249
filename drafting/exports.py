"""A note as a file: which formats there are, what they are called, and who makes them."""

from dataclasses import dataclass
from typing import Literal, get_args

from drafting import export_text
from drafting.document import Document

ExportFormat = Literal["docx", "pdf", "txt", "fhir"]
FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
_ENDINGS: dict[ExportFormat, str] = {"docx": "docx", "pdf": "pdf", "txt": "txt", "fhir": "fhir.json"}


@dataclass(frozen=True, slots=True)
class Export:
    """A file: its name, which never holds the client's, its media type and its bytes."""

    name: str
    media_type: str
    content: bytes


def export(document: Document, format: ExportFormat, *, with_pdf: bool = False) -> Export:
    """The document as a file; `with_pdf` puts the PDF into a FHIR resource beside the text. Raises NotFhir.

    Takes some 0.1 s of one core: keep it off the event loop.
    """
    # Each library is loaded when its format is first asked for: a server that writes text needs none of them.
    if format == "txt":
        text = export_text.render(document)
        return Export(name_of(document, format), "text/plain; charset=utf-8", text.encode())
    if format == "docx":
        from drafting import export_docx

        return Export(name_of(document, format), export_docx.MEDIA_TYPE, export_docx.render(document))
    if format == "pdf":
        from drafting import export_pdf

        return Export(name_of(document, format), export_pdf.MEDIA_TYPE, export_pdf.render(document))
    from drafting import export_fhir

    pdf = export(document, "pdf").content if with_pdf else None
    return Export(name_of(document, format), export_fhir.MEDIA_TYPE, export_fhir.render(document, pdf=pdf))


def name_of(document: Document, format: ExportFormat) -> str:
    """Format, day and state: note-soap-2026-01-31-draft.pdf."""
    key = "".join(one for one in document.format if one.isascii() and (one.isalnum() or one in "-_")) or "note"
    day = document.service_date
    safe_day = day if len(day) == 10 and day.replace("-", "").isdigit() and day.isascii() else ""
    state = {"signed": "signed", "addended": "amended", "awaiting": "awaiting"}.get(document.state, "draft")
    return "-".join(filter(None, ("note", key, safe_day, state))) + f".{_ENDINGS[format]}"
