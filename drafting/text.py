"""A note as text for a terminal, with where each sentence comes from. Pure."""

import textwrap

from drafting.billing import told
from drafting.note import Note
from streaming.types import SAMPLE_RATE, Transcript

_MARKS = {"transcript": "", "chart": "[chart] ", "clinician": "[clinician] ", "suggestion": "[to enter] "}
WIDTH = 100


def render(note: Note, transcript: Transcript) -> str:
    """Sections with their sentences and the times of the evidence, then billing and what to mend."""
    times = {one.id: _clock(one.start / SAMPLE_RATE) for one in transcript.utterances}
    lines = [f"{note.format.upper()} note, draft {note.version}", ""]
    for section in note.sections:
        lines.append(section.name.upper())
        for one in section.statements:
            at = ", ".join(times[ref] for ref in one.evidence if ref in times)
            mark = _MARKS[one.provenance] + ("" if one.supported else "[NOT SUPPORTED] ")
            text = f"{mark}{one.text}" + (f"  ({at})" if at else "")
            lines.extend(textwrap.wrap(text, WIDTH, initial_indent="- ", subsequent_indent="  "))
        if not section.statements:
            lines.append("- (nothing was said for this section)")
        lines.append("")
    lines += ["BILLING", f"- {told(note.billing)}", ""]
    if note.checks:
        lines.append("BEFORE SIGNING")
        for check in note.checks:
            where = f" [{check.section}]" if check.section else ""
            text = f"{check.severity}: {check.message}{where}"
            lines.extend(textwrap.wrap(text, WIDTH, initial_indent="- ", subsequent_indent="  "))
    return "\n".join(lines).rstrip() + "\n"


def plain(note: Note) -> str:
    """The note for pasting into a record: what is supported, section by section, with no marks or times of ours.

    Prompts of ours are left out but for what was not assessed, which a note must say.
    """
    parts = []
    for section in note.sections:
        told = [
            one.text
            for one in section.statements
            if one.supported and (one.provenance != "suggestion" or one.text.startswith("Risk:"))
        ]
        if told:
            parts.append("\n".join([section.name, *told]))
    return "\n\n".join(parts) + "\n"


def _clock(time_s: float) -> str:
    whole = int(time_s)
    hours, rest = divmod(whole, 3600)
    return (f"{hours}:" if hours else "") + f"{rest // 60:02d}:{rest % 60:02d}"
