"""The `ollama` client with models of providers that speak other dialects."""

import ollama
import pytest
from harness import KEY
from test_dialects_openai import CALLED, CALLS, CITY, PNG, TOOLS
from wires import INPUT, OUTPUT, Anthropic, Cohere, Gemini, OpenAi, named

HI = [{"role": "user", "content": "hi"}]
providers = pytest.mark.parametrize("wire", [OpenAi(), Anthropic(), Gemini(), Cohere()], ids=named)


def client(proxy, key=KEY):
    return ollama.Client(host=proxy.url, headers={"Authorization": f"Bearer {key}"})


@providers
def test_a_chat(front, wire):
    proxy, upstream = front(lambda *_: wire.whole("Hello"))
    messages = [{"role": "system", "content": "Be short."}, *HI]
    answer = client(proxy).chat(wire.name, messages, options={"num_predict": 300})
    assert (answer.message.role, answer.message.content) == ("assistant", "Hello")
    assert (answer.done, answer.done_reason) == (True, "stop")
    assert (answer.prompt_eval_count, answer.eval_count) == (INPUT, OUTPUT)
    assert answer.total_duration > 0
    path, body, headers = upstream.requests[0]
    assert path == wire.path
    assert wire.credential(headers)
    assert KEY not in str(headers)
    assert wire.asked(body) == [("system", "Be short."), ("user", "hi")]
    assert wire.limit(body) == 300


@providers
def test_a_stream(front, wire):
    proxy, upstream = front(lambda path, body, _: wire.plays(path, body)("Hello"))
    pieces = list(client(proxy).chat(wire.name + ":latest", HI, stream=True))
    assert [p.message.content for p in pieces if p.message.content] == ["He", "llo"]
    assert (pieces[-1].done, pieces[-1].eval_count) == (True, OUTPUT)
    assert upstream.requests[0][0] == wire.streamed


@providers
def test_a_round_of_two_tools_at_once(front, wire):
    answers = iter([wire.whole("I look.", calls=CALLS), wire.whole("Rain and snow")])
    proxy, upstream = front(lambda *_: next(answers))
    some = client(proxy)
    told = some.chat(wire.name, HI, tools=TOOLS).message
    calls = [(call.function.name, dict(call.function.arguments)) for call in told.tool_calls]
    assert calls == CALLED
    results = [
        {"role": "tool", "tool_name": name, "content": text}
        for (name, _), text in zip(calls, ["rain", "snow"], strict=True)
    ]
    assert some.chat(wire.name, [*HI, told, *results], tools=TOOLS).message.content
    called, texts = wire.round(upstream.requests[1][1])
    assert called == CALLED
    assert ["rain" in texts[0], "snow" in texts[1]] == [True, True]


@providers
def test_a_generated_text_with_a_picture_and_a_schema(front, wire):
    proxy, upstream = front(lambda *_: wire.whole('{"city": "Paris"}'))
    answer = client(proxy).generate(wire.name, "Which?", images=[PNG], format=CITY)
    assert answer.response == '{"city": "Paris"}'
    body = upstream.requests[0][1]
    assert wire.schema(body)["required"] == ["city"]
    assert wire.picture(body) == PNG


def test_errors_are_its_own(front):
    error = {"error": {"message": "too busy", "type": "server_error"}}
    proxy, _ = front(lambda *_: (429, {}, str(error).replace("'", '"').encode()))
    with pytest.raises(ollama.ResponseError) as raised:
        client(proxy).chat("gpt", HI)
    assert raised.value.status_code == 429
    assert "too busy" in raised.value.error
    with pytest.raises(ollama.ResponseError) as raised:
        client(proxy, "sk-wrong").chat("gpt", HI)
    assert raised.value.status_code == 401


def test_models_are_listed_and_shown(front):
    proxy, _ = front(lambda *_: None)
    some = client(proxy)
    assert "gpt" in [model.model for model in some.list().models]
    assert "completion" in some.show("gpt").capabilities
    assert some.ps().models == []
