"""What fails at a provider is raised by clients of other dialects as what it is."""

import anthropic
import httpx
import openai
import pytest
import test_dialects_anthropic
import test_dialects_gemini
import test_dialects_openai
from google.genai import errors
from harness import json_answer, sse
from wires import Anthropic, Cohere, Gemini, Ollama, OpenAi, named

HI = [{"role": "user", "content": "hi"}]
both = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
foreign = pytest.mark.parametrize("wire", [Anthropic(), Gemini(), Cohere(), Ollama()], ids=named)


@both
@pytest.mark.parametrize(
    ("status", "kind", "raised"),
    [
        (400, "invalid_request_error", openai.BadRequestError),
        (401, "authentication_error", openai.AuthenticationError),
        (403, "permission_error", openai.PermissionDeniedError),
        (404, "not_found_error", openai.NotFoundError),
        (429, "rate_limit_error", openai.RateLimitError),
        (500, "api_error", openai.InternalServerError),
        (529, "overloaded_error", openai.InternalServerError),
    ],
)
def test_anthropics_error_for_an_openai_client(front, status, kind, raised, streamed):
    error = {"type": "error", "error": {"type": kind, "message": "its own words"}}
    proxy, _ = front(lambda *_: json_answer(error, status, retry_after="7"))
    some = test_dialects_openai.client(proxy)
    for create in (
        lambda: some.chat.completions.create(model="claude", messages=HI, stream=streamed),
        lambda: some.responses.create(model="claude", input="hi", stream=streamed),
    ):
        with pytest.raises(raised, match="its own words") as caught:
            create()
        assert set(caught.value.body) >= {"message", "type", "param", "code"}
        assert caught.value.response.headers["content-type"].startswith("application/json")
        if status == 429:
            assert caught.value.response.headers["retry-after"] == "7"


@both
@pytest.mark.parametrize(
    ("status", "kind", "raised"),
    [
        (400, "invalid_request_error", anthropic.BadRequestError),
        (401, "authentication_error", anthropic.AuthenticationError),
        (403, "permission_error", anthropic.PermissionDeniedError),
        (404, "not_found_error", anthropic.NotFoundError),
        (429, "rate_limit_error", anthropic.RateLimitError),
        (500, "api_error", anthropic.InternalServerError),
        (503, "api_error", anthropic.InternalServerError),
    ],
)
def test_openais_error_for_an_anthropic_client(front, status, kind, raised, streamed):
    error = {"message": "its own words", "type": "some_error", "param": None, "code": None}
    proxy, _ = front(lambda *_: json_answer({"error": error}, status))
    with pytest.raises(raised, match="its own words") as caught:
        test_dialects_anthropic.client(proxy).messages.create(
            model="gpt", max_tokens=16, messages=HI, stream=streamed
        )
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] == kind


@pytest.mark.parametrize(("status", "code"), [(400, 400), (401, 401), (429, 429)])
def test_openais_error_for_a_gemini_client(front, status, code):
    proxy, _ = front(lambda *_: json_answer({"error": {"message": "its own words"}}, status))
    some = test_dialects_gemini.client(proxy)
    with pytest.raises(errors.ClientError, match="its own words") as caught:
        some.models.generate_content(model="gpt", contents="hi")
    assert caught.value.code == code


@foreign
def test_a_cut_stream_raises_in_an_openai_client(front, wire):
    proxy, _ = front(lambda *_: wire.stream("Hello", cut=True))
    some = test_dialects_openai.client(proxy)
    chunks = []
    with pytest.raises((openai.APIError, httpx.HTTPError)):
        for chunk in some.chat.completions.create(model=wire.name, messages=HI, stream=True):
            chunks.append(chunk)
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "Hello"
    assert all(c.choices[0].finish_reason is None for c in chunks)


@foreign
def test_a_cut_stream_of_responses_never_completes(front, wire):
    proxy, _ = front(lambda *_: wire.stream("Hello", cut=True))
    some = test_dialects_openai.client(proxy)
    kinds = []
    try:
        for event in some.responses.create(model=wire.name, input="hi", stream=True):
            kinds.append(event.type)
    except (openai.APIError, httpx.HTTPError):
        kinds.append("error")
    assert "response.completed" not in kinds
    assert "response.output_item.done" not in kinds
    assert kinds[-1] in ("error", "response.failed")


@pytest.mark.parametrize("wire", [OpenAi(), Gemini(), Cohere(), Ollama()], ids=named)
def test_a_cut_stream_raises_in_an_anthropic_client(front, wire):
    proxy, _ = front(lambda *_: wire.stream("Hello", cut=True))
    some = test_dialects_anthropic.client(proxy)
    kinds = []
    with (
        pytest.raises((anthropic.APIError, httpx.HTTPError)),
        some.messages.stream(model=wire.name, max_tokens=16, messages=HI) as stream,
    ):
        for event in stream:
            kinds.append(event.type)
    assert "message_stop" not in kinds
    assert "message_delta" not in kinds


@pytest.mark.parametrize("wire", [OpenAi(), Anthropic(), Cohere(), Ollama()], ids=named)
def test_a_cut_stream_has_no_end_for_a_gemini_client(front, wire):
    proxy, _ = front(lambda *_: wire.stream("Hello", cut=True))
    some = test_dialects_gemini.client(proxy)
    pieces = []
    with pytest.raises((errors.APIError, httpx.HTTPError)):
        for piece in some.models.generate_content_stream(model=wire.name, contents="hi"):
            pieces.append(piece)
    assert "".join(piece.text or "" for piece in pieces) == "Hello"
    assert all(not piece.candidates[0].finish_reason for piece in pieces)


def test_an_error_in_anthropics_stream_raises(front):
    wire = Anthropic()
    status, headers, pieces = wire.stream("Hello", cut=True)
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    told = sse([error], named=True)[2]
    proxy, _ = front(lambda *_: (status, headers, pieces + told))
    some = test_dialects_openai.client(proxy)
    with pytest.raises(openai.APIError, match="busy"):
        list(some.chat.completions.create(model="claude", messages=HI, stream=True))


def test_an_error_in_ollamas_stream_raises(front):
    wire = Ollama()
    status, headers, pieces = wire.stream("Hello", cut=True)
    proxy, _ = front(lambda *_: (status, headers, [*pieces, b'{"error":"out of memory"}\n']))
    some = test_dialects_anthropic.client(proxy)
    with (
        pytest.raises(anthropic.APIError, match="out of memory"),
        some.messages.stream(model="llama", max_tokens=16, messages=HI) as stream,
    ):
        list(stream)
