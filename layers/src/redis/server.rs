//! A real Redis for one test.
use super::{Redis, Settings};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const BINARY: &str = "/usr/bin/redis-server";

/// A server, killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    port: u16,
    cluster: bool,
    /// What it writes for itself.
    file: PathBuf,
}

/// A process as others see it: a handle and its settler. Dropped, it is gone without a word.
pub(crate) struct Node {
    pub(crate) redis: Redis,
    _settler: JoinSet<()>,
}

impl Server {
    /// A server on a free port; `None`, and a notice, on a machine that has none.
    pub(crate) fn start() -> Option<Self> {
        Self::start_as(false)
    }

    /// A Cluster of one node, which knows slots all the same.
    pub(crate) fn start_cluster() -> Option<Self> {
        let server = Self::start_as(true)?;
        server.ask("CLUSTER ADDSLOTSRANGE 0 16383");
        while !server.ask("CLUSTER INFO").contains("cluster_state:ok") {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        Some(server)
    }

    /// A Sentinel that knows this server as `primary`. It writes to a file of its own.
    pub(crate) fn sentinel(&self) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let file = std::env::temp_dir().join(format!("bartizan-sentinel-{port}.conf"));
        let monitor = format!("sentinel monitor primary 127.0.0.1 {} 1\n", self.port);
        std::fs::write(&file, format!("port {port}\nbind 127.0.0.1\n{monitor}")).unwrap();
        let mut command = Command::new(BINARY);
        command.arg(&file).arg("--sentinel").stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let mut sentinel = Self { child, port, cluster: false, file };
        assert!(sentinel.answers());
        sentinel
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn start_as(cluster: bool) -> Option<Self> {
        if !Path::new(BINARY).exists() {
            eprintln!("skipped: there is no {BINARY}");
            return None;
        }
        // Another test may take the port before the server does.
        (0..5).find_map(|_| {
            let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let file = std::env::temp_dir().join(format!("bartizan-redis-{free}.conf"));
            let child = launch(free, cluster, &file);
            let mut server = Self { child, port: free, cluster, file };
            server.answers().then_some(server)
        })
    }

    /// Whether it comes up.
    fn answers(&mut self) -> bool {
        while self.child.try_wait().unwrap().is_none() {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() && self.ask("PING") == "+PONG" {
                return true;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        false
    }

    /// Kills it with all it knows.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, empty, at the same address.
    pub(crate) fn restart(&mut self) {
        self.child = launch(self.port, self.cluster, &self.file);
        assert!(self.answers(), "the port is still free");
    }

    pub(crate) fn settings(&self) -> Settings {
        // Tests run beside each other on few cores.
        let patient = Duration::from_secs(2);
        match self.cluster {
            true => Settings::cluster([("127.0.0.1", self.port)]).response_timeout(patient),
            false => Settings::single("127.0.0.1", self.port).response_timeout(patient),
        }
    }

    /// A node that is connected.
    pub(crate) async fn node(&self) -> Node {
        self.node_with(self.settings()).await
    }

    pub(crate) async fn node_with(&self, settings: Settings) -> Node {
        let (redis, settler) = Redis::connect(settings);
        let mut tasks = JoinSet::new();
        tasks.spawn(settler.run());
        eventually(async || redis.is_connected()).await;
        Node { redis, _settler: tasks }
    }

    /// One answer to a command in words: a line, or the whole of a bulk string.
    pub(crate) fn ask(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        if let Some(Ok(len)) = line.strip_prefix('$').map(|len| len.trim().parse::<usize>()) {
            let mut bulk = vec![0; len];
            std::io::Read::read_exact(&mut lines, &mut bulk).unwrap();
            return String::from_utf8(bulk).unwrap();
        }
        line.trim().to_owned()
    }

    /// How often a command was called.
    pub(crate) fn calls(&self, command: &str) -> u64 {
        let stats = self.ask("INFO commandstats");
        let name = format!("cmdstat_{command}:calls=");
        let line = stats.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_file(&self.file));
    }
}

fn launch(port: u16, cluster: bool, file: &Path) -> Child {
    let mut command = Command::new(BINARY);
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
    command.args(["--save", "", "--appendonly", "no"]);
    if cluster {
        command.args(["--cluster-enabled", "yes", "--cluster-config-file"]).arg(file);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until `is` holds; what another process does takes its own time.
pub(crate) async fn eventually(is: impl AsyncFn() -> bool) {
    let poll = async {
        while !is().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), poll).await.expect("it comes true in ten seconds");
}
