"""Which SDP offers are answered, and what is said of the others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import BadOffer
from streaming.sdp_offer import MAX_BYTES, MAX_CANDIDATES, read_offer

pytestmark = pytest.mark.unit

SESSION = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0"]
TRANSPORT = [
    "c=IN IP4 0.0.0.0",
    "a=rtcp-mux",
    "a=ice-ufrag:abcd",
    "a=ice-pwd:abcdefghijklmnopqrstuv",
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
    "a=setup:actpass",
]
AUDIO = ["m=audio 9 UDP/TLS/RTP/SAVPF 111", *TRANSPORT, "a=mid:0", "a=sendonly", "a=rtpmap:111 opus/48000/2"]
VIDEO = ["m=video 9 UDP/TLS/RTP/SAVPF 96", *TRANSPORT, "a=mid:1", "a=sendonly", "a=rtpmap:96 VP8/90000"]
HOST = "a=candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host"
HIDDEN = "a=candidate:1 1 udp 2130706431 0b0e3a6e-7a5c-4f0e-9d6e-2f8a5c9b1d11.local 50000 typ host"


def text(*lines: str) -> str:
    return "\r\n".join(lines) + "\r\n"


def refusal(sdp: str) -> str:
    with pytest.raises(BadOffer) as caught:
        read_offer(sdp)
    assert caught.value.mend
    return caught.value.message


def without(lines: list[str], start: str) -> list[str]:
    return [line for line in lines if not line.startswith(start)]


def test_an_audio_offer_is_taken() -> None:
    offer = read_offer(text(*SESSION, *AUDIO, HOST))
    assert offer.sdp == text(*SESSION, *AUDIO, HOST)
    assert offer.candidates == 1


def test_line_feeds_alone_and_an_offer_with_video_are_taken() -> None:
    assert read_offer(text(*SESSION, *AUDIO, *VIDEO).replace("\r\n", "\n")).candidates == 0


def test_sendrecv_is_taken_and_is_what_no_direction_means() -> None:
    for lines in (without(AUDIO, "a=sendonly"), [*without(AUDIO, "a=sendonly"), "a=sendrecv"]):
        assert read_offer(text(*SESSION, *lines, HOST)).candidates == 1


def test_hidden_candidates_are_left_out_and_then_their_end_too() -> None:
    offer = read_offer(text(*SESSION, *AUDIO, HIDDEN, "a=end-of-candidates"))
    assert offer.candidates == 0
    assert ".local" not in offer.sdp
    assert "end-of-candidates" not in offer.sdp
    both = read_offer(text(*SESSION, *AUDIO, HIDDEN, HOST, "a=end-of-candidates"))
    assert both.candidates == 1
    assert "end-of-candidates" in both.sdp


@pytest.mark.parametrize(
    "place",
    ["internal.example 80", "127.\x11.0.1 5000", "192.0.2.7 70000", "192.0.2.7 0", "192.0.2.7 x", "999.1.1.1 5"],
)
def test_candidates_that_are_no_address_are_not_looked_up(place: str) -> None:
    offer = read_offer(text(*SESSION, *AUDIO, f"a=candidate:1 1 udp 2130706431 {place} typ host", HOST))
    assert offer.sdp == text(*SESSION, *AUDIO, HOST)


@pytest.mark.parametrize(
    "body", ["", "hello", "{}", "\r\n", "v=0", "v=1\r\n", "<html></html>", "v=0\r\nnot a line\r\n", "v=0\0"]
)
def test_what_is_not_sdp_is_said_to_be_none(body: str) -> None:
    assert refusal(body) in ("The body is not SDP.", "The offer has no media section.")


@pytest.mark.parametrize(
    "lines, message",
    [
        ([*SESSION], "The offer has no media section."),
        ([*SESSION, *VIDEO], "The offer has no audio section."),
        ([*SESSION, *AUDIO, *AUDIO], "The offer has more than one audio section."),
        ([*SESSION, *AUDIO, *VIDEO * 4], "The offer has more than 4 media sections."),
        (
            [*SESSION, *AUDIO, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", *TRANSPORT],
            "The offer has a section that is neither audio nor video.",
        ),
        ([*SESSION, *without(AUDIO, "a=sendonly"), "a=recvonly"], "The offer does not send audio."),
        ([*SESSION, *without(AUDIO, "a=sendonly"), "a=inactive"], "The offer does not send audio."),
        ([*SESSION, *without(AUDIO, "a=rtpmap"), "a=rtpmap:0 PCMU/8000"], "The offer does not have the codec Opus."),
        ([*SESSION, *without(AUDIO, "a=ice-ufrag")], "The offer lacks an ICE user name."),
        ([*SESSION, *without(AUDIO, "a=ice-pwd")], "The offer lacks an ICE password."),
        ([*SESSION, *without(AUDIO, "a=fingerprint")], "The offer lacks a DTLS fingerprint."),
        ([*SESSION, *without(AUDIO, "a=setup")], "The offer lacks a DTLS set-up role."),
        ([*SESSION, *without(AUDIO, "a=rtcp-mux")], "The offer lacks RTCP multiplexing."),
        ([*SESSION, *AUDIO, *[HOST] * (MAX_CANDIDATES + 1)], "The offer has more than 64 candidates."),
    ],
)
def test_an_offer_that_cannot_be_answered_is_told_why(lines: list[str], message: str) -> None:
    assert refusal(text(*lines)) == message


def test_a_huge_offer_is_refused_by_its_size() -> None:
    assert (
        refusal(text(*SESSION, *AUDIO, *["a=x:" + "y" * 1_000] * 70))
        == f"The offer is larger than {MAX_BYTES} bytes."
    )


def verdict(body: str) -> str:
    """`taken`, or the message of the refusal; any other error is the test's failure."""
    try:
        read_offer(body)
    except BadOffer as error:
        return error.message
    return "taken"


@given(st.text(min_size=8, max_size=300))
def test_any_text_is_refused_without_being_repeated(body: str) -> None:
    said = verdict(body)
    assert said != "taken"
    # What the peer sent is never repeated, lest it land in a log.
    assert body not in said


@given(st.lists(st.sampled_from([*SESSION, *AUDIO, *VIDEO, HOST, HIDDEN]), max_size=40))
def test_any_mix_of_true_lines_is_an_offer_or_a_bad_one(lines: list[str]) -> None:
    if verdict(text(*SESSION, *lines)) == "taken":
        assert sum(line.startswith("m=audio") for line in lines) == 1
