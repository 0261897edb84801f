//! A real PostgreSQL: the one of `tests/postgres`, or one of a test's own that can be stopped.
use crate::proxy::{free_port, ticks};
use bartizan::store::Place;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// Databases that were made.
static MADE: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// Where `tests/postgres` runs one; `None` where tests keep things in state directories.
fn shared() -> Option<PathBuf> {
    std::env::var_os("BARTIZAN_TEST_DATABASE").map(PathBuf::from)
}

/// The URL of a database of its own for a state directory, where all tests run on PostgreSQL.
pub(crate) fn url_for(directory: &Path) -> Option<String> {
    let server = shared()?;
    let mut hash = DefaultHasher::new();
    directory.hash(&mut hash);
    let name = format!("state_{:016x}", hash.finish());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if made.insert(name.clone()) {
        let sql = format!("CREATE DATABASE {name}");
        let host = server.to_str().expect("a path in UTF-8");
        let ran = Command::new("psql")
            .args(["-X", "-q", "-h", host, "-U", "bartizan", "-d", "postgres", "-c", &sql])
            .output()
            .expect("psql runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    Some(format!("postgres://bartizan@localhost/{name}?host={}", server.display()))
}

/// Where the proxy of a state directory keeps things.
pub(crate) fn place(directory: PathBuf) -> Place {
    match url_for(&directory) {
        Some(url) => at(&url),
        None => Place::Directory(directory),
    }
}

/// Where things are kept in the database of that URL.
pub(crate) fn at(url: &str) -> Place {
    let options = Box::new(url.parse().expect("a URL of a database"));
    Place::Postgres { options, connections: 1, timeout: Duration::from_secs(10) }
}

/// A running PostgreSQL; stopped when dropped.
#[derive(Debug)]
pub(crate) struct Postgres {
    server: Child,
    port: u16,
    programs: PathBuf,
    home: TempDir,
}

impl Postgres {
    /// Starts one; nothing, with a notice, where PostgreSQL is not installed.
    pub(crate) async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("skipped: postgresql is not installed");
            return None;
        };
        let home = tempfile::tempdir().expect("a directory for temporary files");
        // Its own user has to reach what is below.
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(home.path(), open).expect("our own directory");
        let mut init = of_another(&programs.join("initdb"));
        init.args(["--no-sync", "--auth=trust", "--username=bartizan", "--encoding=UTF8"]);
        let init = init.args(["--locale=C", "-D"]).arg(home.path().join("data")).output();
        let init = init.expect("initdb runs");
        assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
        let port = free_port();
        let server = serve(&programs, home.path(), port);
        let postgres = Self { server, port, programs, home };
        postgres.ready().await;
        Some(postgres)
    }

    /// The URL of its database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://bartizan@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends it at once, in the middle of whatever it does.
    pub(crate) fn stop(&mut self) {
        signal(&self.server, "QUIT");
        self.server.wait().expect("it ends");
    }

    /// Starts it again with all that it had.
    pub(crate) async fn restart(&mut self) {
        self.server = serve(&self.programs, self.home.path(), self.port);
        self.ready().await;
    }

    /// Lets all its processes stand still: who asks gets no answer, and no refusal either.
    pub(crate) fn freeze(&self) {
        self.signal_all("STOP");
    }

    /// Lets them go on.
    pub(crate) fn thaw(&self) {
        self.signal_all("CONT");
    }

    /// Ends all of it while it stands still: nobody is answered in between.
    pub(crate) async fn kill_frozen(&mut self) {
        let children = self.children();
        signal(&self.server, "KILL");
        self.server.wait().expect("it ends");
        for child in &children {
            signal_one(child, "KILL");
        }
        // What they share is only then free for the next server.
        let mut ticks = ticks();
        for _ in 0..2000 {
            if !children.iter().any(|child| Path::new("/proc").join(child).exists()) {
                return;
            }
            ticks.tick().await;
        }
        panic!("its processes do not end");
    }

    /// The server first, so that no further process comes up.
    fn signal_all(&self, name: &str) {
        signal(&self.server, name);
        self.children().iter().for_each(|child| signal_one(child, name));
    }

    fn children(&self) -> Vec<String> {
        let id = self.server.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        children.expect("it runs").split_whitespace().map(str::to_owned).collect()
    }

    async fn ready(&self) {
        let mut ticks = ticks();
        for _ in 0..2000 {
            ticks.tick().await;
            let port = self.port.to_string();
            let mut asked = Command::new(self.programs.join("pg_isready"));
            asked.args(["-q", "-h", "127.0.0.1", "-p", &port]);
            if asked.status().expect("pg_isready runs").success() {
                return;
            }
        }
        panic!("postgres does not answer");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.server.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.thaw();
            self.stop();
        }
    }
}

/// Where its programs are; the newest ones of several.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let versions = versions.map(|entry| entry.expect("a readable directory").path());
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let programs = versions.max_by_key(number)?.join("bin");
    programs.join("postgres").exists().then_some(programs)
}

/// Runs a program as somebody who is not root: it refuses that.
fn of_another(program: &Path) -> Command {
    let root = std::fs::metadata("/proc/self").expect("Linux has it");
    if std::os::unix::fs::MetadataExt::uid(&root) != 0 {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn serve(programs: &Path, home: &Path, port: u16) -> Child {
    let sockets = format!("unix_socket_directories={}", home.display());
    let settings = [&sockets, "listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off"];
    let mut command = of_another(&programs.join("postgres"));
    command.arg("-D").arg(home.join("data")).arg("-p").arg(port.to_string());
    command.args(settings.iter().flat_map(|setting| ["-c", setting]));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("postgres runs")
}

/// One that has just ended is no matter.
fn signal_one(id: &str, name: &str) {
    Command::new("kill").arg(format!("-{name}")).arg(id).status().expect("kill runs");
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(sent.expect("kill runs").success(), "the signal was not sent");
}
