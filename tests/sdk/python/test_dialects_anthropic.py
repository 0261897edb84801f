"""The `anthropic` client with models of providers that speak other dialects."""

import json

import anthropic
import pytest
from harness import KEY
from test_dialects_openai import CALLED, CALLS, CITY, PNG
from wires import GOOGLES, INPUT, OUTPUT, Cohere, Gemini, Ollama, OpenAi, named

HI = [{"role": "user", "content": "hi"}]
TOOL = {"name": "weather", "description": "of a city", "input_schema": CITY}

providers = pytest.mark.parametrize("wire", [OpenAi(), Gemini(), Cohere(), Ollama()], ids=named)
both = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


def client(proxy):
    return anthropic.Anthropic(base_url=proxy.url, api_key=KEY, max_retries=0)


def finished(some, streamed, **asked):
    """A whole message, put together by the client if it is streamed."""
    asked = {"max_tokens": 300, **asked}
    if not streamed:
        return some.messages.create(**asked)
    with some.messages.stream(**asked) as stream:
        return stream.get_final_message()


@providers
def test_a_message(front, wire):
    proxy, upstream = front(lambda *_: wire.whole("Hello"))
    answer = finished(client(proxy), False, model=wire.name, system="Be short.", messages=HI)
    assert (answer.type, answer.role) == ("message", "assistant")
    assert [block.text for block in answer.content] == ["Hello"]
    assert answer.stop_reason == "end_turn"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (INPUT, OUTPUT)
    path, body, headers = upstream.requests[0]
    assert path == wire.path
    assert wire.credential(headers)
    assert not [name for name in headers if name.startswith(("anthropic-", "x-stainless-"))]
    assert KEY not in str(headers)
    assert wire.asked(body) == [("system", "Be short."), ("user", "hi")]
    assert wire.limit(body) == 300


@providers
def test_a_streamed_message_has_each_event_in_its_place(front, wire):
    proxy, upstream = front(lambda path, body, _: wire.plays(path, body)("Hello"))
    stream = client(proxy).messages.create(
        model=wire.name, max_tokens=16, messages=HI, stream=True
    )
    events = [event for event in stream if event.type != "ping"]
    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[-2].delta.stop_reason == "end_turn"
    assert events[-2].usage.output_tokens == OUTPUT
    assert upstream.requests[0][0] == wire.streamed


@providers
@both
def test_a_round_of_two_tools_at_once(front, wire, streamed):
    play = wire.stream if streamed else wire.whole
    answers = iter([play("I look.", calls=CALLS), play("Rain and snow")])
    proxy, upstream = front(lambda *_: next(answers))
    some = client(proxy)
    asked = {"model": wire.name, "tools": [TOOL]}
    first = finished(some, streamed, **asked, messages=HI)
    assert first.stop_reason == "tool_use"
    uses = [block for block in first.content if block.type == "tool_use"]
    assert [(use.name, use.input) for use in uses] == CALLED
    assert "weather" in wire.tools(upstream.requests[0][1])
    results = [
        {"type": "tool_result", "tool_use_id": use.id, "content": text}
        for use, text in zip(uses, ["rain", "snow"], strict=True)
    ]
    said = {"role": "assistant", "content": [block.model_dump() for block in first.content]}
    messages = [*HI, said, {"role": "user", "content": results}]
    second = finished(some, streamed, **asked, messages=messages)
    assert second.content[0].text == "Rain and snow"
    assert wire.round(upstream.requests[1][1]) == (CALLED, ["rain", "snow"])
    assert all(wire.plays(path, body) == play for path, body, _ in upstream.requests)


@providers
@both
def test_thoughts_come_before_the_text(front, wire, streamed):
    play = wire.stream if streamed else wire.whole
    proxy, upstream = front(lambda *_: play("Hello", thought="Hm, hm."))
    thinking = {"type": "enabled", "budget_tokens": 1024}
    asked = {"model": wire.name, "messages": HI, "max_tokens": 2000}
    if wire.name != "gpt":
        # The model of the test, unlike others of that wire, cannot think.
        asked["thinking"] = thinking
    answer = finished(client(proxy), streamed, **asked)
    thought, text = answer.content
    assert (thought.type, thought.thinking) == ("thinking", "Hm, hm.")
    assert (text.type, text.text) == ("text", "Hello")
    body = upstream.requests[0][1]
    if wire.name == "flash":
        config = body["generationConfig"]["thinkingConfig"]
        assert config == {"thinkingBudget": 1024, "includeThoughts": True}
    if wire.name == "llama":
        assert body["think"] == "low"


@providers
def test_a_picture(front, wire):
    proxy, upstream = front(lambda *_: wire.whole("A dot"))
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}]
    messages = [{"role": "user", "content": content}]
    answer = finished(client(proxy), False, model=wire.name, messages=messages)
    assert answer.content[0].text == "A dot"
    assert wire.picture(upstream.requests[0][1]) == PNG


@providers
def test_tokens_are_counted(front, wire):
    proxy, _ = front(lambda *_: wire.whole("Hello"))
    some = client(proxy).messages
    few = some.count_tokens(model=wire.name, messages=HI)
    long = [{"role": "user", "content": "many words " * 50}]
    assert 0 < few.input_tokens < some.count_tokens(model=wire.name, messages=long).input_tokens


def test_geminis_signature_travels_in_the_id_of_the_call(front):
    wire = Gemini()
    proxy, upstream = front(lambda *_: wire.stream(calls=CALLS[:1]))
    some = client(proxy)
    first = finished(some, True, model=wire.name, messages=HI, tools=[TOOL])
    use = first.content[-1]
    said = {"role": "assistant", "content": [use.model_dump()]}
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "rain", "is_error": True}
    messages = [*HI, said, {"role": "user", "content": [result]}]
    finished(some, True, model=wire.name, messages=messages, tools=[TOOL])
    assert wire.proofs(upstream.requests[1][1]) == [GOOGLES]
    parts = [part for content in upstream.requests[1][1]["contents"] for part in content["parts"]]
    response = next(part["functionResponse"] for part in parts if "functionResponse" in part)
    assert "rain" in json.dumps(response["response"])
