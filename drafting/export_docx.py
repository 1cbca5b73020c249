"""A note as a Word file (python-docx): real headings and styles, page numbers, the same bytes for the same note.

The document's properties hold its kind and dates, never the client: file managers and mail programs show them.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime

import docx
from docx.document import Document as WordFile
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.styles.style import CharacterStyle, ParagraphStyle
from docx.table import Table
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from drafting.document import (
    MARKS,
    NOTHING,
    OPEN_TITLE,
    TRANSCRIPT_TITLE,
    Document,
    Field,
    Sentence,
)

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FONT = "Calibri"
_INK = RGBColor(0x1F, 0x29, 0x2B)
_QUIET = RGBColor(0x55, 0x60, 0x63)
_WARN = RGBColor(0x9A, 0x34, 0x12)
_EPOCH = datetime(1980, 1, 1, tzinfo=UTC)
"""The least time that a zip entry can carry, where the note has no date."""
_LEFT_OUT = ("docProps/thumbnail.jpeg",)
"""A picture of python-docx's own template: it is no picture of this note."""


def render(document: Document) -> bytes:
    """The file's bytes."""
    word = docx.Document()
    _styles(word)
    _properties(word, document)
    _page(word, document)
    _body(word, document)
    made = io.BytesIO()
    word.save(made)
    return _steady(made.getvalue())


def _body(word: WordFile, document: Document) -> None:
    word.add_paragraph(document.title, "Title")
    if document.banner:
        word.add_paragraph(document.banner, "Banner")
    if document.late_entry:
        word.add_paragraph(document.late_entry, "Banner")
    _table(word, document.header)
    for part in document.parts:
        word.add_heading(part.title, 1)
        for one in part.sentences or (Sentence(NOTHING),):
            _sentence(word.add_paragraph(), one)
    if document.signature:
        word.add_heading("Signature", 1)
        _table(word, document.signature)
    for later in document.addenda:
        word.add_heading(later.title, 1)
        for text in later.paragraphs:
            word.add_paragraph(text)
    if document.open_items:
        word.add_heading(OPEN_TITLE, 1)
    for title, items in document.open_by_kind():
        word.add_heading(title, 2)
        for item in items:
            word.add_paragraph(f"{item.text} ({item.section})" if item.section else item.text, "List Bullet")
    if document.transcript:
        word.add_page_break()  # type: ignore[no-untyped-call]
        word.add_heading(TRANSCRIPT_TITLE, 1)
        for said in document.transcript:
            line = word.add_paragraph(style="Transcript")
            line.add_run(f"{said.time}  {said.who}: ").bold = True
            line.add_run(said.text)


def _sentence(line: Paragraph, one: Sentence) -> None:
    lead, rest = ("Risk:", one.text[5:]) if one.text.startswith("Risk:") else ("", one.text)
    if lead:
        line.add_run(lead).bold = True
    line.add_run(rest)
    if one.mark:
        mark = line.add_run(f"  [{MARKS[one.mark]}]")
        mark.font.size = Pt(9)
        mark.font.color.rgb = _WARN if one.mark == "unsupported" else _QUIET
        mark.bold = one.mark == "unsupported"


def _table(word: WordFile, rows: Sequence[Field]) -> None:
    """Labels and values; the first column is marked as heading the rows, for those who hear the table."""
    table = word.add_table(rows=0, cols=2)
    table.alignment = WD_TABLE_ALIGNMENT.LEFT
    table.autofit = False
    _rules(table)
    widths = (Cm(4.8), Cm(12.2))
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    look = table._tbl.tblPr.find(qn("w:tblLook"))
    if look is not None:
        for name, value in (("firstRow", "0"), ("firstColumn", "1"), ("noHBand", "1"), ("noVBand", "1")):
            look.set(qn(f"w:{name}"), value)
        look.set(qn("w:val"), "0680")
    for one in rows:
        cells = table.add_row().cells
        for cell, width in zip(cells, widths, strict=True):
            cell.width = width
        label, value = (cell.paragraphs[0] for cell in cells)
        label.style = value.style = word.styles["Cell"]
        label.add_run(one.label).bold = True
        run = value.add_run(one.value)
        run.italic = one.missing
        if one.missing:
            run.font.color.rgb = _WARN
    for row in table.rows:
        _flag(row._tr.get_or_add_trPr(), "w:cantSplit")
    word.add_paragraph(style="Cell")


def _rules(table: Table) -> None:
    """Light lines between the rows, instead of a grid."""
    borders = OxmlElement("w:tblBorders")
    for side in ("w:insideH", "w:bottom"):
        rule = OxmlElement(side)
        for name, value in (("w:val", "single"), ("w:sz", "4"), ("w:space", "0"), ("w:color", "C9D0CF")):
            rule.set(qn(name), value)
        borders.insert(0, rule)
    properties = table._tbl.tblPr
    later = [one for one in properties if one.tag in (qn("w:tblLayout"), qn("w:tblCellMar"), qn("w:tblLook"))]
    later[0].addprevious(borders) if later else properties.append(borders)


# Styles, page, properties


def _styles(word: WordFile) -> None:
    normal = _style(word, "Normal")
    normal.font.name, normal.font.size, normal.font.color.rgb = FONT, Pt(11), _INK
    fonts = normal.element.get_or_add_rPr().get_or_add_rFonts()
    for name in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(name), FONT)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-US")
    normal.element.get_or_add_rPr().append(language)
    normal.paragraph_format.space_after = Pt(4)
    normal.paragraph_format.widow_control = True
    for name, size, before in (("Title", 20, 0), ("Heading 1", 13, 12), ("Heading 2", 11, 8)):
        _heading_style(_style(word, name), size, before)
        _ink(_letters(word, f"{name} Char"))  # some readers follow the letters' style that is linked with it
    for name, size, after in (("Cell", 10, 2), ("Transcript", 9, 3), ("Banner", 12, 6)):
        made = word.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        assert isinstance(made, ParagraphStyle)
        made.base_style = normal
        made.font.size = Pt(size)
        made.paragraph_format.space_after = Pt(after)
    _style(word, "Cell").paragraph_format.space_before = Pt(2)
    banner = _style(word, "Banner")
    banner.font.bold, banner.font.color.rgb = True, _WARN


def _style(word: WordFile, name: str) -> ParagraphStyle:
    style = word.styles[name]
    assert isinstance(style, ParagraphStyle)
    return style


def _letters(word: WordFile, name: str) -> CharacterStyle:
    style = word.styles[name]
    assert isinstance(style, CharacterStyle)
    return style


def _heading_style(style: ParagraphStyle, size: int, before: int) -> None:
    style.font.size, style.font.name, style.font.bold = Pt(size), FONT, True
    _ink(style)
    properties = style.element.get_or_add_rPr()
    fonts = properties.get_or_add_rFonts()
    for name in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        fonts.attrib.pop(qn(name), None)
    for name in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(name), FONT)
    style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(3)
    style.paragraph_format.keep_with_next = True
    border = style.element.get_or_add_pPr().find(qn("w:pBdr"))
    if border is not None:
        style.element.get_or_add_pPr().remove(border)


def _ink(style: CharacterStyle) -> None:
    """The note's own colour, not the theme's."""
    style.font.color.rgb = _INK
    colour = style.element.get_or_add_rPr().find(qn("w:color"))
    for name in ("w:themeColor", "w:themeShade", "w:themeTint"):
        colour.attrib.pop(qn(name), None)


def _page(word: WordFile, document: Document) -> None:
    """Margins, and on every page whose note of which day this is, its state, and the page's number."""
    section = word.sections[0]
    section.page_width, section.page_height = Cm(21.59), Cm(27.94)
    section.left_margin = section.right_margin = Cm(2.2)
    section.top_margin = section.bottom_margin = Cm(2)
    line = section.footer.paragraphs[0]
    _quiet(line.add_run("  ·  ".join([*document.running, "page "])))
    _field(line, "PAGE")
    _quiet(line.add_run(" of "))
    _field(line, "NUMPAGES")


def _quiet(run: Run) -> Run:
    run.font.size, run.font.color.rgb = Pt(9), _QUIET
    return run


def _field(line: Paragraph, code: str) -> None:
    """A field that the reader's program counts itself."""
    for kind, text in (("begin", ""), ("", code), ("separate", ""), ("shown", "1"), ("end", "")):
        run = _quiet(line.add_run())
        if kind == "shown":
            run.text = text
        elif kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)
        else:
            instruction = OxmlElement("w:instrText")
            instruction.text = text
            run._r.append(instruction)


def _flag(parent: object, name: str) -> None:
    parent.append(OxmlElement(name))  # type: ignore[attr-defined]


def _properties(word: WordFile, document: Document) -> None:
    at = (document.instant or _EPOCH).astimezone(UTC)
    known = word.core_properties
    known.title = document.title if document.is_signed else f"{document.title} (draft)"
    known.author = known.last_modified_by = "sameday"
    known.comments = known.keywords = known.subject = known.category = ""
    known.language = "en-US"
    known.created = known.modified = at
    known.revision = 1


def _steady(made: bytes) -> bytes:
    """The same file with fixed times inside the zip, without the template's picture and the name of its program."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name in _LEFT_OUT:
                continue
            content = old.read(name)
            if name == "_rels/.rels":
                content = re.sub(rb"<Relationship [^>]*thumbnail[^>]*/>", b"", content)
            if name == "docProps/app.xml":
                content = re.sub(rb"(?<=<Application>)[^<]*", b"sameday", content)
            entry = zipfile.ZipInfo(name, _EPOCH.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, content)
    return out.getvalue()
