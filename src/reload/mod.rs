//! A changed config: noticed, checked as at start, and taken into use without dropping a call; or
//! refused, and told in the log, the metrics and the readiness body.
mod debounce;
mod files;
mod fixed;
mod models;
mod watch;

use self::debounce::Debounce;
use self::files::Files;
use self::fixed::Fixed;
use self::models::changed;
use self::watch::{Watch, hangup};
use crate::config::{Config, Env, Options, Problems, Refused, Severity, load};
use crate::forward::SetupError;
use crate::generation::House;
use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// How often files are looked at where the system does not tell of changes.
const POLL: Duration = Duration::from_secs(10);

/// Something besides the config that is read from files and can be read again, as certificates.
pub trait Rotating: std::fmt::Debug + Send + Sync {
    /// The files it was read from.
    fn files(&self) -> Vec<PathBuf>;

    /// Reads them again; what was read before stays in force if that fails.
    ///
    /// # Errors
    ///
    /// What is wrong, in a text for people.
    fn reload(&self) -> Result<(), String>;
}

/// Where the config came from: whoever has it can read it again.
#[derive(Debug)]
pub struct Source {
    options: Options,
    fixed: Fixed,
    /// The files of the config alone.
    paths: Vec<PathBuf>,
    rotating: Vec<Box<dyn Rotating>>,
    files: Files,
    hangups: Option<Signal>,
    /// The notices that were given last.
    told: Vec<String>,
    /// Changes without effect that were told last.
    without_effect: Vec<&'static str>,
    /// The report of the refusal that the files lead to, as they are.
    refused: Option<String>,
}

/// Why a changed config is not taken.
#[derive(Debug)]
struct Refusal {
    /// For the log, as `bartizan check` prints it.
    report: String,
    /// For everyone.
    message: String,
}

impl Source {
    /// The source of `config`, which was loaded with `options` just now.
    #[must_use]
    pub fn new(options: Options, config: &Config) -> Self {
        let mut source = Self {
            options,
            fixed: Fixed::of(config),
            paths: paths(config),
            rotating: Vec::new(),
            files: Files::default(),
            hangups: None,
            told: config.notices.clone(),
            without_effect: Vec::new(),
            refused: None,
        };
        source.files = Files::look(source.all_paths());
        source
    }

    /// Also reads `other` again, at each reload and when one of its files has changed.
    #[must_use]
    pub fn with(mut self, other: Box<dyn Rotating>) -> Self {
        self.files = Files::look(self.all_paths().chain(other.files())).since(&self.files);
        self.rotating.push(other);
        self
    }

    /// Notes SIGHUP from now on, which would end the process otherwise. Needs a runtime.
    #[must_use]
    pub fn heeding_hangups(self) -> Self {
        let hangups = signal(SignalKind::hangup());
        if let Err(error) = &hangups {
            tracing::warn!(%error, "SIGHUP cannot be watched");
        }
        Self { hangups: hangups.ok(), ..self }
    }

    /// Follows the files, SIGHUP where it is noted, and models of the store, for as long as it is
    /// polled. `swap` takes a config into use.
    pub async fn follow(
        mut self,
        house: &House,
        mut swap: impl FnMut(Config) -> Result<(), SetupError>,
    ) -> Infallible {
        let mut hangups = self.hangups.take();
        let mut watch = Watch::new(self.files.directories());
        let mut pause = Debounce::default();
        let mut models = house.kept().directory().map(|directory| directory.models().changes());
        let mut poll = interval_at(Instant::now() + POLL, POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let asked = tokio::select! {
                () = hangup(&mut hangups) => true,
                () = pause.over() => false,
                () = changed(&mut models) => {
                    self.take_models(house, &mut swap).await;
                    continue;
                }
                () = watch.hint() => {
                    pause.hint(Instant::now());
                    continue;
                }
                _ = poll.tick() => {
                    if self.has_changed().await {
                        pause.hint(Instant::now());
                    }
                    continue;
                }
                () = house.gone() => {
                    house.tidy();
                    continue;
                }
            };
            // What refused the config may lie in a file that nobody knows of yet.
            if asked || self.refused.is_some() || self.has_changed().await {
                self.reload(house, &mut swap, asked).await;
                watch.follow(self.files.directories());
            }
        }
    }

    async fn has_changed(&self) -> bool {
        let files = self.files.clone();
        let changed = spawn_blocking(move || files.look_again() != files);
        changed.await.unwrap_or(true)
    }

    /// Reads the config again, and takes it into use or says why not.
    async fn reload(
        &mut self,
        house: &House,
        swap: impl FnMut(Config) -> Result<(), SetupError>,
        asked: bool,
    ) {
        let (files, options) = (self.files.clone(), self.options.clone());
        let loading =
            spawn_blocking(move || (files.look_again(), load(&options, Env::of_process())));
        let taken = match loading.await {
            Ok((files, loaded)) => {
                self.files = files;
                let rotated = self.rotate();
                Refusal::of_both(rotated, self.take(loaded, swap))
            }
            Err(error) => Err(Refusal::new(format!("the config cannot be read: {error}"), None)),
        };
        self.files = Files::look(self.all_paths()).since(&self.files);
        self.tell(taken, house, asked);
    }

    /// Tells how a reload ended: in the log, the metrics and the readiness body.
    fn tell(&mut self, taken: Result<(), Refusal>, house: &House, asked: bool) {
        match taken {
            Ok(()) => {
                self.refused = None;
                house.last_reload().accept();
                house.metrics().config_reloaded(true);
                house.tidy();
            }
            // Noise in the directory of a refused config is no news.
            Err(refusal) if !asked && self.refused.as_ref() == Some(&refusal.report) => {}
            Err(Refusal { report, message }) => {
                tracing::error!("Reload refused, what was in force before stays:\n{report}");
                house.last_reload().refuse(message);
                house.metrics().config_reloaded(false);
                self.refused = Some(report);
            }
        }
    }

    fn take(
        &mut self,
        loaded: Result<(Config, Problems), Refused>,
        mut swap: impl FnMut(Config) -> Result<(), SetupError>,
    ) -> Result<(), Refusal> {
        let (mut config, problems) = loaded.map_err(|Refused(problems)| of_problems(&problems))?;
        // A start makes do without a broken entry; what runs well has no need to.
        if problems.errors() > 0 {
            return Err(of_problems(&problems));
        }
        if self.fixed.would_be_open(&config) {
            let report = "no key is set any more, which would let anyone in\nhelp: set \
                          general_settings.master_key or LITELLM_MASTER_KEY, or start it again";
            return Err(Refusal::new(report.to_owned(), None));
        }
        let without_effect = self.fixed.keep(&mut config);
        let has_key = config.access.master_key.is_some();
        let (paths, deployments) = (paths(&config), config.routing.deployments.len());
        swap(config).map_err(|error| {
            let report = format!("the connections to upstreams cannot be set up: {error}");
            Refusal::new(report, None)
        })?;
        self.paths = paths;
        self.fixed.has_key |= has_key;
        log(&problems);
        for notice in problems.notices().iter().filter(|notice| !self.told.contains(notice)) {
            tracing::warn!("{notice}");
        }
        self.told = problems.notices().to_vec();
        if without_effect != self.without_effect && !without_effect.is_empty() {
            let names = without_effect.join(", ");
            tracing::warn!("Changed, but read at the start only: {names}. Restart to apply it");
        }
        self.without_effect = without_effect;
        tracing::info!(deployments, "Config reloaded");
        Ok(())
    }

    /// Reads what does not belong to the config. It is done whatever the config is like.
    fn rotate(&self) -> Result<(), Refusal> {
        let failed: Vec<_> =
            self.rotating.iter().filter_map(|other| other.reload().err()).collect();
        if failed.is_empty() { Ok(()) } else { Err(Refusal::new(failed.join("\n"), None)) }
    }

    fn all_paths(&self) -> impl Iterator<Item = PathBuf> {
        let others = self.rotating.iter().flat_map(|other| other.files());
        self.paths.iter().cloned().chain(others)
    }
}

impl Refusal {
    fn new(report: String, at: Option<(usize, usize)>) -> Self {
        let place = at
            .map_or_else(String::new, |(line, column)| format!(" (line {line}, column {column})"));
        let message = format!("the changed config was refused{place}; the log says why");
        Self { report, message }
    }

    fn of_both(one: Result<(), Self>, other: Result<(), Self>) -> Result<(), Self> {
        match (one, other) {
            (Err(one), Err(other)) => {
                Err(Self { report: format!("{}\n{}", one.report, other.report), ..other })
            }
            (one, other) => one.and(other),
        }
    }
}

fn of_problems(problems: &Problems) -> Refusal {
    // Which of several errors is to be mended first, the report tells.
    let mut errors = problems.found().iter().filter(|one| one.severity == Severity::Error);
    let at = errors.next().filter(|_| problems.errors() == 1).and_then(|problem| problem.at());
    Refusal::new(problems.render(false), at)
}

/// Logs what was found in a config that is in force all the same.
pub fn log(problems: &Problems) {
    for problem in problems.found() {
        let (line, column) = problem.at().unzip();
        let file = problems.file_of(problem);
        let help = problem.help.as_deref();
        match problem.severity {
            Severity::Error => tracing::error!(file, line, column, help, "{}", problem.message),
            Severity::Warning => tracing::warn!(file, line, column, help, "{}", problem.message),
        }
    }
}

/// The files that a config depends on.
fn paths(config: &Config) -> Vec<PathBuf> {
    let own = config.routing.deployments.iter().filter_map(|one| one.tls.as_ref());
    let tls = own.chain([&config.outbound.tls]).flat_map(|tls| &tls.files);
    config.files.iter().chain(tls).cloned().collect()
}

#[cfg(test)]
mod tests;
