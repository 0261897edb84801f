//! Judges keys and values by the table of keys.
use super::fields::{Check, described};
use super::keys::{self, Key, Kind, Standing};
use super::known;
use super::names::Named;
use super::yaml::{self, Node};
use http::{HeaderName, Uri};
use ipnet::IpNet;
use std::net::IpAddr;

/// Callbacks of LiteLLM.
const CALLBACKS: &str = "agentops aim anthropic_cache_control_hook argilla arize arize_phoenix athina aws_sqs \
    azure_sentinel azure_storage braintrust bitbucket cloudzero custom_callback_api datadog \
    datadog_cost_management datadog_llm_observability datadog_metrics deepeval dotprompt \
    dynamic_rate_limiter dynamic_rate_limiter_v3 dynamodb email email_alerting focus galileo \
    gcs_bucket gcs_pubsub generic_api generic_api_compat gitlab greenscale helicone humanloop lago \
    lakera_prompt_injection langfuse langfuse_otel langsmith langtrace levo literalai litellm_agent \
    logfire lunary max_budget_limiter mlflow newrelic openmeter opik otel parallel_request_limiter \
    parallel_request_limiter_v3 pagerduty posthog presidio prometheus promptlayer qualifire \
    resend_email s3 s3_v2 sendgrid_email sentry slack smtp_email sqs supabase traceloop \
    vantage vector_store_pre_call_hook wandb weave_otel webhook websearch_interception";

/// Whose key it is: its full name, and how much a wrong value matters.
struct Judged<'k> {
    key: Key,
    full: &'k str,
}

impl Check<'_> {
    /// Judges the keys of a map by the rows of `section`: known, of a later version, or nobody's.
    /// `path` is what messages call the map.
    pub(super) fn keys(&mut self, map: &Node, path: &str, section: &str) {
        for (at, value) in map.entries() {
            let Some(name) = at.as_text() else { continue };
            let is_anchor = section.is_empty() && name.starts_with("x-");
            if value.is_null() || is_anchor {
                continue;
            }
            let full = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match keys::find(section, &name) {
                Some(key) => self.known(at, value, &Judged { key, full: &full }),
                None if section == "model_info" => {}
                None if section == "litellm_params" => self.parameter(at, value, &name),
                None => self.unknown(at, section, &name, &full),
            }
        }
    }

    fn known(&mut self, at: &Node, value: &Node, judged: &Judged<'_>) {
        match judged.key.standing {
            Standing::PythonOnly => {
                let message = format!("`{}` names Python code, which cannot run here", judged.full);
                self.warn(at, message, "remove it, or do the same in front of the proxy");
                return;
            }
            Standing::Later => {
                self.later.insert(judged.full.to_owned());
            }
            Standing::Honoured | Standing::Accepted | Standing::Sent => {}
        }
        self.value(value, judged);
    }

    fn unknown(&mut self, at: &Node, section: &str, name: &str, full: &str) {
        if let Some(home) = keys::home(section, name) {
            let place = if home.is_empty() { "the top of the file" } else { home };
            let message = format!("`{full}` has no effect here: it belongs under `{place}`");
            let message = message.replace("under `the top of the file`", "at the top of the file");
            let help = match home {
                "" => format!("move `{name}:` to the top of the file"),
                _ => format!("move it below `{}:`", home.trim_end_matches("[]")),
            };
            return self.warn(at, message, &help);
        }
        let help = match known::nearest(name, keys::of(section).map(|key| key.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "remove it, or check its spelling".to_owned(),
        };
        self.warn(at, format!("unknown key `{full}`: it has no effect"), &help);
    }

    /// A key of `litellm_params` that has no row: a parameter of requests, or a slip.
    fn parameter(&mut self, at: &Node, value: &Node, name: &str) {
        // Short names of parameters are near to each other without being slips.
        let shortest = |key: &Key| if key.standing == Standing::Sent { 6 } else { 4 };
        let rows = keys::of("litellm_params").filter(|key| key.name.len() >= shortest(key));
        let near = known::nearest(name, rows.map(|key| key.name));
        let is_price = super::price::is_price(name);
        let near = near.filter(|near| {
            !is_price && strsim::damerau_levenshtein(name, near) <= (name.len() / 5).clamp(1, 2)
        });
        if let Some(near) = near {
            let message = format!("`{name}` is no key that is known: it is sent as a parameter");
            let message = match known::is_secret(name) {
                true => format!("`{name}` looks like a credential and is not sent"),
                false => message,
            };
            self.warn(at, message, &format!("did you mean `{near}`?"));
        } else if known::is_secret(name) && !is_price {
            let message = format!("`{name}` looks like a credential and is not sent");
            self.warn(value, message, "put the provider's key into `api_key`");
        }
    }

    fn value(&mut self, node: &Node, judged: &Judged<'_>) {
        let kind = judged.key.kind;
        if node.is_null() {
            return;
        }
        if !kind.choices().any(|one| fits(node, one)) {
            return self.misfit(node, judged, kind);
        }
        match kind {
            Kind::Map(section) if !section.is_empty() => self.nested(node, judged, section),
            Kind::List(section) if !section.is_empty() => self.items(node, judged, section),
            Kind::Texts => self.each(node, judged, Kind::Text),
            Kind::Ips => self.ips(node, judged),
            Kind::Callbacks => self.callbacks(node, judged),
            Kind::Groups => self.groups(node, judged),
            Kind::Fallbacks => self.fallbacks(node, judged),
            _ => {}
        }
    }

    /// The keys of a map below a key; sections of deployments are judged with their entries.
    fn nested(&mut self, map: &Node, judged: &Judged<'_>, section: &'static str) {
        if ["litellm_params", "model_info"].contains(&section) {
            let path = section;
            return self.keys(map, path, section);
        }
        let before = self.later.clone();
        self.keys(map, judged.full, section);
        // Where all of the map comes later, its name is enough.
        if judged.key.standing == Standing::Later {
            self.later = before;
        }
    }

    fn items(&mut self, list: &Node, judged: &Judged<'_>, section: &'static str) {
        // Entries of the model list are judged where deployments are made of them.
        if section == "model_list[]" {
            return;
        }
        for item in list.items() {
            let key = Key { kind: Kind::Map(section), ..judged.key };
            let full = format!("{}[]", judged.full);
            let one = Judged { key, full: &full };
            self.value(item, &one);
            let missing = |key: &Key| key.is_required() && item.get(key.name).is_none();
            let is_map = matches!(item.kind, yaml::Kind::Map(_));
            for key in keys::of(section).filter(|key| is_map && missing(key)) {
                let help = format!("add `{}`: {}", key.name, key.meaning);
                self.wrong(item, &one, format!("`{}` is missing", key.name), &help);
            }
        }
    }

    fn each(&mut self, list: &Node, judged: &Judged<'_>, kind: Kind) {
        let key = Key { kind, ..judged.key };
        for item in list.items() {
            self.value(item, &Judged { key, ..*judged });
        }
    }

    fn ips(&mut self, list: &Node, judged: &Judged<'_>) {
        for item in list.items() {
            let text = item.as_text().unwrap_or_default();
            let text = text.trim();
            let is_one = text.parse::<IpAddr>().is_ok() || text.parse::<IpNet>().is_ok();
            if text != "*" && !is_one {
                let message = format!("`{text}` is neither an address nor a network");
                let help = "write an address (192.0.2.7), a network (10.0.0.0/8), or \"*\" for all";
                self.wrong(item, judged, message, help);
            }
        }
    }

    /// `callbacks`: a list, or one name. `file.instance` is Python code.
    fn callbacks(&mut self, told: &Node, judged: &Judged<'_>) {
        let one = std::slice::from_ref(told);
        let all = if matches!(told.kind, yaml::Kind::List(_)) { told.items() } else { one };
        for callback in all {
            let Some(name) = callback.as_text() else {
                let message =
                    format!("`{}` must be a name, not {}", judged.key.name, described(callback));
                self.wrong(callback, judged, message, "write the name of a callback");
                continue;
            };
            if name.contains('.') {
                let message =
                    format!("the callback `{name}` is Python code, which cannot run here");
                self.warn(callback, message, "remove it, or do the same in front of the proxy");
            } else if !CALLBACKS.split(' ').any(|known| known == name) {
                let help = match known::nearest(&name, CALLBACKS.split(' ')) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "remove it, or check its spelling".to_owned(),
                };
                self.warn(callback, format!("unknown callback `{name}`"), &help);
            } else if name != "prometheus" && judged.key.standing == Standing::Honoured {
                self.later.insert(format!("{}: {name}", judged.full));
            }
        }
    }

    fn groups(&mut self, list: &Node, judged: &Judged<'_>) {
        for item in list.items() {
            let name = item.get("model").unwrap_or(item);
            match name.as_text() {
                Some(group) => {
                    let by = judged.full.to_owned();
                    self.groups.push(Named { by, group, place: name.place });
                }
                None => self.misfit(item, judged, Kind::Groups),
            }
        }
    }

    fn fallbacks(&mut self, list: &Node, judged: &Judged<'_>) {
        for item in list.items() {
            let mut entries = item.entries();
            let (Some((from, to)), None) = (entries.next(), entries.next()) else {
                self.misfit(item, judged, Kind::Fallbacks);
                continue;
            };
            if !matches!(to.kind, yaml::Kind::List(_)) {
                let message =
                    format!("the fallbacks of a group must be a list, not {}", described(to));
                self.wrong(to, judged, message, "write them as `[other, third]`");
                continue;
            }
            if let Some(group) = from.as_text() {
                let by = judged.full.to_owned();
                self.groups.push(Named { by, group, place: from.place });
            }
            self.groups(to, judged);
        }
    }

    /// Says what a value should have been.
    fn misfit(&mut self, node: &Node, judged: &Judged<'_>, kind: Kind) {
        let name = judged.key.name;
        let (message, help) = match kind {
            Kind::OneOf(words) => one_of(node, name, words),
            Kind::Map(_) => (
                format!("`{name}` must be a map of keys, not {}", described(node)),
                "indent its keys below it".to_owned(),
            ),
            Kind::Header if node.text().is_some() => (
                "this is not a header's name".to_owned(),
                "use letters, digits and dashes".to_owned(),
            ),
            Kind::Url if node.text().is_some() => url(node, name),
            Kind::List(_) if name == "model_list" => (
                format!("`{name}` must be a list, not {}", described(node)),
                "begin each model with `- model_name: NAME`".to_owned(),
            ),
            _ => (
                format!("`{name}` must be {}, not {}", kind.words(), described(node)),
                format!("write {name} as {}, or leave it out", kind.words()),
            ),
        };
        self.wrong(node, judged, message, &help);
    }

    /// An error where the key has an effect, a warning where it has none yet.
    fn wrong(&mut self, node: &Node, judged: &Judged<'_>, message: String, help: &str) {
        match judged.key.standing {
            Standing::Honoured => self.error(node, message, help),
            _ => self.warn(node, message, help),
        }
        self.wrong.insert(node.place);
    }
}

fn one_of(node: &Node, name: &str, words: &str) -> (String, String) {
    let Some(word) = node.as_text() else {
        let message = format!("`{name}` must be one word, not {}", described(node));
        return (message, format!("use {}", listed(words)));
    };
    let help = match known::nearest(&word, words.split(' ')) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use {}", listed(words)),
    };
    (format!("unknown {name} `{word}`"), help)
}

/// `a`, `b` or `c`.
fn listed(words: &str) -> String {
    let quoted: Vec<_> = words.split(' ').map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn url(node: &Node, name: &str) -> (String, String) {
    let has_user = node.text().and_then(|text| text.split_once("://")).is_some_and(|(_, rest)| {
        rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
    });
    if has_user {
        let help = "take them out of the URL, which is shown in lists and logs, and put the key \
                    into `api_key`, or a header into `extra_headers`";
        return (format!("`{name}` holds a name or a password"), help.to_owned());
    }
    let help = "write it as http://HOST:PORT/PATH or https://HOST/PATH";
    (format!("`{name}` is not a URL"), help.to_owned())
}

/// Whether a value is of one kind.
fn fits(node: &Node, kind: Kind) -> bool {
    let number = || node.as_number().filter(|number| *number >= 0.0);
    let text = || node.as_text();
    match kind {
        Kind::Any => true,
        Kind::Text | Kind::Secret => text().is_some(),
        Kind::Number | Kind::Wait => number().is_some(),
        Kind::Whole => number().is_some_and(|number| number.fract() == 0.0),
        Kind::Port => {
            number().is_some_and(|port| port.fract() == 0.0 && (1.0..=65535.0).contains(&port))
        }
        Kind::Seconds => number().is_some_and(|seconds| seconds > 0.0),
        Kind::Duration => text().is_some_and(|text| is_duration(&text)),
        Kind::Flag => node.as_bool().is_some(),
        Kind::Url => text().is_some_and(|text| is_url(&text)),
        Kind::Path => text().is_some_and(|text| text.starts_with('/')),
        Kind::Header => text().is_some_and(|text| HeaderName::from_bytes(text.as_bytes()).is_ok()),
        Kind::OneOf(words) => text().is_some_and(|text| words.split(' ').any(|word| word == text)),
        Kind::Callbacks => matches!(node.kind, yaml::Kind::List(_)) || text().is_some(),
        Kind::Texts | Kind::Ips | Kind::Groups | Kind::Fallbacks | Kind::List(_) => {
            matches!(node.kind, yaml::Kind::List(_))
        }
        Kind::Map(_) => matches!(node.kind, yaml::Kind::Map(_)),
        Kind::Either(..) => kind.choices().any(|one| fits(node, one)),
    }
}

fn is_duration(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    !digits.is_empty() && ["s", "m", "h", "d", "w", "mo"].contains(&unit)
}

fn is_url(text: &str) -> bool {
    let Ok(url) = text.trim().parse::<Uri>() else { return false };
    let web = matches!(url.scheme_str(), Some("http" | "https"));
    let host = url.host().is_some_and(|host| !host.is_empty());
    let named = url.authority().is_some_and(|authority| authority.as_str().contains('@'));
    web && host && !named
}
