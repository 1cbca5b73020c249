"""A model server that speaks the OpenAI protocol, asked through the official client: the only module that imports it.

What the client raises may hold the request or the answer: nothing of it is logged or passed on. A failure becomes
`Failed` with a cause, and in the log a status or a kind.
"""

import asyncio
import ipaddress
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from drafting.answer import MAX_CHARACTERS
from streaming.errors import EngineMissing, SamedayError
from streaming.ports import MissingCause

log = logging.getLogger("sameday.writer")

_MEND = "Install the extra `vllm` (the openai client), or set writer = embedded."
_LOW_PRIORITY = 10
"""Behind every note that somebody waits for; 0 is a request's own priority."""
_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 8.0
_GONE_BUSY = 429
_TRY_AGAIN = (408, 409, 425, 429)
_NOT_UNDERSTOOD = (400, 422)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is, which model of it writes, and how long to wait for it.

    `first_token_s` is the longest silence, before the first token and between two; `total_s` the time for one answer
    with all tries; `attempts` counts the first.
    """

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    first_token_s: float = 20.0
    total_s: float = 90.0
    attempts: int = 3


class Failed(SamedayError):
    """The server gave no answer; `cause` says why, `again` whether another try may help, `wait_s` after how long."""

    code = "writer_failed"

    def __init__(self, cause: MissingCause, *, again: bool = False, wait_s: float = 0.0, status: int = 0) -> None:
        super().__init__("The model server gave no answer.")
        self.cause: MissingCause = cause
        self.again = again
        self.wait_s = wait_s
        self.status = status


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `cut` where it ended because it had become too long for the budget of tokens."""

    text: str
    cut: bool


class ModelServer:
    """Asks one server. Opens no connection before it is asked; `close` ends them all."""

    def __init__(self, address: Address) -> None:
        """Loads the client, which takes a second: not on an event loop. Raises EngineMissing."""
        try:
            import openai
        except ImportError:
            raise EngineMissing("The client for model servers is not installed.", mend=_MEND) from None
        # At debug they tell of requests, and a variable of the client's own can turn that on.
        for name in ("openai", "httpx", "httpx2", "httpcore", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._openai: Any = openai
        self.address = address
        self.retries = 0
        self._knows_priority = True
        # A redirect, or on this machine a proxy, would hand a transcript to somebody else than was named.
        http = openai.DefaultAsyncHttpxClient(
            follow_redirects=False, trust_env=not is_loopback(address.base_url), timeout=None
        )
        self._client: Any = openai.AsyncOpenAI(
            base_url=address.base_url, api_key=address.api_key or "none", max_retries=0, http_client=http
        )

    async def close(self) -> None:
        """Release all connections."""
        await self._client.close()

    async def models(self) -> list[str]:
        """The names of the models that the server serves. Raises Failed."""
        async with self._in_time(self.address.first_token_s), self._told():
            page = await self._client.models.list()
            return [str(one.id) for one in page.data]

    async def warm(self, messages: Sequence[Mapping[str, str]]) -> None:
        """Have the server read messages, at low priority and with one token for an answer. Raises Failed."""
        request = {"messages": list(messages), "max_tokens": 1}
        async with self._in_time(self.address.total_s):
            try:
                await self._read(request | self._low_priority())
            except Failed as failed:
                if not self._refused_priority(failed):
                    raise
                await self._read(request)

    async def _read(self, request: dict[str, Any]) -> None:
        async with self._told():
            await self._client.chat.completions.create(model=self.address.model, temperature=0, **request)

    def _low_priority(self) -> dict[str, Any]:
        return {"extra_body": {"priority": _LOW_PRIORITY}} if self._knows_priority else {}

    def _refused_priority(self, failed: Failed) -> bool:
        """Whether the server may only have refused the priority: it is left out from now on."""
        if failed.status in _NOT_UNDERSTOOD and self._knows_priority:
            self._knows_priority = False
            return True
        return False

    async def ask(self, request: dict[str, Any], hear: Callable[[str], None]) -> Reply:
        """The whole answer; `hear` is called with the text so far, anew from the start where it is tried again.

        Raises Failed once no try is left, or the time for all of them is over.
        """
        async with self._in_time(self.address.total_s):
            for tried in range(1, self.address.attempts + 1):
                try:
                    return await self._answer(request, hear)
                except Failed as failed:
                    log.warning("an answer failed: %s, status %d", failed.cause, failed.status)
                    if not failed.again or tried == self.address.attempts:
                        raise
                    self.retries += 1
                    await asyncio.sleep(max(failed.wait_s, _delay_s(tried)))
        raise Failed("away")

    async def _answer(self, request: dict[str, Any], hear: Callable[[str], None]) -> Reply:
        text, ended = "", None
        loop, patience_s = asyncio.get_running_loop(), self.address.first_token_s
        async with self._in_time(patience_s, again=True) as patience, self._told():
            stream = await self._client.chat.completions.create(
                model=self.address.model, temperature=0, stream=True, **request
            )
            # Leaving the block closes the connection, which ends the answer on the server too.
            async with stream:
                async for chunk in stream:
                    for choice in chunk.choices[:1]:
                        ended = choice.finish_reason or ended
                        if choice.delta is not None and choice.delta.content:
                            text += choice.delta.content
                            patience.reschedule(loop.time() + patience_s)
                            hear(text)
                    if len(text) > MAX_CHARACTERS:
                        raise Failed("unusable")
        if ended is None:
            raise Failed("away", again=True)  # the stream was cut where it looks like an end
        if ended not in ("stop", "length"):
            raise Failed("refused")
        return Reply(text, ended == "length")

    @asynccontextmanager
    async def _in_time(self, limit_s: float, *, again: bool = False) -> AsyncIterator[asyncio.Timeout]:
        try:
            async with asyncio.timeout(limit_s) as patience:
                yield patience
        except TimeoutError:
            raise Failed("timed_out", again=again) from None

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        """What goes wrong inside becomes Failed, without the client's words."""
        try:
            yield
        except (Failed, TimeoutError):
            raise
        except self._openai.APIStatusError as error:
            raise _of_status(error.status_code, error.response.headers.get("retry-after")) from None
        except Exception as error:
            # No connection, a cut one, a stream that is none: all may be better the next time.
            log.warning("the model server failed: %s", type(error).__name__)
            raise Failed("away", again=True) from None


def _of_status(status: int, retry_after: str | None) -> Failed:
    if status in _TRY_AGAIN or status >= 500:
        wait_s = float(retry_after) if retry_after and retry_after.isdecimal() else 0.0
        return Failed("overloaded" if status == _GONE_BUSY else "away", again=True, wait_s=wait_s, status=status)
    return Failed("refused", status=status)


def _delay_s(tried: int) -> float:
    """Twice as long each time, with as much chance: sessions that failed together do not come back together."""
    longest: float = min(_FIRST_DELAY_S * 2 ** (tried - 1), _LONGEST_DELAY_S)
    return longest * random.uniform(0.5, 1.0)


def is_loopback(url: str) -> bool:
    """Whether a server is on this machine, by its address."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
