// The built binary and a scripted upstream, for tests with real clients.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const KEY = "sk-test-of-the-front-door";
export const CREDENTIAL = "sk-credential-for-upstream";

const built = new URL("../../../target/debug/bartizan", import.meta.url).pathname;

/** Starts the binary on a free port; `stop` ends it. */
export async function startProxy({ config, env = {} } = {}) {
  const binary = process.env.BARTIZAN_BIN ?? built;
  if (!existsSync(binary)) throw new Error(`no binary at ${binary}; BARTIZAN_BIN names it`);
  const home = mkdtempSync(join(tmpdir(), "bartizan-sdk-"));
  const args = ["--port", "0"];
  if (config) {
    writeFileSync(join(home, "config.yaml"), JSON.stringify(config));
    args.push("--config", join(home, "config.yaml"));
  }
  const child = spawn(binary, args, {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, XDG_STATE_HOME: home, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const url = await new Promise((resolve, reject) => {
    const read = (data) => {
      output += data;
      const match = /http:\/\/127\.0\.0\.1:\d+/.exec(output);
      if (match) resolve(match[0]);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("exit", (code) => reject(new Error(`it ended with ${code}:\n${output}`)));
  });
  const stop = async () => {
    if (child.exitCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    rmSync(home, { recursive: true, force: true });
  };
  return { url, stop };
}

/** Answers each request with what `script(request)` returns: `{status, headers, body}`. */
export async function startUpstream(script) {
  const requests = [];
  const server = createServer(async (incoming, outgoing) => {
    let text = "";
    for await (const data of incoming) text += data;
    const request = { path: incoming.url, headers: incoming.headers, body: JSON.parse(text) };
    requests.push(request);
    const { status = 200, headers = {}, body } = script(request);
    const pieces = Array.isArray(body) ? body : [JSON.stringify(body)];
    const type = Array.isArray(body) ? "text/event-stream" : "application/json";
    outgoing.writeHead(status, { "content-type": type, ...headers });
    for (const piece of pieces) outgoing.write(piece);
    outgoing.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, requests, stop };
}

/** A proxy before an upstream that plays `script`; both end with the test. */
export async function front(t, script) {
  const upstream = await startUpstream(script);
  t.after(upstream.stop);
  const params = { api_base: `${upstream.origin}/v1`, api_key: CREDENTIAL };
  const proxy = await startProxy({
    config: {
      model_list: [
        { model_name: "gpt", litellm_params: { model: "openai/gpt-4o-mini", ...params } },
        { model_name: "embed", litellm_params: { model: "openai/text-embedding-3-small", ...params } },
        {
          model_name: "claude",
          litellm_params: { ...params, model: "anthropic/claude-sonnet-4-5", api_base: upstream.origin },
        },
      ],
      general_settings: { master_key: KEY },
      // A test sees each request that it makes.
      router_settings: { num_retries: 0, disable_cooldowns: true },
    },
  });
  t.after(proxy.stop);
  return { proxy, upstream };
}

/** Events of a stream, each JSON, or text that is sent as it is. */
export function sse(events) {
  return events.map((e) => `data: ${typeof e === "string" ? e : JSON.stringify(e)}\n\n`);
}
