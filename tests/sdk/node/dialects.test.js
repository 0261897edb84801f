// The newest clients of npm, each with a model of a provider that speaks another dialect.
import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { CREDENTIAL, KEY, front, sse } from "./harness.js";

const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const hi = { role: "user", content: "hi" };

/** Answers with one script after the other. */
function inTurn(...answers) {
  return () => ({ body: answers.shift() });
}

const named = (events) => events.map((e) => `event: ${e.type}\ndata: ${JSON.stringify(e)}\n\n`);

/** Anthropic's stream of one block. */
function messages(block, deltas, stop_reason) {
  const message = { id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-4-5", content: [] };
  const usage = { input_tokens: 9, output_tokens: 1 };
  return named([
    { type: "message_start", message: { ...message, stop_reason: null, stop_sequence: null, usage } },
    { type: "content_block_start", index: 0, content_block: block },
    ...deltas.map((delta) => ({ type: "content_block_delta", index: 0, delta })),
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 5 } },
    { type: "message_stop" },
  ]);
}

/** OpenAI's stream of these deltas. */
function chunks(deltas, finish) {
  const chunk = (delta, finish_reason = null) => ({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "gpt-4o-mini",
    choices: [{ index: 0, delta, finish_reason }],
  });
  const usage = { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 };
  return sse([...deltas.map((delta) => chunk(delta)), chunk({}, finish), { ...chunk({}), choices: [], usage }, "[DONE]"]);
}

test("an OpenAI client goes a round of tools with Claude, streamed", async (t) => {
  const use = { type: "tool_use", id: "toolu_1", name: "weather", input: {} };
  const pieces = ['{"city": ', '"Paris"}'];
  const inputs = pieces.map((partial_json) => ({ type: "input_json_delta", partial_json }));
  const { proxy, upstream } = await front(
    t,
    inTurn(
      messages(use, inputs, "tool_use"),
      messages({ type: "text", text: "" }, [{ type: "text_delta", text: "Rain" }], "end_turn"),
    ),
  );
  const some = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: KEY, maxRetries: 0 });
  const tools = [{ type: "function", function: { name: "weather", parameters: schema } }];
  const asked = { model: "claude", tools };
  const first = await some.chat.completions.stream({ ...asked, messages: [hi] }).finalMessage();
  const [call] = first.tool_calls;
  assert.deepEqual(JSON.parse(call.function.arguments), { city: "Paris" });
  const result = { role: "tool", tool_call_id: call.id, content: "rain" };
  const again = some.chat.completions.stream({ ...asked, messages: [hi, first, result] });
  assert.equal(await again.finalContent(), "Rain");
  const [one, two] = upstream.requests;
  assert.equal(one.path, "/v1/messages");
  assert.equal(one.headers["x-api-key"], CREDENTIAL);
  assert.deepEqual(one.body.tools[0].input_schema, schema);
  assert.deepEqual(two.body.messages[1].content, [{ ...use, input: { city: "Paris" } }]);
  assert.equal(two.body.messages[2].content[0].tool_use_id, "toolu_1");
});

test("an Anthropic client goes a round of tools with GPT, streamed", async (t) => {
  const call = { id: "call_1", type: "function", function: { name: "weather", arguments: "" } };
  const part = (fields) => ({ tool_calls: [{ index: 0, ...fields }] });
  const { proxy, upstream } = await front(
    t,
    inTurn(
      chunks(
        [
          { role: "assistant", content: null },
          part(call),
          part({ function: { arguments: '{"city": ' } }),
          part({ function: { arguments: '"Paris"}' } }),
        ],
        "tool_calls",
      ),
      chunks([{ role: "assistant", content: "" }, { content: "Ra" }, { content: "in" }], "stop"),
    ),
  );
  const some = new Anthropic({ baseURL: proxy.url, apiKey: KEY, maxRetries: 0 });
  const tools = [{ name: "weather", input_schema: schema }];
  const asked = { model: "gpt", max_tokens: 99, tools };
  const first = await some.messages.stream({ ...asked, messages: [hi] }).finalMessage();
  assert.equal(first.stop_reason, "tool_use");
  const [use] = first.content;
  assert.deepEqual(use.input, { city: "Paris" });
  const result = { type: "tool_result", tool_use_id: use.id, content: "rain" };
  const said = [hi, { role: "assistant", content: first.content }, { role: "user", content: [result] }];
  const second = await some.messages.stream({ ...asked, messages: said }).finalMessage();
  assert.equal(second.content[0].text, "Rain");
  assert.equal(second.usage.output_tokens, 5);
  const [one, two] = upstream.requests;
  assert.equal(one.path, "/v1/chat/completions");
  assert.equal(one.headers.authorization, `Bearer ${CREDENTIAL}`);
  assert.deepEqual(one.body.tools[0].function.parameters, schema);
  assert.deepEqual(JSON.parse(two.body.messages[1].tool_calls[0].function.arguments), { city: "Paris" });
  assert.deepEqual(two.body.messages[2], { role: "tool", tool_call_id: use.id, content: "rain" });
});

for (const [client, create] of [
  ["an OpenAI client", (url) => {
    const some = new OpenAI({ baseURL: `${url}/v1`, apiKey: KEY, maxRetries: 0 });
    return some.chat.completions.stream({ model: "claude", messages: [hi] }).finalMessage();
  }],
  ["an Anthropic client", (url) => {
    const some = new Anthropic({ baseURL: url, apiKey: KEY, maxRetries: 0 });
    return some.messages.stream({ model: "gpt", max_tokens: 9, messages: [hi] }).finalMessage();
  }],
]) {
  test(`${client} is told of a stream that breaks`, async (t) => {
    const text = messages({ type: "text", text: "" }, [{ type: "text_delta", text: "Ra" }], "end_turn");
    const { proxy } = await front(t, ({ path }) => {
      if (path === "/v1/messages") return { body: text.slice(0, 3) };
      return { body: chunks([{ role: "assistant", content: "Ra" }], "stop").slice(0, 1) };
    });
    await assert.rejects(create(proxy.url));
  });
}
