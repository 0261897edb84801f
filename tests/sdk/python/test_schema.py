"""`bartizan schema` is a JSON schema, and configs that people run are valid by it."""

import json
import os
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from harness import ROOT, binary

SHARED = Path(os.environ.get("BARTIZAN_CONFIGS") or ROOT.parent / "shared" / "configs")
MISTAKES = ROOT / "tests" / "it" / "check"


@pytest.fixture(scope="module")
def schema():
    done = subprocess.run([binary(), "schema"], capture_output=True, timeout=30, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def validator(schema):
    return jsonschema.Draft202012Validator(schema)


def found(validator, config):
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(config)]


def configs():
    return [*sorted(SHARED.glob("*.yaml")), ROOT / "deploy" / "config.example.yaml"]


def test_it_is_a_schema_of_its_draft(schema):
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", configs(), ids=lambda path: path.name)
def test_configs_that_people_run_are_valid(validator, path):
    assert found(validator, yaml.safe_load(path.read_text())) == []


def test_configs_that_the_check_passes_are_valid(validator):
    mended = sorted(MISTAKES.glob("*/fixed.yaml"))
    assert len(mended) >= 100
    wrong = {path.parent.name: found(validator, yaml.safe_load(path.read_text())) for path in mended}
    assert {name: errors for name, errors in wrong.items() if errors} == {}


@pytest.mark.parametrize(
    "config",
    [
        {"model_list": {"small": "openai/gpt-4o"}},
        {"model_list": [{"model_name": "small"}]},
        {"model_list": [{"model_name": "small", "litellm_params": {"api_key": "k"}}]},
        {"litellm_settings": {"request_timeout": "soon"}},
        {"litellm_settings": {"cache_params": {"type": "rediss"}}},
        {"router_settings": {"fallbacks": {"small": ["large"]}}},
        {"router_settings": {"redis_port": 637900}},
        {"general_settings": {"master_key": ["k"]}},
        {"general_settings": {"allowed_ips": {"a": 1}}},
        {"general_settings": {"ops_tls": "cert.pem"}},
        {"general_settings": {"tls": {"certificates": [{"certificate": "a"}]}}},
    ],
    ids=json.dumps,
)
def test_wrong_values_are_not_valid(validator, config):
    assert found(validator, config) != []


@pytest.mark.parametrize(
    "config",
    [
        {"x-anchors": [1], "nobody_knows_this": 5},
        {"litellm_settings": {"request_timeout": "os.environ/SECONDS", "drop_params": "True"}},
        {"litellm_settings": {"request_timeout": "300", "callbacks": "prometheus"}},
        {"general_settings": None, "model_list": None},
        {"general_settings": {"ops_tls": True, "tls": {"certificates": [{"certificate": "a", "key": "b"}]}}},
        {"credential_list": [{"credential_name": "team", "credential_values": {"api_key": "k"}}]},
        {"router_settings": {"default_litellm_params": {"temperature": 0}}},
    ],
    ids=json.dumps,
)
def test_what_the_program_takes_is_valid(validator, config):
    assert found(validator, config) == []
