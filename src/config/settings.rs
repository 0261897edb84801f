//! The settings that are no model: listeners, who may call, logs.
use super::fields::Check;
use super::load::Sections;
use super::master_key;
use super::options::Options;
use super::problem::Problem;
use super::yaml::Node;
use super::{Access, Compat, Secret, Server};
use http::{HeaderName, Uri};
use std::net::SocketAddr;
use std::time::Duration;

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// `error`, `warn`, `info`, `debug` or `trace`. Default `info`.
    pub level: tracing::Level,
    /// JSON lines, or lines for people; `None` asks whether standard output is a terminal.
    pub json: Option<bool>,
    /// Whether `/metrics` on the calls listener needs a key. Default: as [`Compat`] says.
    pub metrics_need_key: Option<bool>,
}

impl Check<'_> {
    pub(super) fn server(
        &mut self,
        general: &Node,
        options: &Options,
        listen: Vec<SocketAddr>,
    ) -> Server {
        let mebibytes = self.number(general, "max_request_size_mb").filter(|size| *size > 0.0);
        let keep_alive = self.seconds(general, "keepalive_timeout");
        Server {
            listen,
            ops_listen: None,
            tls: None,
            ops_tls: None,
            max_body: mebibytes.map_or(32 << 20, |size| (size * 1_048_576.0) as usize),
            body_budget: options.body_budget.unwrap_or(256 << 20),
            max_connections: 10_000,
            max_calls: options.limit_concurrency(self.env),
            keep_alive: options
                .keep_alive(self.env)
                .or(keep_alive)
                .unwrap_or(Duration::from_secs(75)),
            header_timeout: Duration::from_secs(30),
            body_timeout: self.seconds(general, "body_timeout").unwrap_or(Duration::from_secs(60)),
            drain: Duration::from_secs(25),
            root_path: self.root_path(),
            workers: options.workers(self.env),
        }
    }

    /// `SERVER_ROOT_PATH`, as the beginning of a path.
    fn root_path(&mut self) -> String {
        let told = self.env.get("SERVER_ROOT_PATH").unwrap_or_default().trim_matches('/');
        let path = format!("/{told}");
        let fit = path.parse::<Uri>().is_ok_and(|uri| uri.path() == path && uri.query().is_none());
        if !fit {
            let word = "SERVER_ROOT_PATH is not a path such as `/llm` and is not used";
            self.problems.notice(word);
        }
        if fit && !told.is_empty() { path } else { String::new() }
    }

    /// Who may call; nothing if that would be anyone from anywhere.
    pub(super) fn access(
        &mut self,
        sections: &Sections<'_>,
        options: &Options,
        server: &Server,
    ) -> Option<Access> {
        let general = sections.general;
        let key = self.text(general, "master_key").map(Secret::new);
        let key = key.or_else(|| self.secret("LITELLM_MASTER_KEY"));
        let key_header = self.key_header(general);
        let addresses = self.addresses(general)?;
        let hosts = general.get("allowed_hosts").map(Node::items).unwrap_or_default();
        let access = Access {
            // Whoever calls runs on this machine.
            addresses: addresses.filter(|_| !options.for_command),
            allowed_origins: self.origins(general),
            // A command's clients send the key as their provider wants it.
            key_header: key_header.filter(|_| !options.for_command),
            allowed_hosts: hosts.iter().filter_map(Node::as_text).collect(),
            ..Access::default()
        };
        if key.is_some() {
            return Some(Access { master_key: key, ..access });
        }
        // A key was meant to be there: to go on without it would let anyone in.
        let written = [general.get("master_key"), sections.root.get("general_settings")];
        let lost = written.into_iter().flatten().any(|node| self.is_wrong(node));
        if lost || self.env.secret("LITELLM_MASTER_KEY").is_err() {
            return None;
        }
        if !sections.is_written || options.for_command {
            return self.generated_key(options).map(|made| Access {
                master_key: made.master_key,
                generated_at: made.generated_at,
                ..access
            });
        }
        self.open(general, server).then_some(access)
    }

    fn key_header(&mut self, general: &Node) -> Option<HeaderName> {
        let name = self.text(general, "litellm_key_header_name")?;
        let header = HeaderName::from_bytes(name.as_bytes()).ok();
        if header.is_none() {
            let at = general.get("litellm_key_header_name").unwrap_or(general);
            let help = "use letters, digits and dashes";
            self.error(at, "this is not a header's name".into(), help);
        }
        header
    }

    fn generated_key(&mut self, options: &Options) -> Option<Access> {
        let made = if options.for_command {
            master_key::of_one_run()
        } else {
            let dir = master_key::state_dir(options.state_dir.as_deref(), self.env);
            let mut warning = None;
            let made = master_key::generated(dir.as_deref(), |text| warning = Some(text));
            self.problems.notices.extend(warning);
            made
        };
        match made {
            Ok(access) => Some(access),
            Err(error) => {
                let message = format!("no key is set, and none can be made: {error}");
                let help = "set LITELLM_MASTER_KEY";
                self.problems.add(Problem::error(message, Default::default()).help(help));
                None
            }
        }
    }

    /// Whether calls without a key are allowed: on loopback, or because the operator insists.
    fn open(&mut self, general: &Node, server: &Server) -> bool {
        let insists = self.flag(general, "litellm_dangerously_permit_weak_or_unset_master_key");
        let insists = insists.unwrap_or(false)
            || self.env.is_on("LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY");
        if !server.is_loopback() && !insists {
            let message =
                "no key is set, and the proxy would listen beyond this machine".to_owned();
            let help = "set general_settings.master_key or LITELLM_MASTER_KEY, or listen on \
                        127.0.0.1, or set LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY=true";
            self.problems.add(Problem::error(message, general.place).help(help));
            return false;
        }
        self.problems.notice(
            "no key is set (general_settings.master_key or LITELLM_MASTER_KEY): whoever reaches \
             the proxy may call",
        );
        true
    }

    pub(super) fn telemetry(&mut self, litellm: &Node, options: &Options) -> Telemetry {
        let json = self
            .flag(litellm, "json_logs")
            .or_else(|| self.env.get("JSON_LOGS").and_then(super::env::truth))
            // Beside a command, people read along.
            .or(options.for_command.then_some(false));
        let verbose = self.flag(litellm, "set_verbose").unwrap_or(false);
        let level = if verbose { tracing::Level::DEBUG } else { options.level(self.env) };
        let metrics_need_key = self.flag(litellm, "require_auth_for_metrics_endpoint");
        Telemetry { level, json, metrics_need_key }
    }

    pub(super) fn compat(&mut self, general: &Node, options: &Options) -> Compat {
        let told = options.compat.clone();
        let told = told.or_else(|| self.env.get("BARTIZAN_COMPAT").map(str::to_owned));
        let told = told.or_else(|| self.text(general, "compat"));
        match told.as_deref() {
            None | Some("current") => Compat::Current,
            Some("classic") => Compat::Classic,
            Some(other) => {
                let at = general.get("compat").unwrap_or(general);
                self.error(at, format!("unknown compat `{other}`"), "use `current` or `classic`");
                Compat::Current
            }
        }
    }
}
