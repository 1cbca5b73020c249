"""What the doctor says of the machine, on files and ports made for it."""

import ctypes.util
import socket
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import ifaddr
import pytest

from streaming import doctor, doctor_machine, machine_addresses
from streaming.errors import EngineMissing
from streaming.findings import Finding
from streaming.settings import Settings

pytestmark = pytest.mark.unit

MEMINFO = "MemTotal: 8000000 kB\nMemAvailable: {} kB\n"


def machine(**given: object) -> Settings:
    return Settings.model_validate({"data_dir": "/nowhere", "port": 0} | given)


def one(findings: Iterable[Finding]) -> Finding:
    (finding,) = findings
    return finding


def test_only_a_failure_fails() -> None:
    assert not doctor.failed([Finding("a", "ok", ""), Finding("b", "warn", "")])
    assert doctor.failed([Finding("a", "ok", ""), Finding("b", "fail", "")])


def test_the_report_shows_what_to_do() -> None:
    assert doctor.report([Finding("a", "ok", "fine."), Finding("b", "fail", "gone.", "Bring it back.")]) == (
        "ok    a: fine.\nFAIL  b: gone.\n      -> Bring it back."
    )


def test_a_check_that_breaks_is_a_finding_without_the_errors_text() -> None:
    def _some_check(settings: Settings) -> list[Finding]:
        raise RuntimeError("hunter2")

    assert doctor._guarded(_some_check, machine()) == [
        Finding("some check", "fail", "could not be examined (RuntimeError).")
    ]


def test_an_engine_that_is_missing_says_what_to_do() -> None:
    def _engine(settings: Settings) -> list[Finding]:
        raise EngineMissing("No weights.", mend="Install them.")

    assert doctor._guarded(_engine, machine()) == [Finding("engine", "fail", "No weights.", "Install them.")]


def test_more_threads_than_cores_are_warned_of() -> None:
    assert one(doctor_machine.cores(machine(recognizer_threads=1))).state == "ok"
    assert one(doctor_machine.cores(machine(recognizer_threads=256))).state == "warn"


def test_a_containers_share_of_cores_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_machine, "_CGROUP", tmp_path)
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert doctor_machine._usable_cores() == 0.5
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert doctor_machine._usable_cores() >= 1


@pytest.mark.parametrize(("kib", "state"), [(4_000_000, "ok"), (500_000, "warn")])
def test_little_memory_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kib: int, state: str) -> None:
    monkeypatch.setattr(doctor_machine, "_CGROUP", tmp_path)
    monkeypatch.setattr(doctor_machine, "_MEMINFO", tmp_path / "meminfo")
    (tmp_path / "meminfo").write_text(MEMINFO.format(kib))
    assert one(doctor_machine.memory(machine())).state == state


def test_a_containers_limit_of_memory_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_machine, "_CGROUP", tmp_path)
    monkeypatch.setattr(doctor_machine, "_MEMINFO", tmp_path / "meminfo")
    (tmp_path / "meminfo").write_text(MEMINFO.format(4_000_000))
    (tmp_path / "memory.max").write_text("1000000000\n")
    (tmp_path / "memory.current").write_text("900000000\n")
    assert one(doctor_machine.memory(machine())) == Finding("memory", "warn", "0.1 GiB free.", "Have 1 GiB free.")


def test_a_port_in_use_by_another_program_fails() -> None:
    with socket.socket() as other:  # bound and not listening: nothing answers there
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        finding = one(doctor_machine.port(machine(port=port)))
    assert finding.state == "fail"
    assert "SAMEDAY_PORT" in finding.mend
    assert one(doctor_machine.port(machine(port=port))).state == "ok"


def test_a_data_folder_yet_to_be_made_is_fine(tmp_path: Path) -> None:
    assert one(doctor_machine.data_folder(machine(data_dir=tmp_path / "a" / "b"))).state == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_that_others_read_is_warned_of(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert one(doctor_machine.data_folder(machine(data_dir=tmp_path))).mend == f"chmod 700 {tmp_path}"
    tmp_path.chmod(0o700)
    assert one(doctor_machine.data_folder(machine(data_dir=tmp_path))).state == "ok"


def test_a_data_folder_that_is_a_file_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert one(doctor_machine.data_folder(machine(data_dir=tmp_path / "file" / "x"))).state == "fail"


@pytest.mark.parametrize(
    ("device", "driver", "cublas", "state"),
    [
        ("auto", False, False, "warn"),
        ("cuda", False, False, "fail"),
        ("cuda", True, False, "fail"),
        ("auto", True, False, "warn"),
        ("cuda", True, True, "ok"),
        ("cpu", False, False, "ok"),
    ],
)
def test_cuda_is_needed_where_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, device: str, driver: bool, cublas: bool, state: str
) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: "libcuda.so.1" if driver else None)
    monkeypatch.setattr(doctor_machine, "_has_cublas", lambda: cublas)
    settings = machine(recognizer="faster-whisper", recognizer_model="tiny", recognizer_device=device)
    assert one(doctor_machine.graphics(settings)).state == state


def test_an_address_counts_for_others_unless_it_is_loopback_or_link_local(monkeypatch: pytest.MonkeyPatch) -> None:
    told = ["127.0.0.1", "10.0.0.2", ("::1", 0, 0), ("fe80::1", 0, 0), ("fd00::1", 0, 0)]
    adapters = [SimpleNamespace(ips=[SimpleNamespace(ip=ip) for ip in told])]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: adapters)
    assert machine_addresses.usable() == ["10.0.0.2", "fd00::1"]
    assert one(doctor_machine.addresses(machine())).says == "2 addresses for WebRTC media."
