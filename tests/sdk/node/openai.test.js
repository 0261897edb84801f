// The newest `openai` client of npm, pointed at us.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { CREDENTIAL, KEY, front, sse, startProxy } from "./harness.js";

const chat = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-mini",
  choices: [
    { index: 0, message: { role: "assistant", content: "Hello", refusal: null }, finish_reason: "stop" },
  ],
  usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 },
};
const messages = [{ role: "user", content: "hi" }];

function client(proxy, options = {}) {
  return new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: KEY, maxRetries: 0, ...options });
}

function chunk(delta, finish_reason = null) {
  const choices = [{ index: 0, delta, finish_reason }];
  return { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m", choices };
}

test("echo chats and streams without a config", async (t) => {
  const proxy = await startProxy({ env: { LITELLM_MASTER_KEY: KEY } });
  t.after(proxy.stop);
  const some = client(proxy);
  const answer = await some.chat.completions.create({ model: "echo", messages });
  assert.match(answer.choices[0].message.content, /hi/);
  let said = "";
  const stream = await some.chat.completions.create({ model: "echo", messages, stream: true });
  for await (const event of stream) said += event.choices[0]?.delta?.content ?? "";
  assert.match(said, /hi/);
});

test("a chat arrives with the deployment's model and credential", async (t) => {
  const { proxy, upstream } = await front(t, () => ({ body: chat }));
  const answer = await client(proxy).chat.completions.create({ model: "gpt", messages });
  assert.equal(answer.choices[0].message.content, "Hello");
  assert.equal(upstream.requests[0].body.model, "gpt-4o-mini");
  assert.equal(upstream.requests[0].headers.authorization, `Bearer ${CREDENTIAL}`);
});

test("a stream arrives event by event", async (t) => {
  const events = [chunk({ content: "Hel" }), chunk({ content: "lo" }), chunk({}, "stop"), "[DONE]"];
  const { proxy } = await front(t, () => ({ body: sse(events) }));
  const stream = await client(proxy).chat.completions.create({ model: "gpt", messages, stream: true });
  const said = [];
  for await (const event of stream) said.push(event.choices[0].delta.content ?? "");
  assert.deepEqual(said, ["Hel", "lo", ""]);
});

test("a stream that breaks throws", async (t) => {
  const { proxy } = await front(t, () => ({ body: sse([chunk({ content: "Hel" })]) }));
  const stream = await client(proxy).chat.completions.create({ model: "gpt", messages, stream: true });
  await assert.rejects(async () => {
    for await (const _ of stream);
  }, OpenAI.APIError);
});

test("a client that leaves a stream is no trouble for the next one", async (t) => {
  const events = [...Array(500).fill(chunk({ content: "x" })), chunk({}, "stop"), "[DONE]"];
  const { proxy } = await front(t, () => ({ body: sse(events) }));
  const some = client(proxy);
  for (let n = 0; n < 5; n++) {
    const stream = await some.chat.completions.create({ model: "gpt", messages, stream: true });
    for await (const _ of stream) break;
  }
  const answer = await some.models.list();
  assert.equal(answer.data[0].id, "gpt");
});

test("tools and structured output are parsed", async (t) => {
  const call = { id: "c1", type: "function", function: { name: "f", arguments: '{"a":1}' } };
  const message = { role: "assistant", content: '{"name":"Ada"}', tool_calls: [call], refusal: null };
  const body = { ...chat, choices: [{ index: 0, message, finish_reason: "tool_calls" }] };
  const { proxy, upstream } = await front(t, () => ({ body }));
  const schema = { type: "object", properties: { name: { type: "string" } } };
  const response_format = { type: "json_schema", json_schema: { name: "p", schema } };
  const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
  const answer = await client(proxy).chat.completions.create({
    model: "gpt",
    messages,
    tools,
    response_format,
  });
  assert.deepEqual(JSON.parse(answer.choices[0].message.tool_calls[0].function.arguments), { a: 1 });
  assert.deepEqual(upstream.requests[0].body.response_format, response_format);
  assert.deepEqual(upstream.requests[0].body.tools, tools);
});

test("embeddings arrive as floats", async (t) => {
  const floats = Float32Array.from([0.25, -1.5]);
  const embedding = Buffer.from(floats.buffer).toString("base64");
  const usage = { prompt_tokens: 1, total_tokens: 1 };
  const data = [{ object: "embedding", index: 0, embedding }];
  const { proxy } = await front(t, () => ({ body: { object: "list", data, model: "m", usage } }));
  const answer = await client(proxy).embeddings.create({ model: "embed", input: "hi" });
  assert.deepEqual([...answer.data[0].embedding], [0.25, -1.5]);
});

test("responses arrive", async (t) => {
  const content = [{ type: "output_text", text: "Hello", annotations: [] }];
  const output = [{ id: "m", type: "message", role: "assistant", status: "completed", content }];
  const body = { id: "resp_1", object: "response", created_at: 1, status: "completed", output };
  const { proxy } = await front(t, () => ({ body }));
  const answer = await client(proxy).responses.create({ model: "gpt", input: "hi" });
  assert.equal(answer.output_text, "Hello");
});

for (const [status, raised] of [
  [400, OpenAI.BadRequestError],
  [401, OpenAI.AuthenticationError],
  [404, OpenAI.NotFoundError],
  [429, OpenAI.RateLimitError],
  [500, OpenAI.InternalServerError],
]) {
  test(`an upstream's ${status} is thrown as its own type`, async (t) => {
    const { proxy } = await front(t, () => ({ status, body: { error: { message: "its own words" } } }));
    await assert.rejects(client(proxy).chat.completions.create({ model: "gpt", messages }), (error) => {
      assert.ok(error instanceof raised);
      assert.equal(error.status, status);
      assert.match(error.message, /its own words/);
      return true;
    });
  });
}

test("a wrong key is an authentication error", async (t) => {
  const { proxy, upstream } = await front(t, () => ({ body: chat }));
  const wrong = client(proxy, { apiKey: "sk-wrong" });
  const call = wrong.chat.completions.create({ model: "gpt", messages });
  await assert.rejects(call, OpenAI.AuthenticationError);
  assert.equal(upstream.requests.length, 0);
});

test("the client's own retry succeeds", async (t) => {
  let first = true;
  const { proxy, upstream } = await front(t, () => {
    if (!first) return { body: chat };
    first = false;
    return { status: 429, headers: { "retry-after": "0" }, body: { error: { message: "later" } } };
  });
  const some = client(proxy, { maxRetries: 2 });
  const answer = await some.chat.completions.create({ model: "gpt", messages });
  assert.equal(answer.id, "chatcmpl-1");
  assert.equal(upstream.requests.length, 2);
});

test("the raw response says what happened", async (t) => {
  const { proxy } = await front(t, () => ({ body: chat }));
  const call = client(proxy).chat.completions.create({ model: "gpt", messages });
  const { response, data } = await call.withResponse();
  assert.equal(data.id, "chatcmpl-1");
  assert.ok(response.headers.get("x-litellm-call-id"));
  assert.ok(Number(response.headers.get("x-litellm-response-cost")) > 0);
});
