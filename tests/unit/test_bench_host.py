"""Which servers a benchmark is led to, and what it shows of the token that it is given."""

from pathlib import Path

import pytest

from benchmarks.host import MARK, Host, of_people
from streaming.errors import PeerError

pytestmark = pytest.mark.unit


def test_an_address_its_token_and_the_mark(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2\nand a remark\n")
    host = of_people("https://notes.example.org:8710/", tmp_path / "token", None)
    assert (host.url, host.headers) == ("https://notes.example.org:8710", {"Authorization": "Bearer hunter2"})
    assert host.socket_url("/api/x") == "wss://notes.example.org:8710/api/x"
    assert host.about["context"] == {"place": MARK}
    assert "hunter2" not in repr(host)
    assert Host("http://127.0.0.1:1").headers == {}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("notes.example.org", "no address"),
        ("ftp://notes.example.org", "no address"),
        ("https://notes.example.org/api?x=1", "no address"),
        ("https://notes.example.org:port", "no address"),
        ("http://notes.example.org", "Plain HTTP"),
        ("https://notes.example.org", "token file is empty"),
    ],
)
def test_what_is_refused(tmp_path: Path, url: str, says: str) -> None:
    (tmp_path / "token").write_text("\n")
    with pytest.raises(PeerError, match=says):
        of_people(url, tmp_path / "token" if "empty" in says else None, None)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="token file cannot be read"):
        of_people("https://notes.example.org", tmp_path / "none", None)
    (tmp_path / "authority").write_text("hunter2")
    with pytest.raises(PeerError, match="authority") as refused:
        of_people("https://notes.example.org", None, tmp_path / "authority")
    assert "hunter2" not in str(refused.value)
