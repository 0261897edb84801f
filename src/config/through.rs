//! What calls whose body goes straight through need: accounts at providers, and the config's own
//! paths.
use super::fields::Check;
use super::url::web_url;
use super::yaml::{Kind, Node};
use super::{AzureAt, Compat, Deployment, Secret};
use crate::data::{self, Provider};
use http::{HeaderName, HeaderValue, Uri};

/// Accounts at providers, and paths of the config that lead elsewhere.
#[derive(Debug, Default)]
pub struct Through {
    /// Accounts for files and batches (`files_settings`).
    pub files: Vec<Deployment>,
    /// Accounts for fine-tuning (`finetune_settings`).
    pub fine_tuning: Vec<Deployment>,
    /// Accounts whose keys stand in the environment.
    pub environment: Vec<Deployment>,
    /// `pass_through_endpoints`.
    pub endpoints: Vec<PassThrough>,
    /// The largest file, in bytes (`max_file_size_mb`). Default: of any size.
    pub max_file: Option<u64>,
}

/// A path of the config that leads to another server.
#[derive(Clone, Debug)]
pub struct PassThrough {
    /// What clients call, without a slash at its end.
    pub path: String,
    /// Where it leads.
    pub target: Uri,
    /// Headers that each call gets. May hold keys.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// One more header in which clients may send their key; it counts first.
    pub key_header: Option<HeaderName>,
    /// Whether a key is needed. Default true; false in [`Compat::Classic`].
    pub auth: bool,
    /// Whether the client's own headers go along; never its key. Default false.
    pub forward_headers: bool,
    /// Whether what follows `path` is added to `target`. Default false.
    pub include_subpath: bool,
    /// Methods that are taken. Default [`PassThrough::METHODS`].
    pub methods: Vec<String>,
    /// What one call costs, in billionths of a US dollar. Default 0.
    pub nanos_per_request: i64,
    /// Whether the client's query is added to the target's, instead of replacing it. Default
    /// false.
    pub merge_query_params: bool,
}

impl PassThrough {
    /// The methods that can be passed on. `TRACE` is not among them: its answer says what was sent,
    /// keys included.
    pub const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
}

impl Check<'_> {
    /// Everything about calls that go straight through.
    pub(super) fn through(&mut self, root: &Node, general: &Node, compat: Compat) -> Through {
        let mebibytes = self.number(general, "max_file_size_mb").filter(|size| *size > 0.0);
        Through {
            files: self.accounts(root, "files_settings"),
            fine_tuning: self.accounts(root, "finetune_settings"),
            environment: self.environment(),
            endpoints: self.pass_through(general, compat),
            max_file: mebibytes.map(|size| (size * 1_048_576.0) as u64),
        }
    }

    /// The accounts that keys in the environment open.
    fn environment(&mut self) -> Vec<Deployment> {
        let accounts = data::providers().iter().filter_map(|provider| {
            let mut keys = provider.key_env.iter();
            // What is wrong with a variable is told where a model needs it.
            let key = keys.find_map(|name| self.quiet_secret(name));
            let placed = self.env.first(provider.base_env);
            if key.is_none() && !(provider.key_optional && placed.is_some()) {
                return None;
            }
            let told = placed.and_then(|(_, text)| super::upstream::base_url(text, provider));
            let told = told.filter(|url| !self.own.is_at(url));
            let base = told.or_else(|| self.own_base(provider, None).ok()?)?;
            let key = key.filter(|key| HeaderValue::from_str(key.expose()).is_ok());
            let place = self.resource(None, provider, base);
            Some(account(provider, place, key))
        });
        accounts.collect()
    }

    /// `files_settings` and `finetune_settings`: `custom_llm_provider`, `api_base`, `api_key`.
    fn accounts(&mut self, root: &Node, section: &str) -> Vec<Deployment> {
        let Some(list) = root.get(section).filter(|list| !list.is_null()) else {
            return Vec::new();
        };
        if !matches!(list.kind, Kind::List(_)) {
            let message = format!("`{section}` must be a list of accounts");
            self.error(list, message, "begin each with `- custom_llm_provider: NAME`");
        }
        let mut accounts = Vec::new();
        for entry in list.items() {
            let what = "the provider of the account";
            let Some(name) = self.required(entry, entry, "custom_llm_provider", what) else {
                continue;
            };
            let Some(provider) = self.row(&name) else {
                let message = format!("the provider `{name}` is not in this version");
                self.warn(entry, message, "this account has no effect");
                continue;
            };
            let Some(Some(base)) = self.api_base(entry, provider) else { continue };
            let key = self.api_key(entry, provider);
            let place = self.resource(Some(entry), provider, base);
            accounts.push(account(provider, place, key));
        }
        accounts
    }
}

fn account(
    provider: &'static Provider,
    (base, azure): (Uri, Option<AzureAt>),
    key: Option<Secret<String>>,
) -> Deployment {
    let id = format!("{}-account", provider.name);
    let fixed = provider.headers.iter();
    let fixed = fixed.filter_map(|(name, value)| super::upstream::header(name, value));
    Deployment {
        id,
        api_base: Some(base),
        azure,
        api_key: key,
        headers: fixed.collect(),
        ..super::discover::blank("", provider, "")
    }
    .kind_told()
}

/// Paths of the config that lead elsewhere.
impl Check<'_> {
    /// `pass_through_endpoints`. An entry that cannot work is left out and reported.
    fn pass_through(&mut self, general: &Node, compat: Compat) -> Vec<PassThrough> {
        let list = general.get("pass_through_endpoints").filter(|list| !list.is_null());
        let Some(list) = list else { return Vec::new() };
        if !matches!(list.kind, Kind::List(_)) {
            let message = "`pass_through_endpoints` must be a list".to_owned();
            self.error(list, message, "begin each entry with `- path: /PATH`");
        }
        list.items().iter().filter_map(|entry| self.endpoint(entry, compat)).collect()
    }

    fn endpoint(&mut self, entry: &Node, compat: Compat) -> Option<PassThrough> {
        let path = self.own_path(entry)?;
        let target = self.target(entry)?;
        let dollars = self.number(entry, "cost_per_request").unwrap_or(0.0);
        Some(PassThrough {
            path,
            target,
            headers: self.fixed_headers(entry),
            key_header: self.users_key_header(entry),
            auth: self.flag(entry, "auth").unwrap_or(compat == Compat::Current),
            forward_headers: self.flag(entry, "forward_headers").unwrap_or(false),
            include_subpath: self.flag(entry, "include_subpath").unwrap_or(false),
            methods: self.methods(entry),
            nanos_per_request: (dollars * 1e9).round() as i64,
            merge_query_params: self.flag(entry, "merge_query_params").unwrap_or(false),
        })
    }

    fn own_path(&mut self, entry: &Node) -> Option<String> {
        let path = self.required(entry, entry, "path", "what clients call here")?;
        let path = path.trim_end_matches('/').to_owned();
        let parsed = path.parse::<Uri>().ok();
        let plain = parsed.is_some_and(|uri| uri.authority().is_none() && uri.query().is_none());
        if !path.starts_with('/') || !plain || path.contains(['%', '\\']) || path.contains("//") {
            let at = entry.get("path").unwrap_or(entry);
            let message = "`path` is not a path of this proxy".to_owned();
            self.error(at, message, "write it as `/my/path`, without a host or a query");
            return None;
        }
        Some(path)
    }

    fn target(&mut self, entry: &Node) -> Option<Uri> {
        let text = self.required(entry, entry, "target", "where the calls go")?;
        let at = entry.get("target").unwrap_or(entry);
        let Some(url) = web_url(&text) else {
            let help = "write it as https://HOST/PATH; a name or a key belongs in `headers`";
            self.error(at, "`target` is not a URL".to_owned(), help);
            return None;
        };
        if self.own.is_at(&url) {
            let help = "set it to the URL of another server";
            self.error(at, "`target` leads back to this proxy".to_owned(), help);
            return None;
        }
        Some(url)
    }

    fn methods(&mut self, entry: &Node) -> Vec<String> {
        let list = entry.get("methods").map(Node::items).unwrap_or_default();
        let mut methods = Vec::new();
        for method in list {
            let name = method.as_text().unwrap_or_default().to_ascii_uppercase();
            if PassThrough::METHODS.contains(&&*name) {
                methods.push(name);
            } else {
                let help = "use GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS";
                self.warn(method, format!("`{name}` is not a method to pass on"), help);
            }
        }
        if methods.is_empty() {
            methods.extend(PassThrough::METHODS.map(str::to_owned));
        }
        methods
    }

    /// `headers`; their values may hold `os.environ/NAME` behind other words.
    fn fixed_headers(&mut self, entry: &Node) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::new();
        let Some(map) = self.section(entry, "headers") else { return headers };
        for (name, value) in map.entries().filter(|(_, value)| !value.is_null()) {
            if is_key_setting(name) {
                continue;
            }
            let text = value.as_text().unwrap_or_default();
            let Some(text) = self.with_variables(value, &text) else { continue };
            let name_text = name.as_text().unwrap_or_default();
            let pair = super::upstream::header(&name_text, &text);
            match pair {
                Some((name, mut value)) => {
                    value.set_sensitive(true);
                    headers.push((name, value));
                }
                None => {
                    let help = "use letters, digits and dashes in names, and one line of text";
                    self.error(name, "this is not a valid header".to_owned(), help);
                }
            }
        }
        headers
    }

    /// The setting among `headers` that is none of them: `litellm_user_api_key: NAME`.
    fn users_key_header(&mut self, entry: &Node) -> Option<HeaderName> {
        let mut set = entry.get("headers")?.entries();
        let (_, value) = set.find(|(name, value)| is_key_setting(name) && !value.is_null())?;
        let text = self.with_variables(value, &value.as_text().unwrap_or_default())?;
        let name = text.parse::<HeaderName>().ok();
        if name.is_none() {
            let message = "`litellm_user_api_key` must be the name of a header".to_owned();
            self.error(value, message, "name the header in which clients send their key");
        }
        name
    }

    /// The text with its variable filled in; nothing, and a warning, if that is not set.
    fn with_variables(&mut self, at: &Node, text: &str) -> Option<String> {
        const VARIABLE: &str = "os.environ/";
        let Some((before, rest)) = text.split_once(VARIABLE) else { return Some(text.to_owned()) };
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        match self.quiet_secret(name) {
            Some(value) => Some(format!("{before}{}{after}", value.expose())),
            None => {
                let help = format!("set {name} in the environment or in .env");
                self.warn(at, format!("the variable {name} is not set"), &help);
                None
            }
        }
    }
}

fn is_key_setting(name: &Node) -> bool {
    name.as_text().is_some_and(|name| name.eq_ignore_ascii_case("litellm_user_api_key"))
}
