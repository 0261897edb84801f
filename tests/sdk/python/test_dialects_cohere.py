"""The `cohere` client with models of providers that speak other dialects."""

import json

import cohere
import pytest
from harness import KEY
from test_dialects_openai import CALLED, CALLS, CITY, PNG, TOOLS
from wires import INPUT, OUTPUT, Anthropic, Gemini, Ollama, OpenAi, named

HI = [{"role": "user", "content": "hi"}]
providers = pytest.mark.parametrize("wire", [OpenAi(), Anthropic(), Gemini(), Ollama()], ids=named)


def client(proxy, key=KEY):
    return cohere.ClientV2(api_key=key, base_url=proxy.url)


@providers
def test_a_chat(front, wire):
    proxy, upstream = front(lambda *_: wire.whole("Hello"))
    messages = [{"role": "system", "content": "Be short."}, *HI]
    answer = client(proxy).chat(model=wire.name, messages=messages, max_tokens=300)
    assert answer.message.content[0].text == "Hello"
    assert answer.finish_reason == "COMPLETE"
    tokens = answer.usage.tokens
    assert (tokens.input_tokens, tokens.output_tokens) == (INPUT, OUTPUT)
    path, body, headers = upstream.requests[0]
    assert path == wire.path
    assert wire.credential(headers)
    assert not [name for name in headers if name.startswith("x-fern-")]
    assert KEY not in str(headers)
    assert wire.asked(body) == [("system", "Be short."), ("user", "hi")]
    assert wire.limit(body) == 300


@providers
def test_a_stream(front, wire):
    proxy, upstream = front(lambda path, body, _: wire.plays(path, body)("Hello", calls=CALLS[:1]))
    events = list(client(proxy).chat_stream(model=wire.name, messages=HI, tools=TOOLS))
    assert (events[0].type, events[-1].type) == ("message-start", "message-end")
    deltas = [event for event in events if event.type == "content-delta"]
    assert [event.delta.message.content.text for event in deltas] == ["He", "llo"]
    starts = [event for event in events if event.type == "tool-call-start"]
    assert starts[0].delta.message.tool_calls.function.name == "weather"
    arguments = [event for event in events if event.type == "tool-call-delta"]
    told = "".join(event.delta.message.tool_calls.function.arguments for event in arguments)
    assert json.loads(told) == {"city": "Paris"}
    assert events[-1].delta.usage.tokens.output_tokens == OUTPUT
    assert upstream.requests[0][0] == wire.streamed


@providers
def test_a_round_of_two_tools_at_once(front, wire):
    answers = iter([wire.whole("I look.", calls=CALLS), wire.whole("Rain and snow")])
    proxy, upstream = front(lambda *_: next(answers))
    some = client(proxy)
    told = some.chat(model=wire.name, messages=HI, tools=TOOLS).message
    calls = [(c.function.name, json.loads(c.function.arguments)) for c in told.tool_calls]
    assert calls == CALLED
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": text}
        for call, text in zip(told.tool_calls, ["rain", "snow"], strict=True)
    ]
    some.chat(model=wire.name, messages=[*HI, told, *results], tools=TOOLS)
    called, texts = wire.round(upstream.requests[1][1])
    assert called == CALLED
    assert ["rain" in texts[0], "snow" in texts[1]] == [True, True]


@providers
def test_a_schema_and_a_picture(front, wire):
    proxy, upstream = front(lambda *_: wire.whole('{"city": "Paris"}'))
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    content = [url, {"type": "text", "text": "Which?"}]
    format = {"type": "json_object", "json_schema": CITY}
    client(proxy).chat(
        model=wire.name, messages=[{"role": "user", "content": content}], response_format=format
    )
    body = upstream.requests[0][1]
    assert wire.schema(body)["required"] == ["city"]
    assert wire.picture(body) == PNG


def test_errors_are_its_own(front):
    error = {"error": {"message": "too busy", "type": "server_error"}}
    proxy, _ = front(lambda *_: (400, {}, json.dumps(error).encode()))
    with pytest.raises(cohere.BadRequestError) as raised:
        client(proxy).chat(model="gpt", messages=HI)
    assert "too busy" in raised.value.body["message"]
    with pytest.raises(cohere.UnauthorizedError):
        client(proxy, "sk-wrong").chat(model="gpt", messages=HI)
