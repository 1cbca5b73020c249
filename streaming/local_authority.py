"""Certificates for the local network: an authority of the practice's own, and what it vouches for. X.509, no files.

The authority is bound to the names it is made for (RFC 5280, 4.2.1.10): whoever steals its key cannot pass for a bank
on a tablet that trusts it. A server's certificate holds for 397 days, since Apple's devices take none that holds for
longer than 398 from public authorities and 825 from others.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from streaming.errors import PeerError

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
_SKEW = timedelta(hours=1)
"""A tablet's clock may be late."""
_LOCAL_NAMES = ("localhost", "local", "lan", "internal", "home.arpa")
_LOCAL_NETWORKS = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10",
    "::1/128",
)  # fmt: skip
_MAX_COMMON_NAME = 64

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class BadCertificate(PeerError):
    """A certificate or key that cannot be used, or a name that the authority does not vouch for."""

    code = "bad_certificate"


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, as PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Names:
    """What a server is reached by: host names in small letters, and addresses."""

    hosts: tuple[str, ...]
    addresses: tuple[Address, ...]

    @classmethod
    def of(cls, told: Iterable[str]) -> "Names":
        """Names as people and machines write them, each once. Raises BadCertificate."""
        hosts: dict[str, None] = {}
        addresses: dict[Address, None] = {}
        for text in told:
            try:
                addresses[ipaddress.ip_address(text)] = None
            except ValueError:
                hosts[_host(text)] = None
        return cls(tuple(hosts), tuple(addresses))


def new_authority(names: Names, now: datetime) -> Pair:
    """An authority for local networks and these names. It vouches for nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"sameday {names.hosts[0]} {now:%Y-%m-%d}")
    known: list[x509.GeneralName] = [x509.DNSName(host) for host in dict.fromkeys((*_LOCAL_NAMES, *names.hosts))]
    known += [x509.IPAddress(one) for one in _networks(names)]
    made = (
        _begun(name, name, key, now, timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.NameConstraints(known, None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pair(made, key)


def new_server(authority: Pair, names: Names, now: datetime) -> Pair:
    """A server's certificate of this authority. Raises BadCertificate."""
    vouching, signing = _read(authority)
    _check_vouches(vouching, names)
    end = min(now + timedelta(days=SERVER_DAYS), vouching.not_valid_after_utc)
    if end <= now:
        raise BadCertificate("The authority's time is over.", mend="Make a new one with --new-authority.")
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives: list[x509.GeneralName] = [x509.DNSName(host) for host in names.hosts]
    alternatives += [x509.IPAddress(address) for address in names.addresses]
    issuing = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    made = (
        _begun(_name(names.hosts[0]), vouching.subject, key, now, end - now)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuing, critical=False)
        .sign(signing, hashes.SHA256())
    )
    return _pair(made, key)


def until(certificate: bytes) -> datetime:
    """When a certificate's time is over. Raises BadCertificate."""
    return _certificate(certificate).not_valid_after_utc


def fingerprint(certificate: bytes) -> str:
    """The SHA-256 of a certificate, as devices show it. Raises BadCertificate."""
    return _certificate(certificate).fingerprint(hashes.SHA256()).hex(":").upper()


def as_der(certificate: bytes) -> bytes:
    """The certificate alone, as devices take it, whatever else the PEM holds. Raises BadCertificate."""
    return _certificate(certificate).public_bytes(serialization.Encoding.DER)


def hosts_of(certificate: bytes) -> tuple[str, ...]:
    """The host names that a certificate is for. Raises BadCertificate."""
    try:
        found = _certificate(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(found.value.get_values_for_type(x509.DNSName))


def _host(text: str) -> str:
    host = text.strip().rstrip(".").lower()
    labels = host.split(".")
    if not host.isascii() or len(host) > 253 or not all(_is_label(label) for label in labels):
        raise BadCertificate("Neither a host name nor an address.", mend="Such as desk.local or 192.168.1.20.")
    return host


def _is_label(label: str) -> bool:
    return 0 < len(label) <= 63 and label.replace("-", "a").isalnum() and label.strip("-") == label


def _networks(names: Names) -> list[Network]:
    local: list[Network] = [ipaddress.ip_network(one) for one in _LOCAL_NETWORKS]
    outside = [one for one in names.addresses if not any(one in network for network in local)]
    return local + [ipaddress.ip_network(one) for one in outside]


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:_MAX_COMMON_NAME])])


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, span: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + span)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Pair(certificate.public_bytes(pem), private)


def _read(pair: Pair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate = _certificate(pair.certificate)
    try:
        key = serialization.load_pem_private_key(pair.key, password=None)
    except (ValueError, TypeError):
        raise BadCertificate("The authority's key cannot be read.", mend="Put back a copy of it.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        raise BadCertificate("The authority's certificate and key do not belong together.")
    return certificate, key


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise BadCertificate("The file holds no certificate as PEM.") from None


def _check_vouches(authority: x509.Certificate, names: Names) -> None:
    """Devices refuse a certificate for a name outside of what its authority may vouch for. Raises BadCertificate."""
    try:
        bound = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    except x509.ExtensionNotFound:
        return
    known = [one.value for one in bound if isinstance(one, x509.DNSName)]
    networks = [
        one.value
        for one in bound
        if isinstance(one, x509.IPAddress) and isinstance(one.value, IPv4Network | IPv6Network)
    ]
    strange = [host for host in names.hosts if not any(host == one or host.endswith(f".{one}") for one in known)]
    strange += [str(one) for one in names.addresses if not any(one in network for network in networks)]
    if strange:
        raise BadCertificate(
            f"The authority was not made for {', '.join(strange)}.",
            mend="Make a new one with --new-authority; the devices have to trust it again.",
        )
