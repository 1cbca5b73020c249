"""`sameday certificate`: one command sets up TLS for the local network, and says how devices come to trust it."""

import argparse
import json
import socket
from datetime import UTC, datetime
from pathlib import Path

from streaming import local_authority, machine_addresses
from streaming.certificate_files import Folder
from streaming.local_authority import Names
from streaming.settings import Settings

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_TLS_PORT = 443


def add_certificate(parser: argparse.ArgumentParser) -> None:
    """What `sameday certificate` takes."""
    parser.add_argument(
        "--name", action="append", default=[], metavar="NAME", help="another host name or address; may come again"
    )
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="where the files lie (beside the data folder)")
    parser.add_argument(
        "--new-authority", action="store_true", help="put the authority aside and make another; devices trust it anew"
    )
    parser.set_defaults(run=_certificate)


def _certificate(chosen: argparse.Namespace, settings: Settings) -> int:
    folder = Folder((chosen.folder or settings.data_dir.with_name(f"{settings.data_dir.name}.tls")).absolute())
    names = Names.of([*chosen.name, *own_names(socket.gethostname()), *machine_addresses.usable(), *_THIS_MACHINE])
    had = folder.authority.exists() and not chosen.new_authority
    names = folder.renewed(names, datetime.now(UTC), new_authority=chosen.new_authority)
    print(said(folder, names, settings.port, first=not had))
    return 0


def own_names(host: str) -> list[str]:
    """What a machine of this name answers to: by its own name, and by multicast DNS."""
    short = host.partition(".")[0]
    return [f"{short}.local", *([host] if host != f"{short}.local" else [])]


def origins(names: Names, port: int) -> list[str]:
    """The addresses that browsers on other machines open, the steadiest first."""
    outside = [str(one) for one in names.addresses if one.version == 4 and not one.is_loopback]
    end = "" if port == _TLS_PORT else f":{port}"
    return [f"https://{one}{end}" for one in (*(name for name in names.hosts if name != "localhost"), *outside)]


def said(folder: Folder, names: Names, port: int, *, first: bool) -> str:
    """What was made, the settings it takes, and what is to be done on devices; `first` where none knows it yet."""
    authority = folder.authority.read_bytes()
    listed = ", ".join((*names.hosts, *map(str, names.addresses)))
    opened = origins(names, port)
    lines = [
        f"Certificate: {folder.server}",
        f"  until {local_authority.until(folder.server.read_bytes()):%Y-%m-%d}, for {listed}",
        f"Authority:   {folder.authority}",
        f"  until {local_authority.until(authority):%Y-%m-%d}, SHA-256 {local_authority.fingerprint(authority)}",
        "",
        "Settings (sameday.toml):",
        '  host = "0.0.0.0"',
        f"  allowed_origins = {json.dumps(opened)}",
        f"  tls_cert = {json.dumps(str(folder.server))}",
        f"  tls_key = {json.dumps(str(folder.server))}",
        f"  tls_authority = {json.dumps(str(folder.authority))}",
        "",
    ]
    if not first:
        return "\n".join(
            [*lines, "The authority is the one that devices know: start `sameday serve` again, no more."]
        )
    return "\n".join([*lines, *_trust(f"{opened[0]}/authority.crt")])


def _trust(address: str) -> list[str]:
    return [
        "Then `sameday user add` (where there is no account yet), `sameday serve`, and once on each device:",
        f"  open {address}, past the warning, and compare the SHA-256 above with what the device shows.",
        "  iPad, iPhone   Settings > Profile Downloaded > Install; then Settings > General > About >",
        "                 Certificate Trust Settings: switch it on.",
        "  Android        Settings > Security > Encryption & credentials > Install a certificate > CA certificate.",
        "  Windows        open the file > Install Certificate > Local Machine > Trusted Root Certification",
        "                 Authorities.",
        "  macOS          open the file; in Keychain Access: Trust > Always Trust.",
        "Run this command again before the certificate's day, and when the machine's address changes.",
        "Keep authority.key to yourself: who has it can pass for this server.",
    ]
