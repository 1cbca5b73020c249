"""The embedded writer: rules and extraction, no model, no network; says nothing that was not said."""

import asyncio
from collections.abc import AsyncIterator

from drafting.core import read, render
from drafting.formats import named
from streaming.types import Section, Transcript


class EmbeddedWriter:
    """A `streaming.ports.NoteWriter` over the pure core."""

    name = "embedded"

    async def write(self, transcript: Transcript, format: str) -> AsyncIterator[Section]:
        """Sections in the format's order. Raises BadFormat."""
        for section in await asyncio.to_thread(_sections, transcript, format):
            yield section


def _sections(transcript: Transcript, format: str) -> tuple[Section, ...]:
    return tuple(render(read(transcript), named(format)))
