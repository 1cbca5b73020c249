"""A note as plain text for pasting into any record system: no markup, no bullets, no wrapping. Pure.

One sentence a line, sections apart by an empty line. With `straight` the typographic characters that pasting most
often garbles (quotes, dashes, dots, special spaces) are written in ASCII; letters stay what they are.
"""

from dataclasses import dataclass
from typing import Literal

from drafting.document import MARKS, NOTHING, OPEN_TITLE, TRANSCRIPT_TITLE, Document, Field, Sentence


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How the text is written: quotes and dashes straight or as they are, and how a line ends."""

    straight: bool = True
    line_end: Literal["\n", "\r\n"] = "\n"


_STRAIGHT = str.maketrans({
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"',
    "«": '"', "»": '"', "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "…": "...",
    "•": "-", "\u00a0": " ", "\u2007": " ", "\u2009": " ", "\u202f": " ", "\u00ad": "", "\u200b": "",
})  # fmt: skip


def render(document: Document, style: TextStyle | None = None) -> str:
    """The whole note; what is still open and the transcript follow it under headings of their own."""
    style = style or TextStyle()
    text = "\n\n".join("\n".join(block) for block in _blocks(document) if block) + "\n"
    if style.straight:
        text = text.translate(_STRAIGHT)
    return text if style.line_end == "\n" else text.replace("\n", style.line_end)


def _blocks(document: Document) -> list[list[str]]:
    blocks = [[document.title, *filter(None, (document.banner,))]]
    blocks.append([document.late_entry] if document.late_entry else [])
    blocks.append([_field(one) for one in document.header])
    blocks += [
        [f"{one.title}:", *(_sentence(said) for said in one.sentences or (Sentence(NOTHING),))]
        for one in document.parts
    ]
    blocks.append([_field(one) for one in document.signature])
    blocks += [[f"{one.title}:", *one.paragraphs] for one in document.addenda]
    if document.open_items:
        blocks.append([f"{OPEN_TITLE}:"])
    for title, items in document.open_by_kind():
        blocks.append([f"{title}:", *(f"{one.text} ({one.section})" if one.section else one.text for one in items)])
    if document.transcript:
        blocks.append([TRANSCRIPT_TITLE])
        blocks.append([f"{one.time} {one.who}: {one.text}" for one in document.transcript])
    return blocks


def _field(one: Field) -> str:
    return f"{one.label}: {one.value}"


def _sentence(one: Sentence) -> str:
    return f"{one.text} [{MARKS[one.mark]}]" if one.mark == "unsupported" else one.text
