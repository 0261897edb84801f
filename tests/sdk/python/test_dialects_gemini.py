"""The `google-genai` client with models of providers that speak other dialects."""

import base64

import pytest
from google import genai
from google.genai import types
from harness import KEY
from test_dialects_openai import CALLED, CALLS, CITY, PNG
from wires import INPUT, OUTPUT, Anthropic, Cohere, Ollama, OpenAi, named

providers = pytest.mark.parametrize("wire", [OpenAi(), Anthropic(), Cohere(), Ollama()], ids=named)
both = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
DECLARED = {"name": "weather", "description": "of a city", "parameters_json_schema": CITY}


def client(proxy):
    options = types.HttpOptions(base_url=proxy.url)
    return genai.Client(api_key=KEY, vertexai=False, http_options=options)


def parts(some, streamed, **asked):
    """All parts of an answer, and its last piece."""
    if streamed:
        pieces = list(some.models.generate_content_stream(**asked))
    else:
        pieces = [some.models.generate_content(**asked)]
    told = [c for piece in pieces for c in piece.candidates or []]
    return [part for c in told if c.content for part in c.content.parts or []], pieces[-1]


@providers
def test_a_content(front, wire):
    proxy, upstream = front(lambda *_: wire.whole("Hello"))
    some = client(proxy)
    config = {"system_instruction": "Be short.", "max_output_tokens": 300}
    answer = some.models.generate_content(model=wire.name, contents="hi", config=config)
    assert answer.text == "Hello"
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    usage = answer.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count) == (INPUT, OUTPUT)
    path, body, headers = upstream.requests[0]
    assert path == wire.path
    assert wire.credential(headers)
    assert not [name for name in headers if name.startswith("x-goog-")]
    assert KEY not in str(headers)
    assert wire.asked(body) == [("system", "Be short."), ("user", "hi")]
    assert wire.limit(body) == 300


@providers
def test_a_streamed_content(front, wire):
    proxy, upstream = front(lambda path, body, _: wire.plays(path, body)("Hello"))
    some = client(proxy)
    pieces = list(some.models.generate_content_stream(model=wire.name, contents="hi"))
    assert [piece.text for piece in pieces if piece.text] == ["He", "llo"]
    reasons = [piece.candidates[0].finish_reason for piece in pieces if piece.candidates]
    assert [reason for reason in reasons if reason] == [types.FinishReason.STOP]
    assert pieces[-1].usage_metadata.total_token_count == INPUT + OUTPUT
    assert upstream.requests[0][0] == wire.streamed


@providers
@both
def test_a_round_of_two_functions_at_once(front, wire, streamed):
    play = wire.stream if streamed else wire.whole
    answers = iter([play("I look.", calls=CALLS), play("Rain and snow")])
    proxy, upstream = front(lambda *_: next(answers))
    some = client(proxy)
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[DECLARED])],
        automatic_function_calling={"disable": True},
    )
    asked = {"model": wire.name, "config": config}
    hi = types.UserContent("hi")
    told, _ = parts(some, streamed, **asked, contents=[hi])
    calls = [part.function_call for part in told if part.function_call]
    assert [(call.name, call.args) for call in calls] == CALLED
    assert "weather" in wire.tools(upstream.requests[0][1])
    results = [
        types.Part(
            function_response=types.FunctionResponse(
                id=call.id, name=call.name, response={"output": text}
            )
        )
        for call, text in zip(calls, ["rain", "snow"], strict=True)
    ]
    contents = [hi, types.ModelContent(told), types.UserContent(results)]
    told, _ = parts(some, streamed, **asked, contents=contents)
    assert "".join(part.text for part in told if part.text) == "Rain and snow"
    called, texts = wire.round(upstream.requests[1][1])
    assert called == CALLED
    assert ["rain" in texts[0], "snow" in texts[1]] == [True, True]
    assert all(wire.plays(path, body) == play for path, body, _ in upstream.requests)


@providers
def test_functions_are_called_by_the_client_itself(front, wire):
    answers = iter([wire.whole(calls=CALLS[:1]), wire.whole("Rain")])
    proxy, upstream = front(lambda *_: next(answers))

    def weather(city: str) -> str:
        """Tells the weather."""
        return f"rain in {city}"

    some = client(proxy)
    answer = some.models.generate_content(
        model=wire.name, contents="hi", config={"tools": [weather]}
    )
    assert answer.text == "Rain"
    assert "city" in wire.tools(upstream.requests[0][1])["weather"]["properties"]
    called, texts = wire.round(upstream.requests[1][1])
    assert called == CALLED[:1]
    assert "rain in Paris" in texts[0]


@providers
@both
def test_thoughts_are_parts_of_their_own(front, wire, streamed):
    play = wire.stream if streamed else wire.whole
    proxy, upstream = front(lambda *_: play("Hello", thought="Hm, hm."))
    some = client(proxy)
    thinking = {"thinking_budget": 1024, "include_thoughts": True}
    config = {} if wire.name == "gpt" else {"thinking_config": thinking}
    told, _ = parts(some, streamed, model=wire.name, contents="hi", config=config)
    assert "".join(part.text for part in told if part.thought) == "Hm, hm."
    assert "".join(part.text or "" for part in told if not part.thought) == "Hello"
    if wire.name == "claude":
        asked = upstream.requests[0][1]["thinking"]
        assert (asked["type"], asked["budget_tokens"]) == ("enabled", 1024)


@providers
def test_a_schema(front, wire):
    proxy, upstream = front(lambda *_: wire.whole('{"city": "Paris"}'))
    some = client(proxy)
    config = {"response_mime_type": "application/json", "response_json_schema": CITY}
    answer = some.models.generate_content(model=wire.name, contents="hi", config=config)
    assert answer.parsed == {"city": "Paris"}
    assert wire.schema(upstream.requests[0][1])["required"] == ["city"]


@providers
def test_a_picture(front, wire):
    proxy, upstream = front(lambda *_: wire.whole("A dot"))
    picture = types.Part.from_bytes(data=base64.b64decode(PNG), mime_type="image/png")
    some = client(proxy)
    contents = [picture, "What is it?"]
    assert some.models.generate_content(model=wire.name, contents=contents).text == "A dot"
    assert wire.picture(upstream.requests[0][1]) == PNG


@providers
def test_tokens_are_counted(front, wire):
    proxy, _ = front(lambda *_: wire.whole("Hello"))
    some = client(proxy)
    few = some.models.count_tokens(model=wire.name, contents="hi").total_tokens
    many = some.models.count_tokens(model=wire.name, contents="many words " * 50).total_tokens
    assert 0 < few < many
