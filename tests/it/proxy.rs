//! The built binary, run in a directory of its own.
use crate::client::{self, Answer, Call};
use crate::postgres;
use crate::wire::PATIENCE;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{Interval, interval, timeout};

/// The master key of most configs here.
pub(crate) const KEY: &str = "sk-test-of-the-front-door";

/// The credential of most deployments here.
pub(crate) const CREDENTIAL: &str = "sk-credential-for-upstream";

const BINARY: &str = env!("CARGO_BIN_EXE_bartizan");

/// A command line, an environment and files, before they are run.
#[derive(Debug)]
pub(crate) struct Setup {
    args: Vec<String>,
    variables: Vec<(String, String)>,
    /// What `ulimit` is told before it runs.
    limit: Option<String>,
    home: TempDir,
}

/// A running proxy; stopped when dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    child: Child,
    addr: SocketAddr,
    output: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    home: TempDir,
}

/// A run that came to its own end.
#[derive(Debug)]
pub(crate) struct Finished {
    /// How it exited.
    pub(crate) status: ExitStatus,
    /// Standard output, then standard error.
    pub(crate) output: String,
}

/// A proxy without a config file.
pub(crate) fn bare() -> Setup {
    let home = tempfile::tempdir().expect("a directory for temporary files");
    let setup = Setup { args: Vec::new(), variables: Vec::new(), limit: None, home };
    let home = setup.home().to_str().expect("a path in UTF-8").to_owned();
    setup.env("HOME", &home).env("XDG_STATE_HOME", &format!("{home}/state"))
}

/// A proxy with this config.
pub(crate) fn with(config: &str) -> Setup {
    let setup = bare().file("config.yaml", config);
    let path = setup.home.path().join("config.yaml");
    setup.arg("--config").arg(path.to_str().expect("a path in UTF-8"))
}

/// A proxy whose model `gpt` is `openai/gpt-4o-mini` at `base`.
pub(crate) fn in_front_of(base: &str) -> Setup {
    with(&config(base))
}

/// The config of [`in_front_of`]; more sections can be added below it. What fails is not tried
/// again and does not rest: a test sees each request that it makes.
pub(crate) fn config(base: &str) -> String {
    format!(
        "model_list:
  - model_name: gpt
    litellm_params:
      model: openai/gpt-4o-mini
      api_base: {base}
      api_key: {CREDENTIAL}
      num_retries: 0
      cooldown_time: 0
general_settings:
  master_key: {KEY}
"
    )
}

impl Setup {
    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file into the working directory.
    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        std::fs::write(self.home.path().join(name), content).expect("a writable directory");
        self
    }

    /// Lets it open no more files and sockets than these.
    pub(crate) fn files(self, files: usize) -> Self {
        Self { limit: Some(format!("-n {files}")), ..self }
    }

    /// Lets it begin with these, and raise that as far as the tests themselves may.
    pub(crate) fn files_at_first(self, files: usize) -> Self {
        Self { limit: Some(format!("-Sn {files}")), ..self }
    }

    /// Where it will run.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs it on a free port until it is ready.
    pub(crate) async fn start(self) -> Proxy {
        self.arg("--port").arg("0").start_as_told().await
    }

    /// Runs it until it is ready, on the port that the arguments say.
    pub(crate) async fn start_as_told(self) -> Proxy {
        let proxy = self.launch().await;
        proxy.ready().await;
        proxy
    }

    /// Runs it until it has said where it listens.
    pub(crate) async fn launch(self) -> Proxy {
        let mut command = match &self.limit {
            Some(limit) => {
                let limited = format!("ulimit {limit}; exec \"$@\"");
                self.command(&["sh", "-c", &limited, "sh", BINARY])
            }
            None => self.command(&[BINARY]),
        };
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let output = Arc::new(Mutex::new(String::new()));
        let (announce, mut announced) = watch::channel(None);
        let out = child.stdout.take().expect("it is piped");
        let err = child.stderr.take().expect("it is piped");
        let readers = vec![
            collect(out, Arc::clone(&output), Some(announce)),
            collect(err, Arc::clone(&output), None),
        ];
        let found = timeout(PATIENCE, announced.wait_for(Option::is_some)).await;
        let addr = found.ok().and_then(Result::ok).and_then(|found| *found);
        let Some(addr) = addr else {
            stop(&mut child);
            panic!("no address was printed:\n{}", output.lock().expect("not poisoned"));
        };
        Proxy { child, addr, output, readers, home: self.home }
    }

    /// Runs it to its end, which must come soon.
    pub(crate) fn finish(self) -> Finished {
        let limit = PATIENCE.as_secs().to_string();
        let mut command = self.command(&["timeout", &limit, BINARY]);
        let ran = command.output().expect("the binary runs");
        let mut output = String::from_utf8_lossy(&ran.stdout).into_owned();
        output += &String::from_utf8_lossy(&ran.stderr);
        assert_ne!(ran.status.code(), Some(124), "it did not end:\n{output}");
        Finished { status: ran.status, output }
    }

    /// The binary with its arguments, for those who run it in their own way.
    pub(crate) fn raw(&self) -> Command {
        self.command(&[BINARY])
    }

    /// The database instead of the state directory, where all tests run on PostgreSQL, unless it
    /// was told one.
    fn database(&self) -> Option<String> {
        let told = |wanted: &str| {
            let found = self.variables.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| PathBuf::from(value))
        };
        let flag = self.args.iter().position(|arg| arg == "--state-dir");
        let directory = flag.and_then(|at| self.args.get(at + 1)).map(PathBuf::from);
        let directory = directory.or_else(|| told("BARTIZAN_STATE_DIR"));
        match told("DATABASE_URL") {
            Some(_) => None,
            None => postgres::url_for(&directory.unwrap_or_else(|| self.state())),
        }
    }

    /// Where it keeps things, unless its arguments say something else.
    pub(crate) fn state(&self) -> PathBuf {
        self.home().join("state/bartizan")
    }

    /// The binary with its arguments; `words` end with it, and may run it in another program.
    fn command(&self, words: &[&str]) -> Command {
        let (program, before) = words.split_first().expect("at least the binary");
        let mut command = Command::new(program);
        command.args(before);
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        command.args(&self.args).env_clear().envs(variables).current_dir(self.home());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        if let Some(url) = self.database() {
            command.env("DATABASE_URL", url);
        }
        command.stdin(Stdio::null());
        command
    }
}

impl Proxy {
    /// Where it takes calls.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Makes a call with the master key.
    pub(crate) async fn call(&self, call: Call) -> Answer {
        call.key(KEY).send(self.addr).await
    }

    /// How many files and sockets it may have open, and how many at most.
    pub(crate) fn open_files(&self) -> (usize, usize) {
        files_of(&self.child.id().to_string())
    }

    /// Everything that it has printed so far.
    pub(crate) fn output(&self) -> String {
        self.output.lock().expect("not poisoned").clone()
    }

    /// Waits until something is printed that `wanted` likes, and returns it.
    pub(crate) async fn line(&self, wanted: impl Fn(&str) -> bool) -> String {
        let mut ticks = ticks();
        for _ in 0..1000 {
            if let Some(line) = self.output().lines().find(|line| wanted(line)) {
                return line.to_owned();
            }
            ticks.tick().await;
        }
        panic!("no such line in:\n{}", self.output());
    }

    /// Where it keeps files.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Its resident memory, in bytes.
    pub(crate) fn memory(&self) -> usize {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.expect("Linux says so").trim().trim_end_matches(" kB");
        kib.parse::<usize>().expect("a number") * 1024
    }

    /// What everyone on the machine sees of how it was started.
    pub(crate) fn command_line(&self) -> String {
        let path = format!("/proc/{}/cmdline", self.child.id());
        std::fs::read_to_string(path).expect("it runs").replace('\0', " ")
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        signal(&self.child, "TERM");
    }

    /// Ends it at once, in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Asks it to read its config again.
    pub(crate) fn hang_up(&self) {
        signal(&self.child, "HUP");
    }

    /// Writes a file where it runs, so that whoever reads it sees all of it or nothing.
    pub(crate) fn replace_file(&self, name: &str, content: &str) {
        let draft = self.home().join("draft");
        std::fs::write(&draft, content).expect("a writable directory");
        std::fs::rename(draft, self.home().join(name)).expect("the same directory");
    }

    /// Waits for its end.
    pub(crate) async fn exited(&mut self) -> ExitStatus {
        let mut ticks = ticks();
        for _ in 0..4000 {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                for reader in self.readers.drain(..) {
                    reader.join().expect("readers do not panic");
                }
                return status;
            }
            ticks.tick().await;
        }
        panic!("it did not exit:\n{}", self.output());
    }

    async fn ready(&self) {
        let mut ticks = ticks();
        for _ in 0..1000 {
            if client::get("/health/readiness").send(self.addr).await.status == 200 {
                return;
            }
            ticks.tick().await;
        }
        panic!("it did not get ready:\n{}", self.output());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        stop(&mut self.child);
        if std::thread::panicking() {
            let output = self.output();
            let lines: Vec<_> = output.lines().collect();
            let last = lines.get(lines.len().saturating_sub(20)..).unwrap_or_default();
            eprintln!("--- the last that the proxy printed:\n{}", last.join("\n"));
        }
    }
}

/// How many files and sockets this process may have open (`ulimit -n`).
pub(crate) fn open_files() -> usize {
    files_of("self").0
}

/// The soft and the hard limit of open files of a process.
fn files_of(process: &str) -> (usize, usize) {
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits"));
    let limits = limits.expect("Linux says so");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let mut words = line.expect("a limit").split_whitespace();
    let mut limit = || words.next().and_then(|word| word.parse().ok()).unwrap_or(usize::MAX);
    (limit(), limit())
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

/// How often something outside this process is looked at.
pub(crate) fn ticks() -> Interval {
    interval(Duration::from_millis(10))
}

fn collect(
    from: impl Read + Send + 'static,
    output: Arc<Mutex<String>>,
    announce: Option<watch::Sender<Option<SocketAddr>>>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if let (Some(announce), Some(addr)) = (&announce, address(&line)) {
                announce.send_if_modified(|known| known.is_none() && known.replace(addr).is_none());
            }
            let mut output = output.lock().expect("not poisoned");
            output.push_str(&line);
            output.push('\n');
        }
    })
}

fn address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("://127.0.0.1:")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some(SocketAddr::from(([127, 0, 0, 1], digits.parse().ok()?)))
}

fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    let sent = Command::new("sh").arg("-c").arg(kill).status().expect("a shell");
    assert!(sent.success(), "the signal was not sent");
}

/// Kills it and forgets it: both fail only when it is gone already.
fn stop(child: &mut Child) {
    child.kill().ok();
    child.wait().ok();
}
