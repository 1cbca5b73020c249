"""Exported files as independent readers see them: python-docx re-read, pypdf, two FHIR libraries, the zip itself."""

import base64
import hashlib
import io
import json
import re
import time
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import docx
import pytest
from docx.document import Document as WordFile
from docx.oxml.ns import qn
from export_samples import CONTEXT, STATES, TRANSCRIPT, addended, drafted, note, signed
from fhirclient.models.documentreference import DocumentReference as R4
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from drafting import export_docx, export_fhir, export_pdf
from drafting.core import draft
from drafting.document import document
from drafting.exports import FORMATS, ExportFormat, export
from drafting.formats import keys
from streaming.cli import main
from streaming.transcript_json import parse
from streaming.types import NoteContext, Section, Statement

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fhir.resources.R4B.documentreference import DocumentReference as R4B

pytestmark = pytest.mark.unit

SESSION = Path(__file__).resolve().parents[2] / "benchmarks" / "data" / "session" / "reference.json"


def word_text(content: bytes) -> str:
    file = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in file.tables for row in table.rows for cell in row.cells]
    return "\n".join([*cells, *(one.text for one in file.paragraphs)])


def pdf_text(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def fhir_text(content: bytes) -> str:
    return base64.b64decode(json.loads(content)["content"][0]["attachment"]["data"]).decode()


READ: dict[ExportFormat, Callable[[bytes], str]] = {
    "docx": word_text,
    "pdf": pdf_text,
    "txt": bytes.decode,
    "fhir": fhir_text,
}


def read(content: bytes, format: ExportFormat) -> str:
    """The text of a file, with every run of white space as one space: where lines break is the format's matter."""
    return " ".join(READ[format](content).split())


# Every format, every state


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("state", STATES)
def test_every_format_holds_the_note_of_every_state(format: ExportFormat, state: str) -> None:
    made = document(STATES[state](), CONTEXT)
    text = read(export(made, format).content, format)
    for one in made.header:
        assert one.value in text
    for part in made.parts:
        assert part.title in text
        assert all(one.text in text for one in part.sentences)
    for later in made.addenda:
        assert later.title in text
        assert all(one in text for one in later.paragraphs)
    assert ("not signed" in text) == (state == "draft")
    assert ("to be entered by the clinician" in text) == (state == "draft")
    assert ("Consider a sleep diary" in text) == (state == "draft")
    assert ("Late entry" in text) == (state == "late")
    assert bool(made.digest) == (state != "draft")
    assert made.digest in text.replace(" ", "")


@pytest.mark.parametrize("format", FORMATS)
def test_the_transcript_is_an_appendix_that_is_asked_for(format: ExportFormat) -> None:
    said = TRANSCRIPT.utterances[0].text
    without = read(export(document(signed(), CONTEXT), format).content, format)
    asked = read(export(document(signed(), CONTEXT, transcript=TRANSCRIPT), format).content, format)
    assert said not in without
    assert asked.index("Appendix: transcript") < asked.index(said)


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_note_gives_the_same_bytes_at_any_time(
    format: ExportFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = document(addended(), CONTEXT)
    first = export(made, format)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 86_400.0 * 40)
    assert export(made, format) == first


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("key", keys())
def test_the_bundled_session_exports_in_every_note_format(format: ExportFormat, key: str) -> None:
    transcript = replace(parse(SESSION.read_bytes()), context=CONTEXT)
    made = document(draft(transcript, key), CONTEXT)
    text = read(export(made, format).content, format)
    assert all(one.text in text for part in made.parts for one in part.sentences)
    assert any(part.sentences for part in made.parts)
    if format == "fhir":
        valid(export(made, format).content)


def test_file_names_say_kind_day_and_state_and_never_the_client() -> None:
    names = [export(document(STATES[state](), CONTEXT), "txt").name for state in ("draft", "signed", "addended")]
    assert names == [f"note-soap-2026-01-31-{one}.txt" for one in ("draft", "signed", "amended")]
    odd = document(replace(note(), format='../x"\r\n'), NoteContext(client="Dana", started_at="Dana went home"))
    assert export(odd, "fhir").name == "note-x-draft.fhir.json"


# Hostile content


HOSTILE = (
    "\x00\x01\x08\x0b\x1b\x7f\x9f", "\ud800 lone", "\ufffe\uffff", "\u202eevil\u202c", "<b>&amp;</b> <w:p/> <para>",
    "]]> <!-- x", "%s {0} $1 \\g<0>", "W" * 5_000, "שלום مرحبا हिन्दी 你好 🙂",
    "a\u0301\u0302\u0303" * 50, "x\r\n\r\ny\u2028z",
)  # fmt: skip


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_breaks_no_file(format: ExportFormat, text: str) -> None:
    context = replace(CONTEXT, client=text, diagnosis=text, provider=text, client_location=text)
    mean = replace(note(), sections=(Section(text, (Statement(f"start {text} end", "clinician", ()),)),))
    made = document(mean, context, transcript=TRANSCRIPT)
    found = read(export(made, format).content, format)
    assert "start" in found
    assert "end" in found
    assert "\x00" not in found
    assert "\u202e" not in found
    if format == "fhir":
        valid(export(made, format).content)


@pytest.mark.parametrize("format", FORMATS)
def test_a_sentence_of_200_kb_is_exported_whole(format: ExportFormat) -> None:
    long = Section("Plan", (Statement("word " * 40_000 + "last", "clinician", ()),))
    content = export(document(replace(note(), sections=(long,)), CONTEXT), format).content
    found = read(content, format)
    assert found.count("word ") >= 40_000
    assert "last" in found


# Word


def word(state: str = "draft") -> WordFile:
    return docx.Document(io.BytesIO(export_docx.render(document(STATES[state](), CONTEXT))))


def test_word_has_real_headings_in_order() -> None:
    styled = [(str(one.style.name), one.text) for one in word("signed").paragraphs if one.style]
    heads = [(name, text) for name, text in styled if name.startswith(("Heading", "Title"))]
    assert heads == [
        ("Title", "SOAP note"), ("Heading 1", "Subjective"), ("Heading 1", "Objective"), ("Heading 1", "Assessment"),
        ("Heading 1", "Plan"), ("Heading 1", "Signature"),
    ]  # fmt: skip


def test_word_counts_its_pages_and_names_the_client_on_each() -> None:
    foot = word().sections[0].footer.paragraphs[0]
    codes = [one.text for one in foot._p.iter(qn("w:instrText"))]
    assert codes == ["PAGE", "NUMPAGES"]
    assert "DRAFT – not signed" in foot.text
    assert "Dana Żółkiewska" in foot.text


def test_word_properties_tell_nothing_of_the_client() -> None:
    content = export_docx.render(document(signed(), CONTEXT))
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        inside = {name: file.read(name) for name in file.namelist()}
    told = b"".join(text for name, text in inside.items() if name.startswith("docProps/")).decode()
    assert not any(name.endswith((".jpeg", ".png")) for name in inside)
    assert "Dana" not in told
    assert "F41" not in told
    assert "python-docx" not in told
    assert "SOAP note" in told
    assert b"thumbnail" not in inside["_rels/.rels"]
    assert word("signed").core_properties.created.isoformat() == "2026-01-31T16:40:00+00:00"


def test_words_table_marks_its_first_column_as_headings_and_says_its_language() -> None:
    file = word()
    look = file.tables[0]._tbl.tblPr.find(qn("w:tblLook"))
    assert look.get(qn("w:firstColumn")) == "1"
    assert look.get(qn("w:firstRow")) == "0"
    assert file.styles["Normal"].element.find(".//" + qn("w:lang")).get(qn("w:val")) == "en-US"


# PDF


def pdf(state: str = "draft", **changed: object) -> PdfReader:
    context = replace(CONTEXT, **changed)  # type: ignore[arg-type]
    return PdfReader(io.BytesIO(export_pdf.render(document(STATES[state](), context))))


def test_pdf_embeds_its_fonts_and_keeps_letters_selectable() -> None:
    file = pdf()
    resources = cast(DictionaryObject, file.pages[0]["/Resources"])
    fonts = [font.get_object() for font in cast(DictionaryObject, resources["/Font"]).values()]
    assert fonts
    assert all("/FontFile2" in one["/FontDescriptor"] and "/ToUnicode" in one for one in fonts)
    assert "Dana Żółkiewska" in file.pages[0].extract_text()


def test_pdf_bookmarks_lead_to_the_pages_of_their_headings() -> None:
    file = PdfReader(io.BytesIO(export_pdf.render(document(addended(), CONTEXT, transcript=TRANSCRIPT))))
    marks = [one for one in file.outline if not isinstance(one, list)]
    titles = [str(one.title) for one in marks]
    assert titles[:5] == ["Subjective", "Objective", "Assessment", "Plan", "Signature"]
    for one in marks:
        page = file.get_destination_page_number(one)
        assert page is not None
        assert str(one.title)[:30] in file.pages[page].extract_text().replace("\n", " ")


def test_pdf_numbers_every_page_and_names_the_client_on_each() -> None:
    long = Section("Plan", tuple(Statement(f"Step {at}: call one customer.", "clinician", ()) for at in range(120)))
    made = document(replace(note(), sections=(long,)), CONTEXT)
    file = PdfReader(io.BytesIO(export_pdf.render(made)))
    pages = [one.extract_text() for one in file.pages]
    assert len(pages) > 3
    assert all(f"Page {at} of {len(pages)}" in text and "Dana" in text for at, text in enumerate(pages, 1))


def test_pdf_properties_tell_nothing_of_the_client() -> None:
    content = export_pdf.render(document(signed(), CONTEXT))
    told = str(PdfReader(io.BytesIO(content)).metadata)
    assert "Dana" not in told
    assert "SOAP note" in told
    assert "20260131164000" in told
    assert str(PdfReader(io.BytesIO(content)).root_object["/Lang"]) == "en-US"


def test_a_letter_that_the_pdfs_font_lacks_is_named_and_never_an_empty_box() -> None:
    text = pdf("draft", client="Li 中 שרה").pages[0].extract_text()
    assert "Li [U+4E2D] [U+05E9][U+05E8][U+05D4]" in text
    assert export_pdf.REMARK in " ".join(
        pdf_text(export_pdf.render(document(drafted(), replace(CONTEXT, client="中")))).split()
    )
    assert export_pdf.REMARK not in pdf_text(export_pdf.render(document(drafted(), CONTEXT)))


# FHIR


def valid(content: bytes) -> dict[str, object]:
    """The resource, taken by the true R4 models and by the stricter ones of R4B, where it is the same."""
    body: dict[str, object] = json.loads(content)
    assert R4(body, strict=True).as_json() == body
    assert R4B.model_validate(body).docStatus == body["docStatus"]
    return body


def fhir(state: str, context: NoteContext = CONTEXT) -> dict[str, object]:
    return valid(export_fhir.render(document(STATES[state](), context)))


@pytest.mark.parametrize(
    ("state", "status"), [("draft", "preliminary"), ("signed", "final"), ("addended", "amended")]
)
def test_fhir_status_follows_the_signature(state: str, status: str) -> None:
    body = fhir(state)
    assert body["docStatus"] == status
    assert body["status"] == "current"
    assert ("authenticator" in body) == (state != "draft")


def test_fhir_codes_subject_author_and_period() -> None:
    body = fhir("signed")
    codes = {one["code"] for one in body["type"]["coding"]}  # type: ignore[index]
    assert codes == {"11506-3", "34904-3"}
    assert body["subject"] == {
        "reference": "#client", "type": "Patient", "identifier": {"value": "17"}, "display": "Dana Żółkiewska",
    }  # fmt: skip
    contained = {one["id"]: one for one in body["contained"]}  # type: ignore[attr-defined]
    assert contained["client"]["birthDate"] == "1988-05-02"
    assert contained["provider"]["qualification"][0]["code"]["text"] == "LCSW"
    assert body["context"] == {"period": {"start": CONTEXT.started_at, "end": CONTEXT.ended_at}}
    assert body["date"] == "2026-01-31T17:40:00+01:00"


def test_a_fhir_addendum_replaces_the_note_that_was_signed() -> None:
    before, after = fhir("signed"), fhir("addended")
    assert after["relatesTo"] == [
        {"code": "replaces", "target": {"type": "DocumentReference", "identifier": before["masterIdentifier"]}}
    ]
    assert after["masterIdentifier"] != before["masterIdentifier"]
    assert "relatesTo" not in before


def test_fhir_attachments_match_their_size_and_hash() -> None:
    made = document(signed(), CONTEXT)
    file = export_pdf.render(made)
    body = valid(export_fhir.render(made, pdf=file))
    for entry, kind in zip(body["content"], ("text/plain", "application/pdf"), strict=True):  # type: ignore[call-overload]
        held = entry["attachment"]
        content = base64.b64decode(held["data"])
        assert held["contentType"] == kind
        assert held["size"] == len(content)
        assert base64.b64decode(held["hash"]) == hashlib.sha1(content, usedforsecurity=False).digest()
    assert content == file


@pytest.mark.parametrize("born", ["05/02/1988", "1988-13-40", "1988", "yesterday"])
def test_a_birth_date_that_is_no_iso_date_is_left_out(born: str) -> None:
    body = fhir("draft", replace(CONTEXT, date_of_birth=born))
    assert not any("birthDate" in one for one in body["contained"])  # type: ignore[attr-defined]
    assert born in fhir_text(json.dumps(body).encode())


def test_fhir_of_a_note_with_nothing_known_is_valid() -> None:
    body = fhir("draft", NoteContext(started_at="some day"))
    assert not {"subject", "author", "contained", "context", "date"} & body.keys()


def test_formats_that_are_no_progress_note_have_their_own_code() -> None:
    plan = document(replace(note(), format="plan"), CONTEXT)
    assert json.loads(export_fhir.render(plan))["type"]["coding"][0]["code"] == "18776-5"


# The command


@pytest.mark.parametrize(("ending", "format"), [("docx", "docx"), ("pdf", "pdf"), ("txt", "txt"), ("json", "fhir")])
def test_the_command_writes_the_file_that_the_ending_names(
    ending: str, format: ExportFormat, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"note.{ending}"
    assert main(["draft", str(SESSION), "--out", str(path)]) == 0
    text = read(path.read_bytes(), format)
    assert "four nights a week" in text
    assert re.search("DRAFT . not signed", text)
    assert "Appendix: transcript" not in text
    assert capsys.readouterr().out == ""
    assert main(["draft", str(SESSION), "--out", str(path), "--with-transcript"]) == 0
    assert "Appendix: transcript" in read(path.read_bytes(), format)


def test_the_command_refuses_an_ending_it_does_not_know_and_a_place_it_cannot_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["draft", str(SESSION), "--out", str(tmp_path / "note.odt")]) == 2
    assert main(["draft", str(SESSION), "--out", str(tmp_path / "none" / "note.pdf")]) == 2
    said = capsys.readouterr().err
    assert ".docx, .pdf, .txt, .json" in said
    assert "note file cannot be written" in said
