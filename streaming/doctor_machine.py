"""What `sameday doctor` asks of the machine: processor, memory, disk, network, graphics card, programs."""

import ctypes.util
import http.client
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from streaming import local_authority, machine_addresses
from streaming.findings import Finding, State
from streaming.settings import Settings

_GIB = 1 << 30
_MEMORY_GIB = 1.0  # engines, server and sixteen sessions measure under this
_DISK_WARN_GIB = 2.0  # an hour of one track is 0.11 GiB until its session has ended
_DISK_FAIL_GIB = 0.2
_CERTIFICATE_WARN_DAYS = 30
_CGROUP = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")


def cores(settings: Settings) -> Iterator[Finding]:
    """Processors that this process may use, against the threads that the settings ask for."""
    usable = _usable_cores()
    asked = settings.recognizer_threads + settings.diarizer_threads
    says = f"{usable:g} usable, {asked} threads for models."
    if max(settings.recognizer_threads, settings.diarizer_threads) > usable:
        yield Finding("cores", "warn", says, "Lower recognizer_threads and diarizer_threads: more threads only wait.")
    else:
        yield Finding("cores", "ok", says)


def _usable_cores() -> float:
    """Processors this process may run on, or the container's share where that is less."""
    count = float(len(os.sched_getaffinity(0)))
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        return count if quota == "max" else min(count, int(quota) / int(period))
    except (OSError, ValueError):
        return count


def memory(settings: Settings) -> Iterator[Finding]:
    """Memory that can still be had, of the machine or of the container."""
    try:
        fields = dict(line.split(":") for line in _MEMINFO.read_text().splitlines())
        free = int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        yield Finding("memory", "warn", "how much there is cannot be read on this system.")
        return
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        free = min(free, limit - int((_CGROUP / "memory.current").read_text()))
    except (OSError, ValueError):
        pass  # no container, or one without a limit
    says = f"{free / _GIB:.1f} GiB free."
    if free < _MEMORY_GIB * _GIB:
        yield Finding("memory", "warn", says, f"Have {_MEMORY_GIB:g} GiB free.")
    else:
        yield Finding("memory", "ok", says)


def port(settings: Settings) -> Iterator[Finding]:
    """Whether the server could listen; one that answers already is no fault."""
    place = f"{settings.host}:{settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            if _answers(settings):
                yield Finding("port", "ok", f"{place}: a server of ours is running there.")
            else:
                mend = "End what listens there, or set SAMEDAY_PORT to another port."
                yield Finding("port", "fail", f"{place}: {os.strerror(error.errno or 0)}.", mend)
            return
    yield Finding("port", "ok", f"{place} is free.")


def _answers(settings: Settings) -> bool:
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def data_folder(settings: Settings) -> Iterator[Finding]:
    """Whether the log can be written, has room, and is read by its owner only."""
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    mend = "Set SAMEDAY_DATA_DIR to a folder that you may write to."
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        yield Finding("data folder", "fail", f"{folder}: {os.strerror(error.errno or 0)}.", mend)
        return
    free = shutil.disk_usage(existing).free / _GIB
    says = f"{folder}: {free:.1f} GiB free."
    if free < _DISK_FAIL_GIB:
        yield Finding("data folder", "fail", says, "Free disk space: the log could not be written.")
    elif free < _DISK_WARN_GIB:
        yield Finding("data folder", "warn", says, "Free disk space: an hour of audio takes 0.11 GiB per track.")
    elif existing == folder and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        yield Finding("data folder", "warn", f"{says} Others on this machine can list it.", f"chmod 700 {folder}")
    else:
        yield Finding("data folder", "ok", says)


def local_redis() -> Finding:
    """Redis is optional; said so that nobody looks for it."""
    try:
        with socket.create_connection(("127.0.0.1", 6379), timeout=0.5):
            return Finding("redis", "ok", "not used; one runs on this machine (SAMEDAY_STORE=redis://127.0.0.1).")
    except OSError:
        return Finding("redis", "ok", "not used, and not needed by one node.")


def graphics(settings: Settings) -> Iterator[Finding]:
    """What faster-whisper needs of CUDA, where it may use it."""
    driver = ctypes.util.find_library("cuda") is not None
    if settings.recognizer != "faster-whisper":
        says = (
            "an NVIDIA driver is there; the embedded recognizer does not use it." if driver else "none, none needed."
        )
        yield Finding("gpu", "ok", says)
        return
    state: State = "fail" if settings.recognizer_device.startswith("cuda") else "warn"
    if settings.recognizer_device == "cpu":
        yield Finding("gpu", "ok", "not used: recognizer_device is cpu.")
    elif not driver:
        yield Finding("gpu", state, "no NVIDIA driver (libcuda).", "Install it, or set recognizer_device to cpu.")
    elif not _has_cublas():
        mend = "pip install nvidia-cublas-cu12 nvidia-cudnn-cu12; CUDA 13 libraries alone do not serve."
        yield Finding("gpu", state, "libcublas.so.12 is missing, which CTranslate2 loads.", mend)
    else:
        yield Finding("gpu", "ok", "NVIDIA driver and libcublas.so.12 are there.")


def _has_cublas() -> bool:
    spec = find_spec("nvidia")
    wheels = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    if any((folder / "cublas" / "lib" / "libcublas.so.12").exists() for folder in wheels):
        return True
    try:
        ctypes.CDLL("libcublas.so.12")
    except OSError:
        return False
    return True


def addresses(settings: Settings) -> Iterator[Finding]:
    """WebRTC media needs an address other than loopback, also on one machine: ICE leaves loopback out."""
    found = machine_addresses.usable()
    if found:
        yield Finding("network", "ok", f"{len(found)} addresses for WebRTC media.")
    else:
        mend = "Connect a network, or use the WebSocket path, which needs none."
        yield Finding("network", "warn", "no address but loopback: WebRTC media cannot flow.", mend)


def certificate(settings: Settings) -> Iterator[Finding]:
    """Whether the server's certificate holds for a while yet."""
    if settings.tls_cert is None:
        return
    until = local_authority.until(settings.tls_cert.read_bytes())
    left = (until - datetime.now(UTC)).days
    mend = "Renew it: `sameday certificate` where it is of your own authority; then start the server again."
    state: State = "fail" if left < 0 else "warn" if left < _CERTIFICATE_WARN_DAYS else "ok"
    yield Finding("certificate", state, f"holds until {until:%Y-%m-%d}.", "" if state == "ok" else mend)


def test_programs(settings: Settings) -> Iterable[Finding]:
    """Programs that only `make test` and the generator of the bundled session use."""
    missing = [name for name in ("chromium", "redis-server", "flite") if shutil.which(name) is None]
    if missing:
        yield Finding("test programs", "warn", f"only for tests, missing: {', '.join(missing)}.", "scripts/setup dev")
    else:
        yield Finding("test programs", "ok", "chromium, redis-server and flite are there.")
