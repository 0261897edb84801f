//! Signals that are sent to us are passed on to the command.
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGALRM, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use signal_hook::iterator::{Handle, SignalsInfo, exfiltrator::WithOrigin};
use signal_hook::low_level::siginfo::Cause;
use std::io;
use std::thread;
use tokio::process::Child;

/// Those that a program may be meant to hear.
const PASSED: [i32; 8] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGALRM];

/// Signals that have come, until there is someone to pass them on to; they do not end us.
pub(super) struct Signals {
    come: Option<SignalsInfo<WithOrigin>>,
    handle: Handle,
}

impl Signals {
    pub(super) fn watch() -> io::Result<Self> {
        // What is ignored stays ignored, for the command too: `nohup` means both of us.
        let ignored = ignored();
        let heard = PASSED.iter().filter(|signal| ignored >> (**signal - 1) & 1 == 0);
        let come = SignalsInfo::<WithOrigin>::new(heard)?;
        let handle = come.handle();
        Ok(Self { come: Some(come), handle })
    }

    /// Passes them on from a thread of its own, until [`Signals::stop`].
    pub(super) fn pass_on_to(&mut self, child: &Child) -> io::Result<()> {
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let (Some(mut come), Some(id)) = (self.come.take(), id) else { return Ok(()) };
        let pass = move || {
            for signal in come.forever() {
                // A terminal has sent it to its whole process group: the command has it already.
                if matches!(signal.cause, Cause::Kernel) {
                    continue;
                }
                if let Some(signal) = Signal::from_named_raw(signal.signal) {
                    // It fails only when the command has ended meanwhile.
                    kill_process(id, signal).ok();
                }
            }
        };
        thread::Builder::new().name("signals".into()).spawn(pass)?;
        Ok(())
    }

    /// The command has ended: its id may soon be another's.
    pub(super) fn stop(&self) {
        self.handle.close();
    }
}

/// The signals that this process was started with as ignored, a bit for each.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
