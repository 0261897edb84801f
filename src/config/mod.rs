//! The finished config: checked, defaults filled in, secrets resolved.
use crate::data::{ImagePrice, Provider};
use bartizan_layers::facts::Price;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Uri};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

mod active;
mod added;
mod addresses;
mod alerting;
mod aliases;
pub mod aws;
mod azure;
mod budget;
mod caching;
mod client_side;
mod compat;
mod cooldown;
mod discover;
mod entra;
mod entry;
mod env;
mod fallbacks;
mod fields;
mod fill;
mod fit;
mod google;
mod include;
mod issuing;
mod judge;
mod keys;
mod known;
mod ledger;
mod limits;
mod load;
mod login;
mod mask;
mod master_key;
mod members;
mod moved;
mod names;
mod options;
mod outbound;
mod own;
mod price;
mod problem;
mod redis;
mod resolve;
mod retries;
mod routing;
mod rows;
mod secret;
mod server;
mod settings;
mod show;
mod single;
mod site;
mod source;
mod store;
mod syntax;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_caching;
#[cfg(test)]
mod tests_environment;
#[cfg(test)]
mod tests_include;
#[cfg(test)]
mod tests_mistakes;
#[cfg(test)]
mod tests_moved;
#[cfg(test)]
mod tests_options;
#[cfg(test)]
mod tests_policies;
#[cfg(test)]
mod tests_tls;
mod through;
mod tls_server;
mod tls_upstream;
mod upstream;
mod url;
mod variables;
mod yaml;

pub use self::addresses::{Addresses, Nets};
pub use self::alerting::Alerting;
pub use self::aliases::{Alias, TagRules};
pub use self::azure::{AzureApi, AzureAt};
pub use self::budget::{Budget, BudgetAdmission, BudgetDuration, Budgets, DurationUnit};
pub use self::caching::{CacheKind, CacheScope, CachedCalls, Caching};
pub use self::client_side::ClientSide;
pub use self::compat::Compat;
pub use self::cooldown::{AllowedFailsPolicy, Cooldown, OwnCooldown};
pub use self::env::{Env, Unread};
pub use self::fallbacks::{Fallback, FallbackTarget, Fallbacks};
pub use self::fit::Fit;
pub use self::google::{
    Acting, AuthorizedUser, ExternalAccount, GoogleIdentity, GoogleLogin, NotALogin,
    ServiceAccount, TokenPlace, TokenSource,
};
pub use self::issuing::{Issuing, Making, MakingKeys, NewUsers};
pub use self::keys::{page, schema};
pub use self::ledger::{Fsync, LedgerSettings};
pub use self::limits::{Limits, Rate};
pub use self::load::{Refused, check_model, load, parse_str};
pub use self::login::{EntraApp, EntraLogin, EntraWay, Login};
pub use self::master_key::{state_dir, stored};
pub use self::members::Members;
pub use self::options::Options;
pub use self::outbound::{Outbound, Proxies};
pub use self::problem::{Problem, Problems, Severity};
pub use self::redis::{Pem, RedisAt, RedisNode, RedisSettings, RedisTls};
pub use self::retries::{ByError, Retries, RetryPolicy};
pub use self::routing::{Routing, Timeouts};
pub use self::secret::Secret;
pub use self::server::Server;
pub use self::settings::Telemetry;
pub use self::store::{ConversationSettings, Database, StoreSettings};
pub use self::through::{PassThrough, Through};
pub use self::tls_server::{Certificate, ClientAuth, MinVersion, ServerTls};
pub use self::tls_upstream::UpstreamTls;
pub(crate) use self::url::percent_decoded;
pub use self::url::web_url;

/// Everything that the proxy was told, checked. Immutable once it is made.
#[derive(Debug)]
pub struct Config {
    /// Where it listens, and what it accepts there.
    pub server: Server,
    /// Who may call.
    pub access: Access,
    /// The deployments and the names that lead to them.
    pub routing: Routing,
    /// How many calls and tokens there may be.
    pub limits: Limits,
    /// What may be spent.
    pub budgets: Budgets,
    /// How answers are kept; `None` is not at all.
    pub caching: Option<Caching>,
    /// The Redis that instances share; `None` is one instance alone.
    pub redis: Option<RedisSettings>,
    /// Where keys, budgets and spend are kept; `None` is nowhere.
    pub store: Option<StoreSettings>,
    /// What keys, users and teams get when they are made.
    pub issuing: Issuing,
    /// Who is told when budgets run out; `None` is nobody.
    pub alerting: Option<Alerting>,
    /// How the forwarder reaches upstreams.
    pub outbound: Outbound,
    /// What is logged, and how.
    pub telemetry: Telemetry,
    /// Which LiteLLM generation to follow where two differ.
    pub compat: Compat,
    /// What the operator should know once at start: keys without effect, ignored variables.
    pub notices: Vec<String>,
    /// Every file that it was read from: the config, what it includes, `.env`, and the files that
    /// hold single values (`os.file/…`, `NAME_FILE`). A change in one of them may change it.
    pub files: Vec<PathBuf>,
    /// The file as JSON, secrets hidden: what `/config/yaml` answers.
    pub shown: Bytes,
}

/// Who may call.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The key that may do everything; `None` means that anyone may call (loopback only).
    pub master_key: Option<Secret<String>>,
    /// The one header that carries the key, when `litellm_key_header_name` names one.
    pub key_header: Option<HeaderName>,
    /// Host names besides loopback that are accepted in open mode.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may call and read answers (CORS), as browsers write them.
    pub allowed_origins: Vec<String>,
    /// From which addresses calls may come; `None` is from all.
    pub addresses: Option<Addresses>,
    /// Whether the key was generated and is kept in this file.
    pub generated_at: Option<PathBuf>,
}

/// One upstream with a credential, a model and a price.
#[derive(Debug)]
pub struct Deployment {
    /// The model group: the name that clients ask for. May hold `*`.
    pub group: String,
    /// Unique and stable over restarts.
    pub id: String,
    /// The provider's row.
    pub provider: &'static Provider,
    /// The model as the provider knows it. May hold `*`.
    pub model: String,
    /// Whether it is asked by OpenAI's `/responses` alone (`openai/responses/MODEL`, or
    /// `model_info.mode: responses`).
    pub responses: bool,
    /// Base URL, without a slash at its end. `None` is the built-in model `echo`.
    pub api_base: Option<Uri>,
    /// How its paths are made, where it is Azure.
    pub azure: Option<AzureAt>,
    /// The provider's credential.
    pub api_key: Option<Secret<String>>,
    /// What it has in place of a key, and turns into a credential that expires.
    pub login: Option<Login>,
    /// How TLS is spoken there, where the deployment has its own settings.
    pub tls: Option<Arc<UpstreamTls>>,
    /// Headers added to each call: the provider's, `organization`, `extra_headers`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Parameters that a request gets where it does not bring its own, as JSON text.
    pub defaults: Members,
    /// Parameters that a request gets in any case (`extra_body`), as JSON text.
    pub extra_body: Members,
    /// `timeout`, where the deployment has its own.
    pub timeout: Option<Duration>,
    /// `stream_timeout`, where the deployment has its own.
    pub stream_timeout: Option<Duration>,
    /// Its share among its group: `weight`, else `rpm`, else `tpm`.
    pub weight: Option<f64>,
    /// Requests per minute.
    pub rpm: Option<u64>,
    /// Tokens per minute.
    pub tpm: Option<u64>,
    /// Calls that may be open there at once (`max_parallel_requests`); `None` is
    /// [`Routing::deployment_parallel`].
    pub max_parallel: Option<u32>,
    /// How often a call that failed there is tried again (`num_retries`, else `max_retries`).
    pub num_retries: Option<u32>,
    /// When it rests, where it has its own rules.
    pub cooldown: OwnCooldown,
    /// Lower ones go first.
    pub order: Option<i64>,
    /// What clients may bring to it (`configurable_clientside_auth_params`).
    pub client_side: ClientSide,
    /// Own prices, or the catalogue's; `None` if unknown.
    pub price: Option<Price>,
    /// Its own price of an image that is made.
    pub image_price: Option<ImagePrice>,
    /// What the provider's prices are multiplied with: its discount and margin. Default 1.
    pub cost_factor: f64,
    /// `litellm_params` as written, credentials left out, for `/model/info`.
    pub params: serde_json::Map<String, serde_json::Value>,
    /// `model_info` as written.
    pub info: serde_json::Map<String, serde_json::Value>,
    /// Whether it was made from a key in the environment, not from a file.
    pub discovered: bool,
    /// Whether calls to the provider's own paths may use its key (`use_in_pass_through`).
    pub use_in_pass_through: bool,
    /// `tags`, for [`TagRules`].
    pub tags: Vec<String>,
    /// Parameters that are taken out of each request (`additional_drop_params`).
    pub drop: Vec<String>,
    /// How requests are fitted to it, where it has its own rules.
    pub fit: Fit,
    /// What it answers instead of calling its provider (`mock_response`).
    pub mock: Option<String>,
    /// What calls to it may cost (`max_budget`, `budget_duration`).
    pub budget: Option<Budget>,
    /// Names under which `/v1/models` lists its group (`model_info.access_groups`).
    pub access_groups: Vec<String>,
    /// Where it is (`region_name`), for end users whose models must be somewhere.
    pub region: Option<String>,
}

impl Deployment {
    /// Whether a stream may be asked for its usage with `stream_options`.
    #[must_use]
    pub fn tells_usage_of_streams(&self) -> bool {
        let azure = self.azure.as_ref();
        self.provider.stream_usage && azure.is_none_or(AzureAt::tells_usage_of_streams)
    }
}
