//! One finished call, as it is read back.
use bartizan_layers::facts::{NanoUsd, Price, Rates, Unit, Usage};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// What the units are called in records, in the order of [`Unit::ALL`].
pub(super) const UNITS: [&str; Unit::COUNT] = [
    "input",
    "output",
    "cache_read",
    "cache_write",
    "cache_write_hour",
    "reasoning",
    "audio_input",
    "audio_output",
    "image_input",
    "image_output",
    "image",
    "second_input",
    "second_output",
    "character_input",
    "character_output",
    "query",
    "request",
];

/// Counts, or picodollars for each, by the names of units.
type ByUnit = BTreeMap<Box<str>, i64>;

/// One finished call.
#[derive(Debug, Deserialize)]
pub struct Record {
    /// Ours: the journal's name and a number. The client may choose the call's id, so that it is
    /// not unique.
    pub id: Box<str>,
    /// The call's id (`x-litellm-call-id`).
    pub call: Box<str>,
    /// The id that the answer bears.
    pub response: Option<Box<str>>,
    /// What kind of call, as LiteLLM names it.
    #[serde(rename = "type")]
    pub call_type: Box<str>,
    /// When it came, in milliseconds since 1970.
    pub began: i64,
    /// When its answer ended.
    pub ended: i64,
    /// When the first content came.
    pub first: Option<i64>,
    /// The status that the client got.
    pub status: u16,
    /// Why it failed: the status and the class.
    pub failure: Option<(u16, Box<str>)>,
    /// What the client was told of that, where the proxy said it.
    pub error: Option<Box<str>>,
    /// Whether a stream was asked for.
    #[serde(default)]
    pub stream: bool,
    /// The digest of the key, or its alias; empty where nobody was recognised.
    #[serde(default)]
    pub key: Box<str>,
    /// What people call the key.
    pub alias: Option<Box<str>>,
    /// Whose key it is; may be empty.
    #[serde(default)]
    pub user: Box<str>,
    /// The team of the key.
    pub team: Option<Box<str>>,
    /// What people call the team.
    pub team_alias: Option<Box<str>>,
    /// The organisation of the key.
    pub org: Option<Box<str>>,
    /// Whom the client called for.
    pub end_user: Option<Box<str>>,
    /// The words that it bears.
    #[serde(default)]
    pub tags: Vec<Box<str>>,
    /// The session that it belongs to.
    pub session: Option<Box<str>>,
    /// The address that it came from.
    pub ip: Option<Box<str>>,
    /// The program that made it.
    pub agent: Option<Box<str>>,
    /// What the client wants to be kept with it.
    pub metadata: Option<Box<RawValue>>,
    /// What it said, where that is kept.
    pub prompt: Option<Box<RawValue>>,
    /// What it was answered.
    pub answer: Option<Box<RawValue>>,
    /// The provider's name of the model that answered, or the name that was asked for.
    #[serde(default)]
    pub model: Box<str>,
    /// The model group that answered, or the name that was asked for.
    #[serde(default)]
    pub group: Box<str>,
    /// The id of the deployment that answered.
    #[serde(default)]
    pub deployment: Box<str>,
    /// Its provider.
    #[serde(default)]
    pub provider: Box<str>,
    /// Its base URL.
    #[serde(default)]
    pub base: Box<str>,
    /// Whether a cache had the answer; `None` if none was asked.
    pub hit: Option<bool>,
    /// What the kept answer had cost.
    pub saved: Option<i64>,
    /// What was held for it.
    pub held: Option<i64>,
    /// Every attempt that reached for an upstream; the last is the one that answered.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// Who pays.
    #[serde(default)]
    pub charges: Vec<Charge>,
    /// Of its line in the journal, once it is in the store.
    pub hash: Option<Box<str>>,
    /// Of the line before.
    pub previous: Option<Box<str>>,
}

/// An account that pays: its kind, whose it is, and when its window ends (seconds since 1970).
/// Nobody is the one of this kind that the call is of.
#[derive(Debug, Deserialize)]
pub struct Charge(
    pub Box<str>,
    #[serde(default)] pub Option<Box<str>>,
    #[serde(default)] pub Option<i64>,
);

/// One attempt. In a journal it does not say again what the call says too.
#[derive(Debug, Deserialize)]
pub struct Attempt {
    /// The id of the deployment.
    #[serde(default)]
    pub deployment: Box<str>,
    /// The provider's name of the model.
    #[serde(default)]
    pub model: Box<str>,
    /// The provider.
    #[serde(default)]
    pub provider: Box<str>,
    /// How it ended.
    pub status: u16,
    /// Its failure's class.
    pub failure: Option<Box<str>>,
    /// What it used.
    #[serde(default)]
    pub usage: ByUnit,
    /// What that cost, in billionths of a US dollar.
    #[serde(default)]
    pub cost: i64,
    /// Whether the usage was counted by us.
    #[serde(default)]
    pub estimated: bool,
    /// What it was charged by.
    pub price: Option<PriceRow>,
}

/// The prices of one attempt, in picodollars.
#[derive(Debug, Deserialize)]
pub struct PriceRow {
    /// For each unit.
    pub base: ByUnit,
    /// The same for prompts of more tokens than the number.
    #[serde(default)]
    pub tiers: Vec<(u32, ByUnit)>,
}

impl Record {
    /// Reads the text of a record.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn read(text: &str) -> serde_json::Result<Self> {
        let mut record: Self = serde_json::from_str(text)?;
        for attempt in &mut record.attempts {
            if attempt.deployment.is_empty() {
                attempt.deployment.clone_from(&record.deployment);
                attempt.provider.clone_from(&record.provider);
            }
            if attempt.model.is_empty() {
                attempt.model.clone_from(&record.model);
            }
        }
        Ok(record)
    }

    /// The accounts that pay: their kind, whose they are, and when their window ends (seconds since
    /// 1970).
    pub fn payers(&self) -> impl Iterator<Item = (&str, &str, Option<i64>)> {
        self.charges.iter().map(|Charge(scope, subject, until)| {
            (&**scope, subject.as_deref().unwrap_or_else(|| self.own(scope)), *until)
        })
    }

    /// Who of a kind the call is of.
    fn own(&self, scope: &str) -> &str {
        let own = match scope {
            "api_key" => Some(&self.key),
            "user" => Some(&self.user),
            "team" => self.team.as_ref(),
            "organization" => self.org.as_ref(),
            "end_user" => self.end_user.as_ref(),
            "deployment" => Some(&self.deployment),
            "provider" => Some(&self.provider),
            _ => None,
        };
        own.map_or("", |own| own)
    }

    /// What it cost.
    #[must_use]
    pub fn cost(&self) -> NanoUsd {
        self.attempts.iter().map(|attempt| NanoUsd(attempt.cost)).sum()
    }

    /// What all its attempts used.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.attempts.iter().map(Attempt::usage).fold(Usage::default(), |all, one| all + one)
    }

    /// What it is called where LiteLLM's clients look for it: by the answer's id.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.response.as_deref().unwrap_or(&self.call)
    }
}

impl Attempt {
    /// What it used.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let count = |usage: Usage, (unit, name): (Unit, &str)| {
            self.usage.get(name).map_or(usage, |count| usage.with(unit, *count))
        };
        Unit::ALL.into_iter().zip(UNITS).fold(Usage::default(), count)
    }

    /// Whether it made images that had a price of their own.
    #[must_use]
    pub fn had_priced_images(&self) -> bool {
        let image = UNITS[Unit::Image as usize];
        let price = self.price.as_ref();
        self.usage.contains_key(image) && price.is_some_and(|it| it.base.contains_key(image))
    }

    /// What it would cost by `price`.
    #[must_use]
    pub fn cost_by(&self, price: &Price) -> NanoUsd {
        price.cost(&self.usage())
    }
}

impl PriceRow {
    /// The same, to calculate with.
    #[must_use]
    pub fn price(&self) -> Price {
        let rates = |told: &ByUnit| {
            let rate = |rates: Rates, (unit, name): (Unit, &str)| {
                told.get(name).map_or(rates, |rate| rates.with(unit, *rate))
            };
            Unit::ALL.into_iter().zip(UNITS).fold(Rates::default(), rate)
        };
        let tiers = self.tiers.iter().map(|(above, told)| (*above, rates(told)));
        Price { base: rates(&self.base), tiers: tiers.collect() }
    }
}

/// What LiteLLM calls the calls to a route.
pub(super) fn call_type(route: &str) -> &'static str {
    match route {
        "/chat/completions" | "/v2/chat" | "/api/chat" => "acompletion",
        "/completions" | "/api/generate" => "atext_completion",
        "/embeddings" | "/v2/embed" | "/v1/embed" | "/api/embed" | "/api/embeddings" => {
            "aembedding"
        }
        "/v1/responses" | "/responses" => "aresponses",
        "/v1/messages" => "anthropic_messages",
        "/v1/messages/count_tokens" => "acount_tokens",
        "/v1beta/models/{model}" => "agenerate_content",
        "/images/generations" => "aimage_generation",
        "/images/edits" => "aimage_edit",
        "/images/variations" => "aimage_variation",
        "/moderations" => "amoderation",
        "/rerank" => "arerank",
        "/audio/speech" => "aspeech",
        "/audio/transcriptions" => "atranscription",
        "/audio/translations" => "atranslation",
        "/realtime" => "_arealtime",
        "/files" => "afile",
        "/batches" => "abatch",
        "/vector_stores" => "avector_store",
        _ => "pass_through_endpoint",
    }
}

#[cfg(test)]
mod tests {
    use super::Record;

    #[test]
    fn what_is_not_said_again_is_that_of_the_call() {
        let text = r#"{"id":"i-1","call":"c","type":"acompletion","began":0,"ended":1,"status":200,
            "key":"k","user":"u","team":"t","model":"m","group":"g","deployment":"d","provider":"p",
            "attempts":[{"status":500,"deployment":"e","provider":"q"},{"status":200,"model":"n"}],
            "charges":[["global"],["api_key"],["team",null,9],["tag","x"],["provider"]]}"#;
        let record = Record::read(text).unwrap();
        let attempts =
            record.attempts.iter().map(|it| [&*it.deployment, &*it.provider, &*it.model]);
        assert_eq!(attempts.collect::<Vec<_>>(), [["e", "q", "m"], ["d", "p", "n"]]);
        let payers = [
            ("global", "", None),
            ("api_key", "k", None),
            ("team", "t", Some(9)),
            ("tag", "x", None),
            ("provider", "p", None),
        ];
        assert_eq!(record.payers().collect::<Vec<_>>(), payers);
    }
}
