//! Every metric: name, help, labels and unit, in one place (contract 9.1).
use super::family::{Family, Kind};
use super::live::Live;
use crate::config::Compat;
use prometheus::{Counter, Gauge, Histogram};

/// LiteLLM's latency buckets of late 2026, in seconds.
const LATENCY: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 420.0,
    600.0,
];
/// LiteLLM's latency buckets of early 2026, in seconds.
const LATENCY_CLASSIC: &[f64] = &[
    0.005, 0.00625, 0.0125, 0.025, 0.05, 0.1, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0,
    5.5, 6.0, 6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5, 10.0, 15.0, 20.0, 25.0, 30.0, 60.0, 120.0, 180.0,
    240.0, 300.0,
];
/// Buckets for what the proxy adds, and for gaps between tokens, in seconds.
const FINE: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 5.0, 30.0,
];

/// One family: labels that both of LiteLLM's generations have, and those that came later.
struct Row {
    name: &'static str,
    help: &'static str,
    labels: &'static str,
    later: &'static str,
    buckets: Buckets,
}

#[derive(Clone, Copy)]
enum Buckets {
    None,
    Latency,
    Fine,
}

impl Row {
    fn family<M: Kind>(&self, compat: Compat) -> Family<M> {
        let later = if compat == Compat::Current { self.later } else { "" };
        let labels = self.labels.split_whitespace().chain(later.split_whitespace());
        let buckets = match (self.buckets, compat) {
            (Buckets::None, _) => &[],
            (Buckets::Fine, _) => FINE,
            (Buckets::Latency, Compat::Current) => LATENCY,
            (Buckets::Latency, Compat::Classic) => LATENCY_CLASSIC,
        };
        Family::new(self.name, self.help, labels.collect(), buckets)
    }
}

macro_rules! families {
    ($($field:ident: $kind:ty = $name:literal, $help:literal, $labels:expr, $later:expr, $buckets:ident;)*) => {
        /// All families.
        #[derive(Debug)]
        pub(super) struct Families {
            $(pub(super) $field: Family<$kind>,)*
        }

        impl Families {
            pub(super) fn new(compat: Compat) -> Self {
                Self {
                    $($field: Row {
                        name: $name,
                        help: $help,
                        labels: $labels,
                        later: $later,
                        buckets: Buckets::$buckets,
                    }.family(compat),)*
                }
            }

            /// Ends the series of what is not `live` any more.
            pub(super) fn retain(&self, live: &Live) {
                $(self.$field.retain(live);)*
            }

            /// Appends all of them in the Prometheus text format.
            pub(super) fn write(&self, out: &mut String) {
                $(self.$field.write(out);)*
            }
        }
    };
}

families! {
    proxy_total: Counter = "litellm_proxy_total_requests_metric",
        "Calls to the proxy.",
        "end_user hashed_api_key api_key_alias team team_alias requested_model user \
         status_code user_email route",
        "client_ip user_agent model_id api_provider org_id org_alias", None;
    proxy_failed: Counter = "litellm_proxy_failed_requests_metric",
        "Calls to the proxy that failed.",
        "end_user hashed_api_key api_key_alias team team_alias requested_model user \
         user_email exception_status exception_class route",
        "client_ip user_agent model_id api_provider", None;
    requests: Counter = "litellm_requests_metric",
        "Calls that a model answered.",
        "end_user hashed_api_key api_key_alias team team_alias model user user_email",
        "client_ip user_agent requested_model model_id api_provider", None;
    spend: Counter = "litellm_spend_metric",
        "What calls cost, in US dollars.",
        "end_user hashed_api_key api_key_alias team team_alias model user user_email",
        "client_ip user_agent requested_model model_id api_provider service_tier", None;
    total_tokens: Counter = "litellm_total_tokens_metric",
        "Tokens that models read and wrote.",
        "end_user hashed_api_key api_key_alias team team_alias model user user_email \
         requested_model",
        "model_id api_provider", None;
    input_tokens: Counter = "litellm_input_tokens_metric",
        "Tokens that models read.",
        "end_user hashed_api_key api_key_alias team team_alias model user user_email \
         requested_model",
        "model_id api_provider", None;
    output_tokens: Counter = "litellm_output_tokens_metric",
        "Tokens that models wrote.",
        "end_user hashed_api_key api_key_alias team team_alias model user user_email \
         requested_model",
        "model_id api_provider", None;
    total_latency: Histogram = "litellm_request_total_latency_metric",
        "Seconds from a call's first byte to the end of its answer.",
        "end_user hashed_api_key api_key_alias team team_alias requested_model user model",
        "model_group model_id api_provider service_tier", Latency;
    api_latency: Histogram = "litellm_llm_api_latency_metric",
        "Seconds that the upstream took for a call.",
        "model hashed_api_key api_key_alias team team_alias requested_model end_user user",
        "model_group model_id api_provider service_tier", Latency;
    time_to_first_token: Histogram = "litellm_llm_api_time_to_first_token_metric",
        "Seconds from sending a streamed call upstream to its first content.",
        "model hashed_api_key api_key_alias team team_alias",
        "model_group requested_model end_user user model_id api_provider service_tier", Latency;
    overhead: Histogram = "litellm_overhead_latency_metric",
        "Seconds that the proxy added before the upstream was called.",
        "model_group api_provider api_base litellm_model_name hashed_api_key api_key_alias",
        "model_id", Latency;
    deployment_total: Counter = "litellm_deployment_total_requests",
        "Calls that were sent to a deployment.",
        "requested_model litellm_model_name model_id api_base api_provider \
         hashed_api_key api_key_alias team team_alias",
        "model_group client_ip user_agent", None;
    deployment_success: Counter = "litellm_deployment_success_responses",
        "Calls that a deployment answered.",
        "requested_model litellm_model_name model_id api_base api_provider \
         hashed_api_key api_key_alias team team_alias",
        "model_group client_ip user_agent", None;
    deployment_failure: Counter = "litellm_deployment_failure_responses",
        "Calls that a deployment failed.",
        "requested_model litellm_model_name model_id api_base api_provider \
         hashed_api_key api_key_alias team team_alias exception_status exception_class",
        "model_group client_ip user_agent", None;
    deployment_state: Gauge = "litellm_deployment_state",
        "0: healthy, 1: being probed after a rest, 2: resting after failures.",
        "litellm_model_name model_id api_base api_provider",
        "", None;
    cooled_down: Counter = "litellm_deployment_cooled_down",
        "How often a deployment was rested after failures.",
        "litellm_model_name model_id api_base api_provider exception_status",
        "", None;
    cache_hits: Counter = "litellm_cache_hits_metric",
        "Calls that were answered from the cache.",
        "model hashed_api_key api_key_alias team team_alias end_user user",
        "model_id api_provider", None;
    cache_misses: Counter = "litellm_cache_misses_metric",
        "Calls that were looked for in the cache in vain, and that a model answered.",
        "model hashed_api_key api_key_alias team team_alias end_user user",
        "model_id api_provider", None;
    cached_tokens: Counter = "litellm_cached_tokens_metric",
        "Tokens, in both directions, that answers from the cache did not need again.",
        "model hashed_api_key api_key_alias team team_alias end_user user",
        "model_id api_provider", None;
    fallbacks: Counter = "litellm_deployment_successful_fallbacks",
        "Calls that another group answered in place of the one that failed.",
        "requested_model fallback_model hashed_api_key api_key_alias team team_alias \
         exception_status exception_class",
        "model_id", None;
    failed_fallbacks: Counter = "litellm_deployment_failed_fallbacks",
        "Groups that failed in place of one that had failed.",
        "requested_model fallback_model hashed_api_key api_key_alias team team_alias \
         exception_status exception_class",
        "model_id", None;
    in_flight: Gauge = "litellm_in_flight_requests",
        "Calls that are open.",
        "",
        "", None;
    calls: Counter = "bartizan_calls",
        "Calls, by route and status (499: the client left).",
        "route status",
        "", None;
    duration: Histogram = "bartizan_call_duration_seconds",
        "Seconds from a call's first byte to the end of its answer.",
        "route",
        "", Latency;
    saved: Counter = "bartizan_cache_saved_usd",
        "What answers from the cache cost when a model gave them, in US dollars.",
        "requested_model",
        "", None;
    retries: Counter = "bartizan_retries",
        "Attempts after the first, in the same group.",
        "requested_model",
        "", None;
    refusals: Counter = "bartizan_limit_refusals",
        "Calls that a limit or a budget refused, by whose it is and what it limits.",
        "scope measure",
        "", None;
    first_content: Histogram = "bartizan_time_to_first_token_seconds",
        "Seconds from sending a streamed call upstream to its first content.",
        "provider",
        "", Fine;
    gap: Histogram = "bartizan_inter_token_gap_seconds",
        "Seconds between two content events of a stream.",
        "provider",
        "", Fine;
    own_overhead: Histogram = "bartizan_overhead_seconds",
        "Seconds that the proxy added before the upstream was called.",
        "provider",
        "", Fine;
    open_streams: Gauge = "bartizan_open_streams",
        "Streams that are open.",
        "",
        "", None;
    received: Counter = "bartizan_received_bytes",
        "Bytes of request bodies.",
        "",
        "", None;
    sent: Counter = "bartizan_sent_bytes",
        "Bytes of answer bodies.",
        "",
        "", None;
    connections: Gauge = "bartizan_upstream_connections",
        "Connections to upstreams, by state.",
        "state",
        "", None;
    lost_records: Counter = "bartizan_journal_lost_records",
        "Records of calls that were lost: no room on the disk, nor in memory.",
        "",
        "", None;
    alerts: Counter = "bartizan_alerts",
        "Messages on budgets, by what became of them: sent, or dropped.",
        "result",
        "", None;
    reloads: Counter = "bartizan_config_reloads",
        "Changed configs that were taken into use (success) or refused (failure).",
        "result",
        "", None;
    last_reload_successful: Gauge = "bartizan_config_last_reload_successful",
        "1: the config as it was last read is in force, 0: it was refused.",
        "",
        "", None;
    last_reload_success: Gauge = "bartizan_config_last_reload_success_timestamp_seconds",
        "When the config that is in force was taken into use, in seconds of Unix time.",
        "",
        "", None;
    build_info: Gauge = "bartizan_build_info",
        "The version that runs; always 1.",
        "version",
        "", None;
}
