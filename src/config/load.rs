//! Options, variables and a file → the finished config, with every problem found on the way.
use super::added;
use super::env::Env;
use super::fields::Check;
use super::include;
use super::moved;
use super::own::Own;
use super::problem::{Problem, Problems, Severity};
use super::resolve::resolve;
use super::show;
use super::source;
use super::variables;
use super::yaml::{Kind, Node};
use super::{Compat, Config, Options, Secret, Server, StoreSettings};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

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
        if options.models.is_empty() {
            return finished(options, &env, (None, false), problems).map(read_from);
        }
        problems.files.push(("config".to_owned(), Secret::new("{}".to_owned())));
        return finished_text(options, env, (None, false), problems).map(read_from);
    };
    let text = match source::read(&path) {
        Ok(text) => text,
        Err(unread) => {
            let message = format!("the config file {} {}", path.display(), unread.why);
            let own = "check the path given with --config and the file's permissions";
            let help = unread.help.unwrap_or(own);
            problems.add(Problem::error(message, Default::default()).help(help));
            return Err(Refused(problems));
        }
    };
    problems.files.push((path.display().to_string(), Secret::new(text)));
    problems.was_read(&path);
    finished_text(options, env, (Some(&path), true), problems)
}

/// Reads a config from its text alone, without an environment.
///
/// # Errors
///
/// [`Refused`], as [`load`].
pub fn parse_str(text: &str) -> Result<(Config, Problems), Refused> {
    let files = vec![("config".into(), Secret::new(text.to_owned()))];
    let problems = Problems { files, ..Problems::default() };
    finished_text(&Options::default(), Env::default(), (None, true), problems)
}

/// Whether a model that is to be added at run time can be built, from its entry of `model_list` as
/// JSON.
///
/// # Errors
///
/// What is wrong with it.
pub fn check_model(entry: &str) -> Result<(), String> {
    let text = format!(r#"{{"model_list": [{entry}]}}"#);
    let files = vec![("model".into(), Secret::new(text))];
    let problems = Problems { files, ..Problems::default() };
    let options = Options { for_command: true, ..Options::default() };
    let judged = finished_text(&options, Env::of_process(), (None, true), problems);
    let problems = match judged {
        Ok((_, problems)) | Err(Refused(problems)) => problems,
    };
    let first = problems.found().iter().find(|problem| problem.severity == Severity::Error);
    let told = |problem: &Problem| match &problem.help {
        Some(help) => format!("{}: {help}", problem.message),
        None => problem.message.clone(),
    };
    first.map_or(Ok(()), |problem| Err(told(problem)))
}

fn finished_text(
    options: &Options,
    mut env: Env,
    (path, is_written): (Option<&Path>, bool),
    mut problems: Problems,
) -> Result<(Config, Problems), Refused> {
    let Some(mut root) = include::whole(path, &mut problems) else { return Err(Refused(problems)) };
    let shown = show::answer(path, Some(&root));
    added::append(&mut root, &options.models, &mut problems);
    export(&mut root, &mut env, &mut problems);
    resolve(&mut root, "", &env, &mut problems);
    moved::to_their_sections(&mut root, &mut problems);
    let (config, problems) = finished(options, &env, (Some(&root), is_written), problems)?;
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

/// The sections of a config; one that is not written is empty.
pub(super) struct Sections<'n> {
    /// Whether there is a config at all: some things are guessed without one.
    pub(super) is_written: bool,
    pub(super) root: &'n Node,
    pub(super) general: &'n Node,
    pub(super) litellm: &'n Node,
    pub(super) router: &'n Node,
}

fn finished(
    options: &Options,
    env: &Env,
    (root, is_written): (Option<&Node>, bool),
    mut problems: Problems,
) -> Result<(Config, Problems), Refused> {
    let listening = options.listen(env).and_then(|all| Ok((all, options.ops_listen(env)?)));
    let (listen, ops_listen) = listening.unwrap_or_else(|message| {
        problems.add(Problem::error(message, Default::default()));
        Default::default()
    });
    let own = Own::new(listen.iter().copied().chain(ops_listen).collect());
    let nothing = Node { kind: Kind::Map(Vec::new()), place: Default::default() };
    let mut check = Check::new(env, &own, problems);
    let sections = check.sections((root, is_written), &nothing);
    let config = check.config(&sections, options, listen, ops_listen);

    let Check { problems, later, .. } = check;
    let mut problems = problems.in_order();
    variables::note(env, options, &mut problems);
    if !later.is_empty() {
        let names = later.into_iter().collect::<Vec<_>>().join(", ");
        problems.notice(format!("not in this version, so without effect: {names}"));
    }
    let Some(config) = config else { return Err(Refused(problems)) };
    let (notices, files) = (problems.notices.clone(), problems.read.clone());
    Ok((Config { notices, files, ..config }, problems))
}

impl<'a> Check<'a> {
    fn sections(
        &mut self,
        (root, is_written): (Option<&'a Node>, bool),
        nothing: &'a Node,
    ) -> Sections<'a> {
        let root = root.unwrap_or(nothing);
        let mut section = |name| self.section(root, name).unwrap_or(nothing);
        let general = section("general_settings");
        let litellm = section("litellm_settings");
        let router = section("router_settings");
        Sections { is_written, root, general, litellm, router }
    }

    /// What is written, judged and filled in; `None` if it makes the whole proxy unusable or
    /// unsafe.
    fn config(
        &mut self,
        sections: &Sections<'a>,
        options: &Options,
        listen: Vec<SocketAddr>,
        ops_listen: Option<SocketAddr>,
    ) -> Option<Config> {
        let Sections { root, general, litellm, router, .. } = *sections;
        self.keys(root, "", "");
        self.own_rows(root);
        self.strategy(router);
        self.fill(sections);
        let tls_is_sound = self.outbound_tls(litellm);
        let tls = self.listening(general, options);
        let mut routing = self.routing(sections, options);
        self.targets(root, [router, litellm], &routing);
        let server = self.server(general, options, listen);
        let server = Server { ops_listen, tls: tls.calls, ops_tls: tls.ops, ..server };
        let access = self.access(sections, options, &server);
        let outbound = self.outbound(general, litellm, &server);
        let telemetry = self.telemetry(litellm, options);
        let compat = self.compat(general, options);
        routing.through = self.through(root, general, compat);
        let mocks = self.flag(general, "allow_client_mock_response");
        routing.client_mocks = mocks.unwrap_or(compat == Compat::Classic);
        routing.default_model = self.text(general, "completion_model").or(routing.default_model);

        let limits = self.limits(sections);
        let budgets = self.budgets(sections);
        let (caching, redis) = self.shared(sections);
        let store = self.store(sections, options, &server);
        let issuing = self.issuing(sections);
        let alerting = self.alerting(sections);

        let access = access?;
        let store = store.map(|store| StoreSettings {
            salt: store.salt.or_else(|| access.master_key.clone()),
            ..store
        });
        let serves = options.model.is_none() || !routing.deployments.is_empty();
        let is_usable = serves && !server.listen.is_empty() && !tls.failed && tls_is_sound;
        let (notices, files, shown) = (Vec::new(), Vec::new(), show::answer(None, None));
        let config = Config {
            server,
            access,
            routing,
            limits,
            budgets,
            caching,
            redis,
            store,
            issuing,
            alerting,
            outbound,
            telemetry,
            compat,
            notices,
            files,
            shown,
        };
        is_usable.then_some(config)
    }
}
