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


@pytest.fixture(scope="module")
def described():
    upstream = Upstream(lambda *_: json_answer(COMPLETION))
    settings = json.loads(config(upstream.origin))
    # Whatever name is made up leads to the upstream, so that most tries are calls.
    params = {**settings["model_list"][0]["litellm_params"], "model": "openai/*"}
    settings["model_list"].append({"model_name": "*", "litellm_params": params})
    proxy = Proxy(json.dumps(settings))
    document = requests.get(proxy.url + "/openapi.json", timeout=20).json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=proxy.url)
    # What is passed on is the upstream's to answer; this one knows JSON only.
    yield schema.include(lambda each: "passed on" not in each.operation.tags)
    proxy.stop()
    upstream.stop()


calls = schemathesis.pytest.from_fixture("described")


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
