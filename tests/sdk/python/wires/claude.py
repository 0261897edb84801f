"""Anthropic's messages."""

import json

from harness import CREDENTIAL, json_answer, sse

from .chat import INPUT, OUTPUT, SIGNED, OpenAi, halves, plain


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


class Renamed(Anthropic):
    """The same by another name: Codex knows it, and sends what it keeps for its own models."""

    name = "gpt-5.6-sol"
