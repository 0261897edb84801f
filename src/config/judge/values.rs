//! Values: first their kind, then what is inside them.
use super::Judged;
use super::fits::fits;
use super::misfit::listed;
use crate::config::fields::{Check, described};
use crate::config::keys::{self, Key, Kind, Standing};
use crate::config::known;
use crate::config::names::Named;
use crate::config::yaml::{self, Node};
use ipnet::IpNet;
use std::net::IpAddr;

/// Callbacks of LiteLLM.
const CALLBACKS: &str = "agentops aim aporia_prompt_injection azure_content_safety banned_keywords \
    batch_redis_requests blocked_user_check detect_prompt_injection google_text_moderation \
    hide_secrets llamaguard_moderations llmguard_moderations openai_moderations prometheus_system anthropic_cache_control_hook argilla arize arize_phoenix athina aws_sqs \
    azure_sentinel azure_storage braintrust bitbucket cloudzero custom_callback_api datadog \
    datadog_cost_management datadog_llm_observability datadog_metrics deepeval dotprompt \
    dynamic_rate_limiter dynamic_rate_limiter_v3 dynamodb email email_alerting focus galileo \
    gcs_bucket gcs_pubsub generic_api generic_api_compat gitlab greenscale helicone humanloop lago \
    lakera_prompt_injection langfuse langfuse_otel langsmith langtrace levo literalai litellm_agent \
    logfire lunary max_budget_limiter mlflow newrelic openmeter opik otel parallel_request_limiter \
    parallel_request_limiter_v3 pagerduty posthog presidio prometheus promptlayer qualifire \
    resend_email s3 s3_v2 sendgrid_email sentry slack smtp_email sqs supabase traceloop \
    vantage vector_store_pre_call_hook wandb weave_otel webhook websearch_interception";

/// What deployments do, in LiteLLM's words.
const MODES: [&str; 17] = [
    "chat",
    "completion",
    "embedding",
    "image_generation",
    "image_edit",
    "audio_transcription",
    "audio_speech",
    "moderation",
    "rerank",
    "responses",
    "realtime",
    "batch",
    "video_generation",
    "ocr",
    "search",
    "vector_store",
    "guardrail",
];

impl Check<'_> {
    /// Judges a value by the row of its key.
    pub(super) fn value(&mut self, node: &Node, judged: &Judged<'_>) {
        let kind = judged.key.kind;
        // A variable may be set to nothing.
        if node.is_null() || node.text() == Some("") {
            return;
        }
        let Some(kind) = kind.choices().find(|one| fits(node, *one)) else {
            return self.misfit(node, judged, kind);
        };
        self.quotes(node);
        if judged.full.ends_with("model_info.mode") {
            self.mode(node);
        }
        match kind {
            Kind::Map(section) if !section.is_empty() => self.nested(node, judged, section),
            Kind::Maps(section) => self.maps(node, judged, section),
            Kind::List(section) if !section.is_empty() => self.items(node, judged, section),
            Kind::Texts => self.each(node, judged, Kind::Text),
            Kind::Ips => self.ips(node, judged),
            Kind::Callbacks => self.callbacks(node, judged),
            Kind::Groups => self.groups(node.items(), judged),
            Kind::Fallbacks => self.fallbacks(node, judged),
            Kind::Group => self.group(node, judged),
            _ => {}
        }
    }

    /// Quotes of a word processor are no quotes of YAML.
    fn quotes(&mut self, node: &Node) {
        let is_quote = |c: char| "\u{201c}\u{201d}\u{201e}\u{2018}\u{2019}\u{ab}\u{bb}".contains(c);
        let is_quoted = |text: &str| text.starts_with(is_quote) && text.ends_with(is_quote);
        if node.text().is_some_and(is_quoted) {
            let message = "these quotes are part of the text".to_owned();
            self.warn(node, message, "write straight ones (`\"`), or none");
        }
    }

    /// What a deployment does. LiteLLM takes any word, so it is no error.
    fn mode(&mut self, node: &Node) {
        let Some(mode) = node.as_text().filter(|mode| !MODES.contains(&mode.as_str())) else {
            return;
        };
        let help = match known::nearest(&mode, MODES.into_iter()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("use {}", listed(&MODES, "or")),
        };
        self.warn(node, format!("unknown mode `{mode}`: it is not probed"), &help);
    }

    /// The keys of a map below a key. Those of deployments have short names.
    fn nested(&mut self, map: &Node, judged: &Judged<'_>, section: &'static str) {
        if ["litellm_params", "model_info"].contains(&judged.key.name) {
            return self.keys(map, section, section);
        }
        let before = self.later.clone();
        self.keys(map, judged.full, section);
        // Where all of the map comes later, its name is enough.
        if judged.key.standing == Standing::Later {
            self.later = before;
        }
    }

    /// A map for each of some groups.
    fn maps(&mut self, maps: &Node, judged: &Judged<'_>, section: &'static str) {
        for (group, map) in maps.entries() {
            // Those are of providers.
            if !["provider_budget", "provider"].contains(&section) {
                self.group(group, judged);
            }
            let key = Key { kind: Kind::Map(section), ..judged.key };
            let full = format!("{}.{}", judged.full, group.as_text().unwrap_or_default());
            self.value(map, &Judged { key, full: &full });
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

    fn ips(&mut self, told: &Node, judged: &Judged<'_>) {
        for item in one_or_all(told) {
            let text = item.as_text().unwrap_or_default();
            let text = text.trim();
            let is_one = text.parse::<IpAddr>().is_ok() || text.parse::<IpNet>().is_ok();
            if text != "*" && !is_one {
                let name = judged.key.name;
                let message = format!("`{name}` takes addresses and networks, not `{text}`");
                let help = "write an address (192.0.2.7), a network (10.0.0.0/8), or \"*\" for all";
                self.wrong(item, judged, message, help);
            }
        }
    }

    /// `callbacks`: a list, or one name. `file.instance` is Python code.
    fn callbacks(&mut self, told: &Node, judged: &Judged<'_>) {
        for callback in one_or_all(told) {
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

    /// Names, or maps with such a `model`.
    fn groups(&mut self, items: &[Node], judged: &Judged<'_>) {
        for item in items {
            let name = item.get("model").unwrap_or(item);
            if name.as_text().is_some() {
                self.group(name, judged);
                continue;
            }
            let what = match item.kind {
                yaml::Kind::Map(_) => "a map without it",
                _ => described(item),
            };
            let message = format!("a fallback is a model group, or a map with `model`, not {what}");
            self.wrong(item, judged, message, "write them as `[other, third]`");
        }
    }

    /// Keeps a name until all groups are known.
    fn group(&mut self, node: &Node, judged: &Judged<'_>) {
        if let Some(group) = node.as_text() {
            self.groups.push(Named { by: judged.full.to_owned(), group, place: node.place });
        }
    }

    fn fallbacks(&mut self, list: &Node, judged: &Judged<'_>) {
        for item in list.items() {
            let mut entries = item.entries();
            let (Some((from, to)), None) = (entries.next(), entries.next()) else {
                self.misfit(item, judged, Kind::Fallbacks);
                continue;
            };
            self.group(from, judged);
            self.groups(one_or_all(to), judged);
        }
    }
}

/// The items of a list, or the one value that stands in place of a list.
fn one_or_all(told: &Node) -> &[Node] {
    match told.kind {
        yaml::Kind::List(_) => told.items(),
        _ => std::slice::from_ref(told),
    }
}
