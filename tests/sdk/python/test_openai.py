"""The newest `openai` client, pointed at us."""

import json

import openai
import pydantic
import pytest
from harness import CREDENTIAL, KEY, fixtures, json_answer, recorded, sse

CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello", "refusal": None},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}
HI = [{"role": "user", "content": "hi"}]


def client(proxy, **options):
    options = {"max_retries": 0, "api_key": KEY, **options}
    return openai.OpenAI(base_url=proxy.url + "/v1", **options)


def chunk(delta, finish=None, **rest):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-mini",
        "choices": [choice],
        **rest,
    }


def error(status, **fields):
    return lambda *_: json_answer({"error": {"message": "its own words", **fields}}, status)


def test_echo_chats(echo):
    answer = client(echo).chat.completions.create(model="echo", messages=HI)
    assert "hi" in answer.choices[0].message.content
    assert answer.usage.total_tokens > 0


def test_echo_streams_with_usage(echo):
    stream = client(echo).chat.completions.create(
        model="echo",
        messages=[{"role": "user", "content": "one two three"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert "one two three" in said
    assert chunks[-1].usage.completion_tokens > 0


def test_echo_is_listed_and_found(echo):
    assert "echo" in [model.id for model in client(echo).models.list()]
    assert client(echo).models.retrieve("echo").id == "echo"


def test_chat(front):
    proxy, upstream = front(lambda *_: json_answer(CHAT))
    answer = client(proxy).chat.completions.create(model="gpt", messages=HI, seed=7)
    assert answer.choices[0].message.content == "Hello"
    path, body, headers = upstream.requests[0]
    assert path == "/v1/chat/completions"
    assert body == {"messages": HI, "model": "gpt-4o-mini", "seed": 7}
    assert headers["authorization"] == f"Bearer {CREDENTIAL}"


def test_a_base_url_without_v1_works(front):
    proxy, _ = front(lambda *_: json_answer(CHAT))
    plain = openai.OpenAI(base_url=proxy.url, api_key=KEY, max_retries=0)
    assert plain.chat.completions.create(model="gpt", messages=HI).id == "chatcmpl-1"


def test_streamed_chat(front):
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    events = [
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        chunk({}, "stop"),
        chunk({}) | {"choices": [], "usage": usage},
        "[DONE]",
    ]
    proxy, _ = front(lambda *_: sse(events))
    stream = client(proxy).chat.completions.create(model="gpt", messages=HI, stream=True)
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "Hello"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(c.usage is None for c in chunks), "nobody asked for usage"


def test_a_stream_that_breaks_raises(front):
    proxy, _ = front(lambda *_: sse([chunk({"content": "Hel"})]))
    stream = client(proxy).chat.completions.create(model="gpt", messages=HI, stream=True)
    with pytest.raises(openai.APIError):
        list(stream)


def test_tools(front):
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
    }
    message = {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    proxy, upstream = front(lambda *_: json_answer(CHAT | {"choices": [choice]}))
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    tool = {"type": "function", "function": {"name": "weather", "parameters": parameters}}
    answer = client(proxy).chat.completions.create(model="gpt", messages=HI, tools=[tool])
    asked = answer.choices[0].message.tool_calls[0]
    assert json.loads(asked.function.arguments) == {"city": "Paris"}
    assert upstream.requests[0][1]["tools"] == [tool]


def test_streamed_tools(front):
    def part(**fields):
        return chunk({"tool_calls": [{"index": 0, **fields}]})

    events = [
        part(id="call_1", type="function", function={"name": "weather", "arguments": ""}),
        part(function={"arguments": '{"city": '}),
        part(function={"arguments": '"Paris"}'}),
        chunk({}, "tool_calls"),
        "[DONE]",
    ]
    proxy, _ = front(lambda *_: sse(events))
    with client(proxy).chat.completions.stream(model="gpt", messages=HI) as stream:
        for _ in stream:
            pass
        asked = stream.get_final_completion().choices[0].message.tool_calls[0]
    assert json.loads(asked.function.arguments) == {"city": "Paris"}


class Person(pydantic.BaseModel):
    name: str
    age: int


def test_structured_output(front):
    message = {"role": "assistant", "content": '{"name": "Ada", "age": 36}', "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    proxy, upstream = front(lambda *_: json_answer(CHAT | {"choices": [choice]}))
    answer = client(proxy).chat.completions.parse(
        model="gpt", messages=HI, response_format=Person
    )
    assert answer.choices[0].message.parsed == Person(name="Ada", age=36)
    assert upstream.requests[0][1]["response_format"]["type"] == "json_schema"


def test_embeddings(front):
    row = {"object": "embedding", "index": 0, "embedding": [0.25, -1.5]}
    usage = {"prompt_tokens": 2, "total_tokens": 2}
    body = {"object": "list", "data": [row], "model": "text-embedding-3-small", "usage": usage}
    proxy, upstream = front(lambda *_: json_answer(body))
    answer = client(proxy).embeddings.create(model="embed", input="hi", encoding_format="float")
    assert answer.data[0].embedding == [0.25, -1.5]
    assert upstream.requests[0][0] == "/v1/embeddings"


def test_completions(front):
    # The model only chats.
    message = {"role": "assistant", "content": "there"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    proxy, _ = front(lambda *_: json_answer(body))
    assert client(proxy).completions.create(model="gpt", prompt="hi").choices[0].text == "there"


def response_body(status="completed"):
    content = [{"type": "output_text", "text": "Hello", "annotations": []}]
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": status}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "model": "gpt-4o-mini",
        "output": [item | {"content": content}],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 3,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 2,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 5,
        },
    }


def test_responses(front):
    proxy, upstream = front(lambda *_: json_answer(response_body()))
    answer = client(proxy).responses.create(model="gpt", input="hi", metadata={"a": "b"})
    assert answer.output_text == "Hello"
    assert upstream.requests[0][1]["metadata"] == {"a": "b"}


def test_streamed_responses(front):
    delta = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0}
    delta |= {"content_index": 0, "delta": "Hello", "sequence_number": 1, "logprobs": []}
    done = {"type": "response.completed", "sequence_number": 2, "response": response_body()}
    proxy, _ = front(lambda *_: sse([delta, done], named=True))
    events = list(client(proxy).responses.create(model="gpt", input="hi", stream=True))
    assert [event.type for event in events] == [delta["type"], done["type"]]
    assert events[-1].response.output_text == "Hello"


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_an_upstreams_error_is_raised_as_its_own_type(front, status, raised):
    proxy, _ = front(error(status))
    for stream in (False, True):
        with pytest.raises(raised) as caught:
            client(proxy).chat.completions.create(model="gpt", messages=HI, stream=stream)
        assert caught.value.status_code == status
        assert "its own words" in caught.value.message


def test_a_wrong_key_is_an_authentication_error(front):
    proxy, upstream = front(lambda *_: json_answer(CHAT))
    with pytest.raises(openai.AuthenticationError) as caught:
        client(proxy, api_key="sk-wrong").chat.completions.create(model="gpt", messages=HI)
    assert caught.value.code == "401"
    assert upstream.requests == []


def test_an_unknown_model_is_a_bad_request(front):
    proxy, _ = front(lambda *_: json_answer(CHAT))
    with pytest.raises(openai.BadRequestError, match="Invalid model name"):
        client(proxy).chat.completions.create(model="nope", messages=HI)


@pytest.mark.parametrize("status", [429, 500])
def test_the_clients_own_retry_succeeds(front, status):
    answers = iter([json_answer({"error": {"message": "later"}}, status, retry_after="0")])
    proxy, upstream = front(lambda *_: next(answers, json_answer(CHAT)))
    answer = client(proxy, max_retries=2).chat.completions.create(model="gpt", messages=HI)
    assert answer.id == "chatcmpl-1"
    assert len(upstream.requests) == 2


def test_the_raw_response_says_what_happened(front):
    proxy, _ = front(lambda *_: json_answer(CHAT, x_request_id="req_1"))
    raw = client(proxy).chat.completions.with_raw_response.create(model="gpt", messages=HI)
    assert raw.parse().id == "chatcmpl-1"
    assert raw.headers["x-litellm-call-id"]
    assert raw.headers["x-litellm-model-id"]
    assert float(raw.headers["x-litellm-response-cost"]) > 0
    assert raw.headers["llm_provider-x-request-id"] == "req_1"


def test_the_async_client_runs_many_calls_at_once(front):
    import asyncio

    proxy, upstream = front(lambda *_: json_answer(CHAT))

    async def many():
        async with openai.AsyncOpenAI(base_url=proxy.url + "/v1", api_key=KEY) as some:
            calls = [some.chat.completions.create(model="gpt", messages=HI) for _ in range(50)]
            return await asyncio.gather(*calls)

    assert len(asyncio.run(many())) == 50
    assert len(upstream.requests) == 50


RECORDED = [
    ("chat", "chat.completions"),
    ("tools", "chat.completions"),
    ("parallel-tools", "chat.completions"),
    ("json-schema", "chat.completions"),
    ("stream", "chat.completions"),
    ("stream-tools", "chat.completions"),
    ("stream-parallel-tools", "chat.completions"),
    ("stream-json-schema", "chat.completions"),
    ("responses", "responses"),
    ("responses-tools", "responses"),
    ("responses-stream", "responses"),
    ("responses-stream-tools", "responses"),
    ("embeddings", "embeddings"),
]


@pytest.mark.skipif(fixtures() is None, reason="no recorded exchanges; see BARTIZAN_FIXTURES")
@pytest.mark.parametrize(("kind", "method"), RECORDED)
def test_what_openai_answered_means_the_same_through_us(front, kind, method):
    exchanges = [json.loads(p.read_text()) for p in (fixtures() / "openai").glob(f"{kind}-*.json")]
    exchanges = [e for e in exchanges if e["kind"] == kind and isinstance(e["request"]["body"], dict)]
    assert exchanges
    playing = []
    proxy, upstream = front(lambda *_: recorded(playing[-1]))
    straight = openai.OpenAI(base_url=upstream.origin + "/v1", api_key="x", max_retries=0)
    for exchange in exchanges:
        playing.append(exchange)
        body = exchange["request"]["body"] | {"model": "gpt"}
        found, wanted = (said(some, method, body) for some in (client(proxy), straight))
        assert found == wanted, exchange["source"]


def said(some, method, body):
    for part in method.split("."):
        some = getattr(some, part)
    known = {"model", "messages", "input", "stream"}
    fields = {name: value for name, value in body.items() if name in known}
    rest = {name: value for name, value in body.items() if name not in known}
    answer = some.create(**fields, extra_body=rest)
    if body.get("stream"):
        events = [event.model_dump(warnings=False) for event in answer]
        asked = (body.get("stream_options") or {}).get("include_usage")
        if method == "chat.completions" and not asked:
            events = [event for event in events if event["choices"]]
        return events
    return answer.model_dump(warnings=False)
