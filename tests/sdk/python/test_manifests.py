"""The manifests in deploy/ are right, as far as that can be known without a cluster or a builder."""

import json
import os
import re
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
SIDECAR = ROOT / "deploy" / "kubernetes" / "sidecar.yaml"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
# The oldest version that the manifest promises, and the newest whose schemas are at hand.
VERSIONS = ["1.29", kubernetes_validate.latest_version()]
BUILT_IN = ["Secret", "ConfigMap", "Deployment"]


def documents():
    with SIDECAR.open() as file:
        return {document["kind"]: document for document in yaml.safe_load_all(file)}


def pod():
    return documents()["Deployment"]["spec"]["template"]


def sidecar():
    return named(pod()["spec"]["initContainers"])["bartizan"]


def app():
    return named(pod()["spec"]["containers"])["app"]


def named(items):
    return {item["name"]: item for item in items}


def port(name):
    return named(sidecar()["ports"])[name]["containerPort"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", BUILT_IN)
def test_each_object_passes_the_schema_of_kubernetes(kind, version):
    kubernetes_validate.validate(documents()[kind], version, strict=True)


def test_the_schema_check_refuses_a_misspelt_field():
    broken = documents()["Deployment"]
    broken["spec"]["template"]["spec"]["initContainers"][0]["restartPolicies"] = "Always"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSIONS[0], strict=True)


def test_the_file_holds_these_objects_and_no_others():
    assert sorted(documents()) == sorted([*BUILT_IN, "PodMonitor"])


def test_the_sidecar_is_native_and_nothing_but_a_sidecar():
    assert sidecar()["restartPolicy"] == "Always"
    assert len(pod()["spec"]["initContainers"]) == 1


def test_probes_ask_the_ops_listener():
    paths = {
        "startupProbe": "/health/readiness",
        "readinessProbe": "/health/readiness",
        "livenessProbe": "/health/liveliness",
    }
    for probe, path in paths.items():
        assert sidecar()[probe]["httpGet"] == {"path": path, "port": "ops"}, probe
    env = named(sidecar()["env"])
    assert env["OPS_LISTEN"]["value"] == f"0.0.0.0:{port('ops')}"


def test_the_pod_monitor_scrapes_the_ops_listener_of_these_pods():
    monitor = documents()["PodMonitor"]
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert set(monitor["spec"]) == {"selector", "podMetricsEndpoints"}
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert set(endpoint) <= {"port", "path", "interval"}
    assert (endpoint["port"], endpoint["path"]) == ("ops", "/metrics")
    wanted = monitor["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= pod()["metadata"]["labels"].items()


def test_the_app_finds_the_sidecar_on_the_calls_listener():
    assert named(app()["env"])["OPENAI_BASE_URL"]["value"] == f"http://localhost:{port('calls')}/v1"
    args = sidecar()["args"]
    assert args[args.index("--port") + 1] == str(port("calls"))
    # Only the pod itself: the calls listener is for the app beside it.
    assert named(sidecar()["env"])["HOST"]["value"] == "127.0.0.1"


def test_the_sidecar_asks_for_little_and_may_do_little():
    assert sidecar()["resources"] == {
        "requests": {"cpu": "10m", "memory": "16Mi"},
        "limits": {"memory": "128Mi"},
    }
    rights = sidecar()["securityContext"]
    assert rights["runAsNonRoot"] is True
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert rights["seccompProfile"] == {"type": "RuntimeDefault"}


def test_each_secret_that_is_asked_for_exists():
    secret = documents()["Secret"]
    for container in (sidecar(), app()):
        for variable in container["env"]:
            if "valueFrom" in variable:
                reference = variable["valueFrom"]["secretKeyRef"]
                assert reference["name"] == secret["metadata"]["name"]
                assert reference["key"] in secret["stringData"], variable["name"]


def test_each_mount_has_its_volume_and_its_config():
    volumes = named(pod()["spec"]["volumes"])
    for mount in sidecar()["volumeMounts"]:
        assert mount["name"] in volumes
    config = documents()["ConfigMap"]
    assert volumes["bartizan-config"]["configMap"]["name"] == config["metadata"]["name"]
    args = sidecar()["args"]
    mount = named(sidecar()["volumeMounts"])["bartizan-config"]
    path = Path(args[args.index("--config") + 1])
    assert str(path.parent) == mount["mountPath"]
    assert path.name in config["data"]


def test_the_pod_outlives_the_drain():
    assert pod()["spec"]["terminationGracePeriodSeconds"] > 25


def test_bartizan_accepts_the_config_of_the_config_map(tmp_path):
    binary = os.environ.get("BARTIZAN_BIN")
    if not binary:
        pytest.skip("BARTIZAN_BIN does not name the built binary")
    file = tmp_path / "config.yaml"
    file.write_text(documents()["ConfigMap"]["data"]["config.yaml"])
    keys = documents()["Secret"]["stringData"]
    env = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    for variable in sidecar()["env"]:
        reference = variable.get("valueFrom", {}).get("secretKeyRef")
        env[variable["name"]] = keys[reference["key"]] if reference else variable["value"]
    done = subprocess.run(
        [binary, "check", str(file)],
        env=env, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_excerpt_in_the_readme_is_part_of_the_manifest():
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    (excerpt,) = [block for block in blocks if "initContainers" in block]
    assert len(excerpt.splitlines()) <= 12
    assert_part(yaml.safe_load(excerpt), pod()["spec"], "spec")


def assert_part(part, whole, place):
    """Every key of `part` is in `whole`; lists of named things are compared by name."""
    if isinstance(part, dict):
        for key, value in part.items():
            assert key in whole, f"{place}.{key}"
            assert_part(value, whole[key], f"{place}.{key}")
    elif isinstance(part, list) and all(isinstance(item, dict) for item in part):
        for name, item in named(part).items():
            assert name in named(whole), f"{place}[{name}]"
            assert_part(item, named(whole)[name], f"{place}[{name}]")
    else:
        assert part == whole, place


# The Dockerfile


def instructions():
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    return [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]


def final_stage():
    everything = instructions()
    last = max(i for i, (word, _) in enumerate(everything) if word == "FROM")
    return everything[last:]


def of_final(word):
    return [rest for name, rest in final_stage() if name == word]


def test_the_image_holds_nothing_but_ours():
    assert of_final("FROM") == ["scratch"]
    stages = {rest.split(" AS ")[1] for word, rest in instructions() if " AS " in rest}
    for copy in of_final("COPY"):
        assert re.match(r"--from=(\w+) ", copy).group(1) in stages


def test_the_image_runs_as_the_user_of_the_manifest():
    (user,) = of_final("USER")
    rights = sidecar()["securityContext"]
    assert user == f"{rights['runAsUser']}:{rights['runAsGroup']}"
    assert rights["runAsUser"] != 0


def test_the_image_takes_the_arguments_of_litellms():
    (entry,) = of_final("ENTRYPOINT")
    assert json.loads(entry) == ["/bartizan"]
    assert of_final("CMD") == []
    assert of_final("EXPOSE") == [str(port("calls"))]
    assert "HOST=0.0.0.0" in of_final("ENV")


def test_state_is_the_only_place_that_is_written():
    (volume,) = of_final("VOLUME")
    (state,) = json.loads(volume)
    assert named(sidecar()["volumeMounts"])["bartizan-state"]["mountPath"] == state
    assert f"XDG_STATE_HOME={Path(state).parent}" in of_final("ENV")


def test_the_build_uses_the_toolchain_that_the_code_asks_for():
    manifest = (ROOT / "Cargo.toml").read_text()
    version = re.search(r'rust-version = "([\d.]+)"', manifest).group(1)
    assert instructions()[0][1].startswith(f"rust:{version}-")


def test_the_build_sees_what_it_needs_and_no_more():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    kept = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert {"Cargo.toml", "Cargo.lock", ".cargo", "src", "layers", "README.md"} <= kept
    run = " ".join(rest for word, rest in instructions() if word == "RUN")
    for licence in ("LICENSE-MIT", "LICENSE-APACHE"):
        assert licence in run and licence in kept and (ROOT / licence).exists()
