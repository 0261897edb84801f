"""The newest `anthropic` client, pointed at us."""

import anthropic
import pytest
from harness import CREDENTIAL, KEY, json_answer, sse

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 2},
}
HI = {"model": "claude", "max_tokens": 16, "messages": [{"role": "user", "content": "hi"}]}


def client(proxy, **options):
    return anthropic.Anthropic(base_url=proxy.url, **{"max_retries": 0, "api_key": KEY, **options})


def events(last=True):
    start = MESSAGE | {"content": [], "stop_reason": None}
    text = {"type": "text_delta", "text": "Hello"}
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    some = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": text},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ]
    return some if last else some[:4]


def test_messages(front):
    proxy, upstream = front(lambda *_: json_answer(MESSAGE))
    answer = client(proxy).messages.create(**HI, metadata={"user_id": "u"})
    assert answer.content[0].text == "Hello"
    path, body, headers = upstream.requests[0]
    assert path == "/v1/messages"
    assert body["model"] == "claude-sonnet-4-5"
    assert body["metadata"] == {"user_id": "u"}
    assert headers["x-api-key"] == CREDENTIAL
    assert headers["anthropic-version"], "the client names a version, and it arrives"


def test_an_auth_token_instead_of_a_key_works(front):
    proxy, _ = front(lambda *_: json_answer(MESSAGE))
    some = anthropic.Anthropic(base_url=proxy.url, auth_token=KEY, api_key=None, max_retries=0)
    assert some.messages.create(**HI).id == "msg_1"


def test_betas_arrive(front):
    proxy, upstream = front(lambda *_: json_answer(MESSAGE))
    client(proxy).beta.messages.create(**HI, betas=["a-2025-01-01", "b-2025-02-02"])
    assert upstream.requests[0][2]["anthropic-beta"] == "a-2025-01-01,b-2025-02-02"


def test_streamed_messages(front):
    proxy, _ = front(lambda *_: sse(events(), named=True))
    with client(proxy).messages.stream(**HI) as stream:
        assert "".join(stream.text_stream) == "Hello"
        assert stream.get_final_message().usage.output_tokens == 2


def test_a_stream_that_breaks_raises(front):
    proxy, _ = front(lambda *_: sse(events(last=False), named=True))
    with pytest.raises(anthropic.APIError), client(proxy).messages.stream(**HI) as stream:
        for _ in stream:
            pass


def test_a_wrong_key_is_an_authentication_error(front):
    proxy, upstream = front(lambda *_: json_answer(MESSAGE))
    with pytest.raises(anthropic.AuthenticationError) as caught:
        client(proxy, api_key="sk-wrong").messages.create(**HI)
    assert caught.value.body["error"]["type"] == "authentication_error"
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("status", "kind", "raised"),
    [
        (400, "invalid_request_error", anthropic.BadRequestError),
        (401, "authentication_error", anthropic.AuthenticationError),
        (404, "not_found_error", anthropic.NotFoundError),
        (429, "rate_limit_error", anthropic.RateLimitError),
        (529, "overloaded_error", anthropic.InternalServerError),
    ],
)
def test_an_upstreams_error_is_raised_as_its_own_type(front, status, kind, raised):
    body = {"type": "error", "error": {"type": kind, "message": "its own words"}}
    proxy, _ = front(lambda *_: json_answer(body, status))
    with pytest.raises(raised) as caught:
        client(proxy).messages.create(**HI)
    assert caught.value.status_code == status
    assert caught.value.body["error"]["type"] == kind
    assert "its own words" in str(caught.value)
