//! `docs/providers.md`.
use bartizan::data::{self, PARTS, Provider};
use std::fmt::Write;
use std::path::Path;

const HEAD: &str = "# Providers

What may stand before the `/` of a model, where each answers, and how that is known. A test makes this page of the tables in `src/data`.

- **Base URL:** `api_base` of a deployment comes first, then the variables in the last column, then this. `{…}` is a variable that has to be
  set. Where there is none, `api_base` is needed.
- **Limits:** what the provider counts: calls per minute (`rpm`), tokens too (`rpm+tpm`), calls at once (`parallel`), what is left of an account
  (`credits`), or what stands behind it does (`downstream`). `–`: its documentation was not found to say so.
- **Stream:** what its streams end with, beside the reason of the last answer.
- **Evidence:** `recorded`: exchanges with it were recorded, and tests play its chats, streams, tools and errors. `schema`: of what was not
  recorded, its official schema drives a test. `unverified`: not all of that; what of it was recorded stands behind it. Each row that speaks OpenAI is
  reached by a test with its path, key and body. `/model/info` says it as `bartizan_evidence`.

A provider that is not here, or is elsewhere, is [a row of the config](config.md#providers-of-your-own). Of `watsonx` only the model gateway is
called, with a token that was made elsewhere; `snowflake` takes a JWT, or `pat/TOKEN`.

";

fn quoted(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn line(row: &Provider) -> String {
    let about = row.about();
    let or_dash = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
    let base = if row.base.is_empty() { String::new() } else { format!("`{}`", row.base) };
    let parts: Vec<_> = PARTS.into_iter().filter(|part| about.recorded.contains(part)).collect();
    let evidence = match about.evidence() {
        "unverified" if !parts.is_empty() => format!("unverified ({})", parts.join(", ")),
        evidence => evidence.to_owned(),
    };
    let source = match about.source.strip_prefix("https://") {
        Some(page) => format!("<https://{page}>"),
        None => about.source.to_owned(),
    };
    format!(
        "| `{}` | {} | {} | {} | {} | {evidence} | {source} | {} |",
        row.name,
        or_dash(&base),
        or_dash(&quoted(row.key_env)),
        or_dash(about.limits),
        if about.ending.is_empty() { "its own" } else { about.ending },
        or_dash(&quoted(row.base_env)),
    )
}

#[test]
fn the_page_of_providers_shows_all_rows() {
    let mut page = HEAD.to_owned();
    let rows = data::providers();
    let count = |evidence| rows.iter().filter(|row| row.about().evidence() == evidence).count();
    let (all, recorded, schema) = (rows.len(), count("recorded"), count("schema"));
    writeln!(page, "{all} rows, of which {recorded} are `recorded` and {schema} `schema`.\n")
        .unwrap();
    page += "| name | base URL | variables of its key | limits | stream | evidence | source | variables of its base URL |\n";
    page += "|---|---|---|---|---|---|---|---|\n";
    for row in rows {
        writeln!(page, "{}", line(row)).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/providers.md");
    if std::env::var_os("BARTIZAN_UPDATE").is_some() {
        std::fs::write(&path, &page).expect("a writable folder");
    } else {
        let written = std::fs::read_to_string(&path).expect("the page");
        assert!(written == page, "docs/providers.md is old: run this test with BARTIZAN_UPDATE=1");
    }
}
