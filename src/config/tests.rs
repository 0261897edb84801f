use super::env::Env;
use super::options::Options;
use super::problem::Problems;
use super::{Config, Refused, Severity, load, parse_str};
use crate::data::ImagePrice;
use bartizan_layers::facts::{Rates, Unit};
use proptest::prelude::*;
use std::path::Path;

/// What a config's text makes: the config, if it can start, and all that is wrong.
fn read(text: &str) -> (Option<Config>, Problems) {
    match parse_str(text) {
        Ok((config, problems)) => (Some(config), problems),
        Err(Refused(problems)) => (None, problems),
    }
}

/// One model below which a line is put.
fn model(params: &str) -> String {
    format!(
        "model_list:\n  - model_name: m\n    litellm_params:\n      model: openai/gpt-4o\n      \
         api_key: sk-1\n{params}general_settings: {{master_key: sk-2}}\n"
    )
}

/// A config's text, the line of its mistake, and words of what is said and of how to mend it.
type Mistake = (String, usize, &'static str, &'static str);

fn mistakes_in_models() -> Vec<Mistake> {
    let entry = |text: &str| format!("model_list:\n{text}");
    vec![
        ("model_list: [".to_owned(), 1, "not valid YAML", "indentation"),
        ("- a\n- b\n".to_owned(), 1, "a config is a map of sections, not a list", "model_list"),
        (entry("  - model_name: m\n"), 2, "`litellm_params` is missing", "model:"),
        (entry("  - litellm_params: {model: openai/x}\n"), 2, "`model_name` is missing", "add"),
        (entry("  - model_name: m\n    litellm_params: {}\n"), 3, "`model` is missing", "openai/"),
        (entry("  - just text\n"), 2, "must be a map of keys", "model_name"),
        ("model_list: text\n".to_owned(), 1, "must be a list, not this text", "- model_name"),
        (
            model("      timeout: soon\n"),
            6,
            "`timeout` must be a number of seconds",
            "leave it out",
        ),
        (model("      timeout: -1\n"), 6, "`timeout` must be a number of seconds", "leave it out"),
        (model("      weight: heavy\n"), 6, "`weight` must be a number", "a number"),
        (model("      rpm: 1.5\n"), 6, "`rpm` must be a whole number", "a whole number"),
        (model("      api_base: not a url\n"), 6, "`api_base` is not a URL", "https://HOST"),
        (model("      api_base: ftp://x/v1\n"), 6, "`api_base` is not a URL", "https://HOST"),
        (model("      api_base: http://localhost:4000/v1\n"), 6, "leads back to this proxy", "own"),
        (model("      extra_headers: {\"a b\": c}\n"), 6, "not a valid header", "letters"),
        (model("      custom_llm_provider: opneai\n"), 6, "unknown provider `opneai`", "`openai`"),
        (model("").replace("openai/", "opneai/"), 4, "no provider is known", "`openai/…`"),
        (
            model("").replace("openai/gpt-4o", "mystery"),
            4,
            "no provider is known",
            "provider/model",
        ),
        (
            model("").replace("api_key: sk-1", "apikey: sk-1"),
            4,
            "no key for openai",
            "OPENAI_API_KEY",
        ),
        (
            model("      api_key: os.environ/NO_SUCH\n").replace("      api_key: sk-1\n", ""),
            5,
            "NO_SUCH is not set",
            ".env",
        ),
        (
            model("      organization: os.file//no/such\n"),
            6,
            "/no/such cannot be read",
            "check the path",
        ),
    ]
}

fn mistakes_in_settings() -> Vec<Mistake> {
    let settings = |text: &str| format!("{}{text}", model(""));
    let general = |text: &str| model("").replace("{master_key: sk-2}", text);
    vec![
        (settings("litellm_setings: {}\n"), 7, "unknown key `litellm_setings`", "litellm_settings"),
        (
            general("{master_kye: sk-2}"),
            6,
            "unknown key `general_settings.master_kye`",
            "master_key",
        ),
        (general("{master_key: sk-2, compat: old}"), 6, "unknown compat `old`", "classic"),
        (settings("router_settings: {timeout: []}\n"), 7, "`timeout` must be", "leave it out"),
        (settings("router_settings: 3\n"), 7, "`router_settings` must be a map", "indent"),
        (settings("router_settings: {model_group_alias: {a: mm}}\n"), 7, "leads to `mm`", "`m`"),
        (settings("router_settings: {model_group_alias: {a: {}}}\n"), 7, "an alias leads", "[one"),
    ]
}

#[test]
fn every_mistake_is_told_with_its_line_and_its_mend() {
    for (text, line, message, help) in
        mistakes_in_models().into_iter().chain(mistakes_in_settings())
    {
        let (_, problems) = read(&text);
        let found = problems.found().iter().find(|problem| problem.message.contains(message));
        let shown = problems.render(false);
        let found =
            found.unwrap_or_else(|| panic!("{message} is not said of\n{text}\nbut\n{shown}"));
        assert_eq!(found.at().map(|(line, _)| line), Some(line), "{text}\n{shown}");
        assert!(found.help.as_ref().is_some_and(|text| text.contains(help)), "{text}\n{shown}");
        assert!(shown.contains(&format!("config:{line}:")), "{shown}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = model("      timeout: soon\n      weight: heavy\n") + "litellm_setings: {}\n";
    assert_eq!(read(&text).1.found().len(), 3);
}

#[test]
fn two_deployments_with_one_id_are_a_mistake() {
    let entry = "  - model_name: m\n    litellm_params: {model: openai/x, api_key: k}\n";
    let (config, problems) = read(&format!("model_list:\n{entry}{entry}"));
    assert_eq!(config.map(|config| config.routing.deployments.len()), Some(1));
    assert!(problems.found()[0].message.contains("the same as another entry"));
}

#[test]
fn keys_of_later_versions_are_named_in_one_notice() {
    let text = model("      prompt_id: a\n")
        + "litellm_settings: {redact_messages_in_exceptions: true, callbacks: [prometheus, langfuse]}\nrouter_settings: \
           {routing_strategy: least-busy, fallbacks: []}\nguardrails: []\nx-anchors: {}\n";
    let (_, problems) = read(&text);
    assert!(problems.found().is_empty(), "{}", problems.render(false));
    let notice = problems.notices().iter().find(|notice| notice.starts_with("not in this version"));
    let notice = notice.unwrap();
    for key in [
        "redact_messages_in_exceptions",
        "langfuse",
        "least-busy",
        "guardrails",
        "litellm_params.prompt_id",
    ] {
        assert!(notice.contains(key), "{key} in {notice}");
    }
    assert!(!notice.contains("fallbacks"), "{notice}");
}

#[test]
fn no_secret_is_shown() {
    let text = "model_list:\n  - model_name: m\n    litellm_params: {model: openai/x, api_key: \
                sk-planted, timeout: soon}\ngeneral_settings:\n  master_key: sk-planted\n  \
                litellm_key_header_name: \"a b\"\n";
    let (config, problems) = read(text);
    let config = config.unwrap();
    assert!(!problems.render(false).contains("sk-planted"), "{}", problems.render(false));
    assert!(!format!("{config:?}").contains("sk-planted"));
    let deployment = &config.routing.deployments;
    assert!(deployment.iter().all(|one| !format!("{:?}", one.params).contains("sk-planted")));
}

#[test]
fn a_config_without_a_key_is_open_on_loopback_only() {
    let text = "model_list: []\n";
    assert_eq!(read(text).0.unwrap().access.master_key, None);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let start = |env: &[(&str, &str)]| {
        let options = Options {
            config: Some(file.path().to_owned()),
            host: Some("0.0.0.0".to_owned()),
            ..Options::default()
        };
        load(&options, env.iter().copied().collect())
    };
    let Err(Refused(problems)) = start(&[]) else { panic!("it must not start") };
    assert!(problems.found()[0].message.contains("beyond this machine"));
    assert!(start(&[("LITELLM_MASTER_KEY", "sk-1")]).is_ok());
    assert!(start(&[("LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY", "true")]).is_ok());
}

#[test]
fn the_env_swap_is_not_taken_for_an_upstream() {
    let text = model("");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let base = |url: &str| {
        let options = Options { config: Some(file.path().to_owned()), ..Options::default() };
        let env: Env = [("OPENAI_BASE_URL", url)].into_iter().collect();
        let (config, _) = load(&options, env).unwrap();
        let base = config.routing.deployments[0].api_base.as_ref().unwrap().to_string();
        (base, config.notices)
    };
    for url in ["http://localhost:4000/v1", "http://127.0.0.1:4000", "http://[::1]:4000/v1"] {
        let (base, notices) = base(url);
        assert_eq!(base, "https://api.openai.com/v1");
        assert!(notices.iter().any(|notice| notice.contains("OPENAI_BASE_URL")), "{notices:?}");
    }
    assert_eq!(base("http://localhost:4999/v1").0, "http://localhost:4999/v1");
}

#[test]
fn values_come_from_the_config_then_the_environment() {
    let mut env: Env = [("A", "process"), ("EMPTY", "")].into_iter().collect();
    assert_eq!(env.get("EMPTY"), None);
    assert!(env.set("A", "config") && !env.set("B", "new"));
    assert_eq!(env.first(&["NONE", "A"]), Some(("A", "config")));
    assert!(!format!("{env:?}").contains("config"));
}

#[test]
fn configs_of_the_wild_load_unchanged() {
    let dir = std::env::var_os("BARTIZAN_CONFIGS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/configs"),
        Into::into,
    );
    let Ok(files) = std::fs::read_dir(&dir) else {
        return eprintln!("skipped: no configs in {}", dir.display());
    };
    let yaml = files.map(|file| file.unwrap().path());
    for path in yaml.filter(|path| path.extension().is_some_and(|kind| kind == "yaml")) {
        let options = Options { config: Some(path.clone()), ..Options::default() };
        let (config, problems) = load(&options, Env::default()).unwrap();
        assert!(!config.routing.deployments.is_empty(), "{}", path.display());
        let errors = problems.found().iter().filter(|one| one.severity == Severity::Error);
        assert_eq!(errors.count(), 0, "{}", problems.render(false));
    }
}

#[test]
fn the_example_is_a_config_without_a_mistake() {
    let text = include_str!("../../deploy/config.example.yaml");
    let (_, problems) = read(text);
    assert!(
        problems
            .found()
            .iter()
            .all(|one| one.message.contains("is not set") || one.message.starts_with("no key for"))
    );
}

#[test]
fn a_price_in_the_config_is_exact() {
    let text =
        model("      input_cost_per_token: 0.0000039\n      output_cost_per_token: 1.5e-5\n");
    let price = read(&text).0.unwrap().routing.deployments[0].price.clone().unwrap();
    assert_eq!(
        (price.base.rate(Unit::Input), price.base.rate(Unit::Output)),
        (3_900_000, 15_000_000)
    );
}

#[test]
fn prices_above_a_threshold_are_charged() {
    let price = |params: &str| read(&model(params)).0.unwrap().routing.deployments[0].price.clone();
    let text = "      input_cost_per_token: 1e-6\n      output_cost_per_token: 2e-6\n      \
                cache_read_input_token_cost: 1e-7\n      \
                input_cost_per_token_above_200k_tokens: 3e-6\n      \
                cache_read_input_token_cost_above_200k_tokens: 2e-7\n";
    let above = Rates::tokens(3_000_000, 2_000_000).with(Unit::CacheRead, 200_000);
    assert_eq!(price(text).unwrap().tiers, [(200_000, above)]);
    let in_info = "      input_cost_per_token: 1e-6\n    model_info: \
                   {input_cost_per_token_above_128k_tokens: 2e-6}\n";
    assert_eq!(price(in_info).unwrap().tiers[0].0, 128_000);
    assert_eq!(price("      input_cost_per_token: 1e-6\n").unwrap().tiers, []);
}

#[test]
fn prices_that_are_not_charged_are_named() {
    let text = model(
        "      input_cost_per_token: 1e-6\n      input_cost_per_token_above_128k_tokens: 2e-6\n      \
         output_cost_per_token_above_256k_tokens: 4e-6\n      \
         input_cost_per_second: 1e-6\n      output_cost_per_image: 0\n    \
         model_info: {input_cost_per_token_batches: 1e-7, tiered_pricing: []}\n",
    );
    let (config, problems) = read(&text);
    let notices = problems.notices().join("\n");
    for key in [
        "litellm_params.input_cost_per_second",
        "model_info.input_cost_per_token_batches",
        "model_info.tiered_pricing",
    ] {
        assert!(notices.contains(key), "{key} in {notices}");
    }
    assert!(!notices.contains("128k") && !notices.contains("image"), "{notices}");
    let deployment = &config.unwrap().routing.deployments[0];
    assert!(deployment.defaults.is_empty(), "sent upstream: {:?}", deployment.defaults);

    let (_, problems) = read(&model("      cache_read_input_token_cost: 1e-7\n"));
    assert!(problems.found()[0].message.contains("no effect without the base prices"));
}

#[test]
fn an_image_has_a_price_of_its_own() {
    let read = |more: &str| {
        let (config, problems) = read(&model(more));
        assert_eq!(problems.notices().join("\n"), "", "{more}");
        let deployment = config.unwrap().routing.deployments.swap_remove(0);
        assert!(deployment.defaults.is_empty(), "sent upstream: {:?}", deployment.defaults);
        (deployment.price.is_some(), deployment.image_price)
    };
    let each = |picodollars| (false, Some(ImagePrice::Each(picodollars)));
    assert_eq!(read("      output_cost_per_image: 0.05\n"), each(50_000_000_000));
    assert_eq!(read("      input_cost_per_image: 0\n"), each(0));
    let both = "      input_cost_per_image: 0.001\n      output_cost_per_image: 0.134\n";
    assert_eq!(read(both), each(134_000_000_000));
    let pixel = "    model_info: {input_cost_per_pixel: 1.9e-08}\n";
    assert_eq!(read(pixel), (false, Some(ImagePrice::of_pixel(19_000))));
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "[ -~\n]{0,200}") {
        drop(read(&text).1.render(false));
    }

    #[test]
    fn any_value_at_any_key_is_read_without_a_panic(
        key in "(api_base|timeout|weight|model_info|extra_headers|extra_body|order|api_key)",
        value in "[ -~]{0,40}",
    ) {
        drop(read(&model(&format!("      {key}: {value}\n"))).1.render(false));
    }
}

#[test]
fn what_is_planted_does_not_show_in_debug() {
    let text = "
model_list:
  - model_name: gpt
    litellm_params:
      model: openai/gpt
      api_key: planted-key
      extra_headers: {X-Tenant: planted-header}
      extra_body: {user_token: planted-body, options: {token: planted-option}}
      aws_secret_access_key: planted-aws
      some_token: planted-token
    model_info: {internal_token: planted-info}
credential_list:
  - {credential_name: named, credential_values: {api_key: planted-credential}}
files_settings:
  - {custom_llm_provider: openai, api_base: 'https://files.test/v1', api_key: planted-file}
environment_variables: {OPENAI_API_KEY: planted-variable}
general_settings:
  master_key: planted-master
  database_url: postgres://user:planted-password@host/db
  pass_through_endpoints:
    - {path: /own, target: 'https://own.test', headers: {Authorization: Bearer planted-own}}
";
    let (config, problems) = parse_str(text).unwrap();
    assert_eq!((config.routing.deployments.len(), problems.errors()), (1, 0));
    for shown in [format!("{config:?}"), format!("{config:#?}"), format!("{problems:?}")] {
        let at = shown.find("planted");
        assert_eq!(at.and_then(|at| shown.get(at.saturating_sub(60)..at + 20)), None);
    }
}
