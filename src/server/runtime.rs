//! How many threads and how much memory there are: what the machine has, what this process may
//! run on, and what its cgroup allows.
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long a thread for what would block is kept without work.
const IDLE_THREAD: Duration = Duration::from_millis(500);

/// A runtime with `workers` threads, or with as many as there are [`processors`]. With one, tasks
/// run on the calling thread alone: nothing is then paid for threads that cannot run side by side.
///
/// # Errors
/// When the operating system refuses threads or the event queue.
pub fn build(workers: Option<usize>) -> io::Result<Runtime> {
    let mut builder = match workers.unwrap_or_else(processors).max(1) {
        1 => Builder::new_current_thread(),
        n => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(n);
            builder
        }
    };
    // Files are looked at rarely; a thread for that is not worth its memory meanwhile.
    builder.thread_name("bartizan").thread_keep_alive(IDLE_THREAD).enable_all().build()
}

/// Processors that may be used: those of the affinity mask, or fewer if the cgroup's quota is
/// less, rounded up. At least one.
///
/// [`std::thread::available_parallelism`] looks at both but rounds down, which would leave half
/// of a quota of 1.5 unused when both threads have to wait.
#[must_use]
pub fn processors() -> usize {
    let root = Path::new("/");
    let most = affinity(root)
        .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
        .unwrap_or(1);
    quota(root).map_or(most, |quota| most.min(quota)).max(1)
}

/// The memory limit of the cgroup in bytes, the lowest on the way to its root; `None` without one.
#[must_use]
pub fn memory_limit() -> Option<u64> {
    memory(Path::new("/"))
}

/// Raises the limit of open files, sockets among them, as far as this process may; returns it.
///
/// Shells and service managers begin with a low one for the sake of programs that use `select`,
/// and leave it to all others to ask for more.
///
/// # Errors
/// When the operating system does not tell its limit.
pub fn raise_open_files() -> io::Result<u64> {
    rlimit::increase_nofile_limit(u64::MAX)
}

/// How many open files this process may have now.
///
/// # Errors
/// When the operating system does not tell its limit.
pub fn open_files() -> io::Result<u64> {
    rlimit::Resource::NOFILE.get_soft()
}

/// Open files besides those of connections: logs, listeners, event queues, name resolution.
const OTHER_FILES: u64 = 32;

/// Open files that so many client connections may need: each its own, and one to an upstream.
#[must_use]
pub const fn files_for(connections: usize) -> u64 {
    (connections as u64).saturating_mul(2).saturating_add(OTHER_FILES)
}

/// How many client connections so many open files are enough for. At least one.
#[must_use]
pub fn connections_for(files: u64) -> usize {
    usize::try_from(files.saturating_sub(OTHER_FILES) / 2).unwrap_or(usize::MAX).max(1)
}

pub(super) fn affinity(root: &Path) -> Option<usize> {
    let status = fs::read_to_string(root.join("proc/self/status")).ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    count(list.trim())
}

/// How many numbers a list such as `0-3,8` holds.
fn count(list: &str) -> Option<usize> {
    list.split(',').try_fold(0, |sum, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        Some(sum + last.checked_sub(first)? + 1)
    })
}

pub(super) fn quota(root: &Path) -> Option<usize> {
    let v2 = folders(root, "").into_iter().filter_map(|folder| {
        let text = fs::read_to_string(folder.join("cpu.max")).ok()?;
        let (quota, period) = text.trim().split_once(' ')?;
        Some(quota.parse::<u64>().ok()?.div_ceil(period.parse().ok().filter(|&p| p > 0)?))
    });
    let v1 = folders(root, "cpu").into_iter().filter_map(|folder| {
        // The quota is -1 when there is none, which is no `u64`.
        let quota = number(&folder.join("cpu.cfs_quota_us"))?;
        Some(quota.div_ceil(number(&folder.join("cpu.cfs_period_us")).filter(|&p| p > 0)?))
    });
    v2.chain(v1).min().and_then(|n| usize::try_from(n).ok())
}

pub(super) fn memory(root: &Path) -> Option<u64> {
    // Version 1 writes "no limit" as the largest number of whole pages.
    const NO_LIMIT: u64 = 1 << 62;
    let v2 = folders(root, "").into_iter().filter_map(|f| number(&f.join("memory.max")));
    let v1 = folders(root, "memory")
        .into_iter()
        .filter_map(|f| number(&f.join("memory.limit_in_bytes")));
    v2.chain(v1).filter(|&limit| limit < NO_LIMIT).min()
}

fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// The folders whose limits hold for this process, from its own cgroup up to the root as it is
/// mounted here. `controller` is empty for version 2.
///
/// Inside a container the path may be the host's while the mount is the container's own; the walk
/// up ends at the mount in either case.
fn folders(root: &Path, controller: &str) -> Vec<PathBuf> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let own = groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        controllers.split(',').any(|name| name == controller).then_some(path)
    });
    let Some(own) = own else { return Vec::new() };
    let mount = root.join("sys/fs/cgroup").join(controller);
    let own = Path::new(own.trim_start_matches('/'));
    own.ancestors().map(|path| mount.join(path)).collect()
}
