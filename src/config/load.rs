//! Options, variables and a file → the finished config, with every problem found on the way.
use super::env::Env;
use super::fields::{Check, described};
use super::include;
use super::moved;
use super::own::Own;
use super::problem::{Problem, Problems};
use super::resolve::resolve;
use super::show;
use super::variables;
use super::yaml::{Kind, Node};
use super::{Config, Options, Routing, Secret, Server, Timeouts};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why there is no config to start with. Every problem is in it.
#[derive(Debug)]
pub struct Refused(pub Problems);

/// Reads everything there is. A model entry that cannot be built is left out and reported; what
/// makes the proxy as a whole unsafe or unreadable refuses the start.
///
/// # Errors
///
/// [`Refused`], with the same report that `bartizan check` prints.
pub fn load(options: &Options, env: Env) -> Result<(Config, Problems), Refused> {
    let mut problems = Problems::default();
    let production = env.get("LITELLM_MODE") == Some("PRODUCTION");
    let (mut env, mut files) = (env, Vec::new());
    let here = Path::new(".env");
    if !production && env.add_dotenv(here, &mut problems) {
        files.push(here.to_owned());
    }
    let file = options.config.clone().or_else(|| env.get("CONFIG_FILE_PATH").map(PathBuf::from));
    let beside = file.as_deref().and_then(Path::parent);
    if let Some(dir) = beside.filter(|dir| !production && !dir.as_os_str().is_empty()) {
        let beside = dir.join(".env");
        if env.add_dotenv(&beside, &mut problems) {
            files.push(beside);
        }
    }
    files.extend(file.clone());
    let read_from = |(config, problems)| (Config { files, ..config }, problems);
    let Some(path) = file else {
        return finished(options, &env, None, problems).map(read_from);
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("the config file {} cannot be read: {error}", path.display());
            let help = "check the path given with --config and the file's permissions";
            problems.add(Problem::error(message, Default::default()).help(help));
            return Err(Refused(problems));
        }
    };
    problems.files.push((path.display().to_string(), Secret::new(text)));
    problems.was_read(&path);
    finished_text(options, env, Some(&path), problems)
}

/// Reads a config from its text alone, without an environment.
///
/// # Errors
///
/// [`Refused`], as [`load`].
pub fn parse_str(text: &str) -> Result<(Config, Problems), Refused> {
    let files = vec![("config".into(), Secret::new(text.to_owned()))];
    let problems = Problems { files, ..Problems::default() };
    finished_text(&Options::default(), Env::default(), None, problems)
}

fn finished_text(
    options: &Options,
    mut env: Env,
    path: Option<&Path>,
    mut problems: Problems,
) -> Result<(Config, Problems), Refused> {
    let Some(mut root) = include::whole(path, &mut problems) else { return Err(Refused(problems)) };
    let shown = show::answer(path, Some(&root));
    export(&mut root, &mut env, &mut problems);
    resolve(&mut root, "", &env, &mut problems);
    moved::to_their_sections(&mut root, &mut problems);
    let (config, problems) = finished(options, &env, Some(&root), problems)?;
    Ok((Config { shown, ..config }, problems))
}

/// `environment_variables`: they count for everything that is read after them.
fn export(root: &mut Node, env: &mut Env, problems: &mut Problems) {
    let Kind::Map(sections) = &mut root.kind else { return };
    let section =
        sections.iter_mut().find(|(name, _)| name.text() == Some("environment_variables"));
    let Some((_, section)) = section else { return };
    resolve(section, "", env, problems);
    for (name, value) in section.entries() {
        if let Some((name, value)) = name.as_text().zip(value.as_text())
            && env.set(&name, &value)
        {
            problems.notice(format!("environment_variables replaces the variable {name}"));
        }
    }
}

fn finished(
    options: &Options,
    env: &Env,
    root: Option<&Node>,
    mut problems: Problems,
) -> Result<(Config, Problems), Refused> {
    let listen = options.listen(env);
    let ops_listen = options.ops_listen(env, &mut problems);
    let own = Own::new(listen.iter().flatten().copied().chain(ops_listen).collect());
    let mut check = Check::new(env, &own, problems);
    let nothing = Node { kind: Kind::Map(Vec::new()), place: Default::default() };
    let root_or_nothing = root.unwrap_or(&nothing);
    let general = check.section(root_or_nothing, "general_settings").unwrap_or(&nothing);
    let litellm = check.section(root_or_nothing, "litellm_settings").unwrap_or(&nothing);
    let router = check.section(root_or_nothing, "router_settings").unwrap_or(&nothing);
    check.keys(root_or_nothing, "", "");
    check.strategy(router);
    check.fill(root_or_nothing, general, litellm, router);

    let tls_is_sound = check.outbound_tls(litellm);
    let tls = check.listening(general, options);
    let mut routing = check.routing(root, general, litellm, router, options);
    check.targets(root_or_nothing, [router, litellm], &routing);
    let listen = listen.unwrap_or_else(|message| {
        check.problems.add(Problem::error(message, Default::default()));
        Vec::new()
    });
    let server = check.server(general, options, listen);
    let server = Server { ops_listen, tls: tls.calls, ops_tls: tls.ops, ..server };
    let access = check.access(root.is_some(), general, options, &server);
    let outbound = check.outbound(general, litellm, &server);
    let telemetry = check.telemetry(litellm, options);
    let compat = check.compat(general, options);
    routing.through = check.through(root_or_nothing, general, compat);
    routing.default_model = check.text(general, "completion_model").or(routing.default_model);

    let Check { problems, later, .. } = check;
    let mut problems = problems.in_order();
    variables::note(env, &mut problems);
    if !later.is_empty() {
        let names = later.into_iter().collect::<Vec<_>>().join(", ");
        problems.notice(format!("not in this version, so without effect: {names}"));
    }
    let Some(access) = access else { return Err(Refused(problems)) };
    if server.listen.is_empty() || tls.failed || !tls_is_sound {
        return Err(Refused(problems));
    }
    let notices = problems.notices.clone();
    let files = problems.read.clone();
    let shown = show::answer(None, None);
    let config =
        Config { server, access, routing, outbound, telemetry, compat, notices, files, shown };
    Ok((config, problems))
}

impl Check<'_> {
    fn strategy(&mut self, router: &Node) {
        let told = router.get("routing_strategy");
        let is_known = told.is_some_and(|told| !self.wrong.contains(&told.place));
        let strategy = self.text(router, "routing_strategy").filter(|_| is_known);
        if let Some(other) = strategy.filter(|strategy| strategy != "simple-shuffle") {
            self.later.insert(format!(
                "router_settings.routing_strategy: {other} (simple-shuffle is used)"
            ));
        }
    }

    fn routing(
        &mut self,
        root: Option<&Node>,
        general: &Node,
        litellm: &Node,
        router: &Node,
        options: &Options,
    ) -> Routing {
        let total =
            self.seconds(router, "timeout").or_else(|| self.seconds(litellm, "request_timeout"));
        let total = options.request_timeout().or(total);
        let total = total.or_else(|| options.default_timeout(self.env));
        let stream_usage = self.flag(general, "always_include_stream_usage");
        let stream_usage =
            stream_usage.or_else(|| self.flag(litellm, "always_include_stream_usage"));
        Routing {
            deployments: self.deployments(root, general, options),
            aliases: self.aliases(router, litellm),
            default_model: options.model.clone(),
            any_name: options.model.is_some(),
            stream_usage: stream_usage.unwrap_or(true),
            forward_metadata: self.flag(litellm, "enable_preview_features").unwrap_or(false),
            timeouts: Timeouts {
                total: total.unwrap_or(Duration::from_secs(6000)),
                stream: self.seconds(router, "stream_timeout"),
                commit: Duration::from_secs(15),
            },
            client_side: self
                .flag(general, "allow_client_side_credentials")
                .map(|both| super::ClientSide { base: both, key: both })
                .unwrap_or_default(),
            tags: self.tag_rules(router),
            client_mocks: self.flag(general, "allow_client_mock_response").unwrap_or(false),
            list_wildcards: self.flag(general, "return_wildcard_routes").unwrap_or(false),
            through: super::Through::default(),
        }
    }

    fn deployments(
        &mut self,
        root: Option<&Node>,
        general: &Node,
        options: &Options,
    ) -> Vec<super::Deployment> {
        if let Some(model) = &options.model {
            return self.single(model, options);
        }
        self.without_model(options);
        let Some(root) = root else { return self.discovered() };
        let list = root.get("model_list").filter(|list| !list.is_null());
        let Some(list) = list else {
            self.problems.notice("no model_list: models come from the keys in the environment");
            return self.discovered();
        };
        if !matches!(list.kind, Kind::List(_)) {
            let message = format!("`model_list` must be a list, not {}", described(list));
            self.error(list, message, "begin each model with `- model_name: NAME`");
        }
        let mut ids = HashSet::new();
        let mut deployments = Vec::new();
        for entry in list.items() {
            let Some(deployment) = self.deployment(entry) else { continue };
            if !ids.insert(deployment.id.clone()) {
                let message = format!("the id `{}` stands twice", deployment.id);
                self.warn(
                    entry,
                    message,
                    "give each deployment its own `model_info.id`, or remove one",
                );
                continue;
            }
            deployments.push(deployment);
        }
        if self.flag(general, "infer_model_from_keys").unwrap_or(false) {
            let found = self.discovered().into_iter().filter(|one| one.api_base.is_some());
            deployments.extend(found.filter(|one| ids.insert(one.id.clone())));
        }
        deployments
    }
}
