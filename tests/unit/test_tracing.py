"""Spans: a stage's name, ticks and a hash, through OpenTelemetry's own library; nothing where it is not set."""

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from streaming import tracing
from streaming.errors import EngineMissing
from streaming.types import Tick

pytestmark = pytest.mark.unit

SESSION = "b6b0d9f07f5c4f3f8a57d1c7ef1b3a52"
SAID = "I have not slept"


async def test_a_stage_is_told_with_its_ticks_and_no_id_that_opens_anything() -> None:
    exporter = InMemorySpanExporter()
    async with tracing.sending_to(exporter):
        with tracing.span("draft", SESSION), tracing.span("recognize", SESSION, (Tick(16_000), Tick(48_000))):
            pass
    inner, outer = exporter.get_finished_spans()
    assert (inner.name, outer.name) == ("recognize", "draft")
    assert inner.parent is not None
    context = outer.get_span_context()
    assert context is not None
    assert inner.parent.span_id == context.span_id
    assert dict(inner.attributes or {}) == {
        "session.hash": tracing.hashed(SESSION),
        "ticks.start": 16_000,
        "ticks.end": 48_000,
    }
    assert SESSION not in inner.to_json() + outer.to_json()


async def test_an_error_is_told_by_its_kind_alone() -> None:
    exporter = InMemorySpanExporter()
    async with tracing.sending_to(exporter):
        with pytest.raises(ValueError, match=SAID), tracing.span("draft", SESSION):
            raise ValueError(SAID)
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["fault"] == "ValueError"
    assert SAID not in span.to_json()


async def test_after_the_end_and_without_an_address_nothing_is_told() -> None:
    exporter = InMemorySpanExporter()
    async with tracing.sending_to(exporter):
        pass
    async with tracing.running(None):
        with tracing.span("draft", SESSION):
            pass
    assert exporter.get_finished_spans() == ()


async def test_an_address_without_the_extra_is_said_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(EngineMissing, match="OpenTelemetry"):
        async with tracing.running("http://127.0.0.1:4318/v1/traces"):
            pass
