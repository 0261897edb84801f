//! The command line: help, completions, a manual page, and every flag of LiteLLM.
use crate::client::{chat, get};
use crate::proxy::{self, CREDENTIAL, Finished, KEY, Setup};
use crate::upstream::{self, COMPLETION, Gate, Step, Upstream};
use crate::wire::PATIENCE;
use std::process::Stdio;

fn finish(setup: Setup, line: &str) -> Finished {
    line.split_whitespace().fold(setup, Setup::arg).finish()
}

#[track_caller]
fn says(line: &str, code: i32, words: &[&str]) -> String {
    let ran = finish(proxy::bare(), line);
    assert_eq!(ran.status.code(), Some(code), "{line}: {}", ran.output);
    for word in words {
        assert!(ran.output.contains(word), "{line} does not say {word:?}:\n{}", ran.output);
    }
    ran.output
}

#[test]
fn help_is_grouped_and_has_examples_and_the_version_is_ours() {
    let long = says("--help", 0, &["Listening:", "Logs:", "Examples:", "bartizan exec -- python"]);
    assert!(!long.contains("gunicorn"), "flags without effect are not shown:\n{long}");
    let short = says("-h", 0, &["Examples:", "--config", "More with --help"]);
    assert!(short.lines().count() < long.lines().count());
    let wide: Vec<_> = long.lines().filter(|line| line.chars().count() > 110).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    says("exec --help", 0, &["--quiet", "127", "python app.py"]);
    for line in ["-v", "--version", "serve --version"] {
        says(line, 0, &["bartizan", env!("CARGO_PKG_VERSION")]);
    }
}

#[test]
fn a_misspelt_flag_is_met_with_the_right_one() {
    says("--prot 1", 2, &["--port"]);
    says("--num_worker 1", 2, &["--num_workers"]);
    says("--port high", 2, &["--port"]);
    says("exec --quite true", 2, &["--quiet"]);
    says("--port 1 exec -- true", 2, &["--port"]);
}

#[test]
fn completions_and_manual_pages_name_commands_and_flags() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        says(&format!("completions {shell}"), 0, &["exec", "limit_concurrency"]);
    }
    says("completions tcsh", 2, &["zsh"]);
    says("man", 0, &[".TH bartizan 1", "limit_concurrency", "Examples"]);
    says("man exec", 0, &[".TH bartizan-exec 1", "quiet"]);
    says("man nothing", 2, &["no such sub-command"]);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    for line in ["--help", "completions bash", "man", "exec --help"] {
        let setup = line.split_whitespace().fold(proxy::bare(), Setup::arg);
        let mut child = setup.raw().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = child.wait_with_output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{line}");
        assert_eq!(String::from_utf8_lossy(&ran.stderr), "", "{line}");
    }
}

#[test]
fn a_config_can_be_checked_by_flag() {
    let good = proxy::config("http://127.0.0.1:9/v1");
    for flag in ["--validate_config", "--skip_server_startup"] {
        let setup = proxy::bare().file("c.yaml", &good);
        let ran = finish(setup, &format!("{flag} --config c.yaml"));
        assert_eq!(ran.status.code(), Some(0), "{}", ran.output);
        let bad = proxy::bare().file("c.yaml", "model_list: 1\n").env("CONFIG_FILE_PATH", "c.yaml");
        let ran = finish(bad, flag);
        assert_eq!(ran.status.code(), Some(1), "{}", ran.output);
        assert!(ran.output.contains("c.yaml:1"), "{}", ran.output);
    }
    let bare = proxy::bare();
    let home = bare.home().to_owned();
    let raw = bare.arg("--validate_config");
    assert!(raw.raw().status().unwrap().success());
    assert_eq!(std::fs::read_dir(home).unwrap().count(), 0, "a check writes nothing");
}

#[test]
fn flags_of_which_nothing_can_come_are_refused_by_a_check_and_by_a_start() {
    for (flags, why) in [
        ("--model foo", "no provider is known for the model `foo`"),
        ("--model openai/x --api_base notaurl", "`api_base` is not a URL"),
        ("--ops-listen 18514", "is not ADDRESS:PORT"),
    ] {
        let told = says(&format!("{flags} --validate_config"), 1, &[why]);
        assert!(told.contains("to mend"), "{told}");
        says(&format!("{flags} --port 0"), 1, &[why]);
    }
}

#[tokio::test]
async fn flags_and_variables_without_effect_are_named_once() {
    let proxy = proxy::in_front_of("http://127.0.0.1:9/v1")
        .env("DATABASE_HOST", "secret")
        .env("LITELLM_LICENSE", "license")
        .arg("--run_gunicorn")
        .arg("--telemetry")
        .arg("False")
        .arg("--max-budget=5")
        .start()
        .await;
    let flags = proxy.line(|line| line.contains("Without effect here")).await;
    assert!(flags.contains("run_gunicorn") && flags.contains("max_budget"), "{flags}");
    proxy.line(|line| line.contains("not in this version") && line.contains("DATABASE_HOST")).await;
    let output = proxy.output();
    assert_eq!(output.matches("gunicorn").count(), 1, "{output}");
    assert_eq!(output.matches("DATABASE_HOST").count(), 1, "{output}");
    assert!(!output.contains("secret") && !output.contains("LICENSE"), "{output}");
}

#[tokio::test]
async fn one_model_is_served_whatever_clients_ask_for() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let base = upstream.base();
    let setup = proxy::bare().env("OPENAI_API_KEY", CREDENTIAL).env("LITELLM_MASTER_KEY", KEY);
    let flags = format!(
        "--model openai/gpt-4o-mini --alias mine --api_base {base} --temperature 0.5 \
         --max_tokens 7 --headers {{\"x-team\":\"red\"}}"
    );
    let proxy = flags.split(' ').fold(setup, Setup::arg).start().await;
    proxy.call(chat("mine")).await.expect(200);
    proxy.call(chat("another")).await.expect(200);
    let models = proxy.call(get("/v1/models")).await.expect(200);
    assert!(models.text().contains("\"mine\""), "{}", models.text());
    for request in upstream.requests() {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["model"], "gpt-4o-mini");
        assert_eq!(
            (body["temperature"].as_f64(), body["max_tokens"].as_u64()),
            (Some(0.5), Some(7))
        );
        assert_eq!(request.head.get("x-team"), Some("red"));
    }
}

#[test]
fn headers_that_are_no_json_are_told_without_being_shown() {
    let setup = proxy::bare().env("OPENAI_API_KEY", CREDENTIAL).arg("exec").arg("--model");
    let setup = setup.arg("openai/gpt-4o").arg("--headers").arg("x-key: sk-shown");
    let ran = setup.arg("--").arg("true").finish();
    assert!(ran.output.contains("--headers is not a JSON object"), "{}", ran.output);
    assert!(!ran.output.contains("sk-shown"), "{}", ran.output);
}

#[tokio::test]
async fn calls_beyond_the_limit_are_refused_and_probes_are_not() {
    let gate = Gate::new();
    let script = [vec![Step::Wait(gate.clone())], upstream::json(200, COMPLETION)].concat();
    let upstream = Upstream::playing(script).await;
    let base = upstream.base();
    let proxy = proxy::in_front_of(&base).arg("--limit-concurrency").arg("1").start().await;
    let mut first = chat("gpt").key(KEY).open(proxy.addr()).await;
    assert!(upstream.saw(PATIENCE, |seen| seen.begun == 1).await);
    let refused = proxy.call(chat("gpt")).await.expect(503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(refused.error_message().contains("--limit_concurrency"), "{}", refused.text());
    get("/health/liveliness").send(proxy.addr()).await.expect(200);
    gate.open();
    first.answer().await.expect(200);
    proxy.call(chat("gpt")).await.expect(200);
}

#[tokio::test]
async fn a_running_proxy_can_be_asked_for_its_health_and_tested() {
    let proxy = proxy::bare().env("LITELLM_MASTER_KEY", KEY).start().await;
    let port = proxy.addr().port().to_string();
    let ask = |flag: &str| {
        let setup = proxy::bare().env("LITELLM_MASTER_KEY", KEY);
        setup.arg(flag).arg("--port").arg(&port).finish()
    };
    let health = ask("--health");
    assert!(health.status.success(), "{}", health.output);
    assert!(health.output.contains("healthy_endpoints"), "{}", health.output);
    let test = ask("--test");
    assert!(test.status.success(), "{}", test.output);
    assert!(test.output.contains("test request"), "{}", test.output);
    let nobody = proxy::bare().env("RUST_BACKTRACE", "1").arg("--health").arg("--port").arg("1");
    let nobody = nobody.finish();
    assert!(!nobody.status.success());
    assert!(nobody.output.contains("could not connect to 127.0.0.1:1"), "{}", nobody.output);
    assert_eq!(nobody.output.lines().count(), 1, "no places in our code: {}", nobody.output);
    let url = proxy::bare().arg(&format!("--test=http://127.0.0.1:{port}")).finish();
    assert_eq!(url.status.code(), Some(1), "without the key: {}", url.output);
    assert!(url.output.contains("401"), "{}", url.output);
}
