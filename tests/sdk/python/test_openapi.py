"""schemathesis reads /openapi.json and tries what it says."""

import json

import hypothesis
import pytest
import requests
import schemathesis
from harness import KEY, Proxy, Upstream, config, json_answer
from schemathesis import GenerationMode
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
    # As embeddings: none.
    "data": [],
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


def test_the_description_holds(described):
    tried = 0
    for found in described.get_all_operations():
        operation = found.ok()
        assert "passed on" not in operation.tags
        holds(operation, GenerationMode.POSITIVE)
        if operation.body:
            holds(operation, GenerationMode.NEGATIVE)
        tried += 1
    assert tried > 50


def holds(operation, mode):
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    @hypothesis.settings(
        max_examples=3,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    def each(case):
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

    each()
