//! Which model is meant by a name, and whose it is.
use super::catalogue::{self, Record};
use super::{Model, providers};

/// Beginnings of bare names that tell the provider, for models newer than the catalogue.
const FAMILIES: [(&str, &str); 16] = [
    ("chatgpt-", "openai"),
    ("claude-", "anthropic"),
    ("command-", "cohere_chat"),
    ("dall-e-", "openai"),
    ("deepseek-chat", "deepseek"),
    ("deepseek-reasoner", "deepseek"),
    ("gemini-", "gemini"),
    ("gpt-", "openai"),
    ("grok-", "xai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("omni-moderation-", "openai"),
    ("text-embedding-3-", "openai"),
    ("tts-", "openai"),
    ("whisper-", "openai"),
];

/// What is known of a model. Tried in turn: the name as it is; without its provider, where the
/// bare model belongs to that provider; with the provider that a bare name implies; then the same
/// without the regions of Bedrock's, without a date at the end (`-2024-08-06`, `-20241022`) and without the `ft:` and the owner of
/// a fine-tuned model.
#[must_use]
pub fn model(name: &str) -> Option<Model> {
    let tuned = tuned_base(name);
    let plain = plain_of_bedrock(name);
    let tries = [Some(name), plain, without_date(name), tuned.map(|(kept, _)| kept)];
    let bare = tuned.map(|(_, bare)| bare);
    let tries = tries.into_iter().chain([bare, bare.and_then(without_date)]);
    tries.flatten().find_map(find).map(Record::model)
}

/// A model of Bedrock's, without what stands before its own id in an ARN.
fn plain_of_bedrock(name: &str) -> Option<&str> {
    let id = name.strip_prefix("bedrock/").or_else(|| name.strip_prefix("bedrock_converse/"))?;
    id.rsplit('/').next().map(foundation)
}

/// A model's own id at Bedrock, without the regions among which its calls are shared:
/// `us.anthropic.claude-…`.
#[must_use]
pub fn foundation(id: &str) -> &str {
    let shared = ["us.", "eu.", "apac.", "global.", "au.", "jp.", "ca.", "us-gov."];
    shared.into_iter().find_map(|regions| id.strip_prefix(regions)).unwrap_or(id)
}

/// The bare names of a provider's models, all modes, in the order of the catalogue. Names that
/// only carry a price (image sizes, fine-tuned bases) are left out.
pub fn models_of(provider: &str) -> impl Iterator<Item = &'static str> {
    let number = catalogue::provider_number(provider);
    let records = number.into_iter().flat_map(|number| {
        catalogue::records().filter(move |record| record.provider_number() == number)
    });
    records.filter_map(|record| {
        let (name, provider) = (record.name(), record.provider());
        let bare = strip_provider(name, provider);
        let only_price = bare.starts_with("ft:") || bare.contains("-x-");
        let twice = bare == name && catalogue::find(&format!("{provider}/{bare}")).is_some();
        (!only_price && !twice).then_some(bare)
    })
}

/// The provider that a name without a provider belongs to: by the catalogue, else by the
/// beginning of the name. The answer may be a provider that has no row, for example `bedrock`.
/// Gemini models are `gemini`'s, though the catalogue has Vertex AI's prices under the bare names.
#[must_use]
pub fn provider_of_model(bare: &str) -> Option<&'static str> {
    let name = tuned_base(bare).map_or(bare, |(_, base)| base);
    let by_family = || {
        let family = FAMILIES.iter().find(|(start, _)| name.starts_with(start));
        // The open-weight models share the beginning but not the provider.
        family.filter(|_| !name.starts_with("gpt-oss")).map(|(_, provider)| *provider)
    };
    let by_catalogue = || {
        let found = catalogue::find(name).or_else(|| catalogue::find(without_date(name)?));
        found.map(|record| row_name(record.provider())).filter(|provider| !provider.is_empty())
    };
    if name.contains('/') {
        return None;
    }
    if name.starts_with("gemini-") {
        return Some("gemini");
    }
    by_catalogue().or_else(by_family)
}

/// The provider that answers at a host, for example `groq` at `api.groq.com`. `None` for local
/// and for unknown hosts.
#[must_use]
pub fn provider_of_host(host: &str) -> Option<&'static str> {
    let is_there = |base| host_of(base).eq_ignore_ascii_case(host) && !host.is_empty();
    let row = providers().iter().find(|row| is_there(row.base));
    let row = row.filter(|row| !row.key_optional).map(|row| row.name);
    row.or_else(|| {
        let other = OTHER_HOSTS.iter().find(|(other, _)| other.eq_ignore_ascii_case(host));
        other.map(|(_, provider)| *provider)
    })
}

/// Hosts at which a provider answers besides that of its base URL.
const OTHER_HOSTS: [(&str, &str); 6] = [
    ("api.cohere.com", "cohere"),
    ("api.minimaxi.com", "minimax"),
    ("api.together.ai", "together_ai"),
    ("dashscope.aliyuncs.com", "dashscope"),
    ("models.github.ai", "github"),
    ("ollama.com", "ollama"),
];

fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default()
}

fn find(name: &str) -> Option<Record> {
    let exact = || catalogue::find(name);
    let bare = || {
        let (provider, bare) = name.split_once('/')?;
        catalogue::find(bare).filter(|record| same_family(record.provider(), provider))
    };
    let implied = || {
        let provider = provider_of_model(name)?;
        catalogue::find(&format!("{provider}/{name}"))
    };
    exact().or_else(bare).or_else(implied)
}

fn same_family(left: &str, right: &str) -> bool {
    row_name(left) == row_name(right)
}

/// The catalogue names some providers by product line; rows have one name for all of them.
fn row_name(provider: &str) -> &str {
    match provider {
        "bedrock_converse" => "bedrock",
        "cohere" => "cohere_chat",
        "fireworks_ai-embedding-models" => "fireworks_ai",
        "ollama" => "ollama_chat",
        "text-completion-openai" => "openai",
        "text-completion-codestral" => "codestral",
        line if line.starts_with("vertex_ai-") => "vertex_ai",
        name => name,
    }
}

fn strip_provider(name: &'static str, provider: &str) -> &'static str {
    name.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name)
}

/// `gpt-4o-2024-08-06` and `claude-opus-4-20250514` without the date.
fn without_date(name: &str) -> Option<&str> {
    let short = ["-dddddddd", "-dddd-dd-dd"].into_iter().find_map(|pattern| {
        let (start, end) = name.split_at_checked(name.len().checked_sub(pattern.len())?)?;
        let fits = end.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            _ => byte == wanted,
        });
        fits.then_some(start)
    });
    short.filter(|start| !start.is_empty())
}

/// Of `ft:BASE:owner:name:id`: `ft:BASE`, which has prices of its own, and `BASE`.
fn tuned_base(name: &str) -> Option<(&str, &str)> {
    let name = name.strip_prefix("openai/").unwrap_or(name);
    let base = name.strip_prefix("ft:")?.split(':').next()?;
    Some((name.get(.."ft:".len() + base.len())?, base))
}
