"""Spans of the stages for OpenTelemetry, where it is set; its library is imported here alone, when it is.

A span has a stage's name, the session's hash and ticks: never an id that opens anything, a name, a word, or the text
of an error.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from streaming.errors import EngineMissing
from streaming.types import Tick

_tracer: Any = None
"""OpenTelemetry's, or none. One for the process, as logging has one: a stage needs not know who looks at it."""


@asynccontextmanager
async def running(endpoint: str | None) -> AsyncIterator[None]:
    """Send spans to a collector's address for HTTP until the block ends; nothing with none. Raises EngineMissing."""
    if endpoint is None:
        yield
        return
    exporter = await asyncio.to_thread(_over_http, endpoint)
    async with sending_to(exporter):
        yield


@asynccontextmanager
async def sending_to(exporter: Any) -> AsyncIterator[None]:
    """Give spans to an exporter of OpenTelemetry until the block ends; what waits then is sent first."""
    global _tracer
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource({"service.name": "sameday"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracer = provider.get_tracer("sameday")
    try:
        yield
    finally:
        _tracer = None
        # A collector that is away is waited for: not on the event loop.
        await asyncio.to_thread(provider.shutdown)


@contextmanager
def span(stage: str, session: str, ticks: tuple[Tick, Tick] | None = None) -> Iterator[None]:
    """A stretch of a stage's work on a session, `ticks` the audio it is about. A failure is told by its kind."""
    tracer = _tracer
    if tracer is None:
        yield
        return
    from opentelemetry.trace import StatusCode

    about: dict[str, str | int] = {"session.hash": hashed(session)}
    if ticks is not None:
        about |= {"ticks.start": int(ticks[0]), "ticks.end": int(ticks[1])}
    with tracer.start_as_current_span(
        stage, attributes=about, record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield
        except BaseException as error:
            made.set_attribute("fault", type(error).__name__)
            made.set_status(StatusCode.ERROR)
            raise


def hashed(session: str) -> str:
    """What a session is called in spans: the same for the same session, and no way back to its address."""
    return hashlib.sha256(session.encode()).hexdigest()[:16]


def _over_http(endpoint: str) -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        raise EngineMissing(
            "trace_endpoint is set and OpenTelemetry is not installed.", mend="pip install 'sameday[otel]'."
        ) from None
    return OTLPSpanExporter(endpoint=endpoint)
