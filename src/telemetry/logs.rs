//! Where log lines go: one buffer, one thread that writes it out.
//!
//! A call must not wait for whoever reads our standard output. Lines are appended to a bounded
//! buffer in memory; a thread of its own writes them in batches. When the reader stalls and the
//! buffer is full, lines are dropped and counted, and a line says how many.
use crate::config::Telemetry as Settings;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::{fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Bytes that may wait for the reader of our logs.
const CAPACITY: usize = 1 << 20;
/// How long the thread lets lines gather before it writes them.
const GATHER: Duration = Duration::from_millis(20);

/// Appends lines to the log. Clones share one buffer.
#[derive(Clone, Debug)]
pub struct LogWriter(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    buffer: Mutex<Buffer>,
    filled: Condvar,
    written: Condvar,
}

#[derive(Debug, Default)]
struct Buffer {
    bytes: Vec<u8>,
    dropped: u64,
    writing: bool,
    flush: bool,
}

impl LogWriter {
    /// Starts the thread that writes to `sink`.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub fn start(sink: impl Write + Send + 'static) -> std::io::Result<Self> {
        let writer = Self(Arc::default());
        let shared = writer.0.clone();
        std::thread::Builder::new().name("log".into()).spawn(move || shared.drain(sink))?;
        Ok(writer)
    }

    /// Appends what `line` writes, unless the buffer is full.
    pub fn write(&self, line: impl FnOnce(&mut Vec<u8>)) {
        let mut buffer = self.0.lock();
        if buffer.bytes.len() >= CAPACITY {
            buffer.dropped += 1;
            return;
        }
        let was_empty = buffer.bytes.is_empty();
        line(&mut buffer.bytes);
        drop(buffer);
        if was_empty {
            self.0.filled.notify_one();
        }
    }

    /// Waits until all lines so far are written, two seconds at most.
    pub fn flush(&self) {
        let mut buffer = self.0.lock();
        buffer.flush = true;
        self.0.filled.notify_one();
        let busy = |buffer: &mut Buffer| buffer.writing || !buffer.bytes.is_empty();
        let waited = self.0.written.wait_timeout_while(buffer, Duration::from_secs(2), busy);
        drop(waited);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drain(&self, mut sink: impl Write) {
        let mut batch = Vec::new();
        loop {
            let mut buffer = self.lock();
            while buffer.bytes.is_empty() {
                buffer = self.filled.wait(buffer).unwrap_or_else(PoisonError::into_inner);
            }
            if !buffer.flush {
                let gathered = self.filled.wait_timeout_while(buffer, GATHER, |b| !b.flush);
                buffer = gathered.unwrap_or_else(PoisonError::into_inner).0;
            }
            std::mem::swap(&mut batch, &mut buffer.bytes);
            let dropped = std::mem::take(&mut buffer.dropped);
            buffer.writing = true;
            drop(buffer);
            if dropped > 0 {
                batch.extend(
                    format!("{dropped} log lines dropped: standard output was blocked\n").bytes(),
                );
            }
            // A closed standard output must not end the proxy.
            drop(sink.write_all(&batch).and_then(|()| sink.flush()));
            batch.clear();
            self.lock().writing = false;
            self.written.notify_all();
        }
    }
}

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        Self::write(self, |buffer| buffer.extend_from_slice(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Whether lines are JSON: as told, else unless standard output is a terminal.
pub(super) fn is_json(settings: &Settings) -> bool {
    settings.json.unwrap_or_else(|| !std::io::stdout().is_terminal())
}

/// Sends all `tracing` events to standard output, as `settings` say. Libraries stay at warnings
/// until the level is `debug`.
///
/// # Errors
///
/// When the writing thread cannot be started.
pub fn start_logging(settings: &Settings) -> std::io::Result<LogWriter> {
    start(settings, std::io::stdout())
}

/// The same beside a command, whose standard output is its own: to standard error.
///
/// # Errors
///
/// When the writing thread cannot be started.
pub fn start_logging_beside(settings: &Settings) -> std::io::Result<LogWriter> {
    start(settings, std::io::stderr())
}

fn start<S>(settings: &Settings, sink: S) -> std::io::Result<LogWriter>
where
    S: Write + IsTerminal + Send + 'static,
{
    let colour = sink.is_terminal();
    let writer = LogWriter::start(sink)?;
    let level = settings.level;
    let others = if level >= tracing::Level::DEBUG { level } else { tracing::Level::WARN };
    let filter = Targets::new().with_default(others).with_target("bartizan", level);
    let lines = fmt::layer().with_writer(writer.clone());
    let registry = tracing_subscriber::registry().with(filter);
    // A second proxy in one process, as in tests and benches, keeps the first one's subscriber.
    drop(if is_json(settings) {
        registry.with(lines.json().flatten_event(true).with_ansi(false)).try_init()
    } else {
        registry.with(lines.with_ansi(colour)).try_init()
    });
    Ok(writer)
}
