"""Certificates of the practice's own authority: what they say, what they refuse, and which files there are."""

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from streaming import certificate_command, local_authority
from streaming.certificate_files import Folder
from streaming.local_authority import BadCertificate, Names, Pair, new_authority, new_server

pytestmark = pytest.mark.unit

NOW = datetime.now(UTC)
NAMES = Names.of(["desk.local", "localhost", "192.168.1.20", "127.0.0.1", "::1"])


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "sameday.tls")


def _trusts(authority: bytes, server: Pair, name: str, tmp_path: Path) -> bool:
    """Whether a client that trusts this authority alone takes the server under this name: a handshake in memory."""
    pem = tmp_path / "pair.pem"
    pem.write_bytes(server.certificate + server.key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pem)
    trusting = ssl.create_default_context(cadata=authority.decode())
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [trusting.wrap_bio(down, up, server_hostname=name), serving.wrap_bio(up, down, server_side=True)]
    for end in ends * 4:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLError:
            return False
    return ends[0].version() is not None


def test_a_device_that_trusts_the_authority_takes_the_server_by_each_of_its_names(tmp_path: Path) -> None:
    authority = new_authority(NAMES, NOW)
    server = new_server(authority, NAMES, NOW)
    for name in ("desk.local", "localhost", "192.168.1.20", "127.0.0.1", "::1"):
        assert _trusts(authority.certificate, server, name, tmp_path), name
    assert not _trusts(authority.certificate, server, "other.local", tmp_path)
    assert not _trusts(new_authority(NAMES, NOW).certificate, server, "desk.local", tmp_path)


def test_what_a_thief_of_the_authority_s_key_signs_for_another_name_is_not_taken(tmp_path: Path) -> None:
    authority = new_authority(NAMES, NOW)
    unbound = new_authority(NAMES, NOW)
    loose = x509.load_pem_x509_certificate(authority.certificate)
    assert loose.extensions.get_extension_for_class(x509.NameConstraints).critical
    forged = _signed_without_asking(authority, "bank.example")
    assert not _trusts(authority.certificate, forged, "bank.example", tmp_path)
    with pytest.raises(BadCertificate, match=r"bank\.example"):
        new_server(unbound, Names.of(["bank.example"]), NOW)
    with pytest.raises(BadCertificate, match=r"203\.0\.113\.7"):
        new_server(unbound, Names.of(["desk.local", "203.0.113.7"]), NOW)


def _signed_without_asking(authority: Pair, name: str) -> Pair:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_authority, "_check_vouches", lambda *_: None)
        return new_server(authority, Names.of([name]), NOW)


def test_devices_of_apple_take_the_certificate_by_its_time_and_use() -> None:
    authority = new_authority(NAMES, NOW)
    made = x509.load_pem_x509_certificate(new_server(authority, NAMES, NOW).certificate)
    assert made.not_valid_after_utc - made.not_valid_before_utc <= timedelta(days=398)
    use = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ExtendedKeyUsageOID.SERVER_AUTH in use
    assert made.signature_hash_algorithm is not None
    assert made.signature_hash_algorithm.name == "sha256"
    assert local_authority.until(authority.certificate) > NOW + timedelta(days=3600)


def test_no_certificate_outlives_its_authority() -> None:
    authority = new_authority(NAMES, NOW - timedelta(days=local_authority.AUTHORITY_DAYS - 10))
    server = new_server(authority, NAMES, NOW)
    assert local_authority.until(server.certificate) == local_authority.until(authority.certificate)
    with pytest.raises(BadCertificate, match="time is over"):
        new_server(authority, NAMES, NOW + timedelta(days=11))


@pytest.mark.parametrize("name", ["", "two words", "-desk", "desk..local", "büro.local", "a" * 64, "*.local"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(BadCertificate):
        Names.of([name])


def test_keys_are_their_owner_s_alone(folder: Folder) -> None:
    folder.renewed(NAMES, NOW, new_authority=False)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.path.iterdir()}
    assert modes == {"authority.crt": 0o644, "authority.key": 0o600, "server.pem": 0o600}
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert b"PRIVATE" not in folder.authority.read_bytes()
    assert b"PRIVATE" not in local_authority.as_der(folder.server.read_bytes())


def test_a_renewal_keeps_the_authority_and_the_names_given_before(folder: Folder) -> None:
    folder.renewed(Names.of(["desk.local", "practice.lan"]), NOW, new_authority=False)
    authority, first = folder.authority.read_bytes(), folder.server.read_bytes()
    names = folder.renewed(Names.of(["desk.local", "192.168.1.21"]), NOW + timedelta(days=300), new_authority=False)
    assert folder.authority.read_bytes() == authority
    assert local_authority.until(folder.server.read_bytes()) > local_authority.until(first)
    assert names.hosts == ("desk.local", "practice.lan")
    assert local_authority.hosts_of(folder.server.read_bytes()) == names.hosts


def test_an_authority_is_moved_aside_when_asked_and_never_overwritten(folder: Folder) -> None:
    folder.renewed(NAMES, NOW, new_authority=False)
    key = folder.authority_key.read_bytes()
    folder.renewed(NAMES, NOW, new_authority=True)
    assert folder.authority_key.read_bytes() != key
    (aside,) = folder.path.glob("authority-until-*.key")
    assert aside.read_bytes() == key


def test_half_an_authority_or_an_open_key_is_refused_and_stays(folder: Folder) -> None:
    folder.renewed(NAMES, NOW, new_authority=False)
    folder.authority_key.chmod(0o640)
    with pytest.raises(BadCertificate, match="Others can read"):
        folder.renewed(NAMES, NOW, new_authority=False)
    folder.authority_key.unlink()
    certificate = folder.authority.read_bytes()
    with pytest.raises(BadCertificate, match=r"authority\.key is missing"):
        folder.renewed(NAMES, NOW, new_authority=False)
    assert folder.authority.read_bytes() == certificate
    assert not folder.authority_key.exists()


def test_a_key_of_another_authority_is_noticed() -> None:
    one, other = new_authority(NAMES, NOW), new_authority(NAMES, NOW)
    with pytest.raises(BadCertificate, match="do not belong together"):
        new_server(replace(one, key=other.key), NAMES, NOW)


def test_what_is_said_names_the_settings_and_how_devices_trust_it(folder: Folder) -> None:
    names = folder.renewed(NAMES, NOW, new_authority=False)
    said = certificate_command.said(folder, names, 8710, first=True)
    assert 'allowed_origins = ["https://desk.local:8710", "https://192.168.1.20:8710"]' in said
    assert f'tls_authority = "{folder.authority}"' in said
    assert "https://desk.local:8710/authority.crt" in said
    assert local_authority.fingerprint(folder.authority.read_bytes()) in said
    assert certificate_command.origins(names, 443)[0] == "https://desk.local"
    assert "on each device" not in certificate_command.said(folder, names, 8710, first=False)


@pytest.mark.parametrize(
    "host,known", [("desk", ["desk.local", "desk"]), ("desk.local", ["desk.local"]),
                   ("desk.clinic.lan", ["desk.local", "desk.clinic.lan"])],
)  # fmt: skip
def test_a_machine_answers_to_its_name_and_by_multicast(host: str, known: list[str]) -> None:
    assert certificate_command.own_names(host) == known
