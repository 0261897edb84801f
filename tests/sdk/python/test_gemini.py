"""The newest `google-genai` client, pointed at us."""

import pytest
from google import genai
from google.genai import errors, types
from harness import CREDENTIAL, KEY, json_answer, sse


def part(text, finish=None):
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash"}


def client(proxy, key=KEY):
    options = types.HttpOptions(base_url=proxy.url)
    return genai.Client(api_key=key, vertexai=False, http_options=options)


def test_generate_content(front):
    proxy, upstream = front(lambda *_: json_answer(part("Hello", "STOP")))
    some = client(proxy)
    answer = some.models.generate_content(model="flash", contents="hi")
    assert answer.text == "Hello"
    path, _, headers = upstream.requests[0]
    assert path == "/v1beta/models/gemini-2.5-flash:generateContent"
    assert headers["x-goog-api-key"] == CREDENTIAL


def test_streamed_content(front):
    proxy, upstream = front(lambda *_: sse([part("Hel"), part("lo", "STOP")]))
    some = client(proxy)
    parts = some.models.generate_content_stream(model="flash", contents="hi")
    assert "".join(p.text or "" for p in parts) == "Hello"
    wanted = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert upstream.requests[0][0] == wanted


def test_a_wrong_key_is_a_client_error(front):
    proxy, upstream = front(lambda *_: json_answer(part("Hello", "STOP")))
    some = client(proxy, "sk-wrong")
    with pytest.raises(errors.ClientError) as caught:
        some.models.generate_content(model="flash", contents="hi")
    assert caught.value.code == 401
    assert caught.value.status == "UNAUTHENTICATED"
    assert upstream.requests == []


def test_an_upstreams_error_keeps_its_status(front):
    body = {"error": {"code": 400, "message": "its own words", "status": "INVALID_ARGUMENT"}}
    proxy, _ = front(lambda *_: json_answer(body, 400))
    some = client(proxy)
    with pytest.raises(errors.ClientError, match="its own words") as caught:
        some.models.generate_content(model="flash", contents="hi")
    assert caught.value.code == 400
    assert caught.value.status == "INVALID_ARGUMENT"
