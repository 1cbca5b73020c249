"""A note as a FHIR R4 DocumentReference, checked with the fhirclient library, whose models are of R4 (4.0.1).

A draft is `preliminary`, a signed note `final`, one with addenda `amended`; an amended one carries the whole text and
`replaces` the note as it was signed, whose identifier follows from the digest. Client and provider are contained, and
referred to by identifier where the chart has one. Sources: HL7 FHIR R4 DocumentReference; LOINC document codes.
"""

import base64
import hashlib
import json
import re
import uuid
from datetime import datetime
from typing import Any

from fhirclient.models.documentreference import DocumentReference
from fhirclient.models.fhirabstractbase import FHIRValidationError

from drafting.document import Document
from drafting.export_text import TextStyle
from drafting.export_text import render as as_text
from streaming.errors import SamedayError

MEDIA_TYPE = "application/fhir+json"
LOINC = "http://loinc.org"
CODES: dict[str, tuple[tuple[str, str], ...]] = {
    "intake": (("78306-8", "Mental health History and physical note"),),
    "plan": (("18776-5", "Plan of care note"),),
}
"""LOINC codes by format; every other format is a progress note."""
PROGRESS = (("11506-3", "Progress note"), ("34904-3", "Mental health Progress note"))
CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_OURS = uuid.UUID("5f0b7d0e-52a5-5f0e-9d3c-6f2f1c1f3a51")
"""The name space of our documents' identifiers."""
_STATUS = {
    "draft": "preliminary",
    "edited": "preliminary",
    "awaiting": "preliminary",
    "signed": "final",
    "addended": "amended",
}


class NotFhir(SamedayError):
    """What was made is no valid DocumentReference: our fault, and nothing is exported."""

    code = "not_fhir"


def render(document: Document, *, pdf: bytes | None = None) -> bytes:
    """The resource as JSON; with `pdf` the file is a second attachment beside the text. Raises NotFhir."""
    made = resource(document, pdf=pdf)
    return (json.dumps(made, ensure_ascii=False, indent=2) + "\n").encode()


def resource(document: Document, *, pdf: bytes | None = None) -> dict[str, Any]:
    """The resource as an object. Raises NotFhir."""
    text = as_text(document, TextStyle(straight=False)).encode()
    attachments = [_attachment(document, "text/plain", text)]
    attachments += [_attachment(document, "application/pdf", pdf)] if pdf else []
    client, provider = _client(document), _provider(document)
    made = {
        "resourceType": "DocumentReference",
        "language": "en-US",
        "contained": [one for one in (client, provider) if one],
        "masterIdentifier": _identifier(_name(document, whole=True)),
        "status": "current",
        "docStatus": _STATUS[document.state],
        "type": {"coding": [_code(*one) for one in CODES.get(document.format, PROGRESS)], "text": document.title},
        "category": [{"coding": [{"system": CATEGORY, "code": "clinical-note", "display": "Clinical Note"}]}],
        "subject": _client_reference(document) if client else None,
        "date": _instant(document.dated),
        "author": [{"reference": "#provider", "type": "Practitioner"}] if provider else [],
        "authenticator": _authenticator(document),
        "relatesTo": _relates(document),
        "description": " ".join(filter(None, (document.title, document.service_date))),
        "securityLabel": [{"coding": [{"system": CONFIDENTIALITY, "code": "R", "display": "restricted"}]}],
        "content": [{"attachment": one} for one in attachments],
        "context": _context(document),
    }
    whole = {name: value for name, value in made.items() if value}
    try:
        DocumentReference(whole, strict=True).as_json()
    except (FHIRValidationError, ValueError, TypeError, KeyError):
        # What the library says names values: they stay out of errors and logs.
        raise NotFhir("The note does not make a valid FHIR document.", mend="Export it as text or PDF.") from None
    return whole


def _name(document: Document, *, whole: bool) -> uuid.UUID:
    """A name that follows from the content: of the signed note alone, or of the whole with its addenda."""
    signed = document.digest + document.signed_at
    if not document.is_signed:
        signed = as_text(document)
    later = (
        json.dumps([[one.title, *one.paragraphs] for one in document.addenda]) if whole and document.addenda else ""
    )
    return uuid.uuid5(_OURS, signed + later)


def _identifier(name: uuid.UUID) -> dict[str, Any]:
    return {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{name}"}


def _code(code: str, display: str) -> dict[str, str]:
    return {"system": LOINC, "code": code, "display": display}


def _attachment(document: Document, kind: str, content: bytes) -> dict[str, Any]:
    made = {
        "contentType": kind,
        "language": "en-US",
        "data": base64.b64encode(content).decode(),
        "size": len(content),
        "hash": base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode(),
        "title": document.title,
        "creation": _instant(document.dated),
    }
    return {name: value for name, value in made.items() if value is not None}


# People


def _client(document: Document) -> dict[str, Any] | None:
    known = document.context
    made = {
        "resourceType": "Patient",
        "id": "client",
        "identifier": [{"value": known.client_id}] if known.client_id else None,
        "name": [{"text": known.client}] if known.client else None,
        "birthDate": _date(known.date_of_birth),
    }
    return _without_nothing(made)


def _client_reference(document: Document) -> dict[str, Any]:
    known = document.context
    made = {
        "reference": "#client",
        "type": "Patient",
        "identifier": {"value": known.client_id} if known.client_id else None,
        "display": known.client,
    }
    return {name: value for name, value in made.items() if value}


def _provider(document: Document) -> dict[str, Any] | None:
    known = document.context
    made = {
        "resourceType": "Practitioner",
        "id": "provider",
        "name": [{"text": known.provider}] if known.provider else None,
        "qualification": [{"code": {"text": known.credentials}}] if known.credentials else None,
    }
    return _without_nothing(made)


def _without_nothing(made: dict[str, Any]) -> dict[str, Any] | None:
    """The resource without empty elements; none where only its type and id are left."""
    kept = {name: value for name, value in made.items() if value}
    return kept if len(kept) > 2 else None


def _authenticator(document: Document) -> dict[str, Any] | None:
    if not document.signer:
        return None
    if document.cosigner:  # whose word makes it legal; who wrote it is the author
        return {"type": "Practitioner", "display": document.cosigner}
    if document.signer == document.context.provider:
        return {"reference": "#provider", "type": "Practitioner", "display": document.signer}
    return {"type": "Practitioner", "display": document.signer}


# Times and relations


def _relates(document: Document) -> list[dict[str, Any]]:
    if not document.addenda:
        return []
    target = {"type": "DocumentReference", "identifier": _identifier(_name(document, whole=False))}
    return [{"code": "replaces", "target": target}]


def _context(document: Document) -> dict[str, Any] | None:
    known = document.context
    ends = {"start": _instant(known.started_at), "end": _instant(known.ended_at)}
    period = {name: value for name, value in ends.items() if value}
    return {"period": period} if period else None


def _instant(at: str | None) -> str | None:
    """A time with zone and seconds, as FHIR's instant wants it; none for anything else."""
    try:
        found = datetime.fromisoformat(at or "")
    except ValueError:
        return None
    return found.isoformat(timespec="seconds") if found.tzinfo else None


def _date(at: str | None) -> str | None:
    """A whole date as FHIR writes it; one that is written otherwise is left out, not guessed at."""
    if not at or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", at):
        return None
    try:
        return datetime.fromisoformat(at).date().isoformat()
    except ValueError:
        return None
