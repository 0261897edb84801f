//! What a deployment in Google's cloud is told: project, location, and who calls.
use super::base::{base, names_a_project};
use super::{GoogleIdentity, GoogleLogin, NotALogin};
use crate::config::fields::Check;
use crate::config::problem::{Place, Problem};
use crate::config::url::web_url;
use crate::config::yaml::{Kind, Node};
use crate::config::{Env, Secret};
use http::Uri;
use serde_json::Value;
use std::path::PathBuf;

/// Where models are, if nobody says it.
const LOCATION: &str = "us-central1";
/// The metadata server of a machine in Google's cloud: by its address, which no proxy is asked for.
const MACHINE: &str = "169.254.169.254";
/// LiteLLM's variable, and Google's own.
const CREDENTIALS: &str = "VERTEXAI_CREDENTIALS";
const OWN_CREDENTIALS: &str = "GOOGLE_APPLICATION_CREDENTIALS";
const OWN_PROJECT: &str = "GOOGLE_CLOUD_PROJECT";

const HELP: &str = "name a JSON file of a service account, of `gcloud auth application-default \
                    login` or of workload identity federation, or write that JSON itself";

/// A login, and whether it is one that all programs on this machine use.
struct Found {
    login: GoogleLogin,
    of_machine: bool,
}

impl Check<'_> {
    /// Where a deployment in Google's cloud is asked, and who asks: nobody, if it has a key.
    pub(in crate::config) fn in_googles_cloud(
        &mut self,
        params: &Node,
    ) -> Option<(Uri, Option<GoogleLogin>)> {
        let is_there = |key: &str| params.get(key).is_some_and(|told| !told.is_null());
        let needs_none = is_there("api_key") || is_there("mock_response");
        let found = if needs_none { None } else { Some(self.google_login(params)?) };
        let told = ["api_base", "base_url"].into_iter().find_map(|key| self.text(params, key));
        let location = self.google_location(params)?;
        let project = match told.as_deref().is_some_and(names_a_project) {
            true => Some(String::new()),
            false => self.google_project(params, found.as_ref())?,
        };
        let url = match project {
            Some(project) => base(told.as_deref(), &project, &location),
            // With a key alone models are asked without a project.
            None => told.unwrap_or_else(|| "https://aiplatform.googleapis.com/v1".to_owned()),
        };
        let Some(url) = web_url(&url).filter(|url| url.query().is_none()) else {
            let at = params.get("api_base").or_else(|| params.get("base_url")).unwrap_or(params);
            let help = "write it as https://HOST/PATH, or leave it out";
            self.error(at, "`api_base` is not a URL of a provider".to_owned(), help);
            return None;
        };
        if self.own.is_at(&url) {
            let help = "set it to the provider's own URL, or leave it out";
            self.error(params, "`api_base` leads back to this proxy".to_owned(), help);
            return None;
        }
        Some((url, found.map(|found| found.login)))
    }

    /// A text of the config, else of a variable; and where it stands.
    fn told<'n>(
        &mut self,
        params: &'n Node,
        keys: &[&str],
        variables: &[&str],
    ) -> Option<(String, Option<&'n Node>)> {
        for key in keys {
            if let Some(text) = self.text(params, key) {
                return Some((text.trim().to_owned(), params.get(key)));
            }
        }
        self.env.first(variables).map(|(_, text)| (text.trim().to_owned(), None))
    }

    fn google_location(&mut self, params: &Node) -> Option<String> {
        let keys = ["vertex_location", "vertex_ai_location", "region_name"];
        let told = self.told(params, &keys, &["VERTEXAI_LOCATION", "VERTEX_LOCATION"]);
        let Some((location, at)) = told else { return Some(LOCATION.to_owned()) };
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if location.bytes().all(plain) {
            return Some(location);
        }
        let help = "write it as `us-central1`, `europe-west4` or `global`";
        let message = "`vertex_location` is no location of Google's cloud".to_owned();
        self.error(at.unwrap_or(params), message, help);
        None
    }

    /// The project; the outer `None` is an error, the inner one none where a key needs none.
    #[expect(clippy::option_option, reason = "said above")]
    fn google_project(&mut self, params: &Node, found: Option<&Found>) -> Option<Option<String>> {
        let keys = ["vertex_project", "vertex_ai_project"];
        let own = found.and_then(|found| found.login.project.clone());
        let general = self.env.get(OWN_PROJECT).map(str::to_owned);
        let told = self.told(params, &keys, &["VERTEXAI_PROJECT"]);
        let (project, at) = match told {
            Some((project, at)) => (Some(project), at),
            None if found.is_some_and(|found| !found.of_machine) => (own.or(general), None),
            None => (general.or(own), None),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:_".contains(&byte);
        match project {
            Some(project) if project.bytes().all(plain) => Some(Some(project)),
            Some(_) => {
                let help = "write its id, as in `my-project-123`";
                let message = "`vertex_project` is no project of Google's cloud".to_owned();
                self.error(at.unwrap_or(params), message, help);
                None
            }
            None if found.is_none() => Some(None),
            None => {
                let message = "`vertex_project` is missing: nothing names the project".to_owned();
                let help = "add `vertex_project`, or set VERTEXAI_PROJECT";
                self.error(params, message, help);
                None
            }
        }
    }

    /// Who calls: as the config says, else LiteLLM's variable, else as all of Google's programs
    /// find it.
    fn google_login(&mut self, params: &Node) -> Option<Found> {
        let keys = ["vertex_credentials", "vertex_ai_credentials"];
        let told = keys.into_iter().find_map(|key| params.get(key).filter(|told| !told.is_null()));
        if let Some(told) = told {
            let read = match (&told.kind, told.to_json()) {
                (Kind::Map(_), Value::Object(file)) => GoogleLogin::of(&file).map_err(Bad::Told),
                _ => self.google_file(&told.as_text().unwrap_or_default()),
            };
            return self.google_found(read, "`vertex_credentials`", told.place, false);
        }
        let of_litellm = self.secret(CREDENTIALS);
        if let Some(told) = of_litellm.as_ref().map(Secret::expose) {
            let read = self.google_file(told);
            return self.google_found(read, CREDENTIALS, Place::default(), false);
        }
        if let Some(path) = self.env.get(OWN_CREDENTIALS) {
            let read = self.google_file(path);
            return self.google_found(read, OWN_CREDENTIALS, Place::default(), true);
        }
        let left = well_known(self.env).filter(|path| path.is_file());
        if let Some(path) = left.as_deref().and_then(std::path::Path::to_str) {
            let read = self.google_file(path);
            return self.google_found(read, "gcloud's file", Place::default(), true);
        }
        let host = self.env.get("GCE_METADATA_HOST").unwrap_or(MACHINE);
        let url = web_url(&format!("http://{host}")).ok_or(Bad::Host);
        let login = url.map(|url| GoogleLogin {
            identity: GoogleIdentity::Machine(url),
            acting: None,
            project: None,
        });
        let notice = "no credential for Google's cloud is set: the metadata server of this machine \
                      is asked";
        if !self.problems.notices.iter().any(|told| told == notice) {
            self.problems.notice(notice);
        }
        self.google_found(login, "GCE_METADATA_HOST", Place::default(), true)
    }

    /// The login that a text holds, or the file that it names.
    fn google_file(&mut self, told: &str) -> Result<GoogleLogin, Bad> {
        let told = told.trim();
        if told.starts_with('{') {
            return GoogleLogin::of_json(told).map_err(Bad::Told);
        }
        self.problems.was_read(told);
        let text = std::fs::read_to_string(told).map_err(|error| Bad::Unread(error.to_string()))?;
        GoogleLogin::of_json(&text).map_err(Bad::File)
    }

    fn google_found(
        &mut self,
        read: Result<GoogleLogin, Bad>,
        name: &str,
        place: Place,
        of_machine: bool,
    ) -> Option<Found> {
        let why = match read {
            Ok(login) => return Some(Found { login, of_machine }),
            Err(Bad::Told(why)) => format!("{name} {why}"),
            Err(Bad::File(why)) => format!("{name} names a file that {why}"),
            Err(Bad::Unread(why)) => format!("{name} names a file that cannot be read: {why}"),
            Err(Bad::Host) => format!("{name} is no host"),
        };
        self.problems.add_once_at(Problem::error(why, place).help(HELP));
        None
    }
}

/// Why there is no login.
enum Bad {
    Told(NotALogin),
    File(NotALogin),
    Unread(String),
    Host,
}

/// Where gcloud leaves what `gcloud auth application-default login` was told.
fn well_known(env: &Env) -> Option<PathBuf> {
    let own = env.get("CLOUDSDK_CONFIG").map(PathBuf::from);
    let usual = || {
        let home = env.get("HOME").map(|home| PathBuf::from(home).join(".config"));
        Some(env.get("APPDATA").map(PathBuf::from).or(home)?.join("gcloud"))
    };
    Some(own.or_else(usual)?.join("application_default_credentials.json"))
}
