"""Why an answer ends, what it used, and what a provider cannot do, across dialects."""

import copy
import json

import openai
import pytest
import test_dialects_anthropic
import test_dialects_gemini
import test_dialects_openai
from google.genai import types
from wires import Anthropic, Cohere, Gemini, Ollama, OpenAi, named

HI = [{"role": "user", "content": "hi"}]
foreign = pytest.mark.parametrize("wire", [Anthropic(), Gemini(), Cohere(), Ollama()], ids=named)

# Where a whole answer tells why it ends, and the words for a limit.
LIMITS = {
    "gpt": (["choices", 0, "finish_reason"], "length"),
    "claude": (["stop_reason"], "max_tokens"),
    "flash": (["candidates", 0, "finishReason"], "MAX_TOKENS"),
    "command": (["finish_reason"], "MAX_TOKENS"),
    "llama": (["done_reason"], "length"),
}


def ended(wire, path, word):
    """A whole answer that ends with this word."""
    status, headers, body = wire.whole("Hello")
    answer = json.loads(body)
    *way, last = path
    place = answer
    for step in way:
        place = place[step]
    place[last] = word
    return status, headers, json.dumps(answer).encode()


@pytest.mark.parametrize(
    "wire", [OpenAi(), Anthropic(), Gemini(), Cohere(), Ollama()], ids=named
)
def test_a_limit_is_told_to_each_client(front, wire):
    proxy, _ = front(lambda *_: ended(wire, *LIMITS[wire.name]))
    some = test_dialects_openai.client(proxy)
    answer = some.chat.completions.create(model=wire.name, messages=HI)
    assert answer.choices[0].finish_reason == "length"
    if wire.name != "gpt":
        # That provider is asked in its own responses.
        response = some.responses.create(model=wire.name, input="hi")
        assert response.status == "incomplete"
        assert response.incomplete_details.reason == "max_output_tokens"
    message = test_dialects_anthropic.finished(
        test_dialects_anthropic.client(proxy), False, model=wire.name, messages=HI
    )
    assert message.stop_reason == "max_tokens"
    google = test_dialects_gemini.client(proxy)
    content = google.models.generate_content(model=wire.name, contents="hi")
    assert content.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS


@pytest.mark.parametrize(
    ("wire", "path", "word"),
    [
        (Anthropic(), ["stop_reason"], "refusal"),
        (Gemini(), ["candidates", 0, "finishReason"], "SAFETY"),
        (Gemini(), ["candidates", 0, "finishReason"], "PROHIBITED_CONTENT"),
    ],
)
def test_what_a_filter_stops_is_told_as_such(front, wire, path, word):
    proxy, _ = front(lambda *_: ended(wire, path, word))
    some = test_dialects_openai.client(proxy)
    answer = some.chat.completions.create(model=wire.name, messages=HI)
    assert answer.choices[0].finish_reason == "content_filter"


def test_geminis_refusal_of_a_prompt_is_no_empty_success(front):
    usage = {"promptTokenCount": 3}
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": usage}
    told = 200, {"content-type": "application/json"}, json.dumps(blocked).encode()
    proxy, _ = front(lambda *_: told)
    some = test_dialects_openai.client(proxy)
    try:
        answer = some.chat.completions.create(model="flash", messages=HI)
    except openai.APIStatusError as error:
        assert error.status_code in (400, 422)
    else:
        assert answer.choices[0].finish_reason == "content_filter"


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_cached_input_is_counted_as_each_client_counts_it(front, streamed):
    class Cached(Anthropic):
        def message(self, blocks, reason):
            told = copy.deepcopy(super().message(blocks, reason))
            told["usage"] |= {"cache_read_input_tokens": 100, "cache_creation_input_tokens": 10}
            return told

    class CachedOpenAi(OpenAi):
        def usage(self):
            counts = {"prompt_tokens": 131, "completion_tokens": 7, "total_tokens": 138}
            return counts | {"prompt_tokens_details": {"cached_tokens": 100}}

    def script(path, body, _):
        return (Cached() if "messages" in path else CachedOpenAi()).plays(path, body)("Hello")

    proxy, _ = front(script)
    create = test_dialects_openai.client(proxy).chat.completions.create
    asked = {"model": "claude", "messages": HI}
    if streamed:
        *_, last = create(**asked, stream=True, stream_options={"include_usage": True})
    else:
        last = create(**asked)
    assert last.usage.prompt_tokens == 131
    assert last.usage.prompt_tokens_details.cached_tokens == 100
    some = test_dialects_anthropic.client(proxy)
    usage = test_dialects_anthropic.finished(some, streamed, model="gpt", messages=HI).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens) == (31, 100)


def test_what_a_provider_cannot_do_is_a_bad_request_unless_it_may_be_dropped(front):
    proxy, upstream = front(lambda *_: Anthropic().whole("Hello"))
    create = test_dialects_openai.client(proxy).chat.completions.create
    with pytest.raises(openai.BadRequestError, match="UnsupportedParamsError") as caught:
        create(model="claude", messages=HI, logit_bias={"50256": -100})
    assert "logit_bias" in str(caught.value)
    assert upstream.requests == []
    create(
        model="claude",
        messages=HI,
        logit_bias={"50256": -100},
        extra_body={"drop_params": True},
    )
    assert "logit_bias" not in upstream.requests[0][1]
    assert "drop_params" not in upstream.requests[0][1]


@foreign
def test_a_tool_without_arguments(front, wire):
    calls = [("call_a", "now", {})]
    proxy, upstream = front(lambda path, body, _: wire.plays(path, body)(calls=calls))
    some = test_dialects_openai.client(proxy)
    tools = [{"type": "function", "function": {"name": "now"}}]
    for streamed in [False, True]:
        choice = test_dialects_openai.finished(
            some, streamed, model=wire.name, messages=HI, tools=tools
        )
        (call,) = choice.message.tool_calls
        assert json.loads(call.function.arguments) == {}
    if wire.name != "flash":
        assert wire.tools(upstream.requests[0][1])["now"]["type"] == "object"


@foreign
def test_how_words_are_chosen_arrives(front, wire):
    proxy, upstream = front(lambda *_: wire.whole("Hello"))
    create = test_dialects_openai.client(proxy).chat.completions.create
    # Claude takes one of the two at a time.
    create(model=wire.name, messages=HI, temperature=0.5, stop=["END"])
    create(model=wire.name, messages=HI, top_p=0.25, stop=["END"])
    names = {
        "claude": ("temperature", "top_p", "stop_sequences"),
        "flash": ("temperature", "topP", "stopSequences"),
        "command": ("temperature", "p", "stop_sequences"),
        "llama": ("temperature", "top_p", "stop"),
    }
    bodies = [body for _, body, _ in upstream.requests]
    configs = [body.get("generationConfig") or body.get("options") or body for body in bodies]
    told = [[config.get(name) for name in names[wire.name]] for config in configs]
    assert told == [[0.5, None, ["END"]], [None, 0.25, ["END"]]]
