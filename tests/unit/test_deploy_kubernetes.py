"""The Kubernetes base: valid by schema, its parts fit each other, and a server has only what it needs."""

import json
from typing import Any

import kubernetes_validate
import promql_parser
import pytest
from deploy_files import BASE, PREFIX, ROOT, documents, expressions, lines_of, pod, resources

from streaming.settings import Settings, unknown_variables

pytestmark = pytest.mark.unit

GPU = BASE.parent / "gpu"
LABELS = {"app": "sameday"}
PLAIN = {f"{PREFIX}DATA_DIR", f"{PREFIX}KEY_COMMAND", f"{PREFIX}NODE_URL"}
"""Variables whose value stands in the file: where secrets lie, not what they are."""


def containers() -> list[dict[str, Any]]:
    """Of a server's pod, sidecars too."""
    return [*pod()["initContainers"], *pod()["containers"]]


def server() -> dict[str, Any]:
    """The server's own container."""
    (one,) = pod()["containers"]
    return dict(one)


@pytest.mark.parametrize("name", sorted(resources()))
def test_each_resource_is_valid_by_schema(name: str) -> None:
    kubernetes_validate.validate(resources()[name], kubernetes_validate.latest_version(), strict=True)


def test_the_pod_for_commands_is_valid_and_opens_the_same_store() -> None:
    (account,) = documents(BASE.parent / "account.yaml")
    kubernetes_validate.validate(account, kubernetes_validate.latest_version(), strict=True)
    (container,) = account["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    servers = {one["name"]: one for one in server()["env"]}
    for variable in container["env"]:
        if variable["name"] != f"{PREFIX}DATA_DIR":
            assert variable == servers[variable["name"]]


def test_a_misspelt_field_is_found() -> None:
    broken = json.loads(json.dumps(resources()["PodDisruptionBudget/sameday"]))
    broken["spec"]["maxUnavailble"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, kubernetes_validate.latest_version(), strict=True)


def test_every_file_is_named_and_every_name_is_a_file() -> None:
    kustomization = documents(BASE / "kustomization.yaml")[0]
    generated = [
        name.rpartition("=")[2]
        for made in kustomization["configMapGenerator"]
        for name in [*made.get("envs", []), *made.get("files", [])]
    ]
    assert {one.name for one in BASE.iterdir()} == {"kustomization.yaml", *kustomization["resources"], *generated}


def test_every_container_is_closed() -> None:
    assert pod()["securityContext"]["runAsNonRoot"]
    assert not pod()["automountServiceAccountToken"]
    for one in containers():
        closed = one["securityContext"]
        assert closed["readOnlyRootFilesystem"], one["name"]
        assert closed["capabilities"] == {"drop": ["ALL"]}, one["name"]
        assert not closed["allowPrivilegeEscalation"], one["name"]
        assert one["resources"]["limits"]["memory"], one["name"]


def test_secrets_come_by_reference_and_no_resource_holds_one() -> None:
    assert not any(name.startswith("Secret/") for name in resources())
    for one in containers():
        for variable in one.get("env", []):
            assert "value" not in variable or variable["name"] in PLAIN, variable["name"]
    assert not set(lines_of(BASE / "settings.env")) & {
        f"{PREFIX}STORE",
        f"{PREFIX}ICE_SERVERS",
        f"{PREFIX}WRITER_API_KEY",
    }


@pytest.mark.parametrize("folders", [(BASE,), (BASE, GPU)], ids=["base", "gpu"])
def test_every_setting_named_is_one_that_there_is(folders: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: value for folder in folders for name, value in lines_of(folder / "settings.env").items()}
    referred = {one["name"]: "" for one in server()["env"] if one["name"].startswith(PREFIX)}
    assert unknown_variables(given | referred) == {}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.recognizer == ("faster-whisper" if GPU in folders else "embedded")
    assert settings.log_format == "json"


def test_a_server_has_time_to_go() -> None:
    pause = int(server()["lifecycle"]["preStop"]["exec"]["command"][1])
    # uvicorn waits 30 s for connections, and a session's note is to be written.
    assert pod()["terminationGracePeriodSeconds"] >= pause + 30 + 30
    assert all(one["restartPolicy"] == "Always" for one in pod()["initContainers"])


def test_a_server_is_asked_how_it_is_the_way_the_image_can_tell() -> None:
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert server()[probe]["exec"]["command"][1:] == ["/opt/sameday/health.py", "healthz"]
        assert server()[probe]["timeoutSeconds"] > 4
    assert "deploy/health.py /opt/sameday/health.py" in (ROOT / "Dockerfile.gpu").read_text()


def test_the_parts_name_each_other() -> None:
    stateful = resources()["StatefulSet/sameday"]["spec"]
    assert stateful["template"]["metadata"]["labels"] == LABELS
    assert f"Service/{stateful['serviceName']}" in resources()
    ports = {port["name"] for one in containers() for port in one.get("ports", [])}
    for name in ("Service/sameday", "Service/sameday-nodes"):
        service = resources()[name]["spec"]
        assert service["selector"] == LABELS
        assert {port["targetPort"] for port in service["ports"]} <= ports
    assert resources()["PodDisruptionBudget/sameday"]["spec"]["selector"]["matchLabels"] == LABELS
    assert resources()["NetworkPolicy/sameday"]["spec"]["podSelector"]["matchLabels"] == LABELS
    target = resources()["HorizontalPodAutoscaler/sameday"]["spec"]["scaleTargetRef"]
    assert f"{target['kind']}/{target['name']}" in resources()
    (rule,) = resources()["Ingress/sameday"]["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert f"Service/{path['backend']['service']['name']}" in resources()
    mounts = {mount["name"] for one in containers() for mount in one.get("volumeMounts", [])}
    assert mounts == {volume["name"] for volume in pod()["volumes"]}


def test_the_browser_s_address_is_the_one_that_the_server_answers_to() -> None:
    (rule,) = resources()["Ingress/sameday"]["spec"]["rules"]
    origins = json.loads(lines_of(BASE / "settings.env")[f"{PREFIX}ALLOWED_ORIGINS"])
    assert origins == [f"https://{rule['host']}"]


def test_the_autoscaler_s_figures_are_those_that_the_adapter_gives() -> None:
    metrics = resources()["HorizontalPodAutoscaler/sameday"]["spec"]["metrics"]
    asked = {metric["pods"]["metric"]["name"] for metric in metrics}
    rules = documents(BASE.parent / "adapter-rule.yaml")[0]["rules"]["custom"]
    assert asked == {rule.get("name", {}).get("as") or rule["seriesQuery"].partition("{")[0] for rule in rules}


def test_the_gpu_s_patch_fits_what_it_patches() -> None:
    (patch,) = documents(GPU / "nodes.yaml")
    assert f"{patch['kind']}/{patch['metadata']['name']}" in resources()
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    assert container["name"] == server()["name"]
    assert container["resources"]["limits"] == {"nvidia.com/gpu": 1}


def test_every_expression_is_promql() -> None:
    found = list(expressions())
    assert len(found) > 25
    for where, expression in found:
        assert promql_parser.parse(expression), where


def test_every_alert_has_its_place_in_the_runbook() -> None:
    headings = {
        line[4:].strip() for line in (ROOT / "docs" / "operations.md").read_text().splitlines() if line[:4] == "### "
    }
    (alerts,) = documents(ROOT / "deploy" / "prometheus" / "alerts.yml")[0]["groups"]
    for rule in alerts["rules"]:
        assert rule["alert"] in headings
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
