//! Credentials in files, and providers that are found in the environment.
use super::{Config, Env, Options, Problems, Refused, load};
use std::path::Path;

const MODEL: &str =
    "model_list:\n  - {model_name: m, litellm_params: {model: openai/x, api_key: KEY}}\n";

fn started(config: Option<&str>, env: &[(&str, &str)]) -> Result<(Config, Problems), Refused> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.yaml");
    let config = config.map(|text| std::fs::write(&path, text));
    let state_dir = Some(dir.path().join("state"));
    let options = Options { config: config.map(|_| path), state_dir, ..Options::default() };
    let production = ("LITELLM_MODE", "PRODUCTION");
    load(&options, env.iter().copied().chain([production]).collect())
}

fn refused(config: Option<&str>, env: &[(&str, &str)]) -> Problems {
    match started(config, env) {
        Ok(_) => panic!("it must not start"),
        Err(Refused(problems)) => problems,
    }
}

#[test]
fn a_secret_may_stand_in_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "sk-file\n").unwrap();
    let path = file.path().to_str().unwrap();
    let env: Env = [("K_FILE", path)].into_iter().collect();
    assert_eq!(env.secret("K").unwrap().unwrap().expose(), "sk-file");
    assert!(env.secret("NONE").unwrap().is_none());
}

#[test]
fn a_file_that_gives_no_secret_is_told_once_with_its_variable_and_the_reason() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let cases = [
        (Path::new("/no/such/file"), "cannot be read: No such file"),
        (Path::new("/"), "cannot be read: "),
        (empty.path(), "holds nothing"),
    ];
    let twice = MODEL.replace("api_key: KEY", "drop: 1");
    let twice = format!("{twice}{}", twice.replace("model_list:\n", "").replace("m,", "n,"));
    for (path, why) in cases {
        let path = path.to_str().unwrap();
        let (_, problems) = started(Some(&twice), &[("OPENAI_API_KEY_FILE", path)]).unwrap();
        let text = problems.render(false);
        let told = format!("OPENAI_API_KEY_FILE names the file {path}, which {why}");
        assert_eq!(text.matches(&told).count(), 1, "{told}\n{text}");
        assert!(text.contains("set OPENAI_API_KEY itself"), "{text}");
        assert!(problems.errors() > 0, "the check must fail");
        // Without a config the provider is told of as well, not only left out.
        let (_, problems) = started(None, &[("OPENAI_API_KEY_FILE", path)]).unwrap();
        assert!(problems.render(false).contains(&told), "{}", problems.render(false));
    }
}

#[test]
fn a_reference_to_an_unreadable_secret_is_told_with_its_place() {
    let text = MODEL.replace("KEY", "os.environ/MINE");
    let (_, problems) = started(Some(&text), &[("MINE_FILE", "/no/such/file")]).unwrap();
    let told = problems.found().iter().find(|one| one.message.contains("MINE_FILE")).unwrap();
    assert_eq!(told.at().map(|(line, _)| line), Some(2));
    assert!(!problems.render(false).contains("MINE is not set"), "{}", problems.render(false));
}

#[test]
fn a_key_in_place_of_a_file_is_not_shown() {
    let (_, problems) = started(None, &[("OPENAI_API_KEY_FILE", "sk-planted")]).unwrap();
    let text = problems.render(false);
    assert!(text.contains("OPENAI_API_KEY_FILE") && !text.contains("planted"), "{text}");
}

#[test]
fn a_master_key_that_cannot_be_read_opens_nothing() {
    let lost = [("LITELLM_MASTER_KEY_FILE", "/no/such/file")];
    for config in [None, Some(MODEL)] {
        let text = refused(config, &lost).render(false);
        assert!(text.contains("LITELLM_MASTER_KEY_FILE"), "{text}");
    }
    for key in ["os.file//no/such/file", "os.environ/MINE", "[1]"] {
        let text = format!("{MODEL}general_settings: {{master_key: {key}}}\n");
        let problems = refused(Some(&text), &[("MINE_FILE", "/no/such/file")]);
        assert_eq!(problems.errors(), 1, "{}", problems.render(false));
    }
}

#[test]
fn ollama_is_found_by_its_own_variable() {
    let found = |env: &[(&str, &str)]| {
        let deployments = started(None, env).unwrap().0.routing.deployments;
        let ollama = deployments.into_iter().find(|one| one.group == "ollama/*");
        ollama.map(|one| one.api_base.unwrap().to_string())
    };
    for (told, base) in [
        ("box", "http://box:11434/v1"),
        ("box:1234", "http://box:1234/v1"),
        (":1234", "http://127.0.0.1:1234/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:1234", "http://127.0.0.1:1234/v1"),
        ("::1", "http://[::1]:11434/v1"),
        ("[::]:1234", "http://[::1]:1234/v1"),
        ("\"10.0.0.7\"", "http://10.0.0.7:11434/v1"),
        ("http://box:1234/", "http://box:1234/v1"),
        ("https://box/ollama", "https://box/ollama/v1"),
    ] {
        assert_eq!(found(&[("OLLAMA_HOST", told)]).as_deref(), Some(base), "{told}");
    }
    let both = [("OLLAMA_HOST", "box"), ("OLLAMA_API_BASE", "http://other:1")];
    assert_eq!(found(&both).as_deref(), Some("http://other:1/v1"));
    assert_eq!(found(&[]), None);
}

#[test]
fn ollamas_variable_does_not_move_the_deployments_of_a_config() {
    let text = MODEL.replace("openai/x", "ollama/x");
    let (config, _) = started(Some(&text), &[("OLLAMA_HOST", "box")]).unwrap();
    let base = config.routing.deployments[0].api_base.as_ref().unwrap().to_string();
    assert_eq!(base, "http://localhost:11434/v1");
}

#[test]
fn a_master_key_of_ones_own_is_no_sign_of_another_proxy() {
    let proxies = |env: &[(&str, &str)]| {
        let (config, _) = started(None, env).unwrap();
        let found = config.routing.deployments.into_iter();
        found.filter(|one| one.provider.name == "litellm_proxy").count()
    };
    let key = ("LITELLM_MASTER_KEY", "sk-1234567890");
    assert_eq!(proxies(&[key]), 0);
    assert_eq!(proxies(&[key, ("LITELLM_URL", "http://theirs:4000")]), 2);
}

#[test]
fn a_provider_that_is_found_hears_who_calls() {
    let env = [("OPENROUTER_API_KEY", "sk-or"), ("OR_APP_NAME", "Mine")];
    let (config, _) = started(None, &env).unwrap();
    let found = config.routing.deployments.iter().find(|one| one.group == "openrouter/*");
    let headers: Vec<_> = found.unwrap().headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(headers, ["x-title"]);
}

#[test]
fn nothing_stands_open_because_of_a_missing_variable() {
    for setting in [
        "allowed_ips: os.environ/NONE",
        "blocked_ips: os.environ/NONE",
        "tls: {certificates: [], client_ca: os.environ/NONE}",
        "tls: {certificates: [], client_auth: os.environ/NONE}",
    ] {
        let config = format!("{MODEL}general_settings: {{master_key: sk-1, {setting}}}\n");
        let told = refused(Some(&config), &[]).render(false);
        assert!(told.contains("error: the variable NONE is not set"), "{setting}: {told}");
    }
    let listed = format!("{MODEL}general_settings: {{blocked_ips: [os.environ/NONE]}}\n");
    let told = refused(Some(&listed), &[]).render(false);
    assert!(told.contains("an item of a list is no reference"), "{told}");
    // Of deployments only the one is left out.
    let pinned = MODEL.replace("KEY", "k, tls: {pins: os.environ/NONE}");
    let (config, problems) = started(Some(&pinned), &[]).unwrap();
    assert_eq!((config.routing.deployments.len(), problems.errors()), (0, 2));
}

#[test]
fn a_reference_in_a_list_is_sent_as_it_stands_and_one_below_a_key_in_it_is_not() {
    let config = MODEL.replace("KEY", "k, stop: [os.environ/K], tools: [{name: os.environ/K}]");
    let (config, problems) = started(Some(&config), &[("K", "s3cret")]).unwrap();
    let told = problems.render(false);
    assert!(told.contains("an item of a list is no reference"), "{told}");
    let sent: Vec<_> = config.routing.deployments[0].defaults.iter().collect();
    assert_eq!(sent[0].1.as_ref(), br#"["os.environ/K"]"#);
    assert_eq!(sent[1].1.as_ref(), br#"[{"name":"s3cret"}]"#);
}

#[test]
fn what_looks_like_a_reference_and_is_none_is_named() {
    for (written, told) in [
        ("os.envrion/FOO", "looks like a reference"),
        ("os.environ.FOO", "looks like a reference"),
        ("OS.ENVIRON/FOO", "looks like a reference"),
        ("os.env/FOO", "looks like a reference"),
        ("os.flie/key.txt", "looks like a reference"),
        ("os.environ/", "`os.environ/` names no variable"),
        ("os.file/", "`os.file/` names no file"),
    ] {
        let config = MODEL.replace("KEY", written);
        let (_, problems) = started(Some(&config), &[]).unwrap();
        let told_of = problems.render(false);
        assert!(told_of.contains(told), "{written}: {told_of}");
    }
    for written in ["os", "os/x", "gpt-os.x", "nos.file"] {
        let config = MODEL.replace("KEY", written);
        let (_, problems) = started(Some(&config), &[]).unwrap();
        assert!(!problems.render(false).contains("looks like a reference"), "{written}");
    }
}
