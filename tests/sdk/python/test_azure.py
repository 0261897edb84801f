"""The newest `openai` clients, OpenAI's and Azure's own, through us to a deployment in Azure."""

import openai
import pytest
from harness import KEY, Proxy, Upstream, json_answer, sse
from test_openai import CHAT, HI, chunk

CONFIG = """
model_list:
  - model_name: gpt
    litellm_params: {{model: azure/my-deployment, api_base: "{origin}", api_key: azure-key}}
general_settings: {{master_key: {key}}}
"""
PATH = "/openai/deployments/my-deployment/chat/completions?api-version=2025-02-01-preview"


@pytest.fixture(params=["openai", "azure"])
def reach(request):
    """A client in front of a proxy whose upstream plays the given script."""
    running = []

    def start(script):
        upstream = Upstream(script)
        proxy = Proxy(CONFIG.format(origin=upstream.origin, key=KEY))
        running.extend([upstream, proxy])
        options = {"api_key": KEY, "max_retries": 0}
        if request.param == "openai":
            return openai.OpenAI(base_url=proxy.url + "/v1", **options), upstream
        options |= {"azure_endpoint": proxy.url, "api_version": "2024-10-21"}
        return openai.AzureOpenAI(**options), upstream

    yield start
    for item in reversed(running):
        item.stop()


def test_a_chat_reaches_the_deployment(reach):
    client, upstream = reach(lambda *_: json_answer(CHAT))
    answer = client.chat.completions.create(model="gpt", messages=HI)
    assert answer.choices[0].message.content == "Hello"
    path, body, headers = upstream.requests[0]
    assert path == PATH
    assert body["model"] == "my-deployment"
    assert headers["api-key"] == "azure-key"
    assert "authorization" not in headers


def test_a_stream_with_results_of_filters_passes(reach):
    filters = {"choices": [], "id": "", "model": "", "object": "", "created": 0}
    filters["prompt_filter_results"] = [{"prompt_index": 0, "content_filter_results": {}}]
    said = [chunk({"role": "assistant", "content": "Hel"}), chunk({"content": "lo"}, "stop")]
    client, _ = reach(lambda *_: sse([filters, *said, "[DONE]"]))
    stream = client.chat.completions.create(model="gpt", messages=HI, stream=True)
    chunks = list(stream)
    assert chunks[0].model_extra["prompt_filter_results"][0]["prompt_index"] == 0
    said = [it.choices[0].delta.content for it in chunks if it.choices]
    assert "".join(said) == "Hello"


def test_a_filtered_prompt_is_a_bad_request(reach):
    error = {"message": "content management policy", "code": "content_filter", "param": "prompt"}
    client, _ = reach(lambda *_: json_answer({"error": error}, 400))
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model="gpt", messages=HI)
    assert raised.value.code == "content_filter"
