"""The settings of the writer over a model server: what is refused, and that no key is ever shown."""

from pathlib import Path

import pytest

from streaming.engines import model_address
from streaming.errors import BadSettings
from streaming.settings import load

pytestmark = pytest.mark.unit

GIVEN = {"writer": "vllm", "writer_url": "http://127.0.0.1:8000/v1", "writer_model": "m"}


def test_the_embedded_writer_needs_nothing() -> None:
    assert load().writer == "embedded"


@pytest.mark.parametrize("missing", ["writer_url", "writer_model"])
def test_a_model_server_needs_its_address_and_model(missing: str) -> None:
    with pytest.raises(BadSettings, match=f"{missing}: needed with writer = vllm"):
        load(**{name: value for name, value in GIVEN.items() if name != missing})


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/v1", "http://[::1]:8000/v1", "http://localhost/v1", "https://models.example.org/v1"],
)
def test_talk_stays_on_this_machine_or_goes_with_tls(url: str) -> None:
    assert load(**GIVEN | {"writer_url": url}).writer_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://models.example.org/v1",
        "http://192.168.1.7:8000/v1",
        "ftp://127.0.0.1/v1",
        "127.0.0.1:8000",
        "http://127.0.0.1:99999/v1",
        "https://user:sesame@models.example.org/v1",
        "https://models.example.org/v1?key=sesame",
    ],
)
def test_an_address_that_shows_talk_or_a_key_is_refused(url: str) -> None:
    with pytest.raises(BadSettings, match="writer_url") as refused:
        load(**GIVEN | {"writer_url": url})
    assert "sesame" not in str(refused.value)


def test_a_network_of_ones_own_may_go_without() -> None:
    url = "http://vllm:8000/v1"
    assert load(**GIVEN | {"writer_url": url, "writer_plain_http": True}).writer_url == url


def test_a_key_comes_from_its_setting_or_a_file_and_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sesame-17\n")
    from_file = load(**GIVEN | {"writer_api_key_file": str(file)})
    assert model_address(from_file).api_key == "sesame-17"
    both = load(**GIVEN | {"writer_api_key_file": str(file), "writer_api_key": "sesame-18"})
    assert model_address(both).api_key == "sesame-18"
    assert "sesame" not in repr(both) + repr(model_address(both))
    assert model_address(load(**GIVEN)).api_key is None


def test_a_key_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    settings = load(**GIVEN | {"writer_api_key_file": str(tmp_path / "none")})
    with pytest.raises(BadSettings, match="writer_api_key_file"):
        model_address(settings)


def test_patience_comes_from_the_settings() -> None:
    address = model_address(load(**GIVEN | {"writer_first_token_s": 3, "writer_total_s": 7}))
    assert (address.first_token_s, address.total_s, address.model) == (3, 7, "m")
