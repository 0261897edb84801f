//! Claims about what a cgroup allows, over folders laid out as the kernel does.
use super::runtime::{affinity, build, connections_for, files_for, memory, processors, quota};
use std::fs;
use tempfile::TempDir;

fn machine(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let file = root.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    root
}

#[test]
fn each_connection_finds_a_file_for_itself_and_one_for_its_upstream() {
    assert_eq!(connections_for(files_for(10_000)), 10_000);
    assert_eq!((connections_for(1024), connections_for(64), connections_for(0)), (496, 16, 1));
    assert!(connections_for(u64::MAX) > 1_000_000);
}

#[test]
fn a_quota_of_version_2_is_rounded_up_and_the_lowest_on_the_way_holds() {
    let own = machine(&[
        ("proc/self/cgroup", "0::/pod/app\n"),
        ("sys/fs/cgroup/pod/app/cpu.max", "150000 100000\n"),
        ("sys/fs/cgroup/pod/app/memory.max", "max\n"),
        ("sys/fs/cgroup/pod/cpu.max", "400000 100000\n"),
        ("sys/fs/cgroup/pod/memory.max", "134217728\n"),
    ]);
    assert_eq!(quota(own.path()), Some(2));
    assert_eq!(memory(own.path()), Some(134_217_728));
    let container =
        machine(&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/cpu.max", "10000 100000\n")]);
    assert_eq!(quota(container.path()), Some(1));
    assert_eq!(memory(container.path()), None);
}

#[test]
fn limits_of_version_1_are_found_at_the_mount_when_the_path_is_the_hosts() {
    let root = machine(&[
        ("proc/self/cgroup", "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "250000\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "67108864\n"),
    ]);
    assert_eq!(quota(root.path()), Some(3));
    assert_eq!(memory(root.path()), Some(67_108_864));
}

#[test]
fn no_limit_and_nonsense_are_no_limit() {
    for (quota_text, memory_text) in [("max 100000", "max"), ("1 0", "x"), ("", "")] {
        let root = machine(&[
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/cpu.max", quota_text),
            ("sys/fs/cgroup/memory.max", memory_text),
        ]);
        assert_eq!((quota(root.path()), memory(root.path())), (None, None), "{quota_text}");
    }
    let root = machine(&[
        ("proc/self/cgroup", "4:memory:/\n3:cpu:/\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
    ]);
    assert_eq!((quota(root.path()), memory(root.path())), (None, None));
}

#[test]
fn the_affinity_mask_is_counted() {
    for (list, expected) in [("0-3,8", Some(5)), ("0", Some(1)), ("3-1", None), ("", None)] {
        let status = format!("Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t{list}\n");
        let root = machine(&[("proc/self/status", &status)]);
        assert_eq!(affinity(root.path()), expected, "{list:?}");
    }
}

#[test]
fn the_runtime_has_the_threads_it_was_told_to_have() {
    for (workers, expected) in [(Some(0), 1), (Some(1), 1), (Some(3), 3), (None, processors())] {
        assert_eq!(build(workers).unwrap().metrics().num_workers(), expected);
    }
}
