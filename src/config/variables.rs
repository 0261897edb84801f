//! The variables of LiteLLM that change what it does, and what they do here.
use super::Options;
use super::env::{Env, truth};
use super::problem::{Place, Problem, Problems};

/// What a variable does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// What it does there.
    Honoured,
    /// Nothing in this version: it is named at the start.
    Later,
    /// Nothing, and nobody misses it.
    Harmless,
}

use Standing::{Harmless, Honoured, Later};

/// Each list is words in one text, so that it can be read as a paragraph. `docs/config.md` has
/// the same ones.
const VARIABLES: &[(Standing, &str)] = &[
    (
        Honoured,
        "CONFIG_FILE_PATH HOST PORT NUM_WORKERS DEBUG DETAILED_DEBUG KEEPALIVE_TIMEOUT \
         LIMIT_CONCURRENCY PROMETHEUS_METRICS_PORT SSL_KEYFILE_PATH SSL_CERTFILE_PATH \
         REQUEST_TIMEOUT LITELLM_MODE LITELLM_MASTER_KEY LITELLM_LOG JSON_LOGS SSL_VERIFY \
         SSL_CERT_FILE SSL_CERTIFICATE SERVER_ROOT_PATH HTTP_PROXY HTTPS_PROXY NO_PROXY \
         LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY OPS_LISTEN BARTIZAN_COMPAT \
         BARTIZAN_STATE_DIR REDIS_URL REDIS_HOST REDIS_PORT REDIS_USERNAME REDIS_PASSWORD REDIS_DB \
         REDIS_SSL REDIS_SSL_CA_CERTS REDIS_SSL_CERTFILE REDIS_SSL_KEYFILE REDIS_SSL_CERT_REQS \
         REDIS_CLUSTER_NODES REDIS_SENTINEL_NODES REDIS_SERVICE_NAME REDIS_SENTINEL_PASSWORD \
         DATABASE_URL SLACK_WEBHOOK_URL WEBHOOK_URL PROXY_BASE_URL STORE_PROMPTS_IN_SPEND_LOGS \
         STORE_MODEL_IN_DB LITELLM_SALT_KEY VERTEXAI_PROJECT VERTEXAI_LOCATION VERTEX_LOCATION \
         VERTEXAI_CREDENTIALS GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CLOUD_PROJECT CLOUDSDK_CONFIG \
         GCE_METADATA_HOST AZURE_DEFAULT_API_VERSION",
    ),
    (
        Later,
        "DIRECT_URL DATABASE_HOST DATABASE_USERNAME DATABASE_PASSWORD DATABASE_NAME \
         UI_USERNAME UI_PASSWORD \
         DOCS_URL ROOT_REDIRECT_URL UI_LOGO_PATH PROXY_ADMIN_ID LITELLM_CONFIG_BUCKET_NAME \
         LITELLM_CONFIG_BUCKET_OBJECT_KEY LITELLM_CONFIG_BUCKET_TYPE \
         LITELLM_RATE_LIMIT_WINDOW_SIZE DEFAULT_COOLDOWN_TIME_SECONDS DEFAULT_ALLOWED_FAILS \
         DEFAULT_MAX_RETRIES ROUTER_MAX_FALLBACKS DEFAULT_FAILURE_THRESHOLD_PERCENT \
         DEFAULT_FAILURE_THRESHOLD_MINIMUM_REQUESTS SINGLE_DEPLOYMENT_TRAFFIC_FAILURE_THRESHOLD \
         MAX_RETRY_DELAY INITIAL_RETRY_DELAY JITTER PROXY_BATCH_WRITE_AT \
         PROXY_BUDGET_RESCHEDULER_MIN_TIME PROXY_BUDGET_RESCHEDULER_MAX_TIME \
         DEFAULT_HEALTH_CHECK_INTERVAL DEFAULT_HEALTH_CHECK_PROMPT HEALTH_CHECK_TIMEOUT_SECONDS \
         LANGFUSE_PUBLIC_KEY LANGFUSE_SECRET_KEY OTEL_EXPORTER OTEL_ENDPOINT OTEL_HEADERS",
    ),
    (
        Harmless,
        "LITELLM_LICENSE LITELLM_LOCAL_MODEL_COST_MAP DISABLE_ADMIN_UI NO_DOCS NO_REDOC \
         MAX_REQUESTS_BEFORE_RESTART AIOHTTP_CONNECTOR_LIMIT AIOHTTP_CONNECTOR_LIMIT_PER_HOST \
         AIOHTTP_KEEPALIVE_TIMEOUT AIOHTTP_TTL_DNS_CACHE REDIS_SOCKET_TIMEOUT \
         PROMETHEUS_MULTIPROC_DIR USE_PRISMA_MIGRATE DISABLE_SCHEMA_UPDATE LITELLM_MIGRATION_DIR \
         LITELLM_NON_ROOT IAM_TOKEN_DB_AUTH LITELLM_DEBUG LITELLM_TELEMETRY LITELLM_UI_USERNAME \
         LITELLM_UI_USER LITELLM_UI_PASSWORD LANGFUSE_HOST LANGFUSE_RELEASE LANGFUSE_DEBUG \
         LANGFUSE_FLUSH_INTERVAL OTEL_SERVICE_NAME OTEL_ENVIRONMENT_NAME OTEL_TRACER_NAME",
    ),
];

/// A variable that says a number or a level, what it must be, and whether it is that.
type Value = (&'static str, &'static str, fn(&str) -> bool);

const VALUES: &[Value] = &[
    ("NUM_WORKERS", "a whole number", is_whole),
    ("KEEPALIVE_TIMEOUT", "a whole number of seconds", is_whole),
    ("LIMIT_CONCURRENCY", "a whole number", is_whole),
    ("REQUEST_TIMEOUT", "a number of seconds", |text| text.parse::<f64>().is_ok()),
    ("DEBUG", "true or false", |text| truth(text).is_some()),
    ("DETAILED_DEBUG", "true or false", |text| truth(text).is_some()),
    ("LITELLM_LOG", "DEBUG, INFO, WARNING, ERROR or CRITICAL", |text| {
        let level = text.to_ascii_lowercase();
        level == "warning" || level == "critical" || level.parse::<tracing::Level>().is_ok()
    }),
];

fn is_whole(text: &str) -> bool {
    text.parse::<u64>().is_ok()
}

/// Names the variables whose values cannot be used, and, in one notice, those that are set and that
/// somebody would miss.
pub(super) fn note(env: &Env, options: &Options, problems: &mut Problems) {
    for &(name, what, fits) in VALUES {
        let wrong = options.shared(env, name).filter(|text| !text.is_empty() && !fits(text));
        if wrong.is_some() {
            let message = format!("the variable {name} is not {what}, so it does not count");
            let help = format!("set it to {what}, or unset it");
            problems.add(Problem::warning(message, Place::default()).help(help));
        }
    }
    let later = VARIABLES.iter().filter(|(standing, _)| *standing == Later);
    let names = later.flat_map(|(_, names)| names.split_whitespace());
    let set: Vec<_> = names.filter(|name| env.get(name).is_some()).collect();
    if !set.is_empty() {
        let names = set.join(", ");
        problems.notice(format!("set, but not in this version, so without effect: {names}"));
    }
}

#[cfg(test)]
mod tests {
    use super::{Env, Honoured, Later, Options, Problems, VARIABLES, note};
    use std::collections::HashSet;

    #[test]
    fn a_variable_stands_once() {
        let mut seen = HashSet::new();
        let names = VARIABLES.iter().flat_map(|(_, names)| names.split_whitespace());
        assert_eq!(names.filter(|name| !seen.insert(*name)).collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn what_is_set_without_effect_is_named_in_one_notice_without_its_value() {
        let set = [("UI_PASSWORD", "hunter2"), ("DIRECT_URL", "postgres://x"), ("PORT", "1")];
        let mut problems = Problems::default();
        note(
            &set.into_iter().chain([("LITELLM_LICENSE", "l")]).collect(),
            &Options::default(),
            &mut problems,
        );
        let wanted = "set, but not in this version, so without effect: DIRECT_URL, UI_PASSWORD";
        assert_eq!(problems.notices(), [wanted]);
        note(&Env::default(), &Options::default(), &mut problems);
        assert_eq!(problems.notices().len(), 1);
    }

    #[test]
    fn a_value_that_cannot_be_used_is_told() {
        let values = [("NUM_WORKERS", "x"), ("REQUEST_TIMEOUT", "2.5"), ("DEBUG", "foo")];
        let more =
            [("LITELLM_LOG", "WARNING"), ("KEEPALIVE_TIMEOUT", ""), ("LIMIT_CONCURRENCY", "-1")];
        let env: Env = values.into_iter().chain(more).collect();
        let told = |options: &Options| {
            let mut problems = Problems::default();
            note(&env, options, &mut problems);
            problems.found().iter().map(|one| one.message.clone()).collect::<Vec<_>>()
        };
        let all = told(&Options::default());
        let names = ["NUM_WORKERS", "LIMIT_CONCURRENCY", "DEBUG"];
        assert!(
            all.len() == 3 && all.iter().zip(names).all(|(one, name)| one.contains(name)),
            "{all:?}"
        );
        // Beside a command they are the command's.
        assert!(told(&Options { for_command: true, ..Options::default() }).is_empty());
    }

    #[test]
    fn the_page_on_the_config_names_each_variable_with_its_standing() {
        let page = include_str!("../../docs/config.md");
        let (_, page) = page.split_once("## Variables").unwrap();
        let (honoured, rest) = page.split_once("Not in this version").unwrap();
        let (later, harmless) = rest.split_once("Without a meaning here").unwrap();
        for (standing, names) in VARIABLES {
            let part = match standing {
                Honoured => honoured,
                Later => later,
                super::Harmless => harmless,
            };
            for name in names.split_whitespace() {
                assert!(part.contains(&format!("`{name}`")), "{name} is not in its place");
            }
        }
    }
}
