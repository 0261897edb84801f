//! `bartizan exec`: a proxy for one command, from its start to its end.
use crate::client::{Call, chat, get};
use crate::proxy::{self, CREDENTIAL, KEY, Setup};
use crate::redis::Redis;
use crate::upstream::{self, COMPLETION, Upstream};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// `bartizan exec FLAGS -- COMMAND`, in an empty directory.
fn exec(setup: Setup, flags: &[&str], command: &[&str]) -> Setup {
    let words = [&["exec"], flags, &["--"], command].concat();
    words.into_iter().fold(setup, Setup::arg)
}

fn ran(setup: &Setup) -> Output {
    setup.raw().output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A command that tells its variables and waits for its standard input to end.
struct Beside {
    child: Child,
    out: BufReader<ChildStdout>,
    addr: SocketAddr,
    key: String,
    /// Its directory is there as long as it runs.
    setup: Setup,
}

impl Beside {
    fn start(setup: Setup, flags: &[&str]) -> Self {
        let told = "echo $OPENAI_BASE_URL $OPENAI_API_KEY; cat; exit 3";
        Self::of(exec(setup, flags, &["sh", "-c", told]))
    }

    fn of(setup: Setup) -> Self {
        let mut command = setup.raw();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("the command tells its variables");
        let (base, key) = line.trim().split_once(' ').expect("an address and a key");
        let addr = base.trim_start_matches("http://").trim_end_matches("/v1").parse();
        Self { child, out, addr: addr.expect("an address"), key: key.to_owned(), setup }
    }

    async fn call(&self, call: Call) -> crate::client::Answer {
        call.key(&self.key).send(self.addr).await
    }

    /// Lets the command end; what is on our standard error then.
    fn end(mut self) -> String {
        drop(self.child.stdin.take());
        let (mut rest, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut rest).expect("text");
        self.child.stderr.take().expect("it is piped").read_to_string(&mut err).expect("text");
        assert_eq!(rest, "", "standard output is the command's alone");
        assert_eq!(self.child.wait().expect("our child").code(), Some(3), "{err}");
        err
    }
}

#[test]
fn the_command_has_variables_that_lead_to_a_proxy_of_its_own_and_keeps_all_others() {
    let setup = proxy::bare()
        .env("OPENAI_API_KEY", "sk-provider")
        .env("ANTHROPIC_AUTH_TOKEN", "sk-wins")
        .env("GROQ_API_KEY", "gsk-stays")
        .env("PORT", "1")
        .env("HOST", "0.0.0.0")
        .env("DEBUG", "1");
    let ran = ran(&exec(setup, &[], &["env"]));
    assert_eq!(ran.status.code(), Some(0));
    let out = text(&ran.stdout);
    let set: BTreeMap<_, _> = out.lines().filter_map(|line| line.split_once('=')).collect();
    let origin = set["ANTHROPIC_BASE_URL"];
    assert!(origin.starts_with("http://127.0.0.1:"), "{origin}");
    assert_eq!(set["OPENAI_BASE_URL"], format!("{origin}/v1"));
    assert_eq!(set["OPENAI_API_BASE"], format!("{origin}/v1"));
    assert_eq!((set["GOOGLE_GEMINI_BASE_URL"], set["OLLAMA_HOST"]), (origin, origin));
    let key = set["OPENAI_API_KEY"];
    assert!(key.starts_with("sk-") && key != "sk-provider", "{key}");
    assert_eq!((set["ANTHROPIC_API_KEY"], set["GEMINI_API_KEY"]), (key, key));
    assert!(!set.contains_key("ANTHROPIC_AUTH_TOKEN"));
    let kept = ["GROQ_API_KEY", "PORT", "HOST", "DEBUG"].map(|name| set[name]);
    assert_eq!(kept, ["gsk-stays", "1", "0.0.0.0", "1"]);
    let err = text(&ran.stderr);
    assert!(err.starts_with("bartizan: no calls, ") && err.lines().count() == 1, "{err}");
}

#[test]
fn the_exit_code_is_the_commands() {
    for (command, code) in [
        (&["true"][..], 0),
        (&["sh", "-c", "exit 7"], 7),
        (&["sh", "-c", "kill -KILL $$"], 137),
        (&["sh", "-c", "kill -TERM $$"], 143),
        (&["/no/such/program"], 127),
        (&["no-such-program"], 127),
        (&["/etc/passwd"], 126),
        (&["/"], 126),
    ] {
        let ran = ran(&exec(proxy::bare(), &[], command));
        assert_eq!(ran.status.code(), Some(code), "{command:?}: {}", text(&ran.stderr));
        assert_eq!(text(&ran.stdout), "");
        let told = text(&ran.stderr);
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(code == 0 || told.contains(command[0]) || told.contains("no calls"), "{told}");
    }
}

#[test]
fn what_keeps_the_proxy_from_starting_is_told_and_the_command_does_not_run() {
    let setup = exec(proxy::bare(), &["--config", "nowhere.yaml"], &["echo", "it runs"]);
    let ran = ran(&setup);
    assert_eq!(ran.status.code(), Some(125));
    assert_eq!(text(&ran.stdout), "");
    assert!(text(&ran.stderr).contains("nowhere.yaml cannot be read"), "{}", text(&ran.stderr));
    let roots = proxy::bare().env("SSL_CERT_FILE", "/no/roots");
    let ran = self::ran(&exec(roots, &[], &["echo", "it runs"]));
    assert_eq!((ran.status.code(), text(&ran.stdout).as_str()), (Some(125), ""));
    assert!(text(&ran.stderr).contains("/no/roots"), "{}", text(&ran.stderr));
    let none = self::ran(&proxy::bare().arg("exec"));
    assert_eq!(none.status.code(), Some(2));
}

#[test]
fn standard_input_goes_to_the_command_and_its_output_comes_back_byte_for_byte() {
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let setup = exec(proxy::bare(), &["-q"], &["cat"]);
    let mut command = setup.raw();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    let sent = bytes.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&sent));
    let ran = child.wait_with_output().expect("our child");
    writer.join().expect("no panic").expect("it is read");
    assert!(ran.stdout == bytes, "{} bytes came back", ran.stdout.len());
    assert_eq!(text(&ran.stderr), "", "--quiet says nothing");
}

#[test]
fn signals_that_are_sent_to_us_reach_the_command() {
    for (signal, number) in [("TERM", 15), ("INT", 2), ("HUP", 1), ("USR1", 10), ("WINCH", 28)] {
        if is_ignored(number) {
            continue;
        }
        let script = format!(
            "trap 'echo got {signal}; exit 9' {signal}; echo ready; while :; do sleep 0.02; done"
        );
        let setup = exec(proxy::bare(), &[], &["sh", "-c", &script]);
        let mut child = setup.raw().stdout(Stdio::piped()).spawn().expect("the binary runs");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        assert_eq!(lines.next().expect("a line").expect("text"), "ready");
        send(&child, signal);
        assert_eq!(lines.next().expect("a line").expect("text"), format!("got {signal}"));
        assert_eq!(child.wait().expect("our child").code(), Some(9), "{signal}");
    }
}

#[test]
fn a_signal_that_was_ignored_before_us_stays_ignored_for_the_command() {
    let setup = exec(proxy::bare(), &["-q"], &["sh", "-c", "kill -HUP $$; echo alive"]);
    let raw = setup.raw();
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(raw.get_program());
    command.args(raw.get_args()).current_dir(setup.home());
    let ran = command.output().expect("a shell");
    assert_eq!(text(&ran.stdout), "alive\n", "{}", text(&ran.stderr));
}

#[test]
fn we_end_with_the_command_whatever_it_leaves_in_the_background() {
    let script = "sleep 60 </dev/null >/dev/null 2>&1 & echo $!; exit 5";
    let ran = ran(&exec(proxy::bare(), &[], &["sh", "-c", script]));
    assert_eq!(ran.status.code(), Some(5));
    let kill = format!("kill {}", text(&ran.stdout).trim());
    let killed = Command::new("sh").args(["-c", &kill]).status().expect("a shell");
    assert!(killed.success(), "it was still there");
}

#[tokio::test]
async fn with_a_providers_key_alone_calls_go_to_the_provider_and_are_summed_up() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let base = upstream.base();
    let setup = proxy::bare().env("OPENAI_API_KEY", CREDENTIAL).env("OPENAI_BASE_URL", &base);
    let beside = Beside::start(setup, &[]);
    assert_ne!(beside.key, CREDENTIAL);
    beside.call(chat("gpt-4o-mini")).await.expect(200);
    let bearer = format!("Bearer {CREDENTIAL}");
    assert_eq!(upstream.only_request().head.get("authorization"), Some(bearer.as_str()));
    chat("gpt-4o-mini").key(CREDENTIAL).send(beside.addr).await.expect(401);
    assert_eq!(std::fs::read_dir(beside.setup.home()).unwrap().count(), 0, "nothing is written");
    let err = beside.end();
    assert!(err.starts_with("bartizan: 2 calls (1 failed), "), "{err}");
    assert!(err.contains(" in, ") && err.contains(", $0.0"), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[tokio::test]
async fn a_server_of_ones_own_needs_no_key_and_takes_any_model() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let setup = proxy::bare().env("OPENAI_BASE_URL", &upstream.base());
    let beside = Beside::start(setup, &["-q"]);
    beside.call(chat("a-model-of-mine")).await.expect(200);
    beside.call(chat("gpt-4o-mini")).await.expect(200);
    for request in upstream.requests() {
        assert_eq!(request.head.get("authorization"), None);
    }
    assert_eq!(upstream.requests().len(), 2);
    // A model that is known to be another provider's is not sent there.
    beside.call(chat("claude-opus-4-1")).await.expect(400);
    assert_eq!(beside.end(), "");
    // Without a server of one's own, calls without a key lead nowhere.
    let setup = proxy::bare().env("OPENAI_BASE_URL", "https://api.openai.com/v1");
    let beside = Beside::start(setup, &["-q"]);
    beside.call(chat("gpt-4o-mini")).await.expect(400);
    beside.end();
}

#[tokio::test]
async fn the_key_of_a_config_is_the_commands_key() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let base = upstream.base();
    let config = proxy::config(&base);
    let header = format!("{config}  litellm_key_header_name: x-key\n");
    let with_key = proxy::bare().file("c.yaml", &header);
    let beside = Beside::start(with_key, &["--config", "c.yaml", "--quiet"]);
    assert_eq!(beside.key, KEY);
    beside.call(chat("gpt")).await.expect(200);
    assert_eq!(beside.end(), "");
    let (keyless, _) = config.split_once("general_settings").unwrap();
    let without = proxy::bare().file("c.yaml", keyless);
    let beside = Beside::start(without, &["--config=c.yaml"]);
    beside.call(chat("gpt")).await.expect(200);
    chat("gpt").send(beside.addr).await.expect(401);
    beside.end();
}

#[tokio::test]
async fn addresses_that_may_not_call_a_listener_do_not_keep_the_command_out() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let config = proxy::config(&upstream.base());
    let config = format!("{config}  allowed_ips: [10.0.0.1]\n  blocked_ips: ['*']\n");
    let beside = Beside::start(proxy::bare().file("c.yaml", &config), &["-q", "-c", "c.yaml"]);
    beside.call(chat("gpt")).await.expect(200);
    assert_eq!(beside.end(), "");
}

#[test]
fn a_base_that_is_no_url_is_told_before_calls_go_elsewhere() {
    let setup = proxy::bare().env("OPENAI_API_KEY", CREDENTIAL).env("OPENAI_BASE_URL", "notaurl");
    let ran = ran(&exec(setup, &["-q"], &["true"]));
    let err = text(&ran.stderr);
    assert!(ran.status.success() && err.contains("OPENAI_BASE_URL is not a URL"), "{err}");
}

#[tokio::test]
async fn one_within_another_reaches_the_provider_through_both() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let base = upstream.base();
    let setup = proxy::bare().env("OPENAI_API_KEY", CREDENTIAL).env("OPENAI_BASE_URL", &base);
    let binary = setup.raw().get_program().to_str().unwrap().to_owned();
    let told = "echo $OPENAI_BASE_URL $OPENAI_API_KEY; cat; exit 3";
    let inner = [binary.as_str(), "exec", "--", "sh", "-c", told];
    let beside = Beside::of(exec(setup, &[], &inner));
    beside.call(chat("gpt-4o-mini")).await.expect(200);
    let bearer = format!("Bearer {CREDENTIAL}");
    assert_eq!(upstream.only_request().head.get("authorization"), Some(bearer.as_str()));
    let err = beside.end();
    assert_eq!(err.matches("bartizan: 1 call, ").count(), 2, "{err}");
}

#[tokio::test]
async fn debug_logs_go_to_standard_error_and_without_it_there_are_none() {
    let beside = Beside::start(proxy::bare(), &["--debug"]);
    beside.call(chat("echo")).await.expect(200);
    beside.call(get("/v1/models")).await.expect(200);
    let err = beside.end();
    assert!(err.contains("200 POST /chat/completions echo"), "{err}");
    assert!(err.lines().last().unwrap().starts_with("bartizan: 1 call"), "{err}");
    let beside = Beside::start(proxy::bare().env("DATABASE_URL", "x"), &[]);
    beside.call(chat("echo")).await.expect(200);
    let err = beside.end();
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[tokio::test]
async fn a_budget_is_the_commands_and_the_bill_has_a_row_for_each_model() {
    let usage = r#""prompt_tokens":100000,"completion_tokens":1000"#;
    let answer = COMPLETION.replace(r#""prompt_tokens":1,"completion_tokens":1"#, usage);
    let upstream = Upstream::playing(upstream::json(200, answer)).await;
    let base = upstream.base();
    let setup = proxy::bare().env("OPENAI_API_KEY", CREDENTIAL).env("OPENAI_BASE_URL", &base);
    let beside = Beside::start(setup, &["--budget", "$0.27"]);
    // Dollars for a million tokens: 2.5 and 10, then 0.15 and 0.6.
    beside.call(chat("gpt-4o")).await.expect(200);
    beside.call(chat("openai/gpt-4o-mini")).await.expect(200);
    let refused = beside.call(chat("gpt-4o-mini")).await.expect(422);
    assert_eq!(refused.json()["error"]["type"], "budget_exceeded");
    assert_eq!(upstream.seen().begun, 2);
    assert_eq!(std::fs::read_dir(beside.setup.home()).unwrap().count(), 0, "nothing is written");
    let err = beside.end();
    let (line, table) = err.split_once('\n').expect("several lines");
    assert!(
        line.starts_with("bartizan: 3 calls (1 failed), 200,000 tokens in, 2,000 out"),
        "{err}"
    );
    let expected = "  model        calls  tokens in  tokens out     cost
  gpt-4o           1    100,000       1,000  $0.2600
  gpt-4o-mini      1    100,000       1,000  $0.0156
  $0 of $0.2700 left
";
    assert_eq!(table, expected);
}

#[tokio::test]
async fn the_bill_tells_what_the_cache_saved_and_what_a_configs_budget_has_left() {
    let usage = r#""prompt_tokens":100000,"completion_tokens":1000"#;
    let answer = COMPLETION.replace(r#""prompt_tokens":1,"completion_tokens":1"#, usage);
    let upstream = Upstream::playing(upstream::json(200, answer)).await;
    let settings = "litellm_settings: {cache: true, cache_params: {type: local}, max_budget: 2}\n";
    for (model, asked, saved) in [("gpt-4o", "gpt", "$0.2600"), ("*", "gpt-4o", "$0.2600")] {
        let own = format!("model: openai/{model}, api_base: {}, api_key: k", upstream.base());
        let name = if model == "*" { "'*'" } else { "gpt" };
        let config =
            format!("model_list:\n- model_name: {name}\n  litellm_params: {{{own}}}\n{settings}");
        let beside = Beside::start(proxy::bare().file("c.yaml", &config), &["-c", "c.yaml"]);
        beside.call(chat(asked)).await.expect(200);
        beside.call(chat(asked)).await.expect(200);
        let err = beside.end();
        let expected = format!(
            "  model   calls  tokens in  tokens out     cost    saved
  gpt-4o      2    100,000       1,000  $0.2600  {saved}
  $1.7400 of $2.0000 left
"
        );
        assert!(
            err.starts_with("bartizan: 2 calls, 100,000 tokens in") && err.ends_with(&expected),
            "{err}"
        );
    }
}

#[tokio::test]
async fn a_budget_is_a_runs_own_where_instances_share_their_counts() {
    let Some(redis) = Redis::start().await else { return };
    let usage = r#""prompt_tokens":100000,"completion_tokens":1000"#;
    let answer = COMPLETION.replace(r#""prompt_tokens":1,"completion_tokens":1"#, usage);
    let upstream = Upstream::playing(upstream::json(200, answer)).await;
    let config = format!(
        "{}router_settings: {{redis_host: 127.0.0.1, redis_port: {}}}\n",
        proxy::config(&upstream.base()),
        redis.port()
    );
    for _ in 0..2 {
        let setup = proxy::bare().file("c.yaml", &config);
        let beside = Beside::start(setup, &["-c", "c.yaml", "--budget", "0.01"]);
        beside.call(chat("gpt")).await.expect(200);
        beside.call(chat("gpt")).await.expect(422);
        assert!(beside.end().ends_with("  $0 of $0.0100 left\n"));
    }
}

#[test]
fn a_budget_that_is_no_sum_is_told_before_the_command_runs() {
    for budget in ["0", "-1", "much", "--"] {
        let ran = ran(&exec(proxy::bare(), &["--budget", budget], &["echo", "it runs"]));
        let err = text(&ran.stderr);
        assert_eq!(
            (ran.status.code(), text(&ran.stdout).as_str()),
            (Some(2), ""),
            "{budget}: {err}"
        );
        assert!(err.contains("--budget"), "{budget}: {err}");
        assert!(budget == "--" || err.contains("write US dollars, more than 0"), "{budget}: {err}");
    }
}

fn send(child: &Child, signal: &str) {
    let kill = format!("kill -{signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
}

/// Whether whoever runs the tests ignores a signal, so that no shell of ours can trap it.
fn is_ignored(signal: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says so");
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("a mask");
    u64::from_str_radix(mask.trim(), 16).expect("a number") >> (signal - 1) & 1 == 1
}
