//! A real Redis, on a port of its own.
use crate::proxy::free_port;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A running `redis-server`; stopped when dropped.
#[derive(Debug)]
pub(crate) struct Redis {
    server: Child,
    port: u16,
    home: TempDir,
}

impl Redis {
    /// Starts one; nothing, with a notice, where Redis is not installed.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with(&[]).await
    }

    /// As [`Redis::start`], with more on its command line.
    pub(crate) async fn start_with(more: &[&str]) -> Option<Self> {
        let home = tempfile::tempdir().expect("a directory for temporary files");
        let port = free_port();
        let Some(server) = serve(port, home.path(), more) else {
            eprintln!("skipped: redis-server is not installed");
            return None;
        };
        let redis = Self { server, port, home };
        redis.ready().await;
        Some(redis)
    }

    /// A Sentinel that knows it as `primary`.
    pub(crate) async fn sentinel(&self) -> Self {
        let home = tempfile::tempdir().expect("a directory for temporary files");
        let (port, file) = (free_port(), home.path().join("sentinel.conf"));
        let monitor = format!("sentinel monitor primary 127.0.0.1 {} 1", self.port);
        let text = format!("port {port}\nbind 127.0.0.1\n{monitor}\n");
        std::fs::write(&file, text).expect("it can be written");
        let mut command = Command::new("redis-server");
        command.arg(&file).arg("--sentinel").stdout(Stdio::null()).stderr(Stdio::null());
        let sentinel = Self { server: command.spawn().expect("it is installed"), port, home };
        sentinel.ready().await;
        sentinel
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        self.server.kill().expect("it runs");
        self.server.wait().expect("it ends");
    }

    /// Starts it again, empty, on the same port.
    pub(crate) async fn restart(&mut self) {
        self.server = serve(self.port, self.home.path(), &[]).expect("it is installed");
        self.ready().await;
    }

    /// What a command prints.
    pub(crate) fn tell(&self, words: &[&str]) -> String {
        let port = self.port.to_string();
        let ran = Command::new("redis-cli").args(["-p", &port]).args(words).output();
        String::from_utf8_lossy(&ran.expect("redis-cli runs").stdout).into_owned()
    }

    /// How often a command was called since the counts were reset.
    pub(crate) fn calls(&self, command: &str) -> u64 {
        let all = self.tell(&["info", "commandstats"]);
        let begin = format!("cmdstat_{command}:calls=");
        let line = all.lines().find_map(|line| line.strip_prefix(&begin));
        line.and_then(|rest| rest.split(',').next()?.parse().ok()).unwrap_or(0)
    }

    async fn ready(&self) {
        let addr = SocketAddr::from(([127, 0, 0, 1], self.port));
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        for _ in 0..2000 {
            ticks.tick().await;
            if TcpStream::connect(addr).is_ok() && self.tell(&["ping"]).starts_with("PONG") {
                return;
            }
        }
        panic!("redis-server does not answer");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

fn serve(port: u16, home: &Path, more: &[&str]) -> Option<Child> {
    let port = port.to_string();
    Command::new("redis-server")
        .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(more)
        .current_dir(home)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()
}
