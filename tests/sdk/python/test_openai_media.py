"""The openai SDK: images, moderations, speech, and Azure's paths."""

import base64

import openai
import pytest
from harness import KEY, json_answer, sse

IMAGE = {
    "created": 1,
    "data": [{"b64_json": base64.b64encode(b"png").decode()}],
    "usage": {
        "input_tokens": 10,
        "output_tokens": 20,
        "total_tokens": 30,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 0},
    },
}


def script(path, body, _headers):
    if path.endswith("/images/generations"):
        if body.get("stream"):
            part = {
                "type": "image_generation.partial_image",
                "b64_json": "AA==",
                "partial_image_index": 0,
            }
            done = {
                "type": "image_generation.completed",
                "b64_json": "AAAA",
                "usage": IMAGE["usage"],
            }
            return sse([part, done], named=True)
        return json_answer(IMAGE)
    if path.endswith("/moderations"):
        result = {"flagged": True, "categories": {}, "category_scores": {}}
        return json_answer({"id": "m", "model": body["model"], "results": [result]})
    if path.endswith("/audio/speech"):
        return 200, {"content-type": "audio/mpeg"}, [b"\xff\xfb", b"abc", b"def"]
    return json_answer({"error": {"message": f"what is {path}?"}}, status=404)


@pytest.fixture
def client(front):
    proxy, upstream = front(script)
    with openai.OpenAI(base_url=proxy.url + "/v1", api_key=KEY, max_retries=0) as made:
        yield made, upstream


def test_an_image_is_made(client):
    made, upstream = client
    answer = made.images.generate(model="gpt", prompt="a cat", size="1024x1024")
    assert base64.b64decode(answer.data[0].b64_json) == b"png"
    assert answer.usage.total_tokens == 30
    assert upstream.requests[0][1] == {
        "model": "gpt-4o-mini",
        "prompt": "a cat",
        "size": "1024x1024",
    }


def test_an_image_is_streamed(client):
    made, _ = client
    events = list(made.images.generate(model="gpt", prompt="a cat", stream=True))
    assert [event.type for event in events] == [
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert events[1].usage.output_tokens == 20


def test_a_text_is_moderated(client):
    made, _ = client
    answer = made.moderations.create(model="gpt", input="hello")
    assert answer.results[0].flagged


def test_speech_is_streamed(client):
    made, _ = client
    speech = made.audio.speech.with_streaming_response
    with speech.create(model="gpt", input="hello", voice="alloy") as answer:
        assert answer.headers["content-type"] == "audio/mpeg"
        assert b"".join(answer.iter_bytes()) == b"\xff\xfbabcdef"


def test_azures_client_finds_its_paths(front):
    proxy, upstream = front(script)
    with openai.AzureOpenAI(
        azure_endpoint=proxy.url, api_key=KEY, api_version="2024-10-21", max_retries=0
    ) as made:
        answer = made.images.generate(model="gpt", prompt="a cat")
        assert answer.data[0].b64_json
    assert upstream.requests[0][0] == "/v1/images/generations"
