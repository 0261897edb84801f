"""Providers in their own words: what each is asked, and how it answers.

A wire answers whole (`whole`) or as a stream (`stream`) with a text, a thought and calls of tools,
and finds in a request that reached it what a test looks for.
"""

import json

from harness import CREDENTIAL, json_answer, sse

SIGNED = "c2lnbmF0dXJl"
# What Google takes where the signature of a call is not known.
UNSIGNED = "skip_thought_signature_validator"
INPUT, OUTPUT = 21, 7
TIME = "2025-11-22T10:00:00.000000Z"


def halves(text):
    return [text[: len(text) // 2], text[len(text) // 2 :]] if text else []


class OpenAi:
    """Any provider that speaks OpenAI's chat completions."""

    name, model = "gpt", "gpt-4o-mini"

    def __init__(self):
        self.path = self.streamed = "/v1/chat/completions"

    def credential(self, headers):
        return headers["authorization"] == f"Bearer {CREDENTIAL}"

    def whole(self, text=None, thought=None, calls=()):
        message = {"role": "assistant", "content": text, "refusal": None}
        if thought:
            message["reasoning_content"] = thought
        if calls:
            message["tool_calls"] = [self.call(*call) for call in calls]
        finish = "tool_calls" if calls else "stop"
        choice = {"index": 0, "message": message, "finish_reason": finish}
        head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": self.model}
        return json_answer(head | {"choices": [choice], "usage": self.usage()})

    def stream(self, text=None, thought=None, calls=(), cut=False):
        deltas = [{"role": "assistant", "content": ""}]
        deltas += [{"reasoning_content": piece} for piece in halves(thought)]
        deltas += [{"content": piece} for piece in halves(text)]
        for index, (id, name, arguments) in enumerate(calls):
            called = self.call(id, name, None) | {"index": index}
            deltas.append({"tool_calls": [called]})
            for piece in halves(json.dumps(arguments)):
                deltas.append({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        events = [self.chunk(delta) for delta in deltas]
        if not cut:
            events.append(self.chunk({}, "tool_calls" if calls else "stop"))
            events += [self.chunk({}) | {"choices": [], "usage": self.usage()}, "[DONE]"]
        return sse(events)

    def chunk(self, delta, finish=None):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        kind = "chat.completion.chunk"
        head = {"id": "chatcmpl-1", "object": kind, "created": 1, "model": self.model}
        return head | {"choices": [choice]}

    def call(self, id, name, arguments):
        text = "" if arguments is None else json.dumps(arguments)
        return {"id": id, "type": "function", "function": {"name": name, "arguments": text}}

    def usage(self):
        total = INPUT + OUTPUT
        return {"prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": total}

    def plays(self, path, body):
        """What answers this request: a stream, if it asks for one, or all at once."""
        return self.stream if body.get("stream") else self.whole

    def asked(self, body):
        assert body["model"] == self.model
        return [(m["role"], plain(m["content"])) for m in body["messages"]]

    def limit(self, body):
        return body.get("max_completion_tokens") or body.get("max_tokens")

    def tools(self, body):
        return {t["function"]["name"]: t["function"]["parameters"] for t in body["tools"]}

    def round(self, body):
        """The calls and their results in a conversation: names and arguments, then texts."""
        calls = [call for m in body["messages"] for call in m.get("tool_calls") or []]
        results = {m["tool_call_id"]: m["content"] for m in body["messages"] if m["role"] == "tool"}
        called = [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in calls]
        return called, [plain(results[call["id"]]) for call in calls]

    def picture(self, body):
        parts = body["messages"][-1]["content"]
        return next(p["image_url"]["url"] for p in parts if p["type"] == "image_url").split(",")[1]

    def schema(self, body):
        return body["response_format"]["json_schema"]["schema"]


class Anthropic(OpenAi):
    name, model = "claude", "claude-sonnet-4-5"

    def __init__(self):
        self.path = self.streamed = "/v1/messages"

    def credential(self, headers):
        return headers["x-api-key"] == CREDENTIAL and headers["anthropic-version"] == "2023-06-01"

    def blocks(self, text, thought, calls):
        blocks = []
        if thought:
            blocks.append({"type": "thinking", "thinking": thought, "signature": SIGNED})
        if text:
            blocks.append({"type": "text", "text": text})
        for id, name, arguments in calls:
            blocks.append({"type": "tool_use", "id": id, "name": name, "input": arguments})
        return blocks

    def message(self, blocks, reason):
        head = {"id": "msg_1", "type": "message", "role": "assistant", "model": self.model}
        return head | {
            "content": blocks,
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": {
                "input_tokens": INPUT,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": OUTPUT,
            },
        }

    def whole(self, text=None, thought=None, calls=()):
        reason = "tool_use" if calls else "end_turn"
        return json_answer(self.message(self.blocks(text, thought, calls), reason))

    def stream(self, text=None, thought=None, calls=(), cut=False):
        events = [{"type": "message_start", "message": self.message([], None)}, {"type": "ping"}]
        for index, block in enumerate(self.blocks(text, thought, calls)):
            empty = {"thinking": {"thinking": "", "signature": ""}, "text": {"text": ""}}
            begun = block | empty.get(block["type"], {"input": {}})
            events.append({"type": "content_block_start", "index": index, "content_block": begun})
            for delta in self.deltas(block):
                events.append({"type": "content_block_delta", "index": index, "delta": delta})
            events.append({"type": "content_block_stop", "index": index})
        if not cut:
            delta = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
            usage = {"output_tokens": OUTPUT}
            events.append({"type": "message_delta", "delta": delta, "usage": usage})
            events.append({"type": "message_stop"})
        return sse(events, named=True)

    def deltas(self, block):
        if block["type"] == "thinking":
            for piece in halves(block["thinking"]):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": block["signature"]}
        elif block["type"] == "text":
            for piece in halves(block["text"]):
                yield {"type": "text_delta", "text": piece}
        else:
            for piece in ["", *halves(json.dumps(block["input"]))]:
                yield {"type": "input_json_delta", "partial_json": piece}

    def asked(self, body):
        assert body["model"] == self.model
        assert body["max_tokens"] > 0
        system = [("system", plain(body["system"]))] if "system" in body else []
        return system + [(m["role"], plain(m["content"])) for m in body["messages"]]

    def limit(self, body):
        return body["max_tokens"]

    def tools(self, body):
        return {tool["name"]: tool["input_schema"] for tool in body["tools"]}

    def round(self, body):
        turns = [m["content"] for m in body["messages"] if isinstance(m["content"], list)]
        blocks = [block for turn in turns for block in turn]
        uses = [block for block in blocks if block["type"] == "tool_use"]
        results = {b["tool_use_id"]: b["content"] for b in blocks if b["type"] == "tool_result"}
        called = [(use["name"], use["input"]) for use in uses]
        return called, [plain(results[use["id"]]) for use in uses]

    def picture(self, body):
        blocks = body["messages"][-1]["content"]
        source = next(b["source"] for b in blocks if b["type"] == "image")
        assert source["type"] == "base64" and source["media_type"] == "image/png"
        return source["data"]

    def schema(self, body):
        asked = body.get("output_config", {}).get("format") or body["output_format"]
        assert asked["type"] == "json_schema"
        return asked["schema"]


class Gemini(OpenAi):
    name, model = "flash", "gemini-2.5-flash"

    def __init__(self):
        base = f"/v1beta/models/{self.model}"
        self.path = f"{base}:generateContent"
        self.streamed = f"{base}:streamGenerateContent?alt=sse"

    def credential(self, headers):
        return headers["x-goog-api-key"] == CREDENTIAL

    def answer(self, parts, finish=None):
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        counts = {"promptTokenCount": INPUT, "candidatesTokenCount": OUTPUT}
        usage = counts | {"totalTokenCount": INPUT + OUTPUT}
        head = {"modelVersion": self.model, "responseId": "r1"}
        return head | {"candidates": [candidate], "usageMetadata": usage}

    def called(self, calls):
        for index, (_, name, arguments) in enumerate(calls):
            part = {"functionCall": {"name": name, "args": arguments}}
            # Of calls at once, the first one has the signature.
            yield part | ({"thoughtSignature": SIGNED} if index == 0 else {})

    def whole(self, text=None, thought=None, calls=()):
        parts = [{"text": thought, "thought": True}] if thought else []
        parts += [{"text": text}] if text else []
        return json_answer(self.answer([*parts, *self.called(calls)], "STOP"))

    def stream(self, text=None, thought=None, calls=(), cut=False):
        parts = [{"text": piece, "thought": True} for piece in halves(thought)]
        parts += [{"text": piece} for piece in halves(text)]
        parts += self.called(calls)
        events = [self.answer([part]) for part in parts]
        if not cut:
            events[-1]["candidates"][0]["finishReason"] = "STOP"
        return sse(events)

    def plays(self, path, body):
        return self.stream if path == self.streamed else self.whole

    def asked(self, body):
        roles = {"model": "assistant", "user": "user"}
        said = [(roles[c["role"]], plain(c["parts"])) for c in body["contents"]]
        system = body.get("systemInstruction")
        return ([("system", plain(system["parts"]))] if system else []) + said

    def limit(self, body):
        return body["generationConfig"]["maxOutputTokens"]

    def tools(self, body):
        offered = [tool for tools in body["tools"] for tool in tools["functionDeclarations"]]
        schemas = [t.get("parametersJsonSchema") or t.get("parameters") for t in offered]
        return {tool["name"]: schema for tool, schema in zip(offered, schemas, strict=True)}

    def round(self, body):
        parts = [part for content in body["contents"] for part in content["parts"]]
        calls = [part["functionCall"] for part in parts if "functionCall" in part]
        assert set(self.proofs(body)) <= {SIGNED, UNSIGNED, None}
        results = [p["functionResponse"] for p in parts if "functionResponse" in p]
        assert [call["name"] for call in calls] == [result["name"] for result in results]
        texts = [next(iter(result["response"].values())) for result in results]
        return [(call["name"], call["args"]) for call in calls], texts

    def proofs(self, body):
        parts = [part for content in body["contents"] for part in content["parts"]]
        return [part.get("thoughtSignature") for part in parts if "functionCall" in part]

    def picture(self, body):
        data = next(p["inlineData"] for p in body["contents"][-1]["parts"] if "inlineData" in p)
        assert data["mimeType"] == "image/png"
        return data["data"]

    def schema(self, body):
        config = body["generationConfig"]
        assert config["responseMimeType"] == "application/json"
        return config["responseJsonSchema"]


class Cohere(OpenAi):
    name, model = "command", "command-a-03-2025"

    def __init__(self):
        self.path = self.streamed = "/v2/chat"

    def whole(self, text=None, thought=None, calls=()):
        message = {"role": "assistant"}
        content = [{"type": "thinking", "thinking": thought}] if thought else []
        content += [{"type": "text", "text": text}] if text else []
        if content:
            message["content"] = content
        if calls:
            message["tool_calls"] = [self.call(*call) for call in calls]
        finish = "TOOL_CALL" if calls else "COMPLETE"
        return json_answer(
            {"id": "c1", "finish_reason": finish, "message": message, "usage": self.usage()}
        )

    def stream(self, text=None, thought=None, calls=(), cut=False):
        empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}
        events = [{"type": "message-start", "id": "c1", "delta": {"message": empty}}]
        told = [(kind, it) for kind, it in [("thinking", thought), ("text", text)] if it]
        for index, (kind, words) in enumerate(told):
            start = {"type": kind, kind: ""}
            events.append(self.event("content-start", index, content=start))
            for piece in halves(words):
                events.append(self.event("content-delta", index, content={kind: piece}))
            events.append({"type": "content-end", "index": index})
        for index, (id, name, arguments) in enumerate(calls):
            start = self.call(id, name, None)
            events.append(self.event("tool-call-start", index, tool_calls=start))
            for piece in halves(json.dumps(arguments)):
                more = {"function": {"arguments": piece}}
                events.append(self.event("tool-call-delta", index, tool_calls=more))
            events.append({"type": "tool-call-end", "index": index})
        if not cut:
            delta = {"finish_reason": "TOOL_CALL" if calls else "COMPLETE", "usage": self.usage()}
            events.append({"type": "message-end", "id": "c1", "delta": delta})
        return sse(events, named=True)

    def event(self, kind, index, **message):
        return {"type": kind, "index": index, "delta": {"message": message}}

    def usage(self):
        tokens = {"input_tokens": INPUT, "output_tokens": OUTPUT}
        return {"billed_units": tokens, "tokens": tokens}

    def limit(self, body):
        return body["max_tokens"]

    def schema(self, body):
        assert body["response_format"]["type"] == "json_object"
        return body["response_format"]["json_schema"]


class Ollama(OpenAi):
    name, model = "llama", "gpt-oss:20b"

    def __init__(self):
        self.path = self.streamed = "/api/chat"

    def line(self, **message):
        message = {"role": "assistant", "content": "", **message}
        return {"model": self.model, "created_at": TIME, "message": message, "done": False}

    def called(self, calls):
        # Ollama gives no ids.
        return [{"function": {"name": name, "arguments": told}} for _, name, told in calls]

    def last(self):
        counts = {"prompt_eval_count": INPUT, "eval_count": OUTPUT, "total_duration": 1000}
        return {"done": True, "done_reason": "stop", **counts}

    def whole(self, text=None, thought=None, calls=()):
        message = {"content": text or ""}
        if thought:
            message["thinking"] = thought
        if calls:
            message["tool_calls"] = self.called(calls)
        return json_answer(self.line(**message) | self.last())

    def stream(self, text=None, thought=None, calls=(), cut=False):
        lines = [self.line(thinking=piece) for piece in halves(thought)]
        lines += [self.line(content=piece) for piece in halves(text)]
        lines += [self.line(tool_calls=[call]) for call in self.called(calls)]
        if not cut:
            lines.append(self.line() | self.last())
        pieces = [json.dumps(line).encode() + b"\n" for line in lines]
        return 200, {"content-type": "application/x-ndjson"}, pieces

    def limit(self, body):
        return body["options"]["num_predict"]

    def round(self, body):
        calls = [c["function"] for m in body["messages"] for c in m.get("tool_calls") or []]
        results = [m for m in body["messages"] if m["role"] == "tool"]
        assert [call["name"] for call in calls] == [result["tool_name"] for result in results]
        called = [(call["name"], call["arguments"]) for call in calls]
        return called, [result["content"] for result in results]

    def picture(self, body):
        return body["messages"][-1]["images"][0]

    def schema(self, body):
        return body["format"]


def plain(content):
    """The text of a message, whether it is a string or comes in parts."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content


def named(wire):
    return type(wire).__name__.lower()
