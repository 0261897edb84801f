// The Vercel AI SDK, with three of its providers pointed at us.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, jsonSchema, streamText, tool } from "ai";
import { CREDENTIAL, KEY, front, sse } from "./harness.js";

const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 };

function completion(message, finish_reason) {
  const choices = [{ index: 0, message: { role: "assistant", ...message }, finish_reason }];
  return { id: "c1", object: "chat.completion", created: 1, model: "m", choices, usage };
}

function chunk(delta, finish_reason = null) {
  const choices = [{ index: 0, delta, finish_reason }];
  return { id: "c1", object: "chat.completion.chunk", created: 1, model: "m", choices };
}

const openai = (proxy) => createOpenAI({ baseURL: `${proxy.url}/v1`, apiKey: KEY });
const asked = (model) => ({ model, prompt: "hi", maxRetries: 0 });

test("text is generated, with its usage", async (t) => {
  const body = completion({ content: "Hello" }, "stop");
  const { proxy, upstream } = await front(t, () => ({ body }));
  const compatible = createOpenAICompatible({ name: "ours", baseURL: `${proxy.url}/v1`, apiKey: KEY });
  for (const model of [openai(proxy).chat("gpt"), compatible("gpt")]) {
    const answer = await generateText(asked(model));
    assert.equal(answer.text, "Hello");
    assert.equal(answer.usage.totalTokens, 11);
  }
  assert.equal(upstream.requests[0].body.model, "gpt-4o-mini");
  assert.equal(upstream.requests[1].headers.authorization, `Bearer ${CREDENTIAL}`);
});

test("a stream arrives in pieces and ends with its usage", async (t) => {
  const events = [chunk({ content: "Hel" }), chunk({ content: "lo" }), chunk({}, "stop")];
  const body = sse([...events, { ...chunk({}), choices: [], usage }, "[DONE]"]);
  const { proxy } = await front(t, () => ({ body }));
  const answer = streamText(asked(openai(proxy).chat("gpt")));
  const said = [];
  for await (const text of answer.textStream) said.push(text);
  assert.deepEqual(said, ["Hel", "lo"]);
  assert.equal((await answer.usage).totalTokens, 11);
});

test("a broken stream is an error, and no short answer", async (t) => {
  const { proxy } = await front(t, () => ({ body: sse([chunk({ content: "Hel" })]) }));
  const errors = [];
  const onError = ({ error }) => errors.push(error);
  const answer = streamText({ ...asked(openai(proxy).chat("gpt")), onError });
  for await (const _ of answer.textStream);
  assert.equal(errors.length, 1);
});

test("a tool is called with what the model said", async (t) => {
  const call = { id: "call_1", type: "function" };
  call.function = { name: "weather", arguments: JSON.stringify({ city: "Ulm" }) };
  const body = completion({ content: null, tool_calls: [call] }, "tool_calls");
  const { proxy, upstream } = await front(t, () => ({ body }));
  const inputSchema = jsonSchema({ type: "object", properties: { city: { type: "string" } } });
  const tools = { weather: tool({ inputSchema, execute: ({ city }) => `sun in ${city}` }) };
  const answer = await generateText({ ...asked(openai(proxy).chat("gpt")), tools });
  assert.equal(answer.toolResults[0].output, "sun in Ulm");
  assert.equal(upstream.requests[0].body.tools[0].function.name, "weather");
});

test("many texts are embedded at once", async (t) => {
  const data = [0, 1].map((index) => ({ object: "embedding", index, embedding: [0.5, -0.25] }));
  const body = { object: "list", data, model: "m", usage: { prompt_tokens: 2, total_tokens: 2 } };
  const { proxy } = await front(t, () => ({ body }));
  const model = openai(proxy).textEmbeddingModel("embed");
  const { embeddings } = await embedMany({ model, values: ["a", "b"], maxRetries: 0 });
  assert.deepEqual(embeddings, [[0.5, -0.25], [0.5, -0.25]]);
});

test("claude is called in its own dialect", async (t) => {
  const content = [{ type: "text", text: "Hello" }];
  const body = { id: "msg_1", type: "message", role: "assistant", model: "m", content };
  Object.assign(body, { stop_reason: "end_turn", stop_sequence: null });
  body.usage = { input_tokens: 9, output_tokens: 2 };
  const { proxy, upstream } = await front(t, () => ({ body }));
  const anthropic = createAnthropic({ baseURL: `${proxy.url}/v1`, apiKey: KEY });
  const answer = await generateText(asked(anthropic("claude")));
  assert.equal(answer.text, "Hello");
  assert.equal(upstream.requests[0].headers["x-api-key"], CREDENTIAL);
});

test("a refusal keeps its status and its words", async (t) => {
  const error = { message: "slow down", type: "rate_limit_error", code: "429" };
  const { proxy } = await front(t, () => ({ status: 429, body: { error } }));
  await assert.rejects(generateText(asked(openai(proxy).chat("gpt"))), (thrown) => {
    assert.equal(thrown.statusCode, 429);
    assert.match(thrown.message, /slow down/);
    return true;
  });
});
