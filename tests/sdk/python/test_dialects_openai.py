"""The `openai` client with models of providers that speak other dialects."""

import json

import openai
import pydantic
import pytest
from harness import KEY
from wires import GOOGLES, INPUT, OUTPUT, SIGNED, Anthropic, Cohere, Gemini, Ollama, named

HI = [{"role": "user", "content": "hi"}]
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "weather", "description": "of a city", "parameters": CITY}
TOOLS = [{"type": "function", "function": WEATHER}]
CALLS = [("call_a", "weather", {"city": "Paris"}), ("call_b", "weather", {"city": "Oslo"})]
CALLED = [call[1:] for call in CALLS]

providers = pytest.mark.parametrize("wire", [Anthropic(), Gemini(), Cohere(), Ollama()], ids=named)


def client(proxy):
    return openai.OpenAI(base_url=proxy.url + "/v1", api_key=KEY, max_retries=0)


def arguments(calls):
    return [(call.function.name, json.loads(call.function.arguments)) for call in calls]


@providers
def test_a_chat(front, wire):
    proxy, upstream = front(lambda *_: wire.whole("Hello"))
    messages = [{"role": "system", "content": "Be short."}, *HI]
    answer = client(proxy).chat.completions.create(
        model=wire.name, messages=messages, max_completion_tokens=300
    )
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.content == "Hello"
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (INPUT, OUTPUT)
    path, body, headers = upstream.requests[0]
    assert path == wire.path
    assert wire.credential(headers)
    assert KEY not in str(headers)
    assert wire.asked(body) == [("system", "Be short."), ("user", "hi")]
    assert wire.limit(body) == 300


@providers
def test_a_stream(front, wire):
    proxy, upstream = front(lambda path, body, _: wire.plays(path, body)("Hello"))
    stream = client(proxy).chat.completions.create(
        model=wire.name, messages=HI, stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = stream
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "Hello"
    assert len([c for c in chunks if c.choices[0].delta.content]) == 2, "piece by piece"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason] == ["stop"]
    assert len({c.id for c in chunks}) == 1
    assert last.choices == []
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (INPUT, OUTPUT)
    assert upstream.requests[0][0] == wire.streamed


@providers
def test_usage_is_streamed_to_those_who_ask(front, wire):
    proxy, _ = front(lambda path, body, _: wire.plays(path, body)("Hello"))
    stream = client(proxy).chat.completions.create(model=wire.name, messages=HI, stream=True)
    assert all(c.choices and c.usage is None for c in stream)


@providers
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_round_of_two_tools_at_once(front, wire, streamed):
    play = wire.stream if streamed else wire.whole
    answers = iter([play(calls=CALLS), play("Rain and snow")])
    proxy, upstream = front(lambda *_: next(answers))
    some = client(proxy)
    messages = [*HI]
    first = finished(some, streamed, model=wire.name, messages=messages, tools=TOOLS)
    assert first.finish_reason == "tool_calls"
    calls = first.message.tool_calls
    assert arguments(calls) == CALLED
    assert len({call.id for call in calls}) == 2
    asked = wire.tools(upstream.requests[0][1])["weather"]
    assert asked["properties"]["city"]["type"].lower() == "string"
    messages.append(first.message.model_dump(exclude_none=True, exclude={"parsed"}))
    for call, result in zip(calls, ["rain", "snow"], strict=True):
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    second = finished(some, streamed, model=wire.name, messages=messages, tools=TOOLS)
    assert second.message.content == "Rain and snow"
    assert second.finish_reason == "stop"
    assert wire.round(upstream.requests[1][1]) == (CALLED, ["rain", "snow"])
    if wire.name == "flash":
        assert wire.proofs(upstream.requests[1][1])[0] == GOOGLES
    assert all(wire.plays(path, body) == play for path, body, _ in upstream.requests)


def finished(some, streamed, **asked):
    """The one choice of an answer, put together by the client if it is streamed."""
    if not streamed:
        return some.chat.completions.create(**asked).choices[0]
    with some.chat.completions.stream(**asked) as stream:
        for _ in stream:
            pass
        return stream.get_final_completion().choices[0]


@providers
def test_a_client_may_forbid_tools_or_demand_one(front, wire):
    proxy, upstream = front(lambda *_: wire.whole(calls=CALLS[:1]))
    some = client(proxy)
    for choice in ["none", "required", {"type": "function", "function": {"name": "weather"}}]:
        some.chat.completions.create(
            model=wire.name, messages=HI, tools=TOOLS, tool_choice=choice
        )
    told = [choice_of(wire, body) for _, body, _ in upstream.requests]
    wanted = {
        "claude": [{"type": "none"}, {"type": "any"}, {"type": "tool", "name": "weather"}],
        "flash": [
            {"mode": "NONE"},
            {"mode": "ANY"},
            {"mode": "ANY", "allowedFunctionNames": ["weather"]},
        ],
        "command": ["NONE", "REQUIRED", "REQUIRED"],
        # Ollama knows no choice: what must not be called is not offered.
        "llama": [None, None, None],
    }
    assert told == wanted[wire.name]
    assert ("tools" in upstream.requests[0][1]) == (wire.name != "llama")


def choice_of(wire, body):
    if wire.name == "flash":
        return body["toolConfig"]["functionCallingConfig"]
    return body.get("tool_choice")


class Person(pydantic.BaseModel):
    name: str
    age: int


@providers
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_structured_output(front, wire, streamed):
    play = wire.stream if streamed else wire.whole
    proxy, upstream = front(lambda *_: play('{"name": "Ada", "age": 36}'))
    some = client(proxy)
    asked = {"model": wire.name, "messages": HI, "response_format": Person}
    if streamed:
        message = finished(some, True, **asked).message
    else:
        message = some.chat.completions.parse(**asked).choices[0].message
    assert message.parsed == Person(name="Ada", age=36)
    schema = wire.schema(upstream.requests[0][1])
    assert sorted(schema["properties"]) == ["age", "name"]
    assert sorted(schema["required"]) == ["age", "name"]


@providers
def test_a_picture(front, wire):
    proxy, upstream = front(lambda *_: wire.whole("A dot"))
    url = {"url": f"data:image/png;base64,{PNG}"}
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": url}]
    messages = [{"role": "user", "content": content}]
    answer = client(proxy).chat.completions.create(model=wire.name, messages=messages)
    assert answer.choices[0].message.content == "A dot"
    body = upstream.requests[0][1]
    assert wire.picture(body) == PNG
    assert wire.asked(body)[-1] == ("user", "What is it?")


@providers
def test_thoughts_are_reasoning_content(front, wire):
    def script(path, body, _):
        return wire.plays(path, body)("Hello", thought="Hm, hm.")

    proxy, upstream = front(script)
    some = client(proxy)
    asked = {"model": wire.name, "messages": HI}
    if wire.name != "command":
        asked["reasoning_effort"] = "low"
    message = some.chat.completions.create(**asked).choices[0].message
    assert (message.reasoning_content, message.content) == ("Hm, hm.", "Hello")
    deltas = [c.choices[0].delta for c in some.chat.completions.create(**asked, stream=True)]
    assert "".join(getattr(d, "reasoning_content", None) or "" for d in deltas) == "Hm, hm."
    assert "".join(d.content or "" for d in deltas) == "Hello"
    wanted = {
        "claude": ("thinking", {"type": "enabled", "budget_tokens": 1024}),
        "flash": ("thinkingConfig", {"thinkingBudget": 1024, "includeThoughts": True}),
        "llama": ("think", "low"),
        "command": ("thinking", None),
    }
    name, value = wanted[wire.name]
    for _, body, _ in upstream.requests:
        assert (body | body.get("generationConfig", {})).get(name) == value


def test_anthropics_signed_thoughts_go_back_with_the_next_turn(front):
    wire = Anthropic()
    answers = iter([wire.whole(thought="Hm.", calls=CALLS[:1]), wire.whole("Rain")])
    proxy, upstream = front(lambda *_: next(answers))
    some = client(proxy).chat.completions
    asked = {"model": wire.name, "tools": TOOLS, "reasoning_effort": "low"}
    said = some.create(**asked, messages=HI).choices[0].message
    result = {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "rain"}
    messages = [*HI, said.model_dump(exclude_none=True), result]
    assert some.create(**asked, messages=messages).choices[0].message.content == "Rain"
    body = upstream.requests[1][1]
    first = body["messages"][1]["content"][0]
    assert first == {"type": "thinking", "thinking": "Hm.", "signature": SIGNED}
    assert body["thinking"]["type"] == "enabled"


@providers
def test_completions_of_text(front, wire):
    def script(path, body, _):
        return wire.plays(path, body)("there")

    proxy, upstream = front(script)
    some = client(proxy).completions
    answer = some.create(model=wire.name, prompt="hi", max_tokens=9)
    assert answer.object == "text_completion"
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("there", "stop")
    chunks = list(some.create(model=wire.name, prompt="hi", max_tokens=9, stream=True))
    assert "".join(c.choices[0].text for c in chunks) == "there"
    assert chunks[-1].choices[0].finish_reason == "stop"
    for _, body, _ in upstream.requests:
        assert wire.asked(body) == [("user", "hi")]
        assert wire.limit(body) == 9
