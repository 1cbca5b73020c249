"""The desk at a session's log: what happens to a note while it is being drafted again."""

from collections.abc import AsyncIterator

import pytest
from kept_sessions import keep_session

from streaming.errors import Conflict
from streaming.memory_store import MemoryStore
from streaming.note_desk import NoteDesk
from streaming.ports import Written
from streaming.readings import Readings
from streaming.redrafting import Drafted, redrafted
from streaming.session_log import SessionLog
from streaming.types import Transcript

pytestmark = pytest.mark.unit


class Switching:
    """A writer that gives nothing, and while it is asked for the first time somebody takes another format."""

    name = "switching"

    def __init__(self, desk: NoteDesk) -> None:
        self.desk = desk
        self.asked: list[str] = []

    async def write(self, transcript: Transcript, format: str) -> AsyncIterator[Written]:
        self.asked.append(format)
        if len(self.asked) == 1:
            await self.desk.switch(1, "dap", who="Pat")
        return
        yield


async def opened() -> tuple[SessionLog, NoteDesk]:
    store = MemoryStore()
    found = SessionLog(await keep_session(store), store)
    await found.catch_up()
    found.complete = True
    return found, NoteDesk(found, Readings())


async def test_a_format_that_is_chosen_while_the_writer_writes_stays() -> None:
    found, desk = await opened()
    writer = Switching(desk)
    drafted = await redrafted(found, writer)
    assert (writer.asked, drafted.note["format"]) == (["soap", "dap"], "dap")
    await desk.redraft(drafted, None, who="Pat")
    assert (desk.review.note.format, desk.review.version) == ("dap", 3)


async def test_a_draft_in_a_format_that_was_left_is_refused() -> None:
    found, desk = await opened()
    assert found.state.note is not None
    drafted = Drafted(found.state.note, found.state.made_of)
    await desk.switch(1, "dap", who="Pat")
    with pytest.raises(Conflict):
        await desk.redraft(drafted, None, who="Pat")
    assert desk.review.note.format == "dap"
