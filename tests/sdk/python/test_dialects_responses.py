"""The `responses` of the `openai` client with models of providers that speak other dialects."""

import json

import openai
import pytest
from test_dialects_openai import CALLED, CALLS, CITY, PNG, Person, client, providers
from wires import GOOGLES, INPUT, OUTPUT, SIGNED, Anthropic

TOOL = {"type": "function", "name": "weather", "parameters": CITY, "strict": False}


@providers
def test_a_response(front, wire):
    proxy, upstream = front(lambda *_: wire.whole("Hello"))
    answer = client(proxy).responses.create(
        model=wire.name, input="hi", instructions="Be short.", max_output_tokens=300
    )
    assert answer.object == "response"
    assert answer.status == "completed"
    assert answer.output_text == "Hello"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (INPUT, OUTPUT)
    path, body, headers = upstream.requests[0]
    assert path == wire.path
    assert wire.credential(headers)
    assert wire.asked(body) == [("system", "Be short."), ("user", "hi")]
    assert wire.limit(body) == 300


@providers
def test_a_streamed_response_has_each_event_in_its_place(front, wire):
    proxy, _ = front(lambda path, body, _: wire.plays(path, body)("Hello"))
    events = list(client(proxy).responses.create(model=wire.name, input="hi", stream=True))
    kinds = [event.type for event in events]
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].response.output_text == "Hello"
    assert events[-1].response.usage.output_tokens == OUTPUT


@providers
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_round_of_two_functions_at_once(front, wire, streamed):
    play = wire.stream if streamed else wire.whole
    answers = iter([play(calls=CALLS), play("Rain and snow")])
    proxy, upstream = front(lambda *_: next(answers))
    some = client(proxy)
    items = [{"role": "user", "content": "hi"}]
    asked = {"model": wire.name, "tools": [TOOL]}
    first = finished(some, streamed, **asked, input=items)
    calls = [item for item in first.output if item.type == "function_call"]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == CALLED
    assert "weather" in wire.tools(upstream.requests[0][1])
    items += [item.model_dump(exclude_none=True) for item in first.output]
    for call, result in zip(calls, ["rain", "snow"], strict=True):
        output = {"type": "function_call_output", "call_id": call.call_id, "output": result}
        items.append(output)
    second = finished(some, streamed, **asked, input=items)
    assert second.output_text == "Rain and snow"
    assert wire.round(upstream.requests[1][1]) == (CALLED, ["rain", "snow"])
    if wire.name == "flash":
        assert wire.proofs(upstream.requests[1][1])[0] == GOOGLES
    assert all(wire.plays(path, body) == play for path, body, _ in upstream.requests)


def finished(some, streamed, **asked):
    """A whole response, put together by the client if it is streamed."""
    if not streamed:
        return some.responses.create(**asked)
    with some.responses.stream(**asked) as stream:
        deltas = [event for event in stream if event.type.endswith("arguments.delta")]
        answer = stream.get_final_response()
    calls = [item for item in answer.output if item.type == "function_call"]
    assert "".join(it.delta for it in deltas) == "".join(call.arguments for call in calls)
    return answer


@providers
def test_earlier_turns(front, wire):
    proxy, upstream = front(lambda *_: wire.whole("Hello"))
    some = client(proxy).responses
    first = some.create(model=wire.name, input="hi")
    again = [{"role": "user", "content": "hi"}, *first.output, {"role": "user", "content": "bye"}]
    some.create(model=wire.name, input=again)
    said = wire.asked(upstream.requests[1][1])
    assert said == [("user", "hi"), ("assistant", "Hello"), ("user", "bye")]


@providers
def test_parsed_output(front, wire):
    proxy, upstream = front(lambda *_: wire.whole('{"name": "Ada", "age": 36}'))
    answer = client(proxy).responses.parse(model=wire.name, input="hi", text_format=Person)
    assert answer.output_parsed == Person(name="Ada", age=36)
    assert sorted(wire.schema(upstream.requests[0][1])["properties"]) == ["age", "name"]


@providers
def test_a_picture(front, wire):
    proxy, upstream = front(lambda *_: wire.whole("A dot"))
    picture = {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"}
    content = [{"type": "input_text", "text": "What is it?"}, picture]
    items = [{"role": "user", "content": content}]
    assert client(proxy).responses.create(model=wire.name, input=items).output_text == "A dot"
    assert wire.picture(upstream.requests[0][1]) == PNG


@providers
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_thoughts_are_items_of_their_own(front, wire, streamed):
    play = wire.stream if streamed else wire.whole
    proxy, _ = front(lambda *_: play("Hello", thought="Hm, hm."))
    answer = client(proxy).responses.create(model=wire.name, input="hi", stream=streamed)
    if streamed:
        *_, last = answer
        answer = last.response
    thought, message = answer.output
    assert (thought.type, message.type) == ("reasoning", "message")
    assert [part.text for part in thought.summary] == ["Hm, hm."]
    assert answer.output_text == "Hello"


def test_anthropics_signed_thoughts_go_back_with_the_next_turn(front):
    wire = Anthropic()
    answers = iter([wire.stream(thought="Hm.", calls=CALLS[:1]), wire.stream("Rain")])
    proxy, upstream = front(lambda *_: next(answers))
    some = client(proxy)
    asked = {"model": wire.name, "tools": [TOOL], "reasoning": {"effort": "low", "summary": "auto"}}
    asked["include"] = ["reasoning.encrypted_content"]
    first = finished(some, True, **asked, input="hi")
    call = first.output[-1]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    told = [item.model_dump(exclude_none=True) for item in first.output]
    items = [{"role": "user", "content": "hi"}, *told, result]
    assert finished(some, True, **asked, input=items).output_text == "Rain"
    said = upstream.requests[1][1]["messages"][1]["content"][0]
    assert said == {"type": "thinking", "thinking": "Hm.", "signature": SIGNED}


@providers
def test_a_response_that_nobody_keeps_cannot_be_gone_on_from(front, wire):
    proxy, upstream = front(lambda *_: wire.whole("Hello"))
    with pytest.raises(openai.BadRequestError, match="previous_response_id"):
        client(proxy).responses.create(model=wire.name, input="hi", previous_response_id="resp_x")
    assert upstream.requests == []


@providers
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_conversation_goes_on_from_the_response_before(front, wire, streamed):
    play = wire.stream if streamed else wire.whole
    answers = iter([play(calls=CALLS[:1]), play("Rain"), play("Bye")])
    proxy, upstream = front(lambda *_: next(answers))
    some = client(proxy)
    asked = {"model": wire.name, "tools": [TOOL]}
    first = finished(some, streamed, **asked, input="hi")
    result = {"type": "function_call_output", "call_id": first.output[-1].call_id, "output": "rain"}
    second = finished(some, streamed, **asked, input=[result], previous_response_id=first.id)
    assert second.output_text == "Rain"
    assert second.previous_response_id == first.id
    third = finished(some, streamed, **asked, input="bye", previous_response_id=second.id)
    assert third.output_text == "Bye"
    said = wire.asked(upstream.requests[2][1])
    assert (said[0], said[-1]) == (("user", "hi"), ("user", "bye"))
    assert ("assistant", "Rain") in said


def test_a_kept_response_can_be_looked_at_and_deleted(front):
    wire = Anthropic()
    proxy, _ = front(lambda *_: wire.whole("Hello"))
    some = client(proxy).responses
    first = some.create(model=wire.name, input="hi")
    second = some.create(model=wire.name, input="bye", previous_response_id=first.id)
    assert some.retrieve(second.id).output_text == "Hello"
    listed = list(some.input_items.list(second.id, order="asc", limit=1))
    assert [item.role for item in listed] == ["user", "assistant", "user"]
    some.delete(second.id)
    with pytest.raises(openai.BadRequestError, match="previous_response_id"):
        some.create(model=wire.name, input="hi", previous_response_id=second.id)
