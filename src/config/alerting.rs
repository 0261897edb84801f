//! Whom somebody tells of budgets that run out.
use super::fields::Check;
use super::load::Sections;
use super::yaml::{Kind, Node};
use super::{Secret, web_url};
use http::Uri;
use std::time::Duration;

/// Who is told when budgets run out (`alerting`).
#[derive(Clone, Debug)]
pub struct Alerting {
    /// Slack's webhooks: `alert_to_webhook_url.budget_alerts`, else `SLACK_WEBHOOK_URL`.
    pub slack: Vec<Secret<Uri>>,
    /// Who gets events as JSON (`WEBHOOK_URL`).
    pub webhook: Option<Secret<Uri>>,
    /// How long an event is not told again, of a budget that never starts anew
    /// (`alerting_args.budget_alert_ttl`). Default a day.
    pub again: Duration,
    /// Where people find this proxy (`PROXY_BASE_URL`).
    pub place: Option<String>,
}

/// The one kind of alert of this version.
const BUDGETS: &str = "budget_alerts";

impl Check<'_> {
    /// `None` where nobody is told.
    pub(super) fn alerting(&mut self, sections: &Sections<'_>) -> Option<Alerting> {
        let general = sections.general;
        let told = self.texts(general, "alerting");
        if told.is_empty() {
            return None;
        }
        for name in told.iter().filter(|name| !["slack", "webhook"].contains(&name.as_str())) {
            self.later.insert(format!("general_settings.alerting: {name}"));
        }
        let types = self.texts(general, "alert_types");
        for name in types.iter().filter(|name| *name != BUDGETS) {
            self.later.insert(format!("general_settings.alert_types: {name}"));
        }
        if !types.is_empty() && !types.iter().any(|name| name == BUDGETS) {
            return None;
        }
        let args = self.section(general, "alerting_args");
        let again = args.and_then(|args| self.seconds(args, "budget_alert_ttl"));
        let is_told = |name: &str| told.iter().any(|told| told == name);
        let slack = if is_told("slack") { self.slack(general) } else { Vec::new() };
        let webhook = is_told("webhook").then(|| self.hook("WEBHOOK_URL", general)).flatten();
        (!slack.is_empty() || webhook.is_some()).then(|| Alerting {
            slack,
            webhook,
            again: again.unwrap_or(Duration::from_hours(24)),
            place: self.env.get("PROXY_BASE_URL").map(str::to_owned),
        })
    }

    fn slack(&mut self, general: &Node) -> Vec<Secret<Uri>> {
        let map = self.section(general, "alert_to_webhook_url");
        let Some(own) = map.and_then(|map| map.get(BUDGETS)).filter(|own| !own.is_null()) else {
            return self.hook("SLACK_WEBHOOK_URL", general).into_iter().collect();
        };
        let all =
            if matches!(own.kind, Kind::List(_)) { own.items() } else { std::slice::from_ref(own) };
        let mut urls = Vec::new();
        for node in all {
            match node.as_text().and_then(|text| web_url(text.trim())) {
                Some(url) => urls.push(Secret::new(url)),
                None => {
                    let help = "write it as https://HOST/PATH, or as os.environ/VARIABLE";
                    self.error(node, "this is not the URL of a webhook".to_owned(), help);
                }
            }
        }
        urls
    }

    /// A webhook of the environment.
    fn hook(&mut self, name: &str, general: &Node) -> Option<Secret<Uri>> {
        let url = self.secret(name).and_then(|url| web_url(url.expose().trim()));
        if url.is_none() {
            let at = general.get("alerting").unwrap_or(general);
            let message = format!("`alerting` needs a URL in {name}, which has none");
            self.warn(at, message, "set it, or nobody is told there");
        }
        url.map(Secret::new)
    }
}
