"""How a note stands, as JSON beside its own: state, version, signatures, what was added, and who did what. Pure."""

from typing import Any

from drafting.review import Review


def standing(review: Review) -> dict[str, Any]:
    """What stands beside a note's own JSON: its state, version, what was edited, signed and added."""
    return {
        "state": review.state,
        "version": review.version,
        "edited": sorted(review.edited),
        "signed": _signature(review),
        "late_entry": review.late_entry,
        "remarks": [{"at": one.at, "who": one.who, "text": one.text} for one in review.remarks],
        "addenda": [
            {"at": one.at, "who": one.who, "credentials": one.credentials, "text": one.text} for one in review.addenda
        ],
    }


def _signature(review: Review) -> dict[str, Any] | None:
    signed = review.signed
    if signed is None or review.record is None:
        return None
    return {
        "signer": signed.signer,
        "credentials": signed.credentials,
        "signed_at": signed.signed_at,
        "override": signed.override,
        "overridden": list(signed.overridden),
        "digest": signed.digest,
        "cosigned": {"by": signed.cosigner, "credentials": signed.cosigner_credentials, "at": signed.cosigned_at}
        if signed.cosigner
        else None,
        "intact": review.intact,
        "record": dict(review.record),
    }


def trail(review: Review) -> list[dict[str, Any]]:
    """Who did what and when; no words of the note."""
    return [
        {"at": one.at, "who": one.who, "action": one.action, "what": one.what, "version": one.version}
        for one in review.trail
    ]
