use super::env::Env;
use super::options::Options;
use super::problem::Problems;
use super::{Config, Refused, load};
use std::path::Path;
use tempfile::TempDir;

/// Files in a directory of their own, of which the first is the config.
fn read(files: &[(&str, &str)]) -> (Option<Config>, Problems, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let options = Options { config: Some(dir.path().join(files[0].0)), ..Options::default() };
    let env: Env = [("LITELLM_MODE", "PRODUCTION")].into_iter().collect();
    match load(&options, env) {
        Ok((config, problems)) => (Some(config), problems, dir),
        Err(Refused(problems)) => (None, problems, dir),
    }
}

fn model(name: &str) -> String {
    format!(
        "model_list:\n  - model_name: {name}\n    litellm_params: {{model: openai/x, api_key: k}}\n"
    )
}

#[test]
fn lists_of_an_included_file_are_appended_and_sections_replaced() {
    let main = model("a") + "include: [more/b.yaml]\ngeneral_settings: {completion_model: old}\n";
    // Names are relative to the file that names them.
    let more = model("b") + "include: deep.yaml\ngeneral_settings: {completion_model: new}\n";
    let deep = model("c");
    let (config, problems, dir) =
        read(&[("main.yaml", &main), ("more/b.yaml", &more), ("more/deep.yaml", &deep)]);
    assert_eq!(problems.errors(), 0, "{}", problems.render(false));
    let config = config.unwrap();
    let groups: Vec<_> = config.routing.deployments.iter().map(|one| &*one.group).collect();
    assert_eq!(groups, ["a", "b", "c"]);
    assert_eq!(config.routing.default_model.as_deref(), Some("new"));
    let all = ["main.yaml", "more/b.yaml", "more/deep.yaml"].map(|name| dir.path().join(name));
    assert_eq!(config.files, all);
    let replaced = problems.notices().iter().any(|notice| notice.contains("takes the place"));
    assert!(replaced, "{:?}", problems.notices());
}

#[test]
fn a_circle_of_includes_ends() {
    let main = model("a") + "include: [b.yaml]\n";
    let back = model("b") + "include: [main.yaml, b.yaml]\n";
    let (config, problems, _dir) = read(&[("main.yaml", &main), ("b.yaml", &back)]);
    assert_eq!(config.unwrap().routing.deployments.len(), 2);
    assert_eq!(problems.found().len(), 2, "{}", problems.render(false));
    assert!(problems.render(false).contains("read only once"));
}

#[test]
fn a_missing_include_refuses_the_start_at_its_line() {
    let main = model("a") + "include:\n  - models/none.yaml\n";
    let (config, problems, _dir) = read(&[("main.yaml", &main)]);
    assert!(config.is_none());
    let said = problems.render(false);
    assert!(said.contains("main.yaml:5:5") && said.contains("models/none.yaml"), "{said}");
}

#[test]
fn a_mistake_is_shown_in_the_file_that_holds_it() {
    let main = "include: [b.yaml]\n";
    let more = "# one line more\nmodel_list:\n  - model_name: b\n    litellm_params:\n      \
                model: openai/x\n      timeout: soon\n      api_key: sk-planted\n";
    let (_, problems, _dir) = read(&[("main.yaml", main), ("b.yaml", more)]);
    let said = problems.render(false);
    assert!(said.contains("b.yaml:6:16") && said.contains("timeout: soon"), "{said}");
    assert!(!said.contains("planted"), "{said}");
    for wrong in ["- a\n", "a: [\n"] {
        let (config, problems, _dir) = read(&[("main.yaml", main), ("b.yaml", wrong)]);
        assert!(config.is_none());
        let said = problems.render(false);
        assert!(said.contains("b.yaml:"), "{said}");
    }
}

#[test]
fn the_files_of_secrets_are_known() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    std::fs::write(&key, "sk-1\n").unwrap();
    let text = model("a").replace("api_key: k", &format!("api_key: os.file/{}", key.display()));
    let (config, ..) = read(&[("main.yaml", &text)]);
    assert!(config.unwrap().files.iter().any(|file| file == Path::new(&key)));
}
