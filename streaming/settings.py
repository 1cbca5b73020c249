"""What can be set, read once: `SAMEDAY_*` variables over a TOML file over the defaults.

The file is `$SAMEDAY_CONFIG`, else `./sameday.toml` where there is one. Lists come from a variable as JSON.
"""

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from drafting.formats import keys as format_keys
from streaming.engine_settings import EngineSettings
from streaming.errors import BadSettings
from streaming.log_lines import LogFormat
from streaming.retention_settings import RetentionSettings

PREFIX = "SAMEDAY_"
CONFIG_VARIABLE = "SAMEDAY_CONFIG"
DEFAULT_FILE = Path("sameday.toml")

FormatKey = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
"""A note format as it is named: whether there is one is known once the practice's own have been read."""


def _known_format(key: str) -> str:
    if key not in format_keys():
        raise ValueError(f"no such note format: use one of {', '.join(format_keys())}")
    return key


NoteFormat = Annotated[FormatKey, AfterValidator(_known_format)]
"""A note format that there is, at the edge."""


def _address(host: str) -> str:
    if host != "localhost":
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise ValueError("not an address of this machine, such as 127.0.0.1") from None
    return host


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ValueError("neither an address nor a network such as 10.0.0.0/24") from None


def _origin(text: str) -> str:
    """As a browser writes it: small letters, without the port that goes without saying."""
    try:
        parts = urlsplit(text.lower())
        port = "" if parts.port in (None, 443) else f":{parts.port}"
        name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        origin = f"https://{name}{port}"
        good = bool(parts.hostname) and text.isascii() and text.lower() in (origin, f"{origin}:443")
    except ValueError:
        good = False
    if not good:
        raise ValueError("not an origin such as https://notes.example.org: https, a name, a port at most")
    return origin


def _store(address: str) -> str:
    if address != "sqlite" and not address.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError('neither "sqlite" nor the address of a Redis server (redis://host:6379/0)')
    return address


def _server(address: str) -> str:
    """An address without a key in it: addresses are shown."""
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment:
        raise ValueError("not the address of a server such as http://127.0.0.1:8000/v1")
    if parts.username or parts.password:
        raise ValueError("holds a password; set writer_api_key instead")
    return address.rstrip("/")


def _issuer(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)
        good = good and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")))
    except ValueError:
        good = False
    if not good:
        raise ValueError("not an issuer such as https://login.example.org")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _data_home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "sameday"


Seconds = Annotated[float, Field(gt=0, le=24 * 3600, allow_inf_nan=False)]


class IceServer(BaseModel):
    """A STUN or TURN server that browsers and this server use to reach each other."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Annotated[str, Field(pattern=r"^(stun|stuns|turn|turns):\S+$")]
    username: str | None = None
    credential: SecretStr | None = None


class OidcProvider(BaseModel):
    """An OpenID provider that vouches for the accounts of one practice."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    key: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
    """Stands in the address that the provider sends browsers back to: `/api/oidc/KEY/back`."""
    name: Annotated[str, Field(min_length=1, max_length=80)]
    practice: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    issuer: Annotated[str, AfterValidator(_issuer)]
    client_id: Annotated[str, Field(min_length=1, max_length=256)]
    client_secret: SecretStr | None = None


class Settings(EngineSettings, RetentionSettings):
    """All settings of a process. Printing it shows no secret."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    host: Annotated[str, AfterValidator(_address)] = "127.0.0.1"
    """Any but loopback takes TLS or a proxy in front, and an account."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8710
    """0 takes any free port."""
    allowed_origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = ()
    """The addresses that browsers on other machines open the server under, such as `https://notes.example.org`.
    Requests under these names, and from pages of these origins, are then answered too; they take an account.
    """
    tls_cert: Annotated[Path, AfterValidator(Path.expanduser)] | None = None
    """A PEM file with the certificate and what vouches for it; with `tls_key` the server speaks TLS alone."""
    tls_key: Annotated[Path, AfterValidator(Path.expanduser)] | None = None
    tls_authority: Annotated[Path, AfterValidator(Path.expanduser)] | None = None
    """The certificate of the practice's own authority, which devices fetch at `/authority.crt` to trust it."""
    behind_proxy: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    """The addresses or networks of the proxies in front: none but they may connect, and what they say of whom they
    pass on (X-Forwarded-For, X-Forwarded-Proto) is believed. TLS is theirs."""
    sign_in_idle_s: Seconds = 3600.0
    """A sign-in that nobody uses for so long is over."""
    sign_in_longest_s: Seconds = 12 * 3600.0
    """A sign-in is over so long after it began."""
    oidc: tuple[OidcProvider, ...] = ()
    """OpenID providers that practices sign in with, beside passwords."""
    ask_again_s: Seconds = 30.0
    """An open connection is asked so often whether who opened it may still have it."""
    media_token_s: Seconds = 600.0
    """How long a token that carries one session's audio may be used to connect."""
    requests_a_minute: Annotated[int, Field(ge=1)] = 3000
    """Requests of an account, above which it is asked to wait."""
    sessions_a_minute: Annotated[int, Field(ge=1)] = 60
    """Sessions that an account may start."""
    unfed_sessions: Annotated[int, Field(ge=1)] = 4
    """Sessions of an account that no audio has come to yet; one more is refused."""
    connections_an_address: Annotated[int, Field(ge=1)] = 512
    """Connections from one address, above which requests are refused with 503; not counted behind a proxy."""
    patience_s: Seconds = 15.0
    """How long a client may take to say what it wants; a body comes at 4 kB/s at least beyond that."""
    data_dir: Annotated[Path, AfterValidator(Path.expanduser)] = Field(default_factory=_data_home)
    store: Annotated[str, AfterValidator(_store)] = Field(default="sqlite", repr=False)
    """`sqlite` (a file in data_dir) or a Redis server's address, which may hold a password."""
    encryption: bool = True
    """Whether audio, transcripts, notes and records are encrypted where they are kept."""
    key_file: Annotated[Path, AfterValidator(Path.expanduser)] | None = None
    """The master key; made at the first start. Unless set it lies beside data_dir, in a folder of its own."""
    key_command: Annotated[str, Field(min_length=1)] | None = None
    """A program, with its arguments, that prints the master key in place of a file."""

    clinician_voice: Path | None = None
    """A file made by `sameday enroll`: whose voice on a shared microphone is the clinician's."""

    writer: Literal["embedded", "vllm"] = "embedded"
    """Who writes notes: rules and extraction, or a language model on a server that speaks the OpenAI protocol."""
    writer_url: Annotated[str, AfterValidator(_server)] | None = None
    """The model server's address with its version, such as `http://127.0.0.1:8000/v1`."""
    writer_model: str | None = None
    """The model's name on that server."""
    writer_api_key: SecretStr | None = None
    writer_api_key_file: Annotated[Path, AfterValidator(Path.expanduser)] | None = None
    """A file that holds the key alone; the key itself wins where both are set."""
    writer_plain_http: bool = False
    """Whether transcripts may go to another machine without TLS: only on a network of your own."""
    writer_first_token_s: Seconds = 20.0
    """The longest silence of the model server, before its first word and between two."""
    writer_total_s: Seconds = 90.0
    """The longest time for one section with all tries; what has not come by then is the embedded writer's."""

    ice_servers: tuple[IceServer, ...] = ()
    no_rtp_timeout_s: Seconds = 3.0
    """A WebRTC track that sends nothing for so long is taken for lost."""
    return_wait_s: Seconds = 120.0
    """What an anchored WebRTC sender that was lost has not sent within so long is named a gap."""
    endpoint_silence_ms: Annotated[int, Field(ge=100, le=5000)] = 700
    """Silence that ends an utterance; therapy has long pauses."""

    node_url: Annotated[str, AfterValidator(_server)] | None = None
    """Where other nodes of the same Redis reach this one; unless given, where it listens."""
    node_timeout_s: Annotated[float, Field(ge=1, le=300, allow_inf_nan=False)] = 5.0
    """A node without a heartbeat for so long is dead, and its sessions go to others."""
    max_sessions: Annotated[int, Field(ge=1)] = 16
    max_backlog_s: Seconds = 60.0
    """Audio that waits for recognition, over all sessions; above it no new session is taken."""
    max_load: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 0.9
    """The share of the recognizer's time, as measured, that sessions may take; above it no new one is taken."""
    idle_timeout_s: Seconds = 900.0
    """A session without audio for so long is ended."""
    on_stop: Literal["keep", "finish"] = "keep"
    """Sessions that somebody speaks in when the server is told to stop: kept for the next start, or ended."""

    note_format: FormatKey = "soap"
    formats_dir: Annotated[Path, AfterValidator(Path.expanduser)] | None = None
    """A folder of the practice's own note formats, one TOML file each."""
    packs_dir: Annotated[Path, AfterValidator(Path.expanduser)] | None = None
    """A folder of the practice's own rule packs, one TOML file each."""
    payer_packs: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Keys of rule packs by the payer or the setting in whose clients' notes they count."""
    wording_file: Annotated[Path, AfterValidator(Path.expanduser)] | None = None
    """A TOML file with the practice's own wording of sentences."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: LogFormat = "text"
    """Lines of the log as text for people, or as JSON for what collects them."""
    trace_endpoint: Annotated[str, AfterValidator(_server)] | None = None
    """Where spans go, an OpenTelemetry collector's address for HTTP such as `http://127.0.0.1:4318/v1/traces`."""

    @model_validator(mode="after")
    def _no_plain_http_beyond_this_machine(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError(f"{'tls_cert' if self.tls_cert is None else 'tls_key'}: the other one is set without it")
        if _is_loopback(self.host):
            return self
        if self.tls_cert is None and not self.behind_proxy:
            raise ValueError(
                "host: not a loopback address, and plain HTTP would show sessions to the network. Set tls_cert and "
                "tls_key, or behind_proxy where a proxy with TLS stands in front"
            )
        if not self.allowed_origins:
            raise ValueError(
                "allowed_origins: needed with a host that is not loopback, the addresses that browsers open"
            )
        if self.store != "sqlite" and self.node_url is None and ipaddress.ip_address(self.host).is_unspecified:
            raise ValueError("node_url: needed where nodes share a store and host is all addresses, which is none")
        return self

    @model_validator(mode="after")
    def _writer_has_a_server(self) -> Self:
        if self.writer == "vllm":
            missing = [name for name in ("writer_url", "writer_model") if not getattr(self, name)]
            if missing:
                raise ValueError(f"{missing[0]}: needed with writer = vllm")
            parts = urlsplit(self.writer_url or "")
            if parts.scheme == "http" and not self.writer_plain_http and not _is_loopback(parts.hostname or ""):
                raise ValueError(
                    "writer_url: http to another machine would show transcripts to the network; use https, or set "
                    "writer_plain_http where the network is your own"
                )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())

    @property
    def exposed(self) -> bool:
        """Whether others than this machine are meant to reach the server."""
        return bool(self.allowed_origins or self.behind_proxy) or not _is_loopback(self.host)

    @property
    def database(self) -> Path:
        """The file of the `sqlite` store."""
        return self.data_dir / "log.sqlite3"

    @property
    def audit_folder(self) -> Path:
        """Where the newest entries of the audit log are noted beside the store."""
        return self.data_dir

    @property
    def master_key_file(self) -> Path:
        """Where the master key lies, unless a command gives it."""
        return self.key_file or self.data_dir.with_name(f"{self.data_dir.name}.keys") / "master.key"


def load(**given: Any) -> Settings:
    """The settings of this process; `given` ones (of a command line) win. Raises BadSettings."""
    _refuse_bad_file()
    try:
        return Settings(**given)
    except ValidationError as error:
        raise BadSettings(_says(error)) from None
    except SettingsError as error:  # a list in a variable that is not JSON; its cause quotes the value
        field = str(error).partition('"')[2].partition('"')[0]
        raise BadSettings(f"{PREFIX}{field.upper()}: not JSON.") from None


def config_file() -> Path | None:
    """The TOML file that counts, or none."""
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named).expanduser()
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def unknown_variables(environment: Mapping[str, str]) -> dict[str, str | None]:
    """`SAMEDAY_*` variables that set nothing, each with the nearest one that does.

    They are no error: container platforms make variables of service names, such as SAMEDAY_SERVICE_HOST.
    """
    known = [*Settings.model_fields, CONFIG_VARIABLE.removeprefix(PREFIX).lower()]
    unknown: dict[str, str | None] = {}
    for variable in sorted(environment):
        name = variable.lower().removeprefix(PREFIX.lower())
        if name != variable.lower() and name not in known:
            nearest = _nearest(name, known)
            unknown[variable] = nearest and PREFIX + nearest.upper()
    return unknown


def _refuse_bad_file() -> None:
    path = config_file()
    if path is None:
        return
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSettings(f"{path}: {os.strerror(error.errno or 0)}.") from None
    except UnicodeDecodeError:
        raise BadSettings(f"{path}: not UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        where = str(error).rpartition("(")[2].rstrip(")")  # the text before it may quote the value
        raise BadSettings(f"{path}: not TOML, {where}.") from None


def _says(error: ValidationError) -> str:
    """Each fault on its own line: the field and why, never the value."""
    lines = []
    for fault in error.errors(include_input=False, include_context=False, include_url=False):
        where = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            nearest = _nearest(str(fault["loc"][-1]), _known(fault["loc"]))
            lines.append(f"{where}: no such setting." + (f" Did you mean {nearest}?" if nearest else ""))
        else:
            why = fault["msg"].removeprefix("Value error, ")
            lines.append(f"{where}: {why}." if where else f"{why}.")
    return "\n".join(lines)


def _known(location: tuple[int | str, ...]) -> list[str]:
    if len(location) == 1:
        return list(Settings.model_fields)
    return list((OidcProvider if location[0] == "oidc" else IceServer).model_fields)


def _nearest(name: str, known: list[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, known, 1, cutoff=0.5)), None)
