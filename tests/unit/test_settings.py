"""Settings: where they come from, and what a mistake says."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from streaming.errors import BadSettings
from streaming.settings import Settings, load, unknown_variables

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and none of this machine's own variables."""
    for name in list(os.environ):
        if name.startswith("SAMEDAY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def fault(**given: object) -> str:
    with pytest.raises(BadSettings) as failure:
        load(**given)
    return str(failure.value)


def test_the_defaults_are_for_one_machine_alone(folder: Path) -> None:
    settings = load()
    assert (settings.host, settings.port, settings.store) == ("127.0.0.1", 8710, "sqlite")
    assert settings.recognizer == "embedded"
    assert settings.ice_servers == ()
    assert settings.keep_audio is False
    assert settings.database == folder / "data" / "sameday" / "log.sqlite3"


def test_without_a_data_home_it_is_the_users_own(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(folder))
    assert load().data_dir == folder / ".local" / "share" / "sameday"


def test_given_wins_over_variable_over_file_over_default(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "sameday.toml").write_text(
        'port = 1\nmax_sessions = 2\nlog_level = "debug"\nendpoint_silence_ms = 500\n'
    )
    monkeypatch.setenv("SAMEDAY_PORT", "3")
    monkeypatch.setenv("SAMEDAY_MAX_SESSIONS", "4")
    settings = load(port=5)
    assert (settings.port, settings.max_sessions, settings.log_level) == (5, 4, "debug")
    assert (settings.endpoint_silence_ms, settings.idle_timeout_s) == (500, 900)


def test_an_empty_variable_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEDAY_PORT", "")
    assert load().port == 8710


def test_the_file_can_be_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "sameday.toml").write_text("port = 1\n")
    (folder / "other.toml").write_text("port = 2\n")
    monkeypatch.setenv("SAMEDAY_CONFIG", str(folder / "other.toml"))
    assert load().port == 2


def test_a_named_file_that_is_missing_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEDAY_CONFIG", str(folder / "none.toml"))
    assert "none.toml: No such file" in fault()


def test_ice_servers_come_as_tables_and_as_json(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "sameday.toml").write_text(
        '[[ice_servers]]\nurl = "turn:turn.example:3478"\nusername = "u"\ncredential = "hunter2"\n'
    )
    (server,) = load().ice_servers
    assert (server.url, server.username) == ("turn:turn.example:3478", "u")
    assert server.credential is not None
    assert server.credential.get_secret_value() == "hunter2"
    monkeypatch.setenv("SAMEDAY_ICE_SERVERS", '[{"url": "stun:stun.example"}]')
    assert [server.url for server in load().ice_servers] == ["stun:stun.example"]


def test_the_origins_of_a_proxy_are_as_a_browser_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().allowed_origins == ()
    monkeypatch.setenv("SAMEDAY_ALLOWED_ORIGINS", '["https://Notes.Example.org:443", "https://10.0.0.7:8443"]')
    assert load().allowed_origins == ("https://notes.example.org", "https://10.0.0.7:8443")


def test_printing_shows_no_secret() -> None:
    settings = load(
        store="redis://:hunter2@127.0.0.1/0", ice_servers=[{"url": "turn:turn.example", "credential": "hunter2"}]
    )
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings)


def test_settings_do_not_change() -> None:
    settings = load()
    with pytest.raises(ValidationError):
        settings.port = 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("prot = 1", "prot: no such setting. Did you mean port?"),
        ("max_session = 1", "max_session: no such setting. Did you mean max_sessions?"),
        ("zzz = 1", "zzz: no such setting."),
        ('[[ice_servers]]\nurls = "stun:x"', "ice_servers.0.urls: no such setting. Did you mean url?"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(folder: Path, line: str, says: str) -> None:
    (folder / "sameday.toml").write_text(line)
    assert says in fault().splitlines()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("port", "hunter2", "port: Input should be a valid integer"),
        ("port", "65536", "port: Input should be less than or equal to 65535"),
        ("host", "0.0.0.0", "host: not a loopback address, and plain HTTP would show sessions to the network."),
        ("host", "192.168.1.4", "host: not a loopback address,"),
        ("behind_proxy", '["hunter2"]', "behind_proxy.0: neither an address nor a network"),
        ("tls_cert", "/hunter2.pem", "tls_key: the other one is set without it"),
        ("requests_a_minute", "0", "requests_a_minute: Input should be greater than or equal to 1"),
        ("host", "hunter2.example", "host: not an address"),
        ("store", "postgres://hunter2@db", "store: neither"),
        ("recognizer", "hunter2", "recognizer: Input should be 'embedded' or 'faster-whisper'"),
        ("recognizer_device", "hunter2", "recognizer_device: String should match"),
        ("recognizer_batch", "0", "recognizer_batch: Input should be greater than or equal to 1"),
        ("recognizer_timeout_s", "inf", "recognizer_timeout_s: Input should be"),
        ("recognizer_threads", "0", "recognizer_threads: Input should be greater than or equal to 1"),
        ("no_rtp_timeout_s", "nan", "no_rtp_timeout_s: Input should be"),
        ("idle_timeout_s", "-1", "idle_timeout_s: Input should be greater than 0"),
        ("ice_servers", '[{"url": "http://hunter2"}]', "ice_servers.0.url: String should match"),
        ("ice_servers", "[hunter2", "SAMEDAY_ICE_SERVERS: not JSON."),
        ("allowed_origins", '["*"]', "allowed_origins.0: not an origin such as https://notes.example.org"),
        ("allowed_origins", '["null"]', "allowed_origins.0: not an origin"),
        ("allowed_origins", '["http://hunter2.example"]', "allowed_origins.0: not an origin"),
        ("allowed_origins", '["https://hunter2.example/"]', "allowed_origins.0: not an origin"),
        ("allowed_origins", '["https://a:hunter2@notes.example"]', "allowed_origins.0: not an origin"),
        ("allowed_origins", '["https://notes.example:hunter2"]', "allowed_origins.0: not an origin"),
        ("allowed_origins", '["https://[hunter2"]', "allowed_origins.0: not an origin"),
        ("allowed_origins", '["https://"]', "allowed_origins.0: not an origin"),
        ("allowed_origins", "https://hunter2.example", "SAMEDAY_ALLOWED_ORIGINS: not JSON."),
        ("note_format", "Hunter 2", "note_format: String should match"),
        ("keep_audio", "hunter2", "keep_audio: Input should be a valid boolean"),
    ],
)
def test_a_bad_value_says_which_and_why_and_never_what(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"SAMEDAY_{name.upper()}", value)
    message = fault()
    assert message.startswith(says)
    assert "hunter2" not in message


def test_a_node_that_listens_everywhere_says_where_the_others_reach_it() -> None:
    given: dict[str, Any] = {
        "host": "0.0.0.0",
        "behind_proxy": ("10.0.0.1",),
        "allowed_origins": ("https://a.example",),
    }
    assert load(**given).node_url is None
    with pytest.raises(BadSettings, match="node_url: needed"):
        load(**given, store="redis://127.0.0.1:6379/0")
    assert load(**given, store="redis://127.0.0.1:6379/0", node_url="http://10.0.0.2:8710").node_url


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_any_of_its_names(host: str) -> None:
    assert load(host=host).host == host


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"port = hunter2", "not TOML, at line 1"), (b"\xff = 1", "not UTF-8"), (b'store = "hunter2', "not TOML, at ")],
)
def test_a_file_that_is_no_toml_says_where_and_shows_nothing(folder: Path, content: bytes, says: str) -> None:
    (folder / "sameday.toml").write_bytes(content)
    message = fault()
    assert says in message
    assert "hunter2" not in message


def test_variables_that_set_nothing_are_found_with_the_nearest() -> None:
    environment = {"SAMEDAY_PROT": "1", "SAMEDAY_PORT": "1", "SAMEDAY_CONFIG": "x", "SAMEDAY_QQQQ": "1", "PATH": "/"}
    assert unknown_variables(environment) == {"SAMEDAY_PROT": "SAMEDAY_PORT", "SAMEDAY_QQQQ": None}


def test_every_setting_has_a_default() -> None:
    assert all(not field.is_required() for field in Settings.model_fields.values())


def test_every_setting_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    assert [name for name in Settings.model_fields if f"`{name}`" not in text] == []
