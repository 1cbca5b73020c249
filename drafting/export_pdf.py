"""A note as a PDF (reportlab): embedded font, selectable text, bookmarks, page numbers; same note, same bytes.

Noto Sans is laid out letter by letter, left to right. A letter that it lacks, or whose script is written from the
right or joined, would come out as an empty box or as wrong letters: such a letter is written as its code point in
brackets, and the file says so. Properties hold the note's kind and date, never the client.
"""

import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC
from functools import lru_cache
from html import escape
from threading import Lock
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from drafting.document import MARKS, NOTHING, OPEN_TITLE, TRANSCRIPT_TITLE, Document, Field, Sentence
from drafting.fonts import noto_sans

MEDIA_TYPE = "application/pdf"
REMARK = "Characters that this file's font does not have are given as code points, such as [U+4E2D]."
MAX_WORD = 60
"""A longer word is given places to break at: no line holds it."""
MAX_PIECE = 3_000
"""Longer text is laid out in pieces: one paragraph over many pages takes time that grows with its square."""

_REGULAR, _BOLD = "NotoSans", "NotoSans-Bold"
_INK, _QUIET, _WARN, _RULE = HexColor("#1f292b"), HexColor("#556063"), HexColor("#9a3412"), HexColor("#c9d0cf")
_MARGIN = 2.2 * cm
_LABEL = 4.8 * cm
_WIDTH = letter[0] - 2 * _MARGIN
_FONTS = Lock()


def render(document: Document) -> bytes:
    """The file's bytes."""
    _load_fonts()
    # Laid out twice: how many pages there are is known after the first time.
    _, pages = _laid_out(document, 0)
    made, _ = _laid_out(document, pages)
    return made


def _laid_out(document: Document, pages: int) -> tuple[bytes, int]:
    letters = _Letters()
    flow = list(_flow(document, letters))
    if letters.replaced:
        flow.append(Paragraph(REMARK, _style("small")))
    made = io.BytesIO()
    file = _File(made, document, letters, pages)
    file.build(flow)
    return made.getvalue(), file.page


def _load_fonts() -> None:
    with _FONTS:
        if _REGULAR in pdfmetrics.getRegisteredFontNames():
            return
        for name, bold in ((_REGULAR, False), (_BOLD, True)):
            pdfmetrics.registerFont(TTFont(name, io.BytesIO(noto_sans(bold=bold))))
        pdfmetrics.registerFontFamily(_REGULAR, normal=_REGULAR, bold=_BOLD, italic=_REGULAR, boldItalic=_BOLD)


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    """Code points that the font draws right one by one."""
    known = pdfmetrics.getFont(_REGULAR).face.charToGlyph.keys() & pdfmetrics.getFont(_BOLD).face.charToGlyph.keys()
    return frozenset(code for code in known if unicodedata.bidirectional(chr(code)) not in ("R", "AL", "AN")
                     and not 0x0900 <= code <= 0x0DFF)  # fmt: skip


class _Letters:
    """Makes text into the markup of a paragraph, and remembers whether a letter had to be replaced."""

    def __init__(self) -> None:
        self.replaced = False

    def plain(self, text: str) -> str:
        """The text with code points in the place of letters that cannot be drawn."""
        drawable = _drawable()
        if text.isascii():
            return text
        shown = "".join(one if ord(one) in drawable or one == " " else f"[U+{ord(one):04X}]" for one in text)
        self.replaced = self.replaced or shown != text
        return shown

    def markup(self, text: str) -> str:
        """The text as a paragraph takes it: nothing in it is a tag."""
        whole = (
            re.sub(rf"\S{{{MAX_WORD}}}", r"\g<0> ", self.plain(text)) if len(text) > MAX_WORD else self.plain(text)
        )
        return escape(whole, quote=False)


_HEADING = {"fontName": _BOLD, "keepWithNext": 1}


@lru_cache(maxsize=16)
def _style(name: str) -> ParagraphStyle:
    base = ParagraphStyle(
        "text", fontName=_REGULAR, fontSize=10, leading=14.5, textColor=_INK, spaceAfter=4, alignment=TA_LEFT,
        splitLongWords=1, allowWidows=0, allowOrphans=0,
    )  # fmt: skip
    more: dict[str, dict[str, Any]] = {
        "text": {},
        "title": {"fontName": _BOLD, "fontSize": 18, "leading": 23, "spaceAfter": 6},
        "h1": {"fontSize": 12.5, "leading": 17, "spaceBefore": 10, "spaceAfter": 3, **_HEADING},
        "h2": {"fontSize": 10, "leading": 14, "spaceBefore": 6, "spaceAfter": 2, **_HEADING},
        "banner": {"fontName": _BOLD, "fontSize": 11, "leading": 15, "textColor": _WARN, "spaceAfter": 6},
        "cell": {"fontSize": 9.5, "leading": 13, "spaceAfter": 0},
        "small": {"fontSize": 8.5, "leading": 12, "textColor": _QUIET, "spaceBefore": 10},
        "said": {"fontSize": 9, "leading": 12.5, "spaceAfter": 3},
        "item": {"leftIndent": 12, "bulletIndent": 2, "spaceAfter": 3, "bulletFontName": _REGULAR},
    }  # fmt: skip
    return ParagraphStyle(name, parent=base, **more[name])


class _Heading(Paragraph):  # type: ignore[misc]
    """A heading that is a bookmark too."""

    bookmark: tuple[str, int] | None = None


class _File(BaseDocTemplate):  # type: ignore[misc]
    """Pages with a line at their foot; headings become the outline."""

    def __init__(self, target: io.BytesIO, document: Document, letters: _Letters, pages: int) -> None:
        title = document.title if document.is_signed else f"{document.title} (draft)"
        super().__init__(
            target, pagesize=letter, title=letters.plain(title), author="sameday", subject="", creator="sameday",
            producer="sameday", keywords="", lang="en-US", displayDocTitle=1, invariant=1, initialFontName=_REGULAR,
            leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=2 * cm, bottomMargin=2 * cm,
        )  # fmt: skip
        self._running = letters.plain("  ·  ".join(document.running))
        self._at = document.instant
        self._pages = pages
        self._marks = 0
        frame = Frame(_MARGIN, 2 * cm, _WIDTH, letter[1] - 4 * cm, 0, 0, 0, 0)
        self.addPageTemplates(PageTemplate("page", [frame], onPage=self._foot))

    def beforeDocument(self) -> None:
        """Date the file as the note is dated, not by the clock that stands at its making."""
        if self._at is not None:
            stamp = self.canv._doc._timeStamp
            stamp.YMDhms = self._at.astimezone(UTC).timetuple()[:6]
            stamp.dhh = stamp.dmm = 0

    def _foot(self, canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.saveState()
        canvas.setFont(_REGULAR, 8)
        canvas.setFillColor(_QUIET)
        count = f"Page {self.page} of {self._pages}"
        canvas.drawRightString(letter[0] - _MARGIN, 1.2 * cm, count)
        room = _WIDTH - pdfmetrics.stringWidth(count, _REGULAR, 8) - 12
        canvas.drawString(_MARGIN, 1.2 * cm, _fitting(self._running, room))
        canvas.restoreState()

    def afterFlowable(self, flowable: Flowable) -> None:
        if isinstance(flowable, _Heading) and flowable.bookmark:
            text, level = flowable.bookmark
            self._marks += 1
            self.canv.bookmarkPage(f"part{self._marks}")
            self.canv.addOutlineEntry(text, f"part{self._marks}", level, closed=False)


def _fitting(text: str, room: float) -> str:
    if pdfmetrics.stringWidth(text, _REGULAR, 8) <= room:
        return text
    kept = text[:200]
    while kept and pdfmetrics.stringWidth(f"{kept}…", _REGULAR, 8) > room:
        kept = kept[:-1]
    return f"{kept}…"


def _flow(document: Document, letters: _Letters) -> Iterator[Flowable]:
    def heading(text: str, level: int = 0) -> _Heading:
        made = _Heading(letters.markup(text), _style(f"h{level + 1}"))
        made.bookmark = (letters.plain(text), level)
        return made

    yield Paragraph(letters.markup(document.title), _style("title"))
    for line in (document.banner, document.late_entry):
        if line:
            yield Paragraph(letters.markup(line), _style("banner"))
    yield from _table(document.header, letters)
    for part in document.parts:
        yield heading(part.title)
        for one in part.sentences or (Sentence(NOTHING),):
            yield from _sentence(one, letters)
    if document.signature:
        yield heading("Signature")
        yield from _table(document.signature, letters)
    for later in document.addenda:
        yield heading(later.title)
        for text in later.paragraphs:
            yield from (Paragraph(letters.markup(piece), _style("text")) for piece in _pieces(text))
    if document.open_items:
        yield heading(OPEN_TITLE)
    for title, items in document.open_by_kind():
        yield heading(title, 1)
        for item in items:
            where = f" ({item.section})" if item.section else ""
            yield Paragraph(letters.markup(item.text + where), _style("item"), bulletText="•")
    if document.transcript:
        yield PageBreak()
        yield heading(TRANSCRIPT_TITLE)
        for said in document.transcript:
            for at, piece in enumerate(_pieces(said.text)):
                who = "" if at else f"<b>{letters.markup(f'{said.time}  {said.who}:')}</b> "
                yield Paragraph(who + letters.markup(piece), _style("said"))


def _sentence(one: Sentence, letters: _Letters) -> Iterator[Flowable]:
    pieces = _pieces(one.text)
    for at, piece in enumerate(pieces):
        text = letters.markup(piece)
        if at == 0 and piece.startswith("Risk:"):
            text = f"<b>Risk:</b>{text[5:]}"
        if one.mark and piece is pieces[-1]:
            colour, bold = ("9a3412", "b") if one.mark == "unsupported" else ("556063", "font")
            text += f' <font size="8" color="#{colour}"><{bold}>[{MARKS[one.mark]}]</{bold}></font>'
        yield Paragraph(text, _style("text"))


def _pieces(text: str) -> list[str]:
    """The text in pieces of at most MAX_PIECE characters, cut at spaces where there are any."""
    if len(text) <= MAX_PIECE:
        return [text]
    return [one.strip() for one in re.findall(rf".{{1,{MAX_PIECE}}}(?=\s|$)|.{{1,{MAX_PIECE}}}", text)]


def _table(rows: Sequence[Field], letters: _Letters) -> Iterator[Flowable]:
    """Labels and values in two columns; a row that is longer than a page may break."""
    cells = [
        [
            Paragraph(f"<b>{letters.markup(one.label)}</b>", _style("cell")),
            Paragraph(
                f'<font color="#9a3412">{letters.markup(one.value)}</font>'
                if one.missing
                else letters.markup(one.value),
                _style("cell"),
            ),
        ]
        for one in rows
    ]
    table = Table(cells, colWidths=[_LABEL, _WIDTH - _LABEL], splitInRow=1, hAlign="LEFT")
    table.setStyle(
        TableStyle([
            ("FONTNAME", (0, 0), (-1, -1), _REGULAR), ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE), ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ])
    )  # fmt: skip
    yield table
    yield Spacer(1, 4)
