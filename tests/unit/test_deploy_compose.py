"""The image and compose.yaml: valid, every setting one that there is, and nothing open that need not be."""

import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml
from deploy_files import PREFIX, ROOT, composed, variables

from streaming.settings import Settings, unknown_variables

pytestmark = pytest.mark.unit

DOCKERFILE = (ROOT / "Dockerfile.gpu").read_text()


def image_environment() -> dict[str, str]:
    """The settings that the image sets."""
    return dict(re.findall(rf"({PREFIX}\w+)=(\S+)", DOCKERFILE.rpartition("\nFROM ")[2]))


def checked(spec: dict[str, Any]) -> None:
    """By the compose specification, and that what services name is there. Raises ValueError."""
    compose_spec.PyCompose.from_yaml(yaml.safe_dump(spec)).validate()
    for name, service in spec["services"].items():
        named = {volume.partition(":")[0] for volume in service.get("volumes", []) if volume[0] not in "./"}
        if unknown := (named - spec["volumes"].keys()) | (
            set(service.get("depends_on", ())) - spec["services"].keys()
        ):
            raise ValueError(f"{name}: no {unknown}")


def test_the_image_passes_the_linter() -> None:
    found = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), ROOT / "Dockerfile.gpu"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_the_image_runs_as_nobody_in_particular_and_holds_the_whole_project() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER ([1-9]\d*):([1-9]\d*)$", final, re.MULTILINE)
    assert "HEALTHCHECK" in final
    sources = [
        line.split()[1:-1] for line in DOCKERFILE.splitlines() if line.startswith("COPY") and "--from" not in line
    ]
    copied = {source for group in sources for source in group}
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert copied >= {package.partition(".")[0] for package in packages}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == allowed
    assert all((ROOT / source).exists() for source in copied)


def test_compose_is_valid_by_its_specification() -> None:
    checked(composed())


@pytest.mark.parametrize(
    "broken", [{"comand": ["x"]}, {"ports": "6379"}, {"volumes": ["nowhere:/data"]}, {"depends_on": ["nobody"]}]
)
def test_what_compose_would_refuse_is_refused_here(broken: dict[str, Any]) -> None:
    services = composed()["services"]
    with pytest.raises(ValueError, match=r"\w"):
        checked(composed() | {"services": services | {"redis": services["redis"] | broken}})


def test_every_setting_named_is_one_that_there_is_and_its_value_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    given = image_environment() | composed()["services"]["sameday"]["environment"]
    assert unknown_variables(given) == {}
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.store == "redis://:a1b2@127.0.0.1:6379/0"
    assert settings.ice_servers[0].url == "turn:192.0.2.7:3478?transport=udp"
    assert (settings.recognizer, settings.recognizer_device) == ("faster-whisper", "cuda")
    assert f"--served-model-name={settings.writer_model}" in composed()["services"]["vllm"]["command"]


def test_ports_are_published_on_loopback_alone_and_versions_are_pinned() -> None:
    for name, service in composed()["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert re.search(r":(?!latest)[\w.-]+$", service["image"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    services = composed()["services"]
    assert services["sameday"]["read_only"]
    assert services["sameday"]["cap_drop"] == ["ALL"]
    assert "--web.listen-address=127.0.0.1:9090" in services["prometheus"]["command"]
    assert services["grafana"]["environment"]["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"


def test_redis_keeps_what_it_acknowledges() -> None:
    command = " ".join(composed()["services"]["redis"]["command"])
    for option in ("--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction"):
        assert option in command


def test_mounted_files_are_there() -> None:
    mounts = [mount for service in composed()["services"].values() for mount in service.get("volumes", [])]
    own = [mount.partition(":")[0] for mount in mounts if mount.startswith("./")]
    assert len(own) == 3
    assert all((ROOT / path).is_dir() for path in own)


def _up(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    script = folder / "deploy" / "up"
    script.parent.mkdir(exist_ok=True)
    script.write_text((ROOT / "deploy" / "up").read_text())
    return subprocess.run(
        ["bash", script, "--env"], env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_the_one_command_makes_all_that_compose_asks_for_and_makes_it_once(tmp_path: Path) -> None:
    assert _up(tmp_path, HOST_ADDRESS="192.0.2.7").returncode == 0
    made = tmp_path / ".env"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    lines = dict(line.split("=") for line in made.read_text().splitlines() if not line.startswith("#"))
    needed = {name for name, default in variables((ROOT / "compose.yaml").read_text()).items() if default is None}
    assert lines.keys() == needed
    assert lines.pop("HOST_ADDRESS") == "192.0.2.7"
    assert all(re.fullmatch(r"[0-9a-f]{64}", secret) for secret in lines.values())
    assert len(set(lines.values())) == len(lines)
    before = made.read_text()
    assert _up(tmp_path, HOST_ADDRESS="192.0.2.8").returncode == 0
    assert made.read_text() == before
