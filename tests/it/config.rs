//! Configs: every mistake is told at once, and those that people run today load unchanged.
use crate::client::{chat, get};
use crate::fixtures;
use crate::proxy::{self, Finished, KEY, Setup};
use crate::upstream::{self, COMPLETION, Upstream};
use std::time::Duration;

fn check(config: &str) -> Finished {
    let setup = proxy::bare().file("config.yaml", config);
    setup.arg("check").arg("config.yaml").finish()
}

/// The config is refused, and everything in `words` is said about it.
#[track_caller]
fn refused(config: &str, words: &[&str]) {
    let ran = check(config);
    assert_eq!(ran.status.code(), Some(1), "{}", ran.output);
    for word in words {
        assert!(ran.output.contains(word), "{word:?} is not said in:\n{}", ran.output);
    }
}

/// A run that must end by itself with a failure.
#[track_caller]
fn fails(setup: Setup, words: &[&str]) {
    let ran = setup.finish();
    assert!(!ran.status.success(), "{}", ran.output);
    for word in words {
        assert!(ran.output.contains(word), "{word:?} is not said in:\n{}", ran.output);
    }
}

#[test]
fn a_good_config_passes_the_check() {
    let ran = check(&proxy::config("http://127.0.0.1:9/v1"));
    assert_eq!(ran.status.code(), Some(0), "{}", ran.output);
    assert!(!ran.output.contains(KEY), "{}", ran.output);
}

#[tokio::test]
async fn a_key_file_that_cannot_be_read_is_told_by_the_check_and_at_the_start() {
    let config = proxy::config("http://127.0.0.1:9/v1").replace("api_key", "user");
    let lost = |setup: Setup| setup.env("OPENAI_API_KEY_FILE", "/no/such/key");
    let words = "OPENAI_API_KEY_FILE names the file /no/such/key, which cannot be read";
    let setup = lost(proxy::bare().file("config.yaml", &config));
    let ran = setup.arg("check").arg("config.yaml").finish();
    assert_eq!(ran.status.code(), Some(1), "{}", ran.output);
    assert!(ran.output.contains(words), "{}", ran.output);
    let proxy = lost(proxy::with(&config)).start().await;
    proxy.line(|line| line.contains(words)).await;
}

#[test]
fn all_mistakes_are_told_at_once_with_their_places() {
    let config = "model_list:
  - model_name: a
    litellm_params:
      api_key: sk-x
  - model_name: b
    litellm_params:
      model: openai/gpt-4o
      timeout: soon
  - litellm_params:
      model: openai/gpt-4o
general_settings:
  master_key: [1]
";
    refused(config, &["config.yaml:4", "config.yaml:8", "config.yaml:9", "config.yaml:12"]);
    refused(config, &["model_name", "timeout", "master_key"]);
}

#[test]
fn broken_yaml_is_told_with_its_line() {
    refused("model_list:\n  - model_name: \"a\n", &["config.yaml"]);
    refused("model_list: [\n", &["config.yaml"]);
}

#[test]
fn an_unknown_key_is_a_notice_that_names_the_nearest_one() {
    let config = proxy::config("http://127.0.0.1:9/v1").replace("api_base", "api_bas");
    let ran = check(&(config + "  master_kee: x\n"));
    assert!(ran.output.contains("master_kee"), "{}", ran.output);
    assert!(ran.output.contains("master_key"), "{}", ran.output);
}

#[test]
fn a_key_whose_feature_comes_later_is_named_and_no_mistake() {
    let later = "litellm_settings:\n  success_callback: [\"langfuse\"]\n";
    let ran = check(&(proxy::config("http://127.0.0.1:9/v1") + later));
    assert_eq!(ran.status.code(), Some(0), "{}", ran.output);
    assert!(ran.output.contains("success_callback"), "{}", ran.output);
}

#[test]
fn a_provider_that_nobody_knows_is_named() {
    let config = proxy::config("http://127.0.0.1:9/v1").replace("openai/gpt", "opnai/gpt");
    let ran = check(&config);
    assert!(ran.output.contains("opnai"), "{}", ran.output);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    fails(proxy::bare().arg("check").arg("nowhere.yaml"), &["nowhere.yaml"]);
    fails(proxy::bare().arg("--config").arg("nowhere.yaml"), &["nowhere.yaml"]);
}

#[test]
fn an_empty_file_is_refused() {
    refused("", &["config.yaml"]);
}

#[tokio::test]
async fn configs_that_people_run_load_unchanged() {
    let name = "configs_that_people_run_load_unchanged";
    let Some(root) = fixtures::shared("configs", "BARTIZAN_CONFIGS", name) else { return };
    for entry in std::fs::read_dir(root).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|end| end != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let mut setup = proxy::with(&text).env("LITELLM_MASTER_KEY", KEY);
        for provider in ["OPENAI", "ANTHROPIC", "OPENROUTER", "GROQ", "DEEPSEEK", "GEMINI"] {
            for end in ["", "_1", "_2"] {
                setup = setup.env(&format!("{provider}_API_KEY{end}"), "sk-planted-provider-key");
            }
        }
        let setup = setup.env("REDIS_HOST", "127.0.0.1").env("REDIS_PORT", "1");
        let proxy = setup.start().await;
        let key = if text.contains("sk-change-me-please") { "sk-change-me-please" } else { KEY };
        let models = get("/v1/models").key(key).send(proxy.addr()).await.expect(200);
        assert!(!models.json()["data"].as_array().expect("a list").is_empty());
        assert!(!proxy.output().contains("sk-planted-provider-key"), "{}", path.display());
    }
}

#[test]
fn an_open_door_to_the_network_is_refused() {
    let config = proxy::config("http://127.0.0.1:9/v1");
    let open = config.split("general_settings").next().unwrap();
    let setup = proxy::with(open).arg("--host").arg("0.0.0.0").arg("--port").arg("0");
    fails(setup, &["master_key"]);
    let setup = proxy::with(open).env("HOST", "0.0.0.0").arg("--port").arg("0");
    fails(setup, &["master_key"]);
}

#[tokio::test]
async fn an_open_door_can_be_insisted_on() {
    let config = proxy::config("http://127.0.0.1:9/v1");
    let open = config.split("general_settings").next().unwrap();
    let setup = proxy::with(open).env("HOST", "0.0.0.0");
    let setup = setup.env("LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY", "true");
    let proxy = setup.start().await;
    get("/v1/models").send(proxy.addr()).await.expect(200);
}

#[tokio::test]
async fn references_are_read_from_the_environment_from_files_and_from_dot_env() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let base = upstream.base();
    let mut config = "model_list:\n".to_owned();
    for (name, key) in [
        ("env", "os.environ/FROM_ENV"),
        ("dot", "os.environ/FROM_DOT"),
        ("both", "os.environ/FROM_BOTH"),
        ("map", "os.environ/FROM_MAP"),
        ("file", "os.file/key.txt"),
    ] {
        config += &format!(
            "  - model_name: {name}\n    litellm_params:\n      model: openai/x\n      \
             api_base: {base}\n      api_key: {key}\n"
        );
    }
    config += &format!(
        "environment_variables:\n  FROM_MAP: sk-map\ngeneral_settings:\n  master_key: {KEY}\n"
    );
    let setup = proxy::with(&config).env("FROM_ENV", "sk-env").env("FROM_BOTH", "sk-env-wins");
    let file = setup.home().join("key.txt");
    let config = config.replace("os.file/key.txt", &format!("os.file/{}", file.display()));
    let setup = setup
        .file("config.yaml", &config)
        .file("key.txt", "sk-file\n")
        .file(".env", "FROM_DOT=\"sk-dot\"\nFROM_BOTH=sk-dot-loses\n");
    let proxy = setup.start().await;
    for (name, key) in [
        ("env", "sk-env"),
        ("dot", "sk-dot"),
        ("both", "sk-env-wins"),
        ("map", "sk-map"),
        ("file", "sk-file"),
    ] {
        proxy.call(chat(name)).await.expect(200);
        let request = upstream.requests().pop().expect("a request");
        assert_eq!(request.head.get("authorization"), Some(&*format!("Bearer {key}")), "{name}");
    }
}

/// The env swap that an application makes must not make us call ourselves.
async fn swapped(setup: Setup, port: u16) {
    let setup = setup.env("OPENAI_API_KEY", "sk-x").env("LITELLM_MASTER_KEY", KEY);
    let proxy = setup.arg("--port").arg(&port.to_string()).start_as_told().await;
    let models = proxy.call(get("/v1/models")).await.expect(200);
    assert!(models.text().contains("gpt-4o"), "OpenAI is still served: {}", models.text());
    let info = proxy.call(get("/model/info")).await.expect(200);
    assert!(!info.text().contains(&format!(":{port}")), "we are an upstream: {}", info.text());
    proxy.line(|line| line.contains("OPENAI_BASE_URL") && line.contains("not used")).await;
}

#[tokio::test]
async fn a_base_url_that_is_ours_is_ignored_from_the_environment() {
    let port = proxy::free_port();
    let url = format!("http://localhost:{port}/v1");
    swapped(proxy::bare().env("OPENAI_BASE_URL", &url), port).await;
}

#[tokio::test]
async fn a_base_url_that_is_ours_is_ignored_from_dot_env() {
    let port = proxy::free_port();
    let swap = format!("OPENAI_BASE_URL=http://127.0.0.1:{port}\n");
    swapped(proxy::bare().file(".env", &swap), port).await;
}

#[tokio::test]
async fn a_base_url_that_is_ours_is_ignored_under_another_name() {
    let port = proxy::free_port();
    let url = format!("http://[::ffff:127.0.0.1]:{port}/v1");
    swapped(proxy::bare().env("OPENAI_BASE_URL", &url), port).await;
}

#[tokio::test]
async fn a_call_that_comes_back_to_us_is_508() {
    let port = proxy::free_port();
    // A front that is not ours, and sends what it gets back to us.
    let front = Upstream::start(move |request| {
        let hop = request.head.get("x-bartizan-hop").expect("each call says who sent it");
        upstream::json(200, COMPLETION.replace("c1", hop))
    })
    .await;
    let setup = proxy::in_front_of(&front.base()).arg("--port").arg(&port.to_string());
    let proxy = setup.start_as_told().await;
    let hop = proxy.call(chat("gpt")).await.expect(200).json()["id"].clone();
    let again = chat("gpt").header("x-bartizan-hop", hop.as_str().expect("a name"));
    proxy.call(again).await.expect(508);
    let stranger = chat("gpt").header("x-bartizan-hop", "somebody-else");
    proxy.call(stranger).await.expect(200);
    assert!(front.saw(Duration::from_secs(1), |seen| seen.begun == 2).await);
}

#[tokio::test]
async fn a_busy_port_of_ones_own_choice_is_an_error() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = busy.local_addr().expect("it is bound").port().to_string();
    fails(proxy::in_front_of("http://127.0.0.1:9/v1").arg("--port").arg(&port), &[&port]);
}

#[test]
fn the_version_and_the_help_are_printed() {
    let ran = proxy::bare().arg("--version").finish();
    assert!(ran.status.success() && ran.output.contains(env!("CARGO_PKG_VERSION")));
    let ran = proxy::bare().arg("--help").finish();
    assert!(ran.status.success());
    for flag in ["--config", "--host", "--port", "--debug", "--ops-listen", "check"] {
        assert!(ran.output.contains(flag), "{flag} is not in:\n{}", ran.output);
    }
}
