"""The note as a file over HTTP, from a real server: a draft, a signed note, and what is refused."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import httpx
import pytest
from pypdf import PdfReader
from reviewed_session import INVENTED, write_session

from benchmarks.server_process import running_server

pytestmark = pytest.mark.loopback

SAID = "Let us use cognitive restructuring with that thought."
GREETING = "Good morning, Daniel."


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Path]]:
    folder = tmp_path_factory.mktemp("exports")
    with (
        running_server({"SAMEDAY_DATA_DIR": str(folder)}) as running,
        httpx.Client(base_url=running.url, timeout=60.0) as client,
    ):
        yield client, folder


def text_of(answer: httpx.Response, format: str) -> str:
    """All text of a file, with single spaces."""
    content = answer.content
    if format == "docx":
        told = "\n".join(one.text for one in docx.Document(io.BytesIO(content)).paragraphs)
    elif format == "pdf":
        told = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    elif format == "fhir":
        told = base64.b64decode(json.loads(content)["content"][0]["attachment"]["data"]).decode()
    else:
        told = content.decode()
    return " ".join(told.split())


@pytest.mark.parametrize(
    ("format", "kind", "ending"),
    [
        ("txt", "text/plain; charset=utf-8", "txt"),
        ("pdf", "application/pdf", "pdf"),
        ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
        ("fhir", "application/fhir+json", "fhir.json"),
    ],
)
def test_a_draft_is_exported_with_its_type_and_a_name_without_the_client(
    practice: tuple[httpx.Client, Path], format: str, kind: str, ending: str
) -> None:
    client, folder = practice
    address = f"/api/sessions/{write_session(folder)}/note/export"
    answer = client.get(address, params={"format": format})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="note-soap-')
    assert disposition.endswith(f'-draft.{ending}"')
    assert "Dana" not in disposition
    assert answer.headers["cache-control"] == "no-store"
    told = text_of(answer, format)
    assert f"{INVENTED} [not supported" in told
    assert SAID in told
    assert GREETING not in told
    assert client.get(address, params={"format": format}).content == answer.content
    with_talk = client.get(address, params={"format": format, "transcript": "true"})
    assert GREETING in text_of(with_talk, format)


def test_a_signed_note_is_exported_as_it_was_signed_with_its_addenda(practice: tuple[httpx.Client, Path]) -> None:
    client, folder = practice
    note = f"/api/sessions/{write_session(folder, days_ago=2)}/note"
    given = {"version": 1, "signer": "Pat Doe", "credentials": "LCSW", "override": "covering", "late_reason": "flu"}
    signed: dict[str, Any] = client.post(f"{note}/sign", json=given).raise_for_status().json()
    told = text_of(client.get(f"{note}/export?format=txt"), "txt")
    assert "Late entry" in told
    assert "Reason: flu." in told
    assert "Signed by: Pat Doe, LCSW" in told
    assert signed["signed"]["digest"] in told
    assert "to be entered" not in told
    assert "Still open" not in told
    client.post(f"{note}/addenda", json={"text": "Client called.", "who": "Sam Roe"}).raise_for_status()
    body = client.get(f"{note}/export", params={"format": "fhir", "pdf": "true"}).json()
    assert body["docStatus"] == "amended"
    assert [one["attachment"]["contentType"] for one in body["content"]] == ["text/plain", "application/pdf"]
    assert "Client called." in base64.b64decode(body["content"][0]["attachment"]["data"]).decode()


def test_what_cannot_be_exported_is_refused(practice: tuple[httpx.Client, Path]) -> None:
    client, folder = practice
    name = write_session(folder)
    assert client.get(f"/api/sessions/{name}/note/export").status_code == 422
    assert client.get(f"/api/sessions/{name}/note/export?format=odt").status_code == 422
    unknown = client.get("/api/sessions/none/note/export?format=pdf")
    assert unknown.status_code == 404
    assert unknown.json()["error"]["code"] == "unknown_session"
    live = client.post("/api/sessions", json={"consent": ["clinician", "client"]}).json()["id"]
    early = client.get(f"/api/sessions/{live}/note/export?format=pdf")
    client.post(f"/api/sessions/{live}/end")
    assert (early.status_code, early.json()["error"]["code"]) == (409, "not_drafted")
