"""The JSON that clients send: what is taken, what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from streaming.bodies import RolesBody, SessionBody

pytestmark = pytest.mark.unit


def test_a_session_without_more_words_is_one_microphone_that_two_people_share() -> None:
    body = SessionBody.model_validate({})
    assert [(track.id, track.speakers, track.role) for track in body.tracks] == [("mic", 2, None)]
    assert (body.consent, body.format) == ([], None)


def test_defaults_are_not_shared_between_sessions() -> None:
    SessionBody.model_validate({}).consent.append("client")
    assert SessionBody.model_validate({}).consent == []


def test_a_track_of_one_person() -> None:
    body = SessionBody.model_validate({"tracks": [{"id": "client", "role": "client"}]})
    assert (body.tracks[0].speakers, body.tracks[0].role) == (1, "client")


@pytest.mark.parametrize(
    "body",
    [
        {"consent": "client"},
        {"consent": [""]},
        {"consent": ["x" * 65]},
        {"consent": ["x"] * 17},
        {"consent": [None]},
        {"tracks": []},
        {"tracks": [{"id": f"t{n}"} for n in range(9)]},
        {"tracks": [{"id": "Mic"}]},
        {"tracks": [{"id": "../mic"}]},
        {"tracks": [{"id": "m" * 33}]},
        {"tracks": [{"id": ""}]},
        {"tracks": [{"speakers": 1}]},
        {"tracks": [{"id": "mic", "speakers": 0}]},
        {"tracks": [{"id": "mic", "speakers": 9}]},
        {"tracks": [{"id": "mic", "speakers": 1.5}]},
        {"tracks": [{"id": "mic", "role": "therapist"}]},
        {"tracks": [{"id": "mic", "voice": "low"}]},
        {"format": "SOAP"},
        {"formats": "soap"},
        [],
        "session",
        None,
    ],
)
def test_a_session_that_cannot_be_meant(body: Any) -> None:
    with pytest.raises(ValidationError):
        SessionBody.model_validate(body)


@pytest.mark.parametrize(
    "body",
    [
        {"swap": False},
        {"swap": "yes"},
        {"roles": {"S1": "therapist"}},
        {"roles": {"S" * 65: "client"}},
        {"roles": ["S1"]},
        {"role": {"S1": "client"}},
    ],
)
def test_roles_that_cannot_be_meant(body: Any) -> None:
    with pytest.raises(ValidationError):
        RolesBody.model_validate(body)


def test_roles_and_a_swap() -> None:
    assert RolesBody.model_validate({"roles": {"S1": "client"}}).roles == {"S1": "client"}
    assert RolesBody.model_validate({"swap": True}).swap is True
