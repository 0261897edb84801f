//! What a document says that has an effect on calls.
use crate::store::Doc;
use bartizan_layers::cost::BudgetWindow;
use bartizan_layers::facts::NanoUsd;
use serde_json::Value;

/// What a key, a user, a team, … may use and take, but for its money. Empty and `None` are no
/// bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rules {
    /// The models that may be asked for: names, patterns, access groups.
    pub models: Box<[Box<str>]>,
    /// Names that stand for other models.
    pub aliases: Box<[(Box<str>, Box<str>)]>,
    /// Calls in a minute.
    pub rpm: Option<u64>,
    /// Tokens in a minute.
    pub tpm: Option<u64>,
    /// Calls that are open at once.
    pub parallel: Option<u64>,
    /// Calls in a minute, by model.
    pub model_rpm: Box<[(Box<str>, u64)]>,
    /// Tokens in a minute, by model.
    pub model_tpm: Box<[(Box<str>, u64)]>,
    /// What may be spent, by model.
    pub model_money: Box<[(Box<str>, Money)]>,
    /// The budget that it refers to, which counts where it says nothing of money and limits itself.
    pub budget: Option<Box<str>>,
    /// The routes that may be called: paths, patterns, names of groups.
    pub routes: Box<[Box<str>]>,
    /// Words that all its calls bear.
    pub tags: Box<[Box<str>]>,
    /// Parameters that each request must have.
    pub enforced: Box<[Box<str>]>,
    /// What requests may say of caches, where that is bounded.
    pub cache_controls: Box<[Box<str>]>,
    /// Where its models must be.
    pub region: Option<Box<str>>,
    /// Whether requests may bring their own answers (`metadata.allow_client_mock_response`).
    pub client_mocks: bool,
}

/// What may be spent, and in which time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Money {
    /// No call is taken when so much is spent.
    pub max: Option<NanoUsd>,
    /// Somebody is told when so much is spent.
    pub soft: Option<NanoUsd>,
    /// After which it starts anew.
    pub window: Option<BudgetWindow>,
}

impl Rules {
    /// Reads a document; `None` if it bounds nothing.
    #[must_use]
    pub fn of(doc: &Doc) -> Option<Self> {
        let metadata = doc.get("metadata").and_then(Value::as_object);
        // LiteLLM keeps some of them in the metadata, and takes them from there too.
        let either = |name| doc.get(name).filter(|it| !is_empty(it)).or(metadata?.get(name));
        let rules = Self {
            models: texts(doc.get("models")),
            aliases: texts_by_name(doc.get("aliases").or(doc.get("model_aliases"))),
            rpm: whole(doc.get("rpm_limit")),
            tpm: whole(doc.get("tpm_limit")),
            parallel: whole(doc.get("max_parallel_requests")),
            model_rpm: numbers(either("model_rpm_limit")),
            model_tpm: numbers(either("model_tpm_limit")),
            model_money: by_model(doc.get("model_max_budget")),
            budget: doc.get("budget_id").and_then(Value::as_str).map(Into::into),
            routes: texts(doc.get("allowed_routes")),
            tags: texts(either("tags")),
            enforced: texts(either("enforced_params")),
            cache_controls: texts(doc.get("allowed_cache_controls")),
            region: doc.get("allowed_model_region").and_then(Value::as_str).map(Into::into),
            client_mocks: metadata.and_then(|all| all.get("allow_client_mock_response"))
                == Some(&Value::Bool(true)),
        };
        (rules != Self::default()).then_some(rules)
    }
}

impl Rules {
    /// What may be spent on a model, and its name there: a model's own provider may stand before
    /// its name or not.
    #[must_use]
    pub fn money_of(&self, model: &str) -> Option<(&str, &Money)> {
        let bare = model.rsplit('/').next().unwrap_or_default();
        let own = |(name, _): &&(Box<str>, Money)| **name == *model || **name == *bare;
        self.model_money.iter().find(own).map(|(name, money)| (&**name, money))
    }
}

impl Money {
    /// Reads a document.
    #[must_use]
    pub fn of(doc: &Doc) -> Self {
        Self::named(doc, "max_budget", "budget_duration")
    }

    fn named(doc: &Doc, max: &str, window: &str) -> Self {
        let money = |name| doc.get(name).and_then(Value::as_f64).map(NanoUsd::from_dollars);
        let window = doc.get(window).and_then(Value::as_str);
        let window = window.and_then(|text| text.parse().ok());
        let mut max = money(max);
        // More for a while, until its time is over or the key is changed.
        if let (Some(max), Some(more)) = (&mut max, money("temp_budget_increase"))
            && doc.get("temp_budget_expiry").is_none_or(Value::is_null)
        {
            *max += more;
        }
        Self { max, soft: money("soft_budget"), window }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn whole(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a limit")]
    value.as_u64().or_else(|| value.as_f64().map(|number| number.max(0.0) as u64))
}

fn texts(value: Option<&Value>) -> Box<[Box<str>]> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(Into::into).collect()
}

fn texts_by_name(value: Option<&Value>) -> Box<[(Box<str>, Box<str>)]> {
    let map = value.and_then(Value::as_object).into_iter().flatten();
    let pair =
        |(name, value): (&String, &Value)| Some((name.as_str().into(), value.as_str()?.into()));
    map.filter_map(pair).collect()
}

fn numbers(value: Option<&Value>) -> Box<[(Box<str>, u64)]> {
    let map = value.and_then(Value::as_object).into_iter().flatten();
    map.filter_map(|(name, value)| Some((name.as_str().into(), whole(Some(value))?))).collect()
}

/// `{model: {budget_limit, time_period}}`, or `{model: dollars}` as it was in older versions.
fn by_model(value: Option<&Value>) -> Box<[(Box<str>, Money)]> {
    let map = value.and_then(Value::as_object).into_iter().flatten();
    let money = |value: &Value| match value {
        Value::Object(map) if map.contains_key("max_budget") => Some(Money::of(map)),
        Value::Object(map) => Some(Money::named(map, "budget_limit", "time_period")),
        Value::Number(dollars) => {
            let max = dollars.as_f64().map(NanoUsd::from_dollars);
            Some(Money { max, ..Money::default() })
        }
        _ => None,
    };
    map.filter_map(|(name, value)| Some((name.as_str().into(), money(value)?))).collect()
}
