"""schemathesis reads /openapi.json and tries what it says."""

import json

import hypothesis
import pytest
import requests
import schemathesis
from harness import KEY, Proxy, Upstream, config, json_answer
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as said

COMPLETION = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "up",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}

upstream = Upstream(lambda *_: json_answer(COMPLETION))
settings = json.loads(config(upstream.origin))
# Whatever name is made up leads to the upstream, so that most tries are calls.
settings["model_list"].append(
    {
        "model_name": "*",
        "litellm_params": {
            "model": "openai/*",
            "api_base": upstream.origin + "/v1",
            "api_key": "sk-credential-for-upstream",
        },
    }
)
proxy = Proxy(json.dumps(settings))
document = requests.get(proxy.url + "/openapi.json", timeout=20).json()
# What is passed on is the upstream's to answer; this one knows JSON only.
calls = schemathesis.openapi.from_dict(document)
calls.config.update(base_url=proxy.url)
calls = calls.include(lambda each: "passed on" not in each.operation.tags)


@pytest.fixture(scope="module", autouse=True)
def running():
    yield
    proxy.stop()
    upstream.stop()


@calls.parametrize()
@hypothesis.settings(
    max_examples=4,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
def test_a_description_holds(case):
    case.call_and_validate(
        headers={"authorization": f"Bearer {KEY}"},
        timeout=20,
        checks=[
            not_a_server_error,
            said.status_code_conformance,
            said.content_type_conformance,
            said.response_schema_conformance,
        ],
    )
