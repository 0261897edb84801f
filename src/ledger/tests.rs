//! What the journal keeps, whatever becomes of its files.
use super::chain::{self, GENESIS};
use super::drain::Drain;
use super::journal::{Journal, Sizes};
use super::reader::{Line, Reader};
use super::segment::Segment;
use super::standing::Standing;
use crate::config::{Compat, Fsync};
use crate::store::{Place, Store};
use crate::telemetry::Metrics;
use bartizan_layers::facts::{Price, Rates};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

fn standing() -> Arc<Standing> {
    Arc::new(Standing::new(Arc::new(Metrics::new(Compat::Current))))
}

fn journal(directory: &Path, sizes: Sizes) -> Arc<Journal> {
    Arc::new(Journal::new(Some(directory.to_owned()), Fsync::Batch, sizes, standing()))
}

/// The record of a call that has cost `cost`.
fn record(id: usize, cost: i64) -> String {
    format!(
        r#"{{"id":"i-{id}","call":"c-{id}","type":"acompletion","began":1763791500000,"ended":1763791501000,"status":200,"key":"k","user":"u","team":"t","tags":["a","b","a"],"model":"m","group":"g","provider":"openai","attempts":[{{"deployment":"d","model":"m","provider":"openai","status":200,"usage":{{"input":3,"output":2}},"cost":{cost}}}],"charges":[["global","",null],["api_key","k",null],["team","t",99999999999]]}}"#
    )
}

fn filled(directory: &Path, sizes: Sizes, records: usize) -> Arc<Journal> {
    let journal = journal(directory, sizes);
    for id in 0..records {
        assert!(journal.append(record(id, 1 + id as i64).as_bytes()));
    }
    journal
}

fn lines(segment: &Segment) -> (Vec<Line>, u64) {
    let (mut reader, mut all, mut damaged) = (Reader::new(segment), Vec::new(), 0);
    loop {
        let before = reader.at();
        let lines = reader.next(segment.len, 2).unwrap();
        all.extend(lines.good);
        damaged += lines.damaged;
        if reader.at() == before {
            return (all, damaged);
        }
    }
}

fn only_file(directory: &Path) -> std::path::PathBuf {
    let mut files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let file = files.next().unwrap();
    assert_eq!(files.next(), None);
    file
}

/// An empty store: in the PostgreSQL of `tests/postgres`, where that runs.
async fn store() -> Store {
    let Some(server) = std::env::var_os("BARTIZAN_TEST_DATABASE") else {
        return Store::open(Place::Memory).await.unwrap();
    };
    let open = |name: &str| {
        let url = format!("postgres://bartizan@localhost/{name}?host={}", server.display());
        let (options, timeout) = (Box::new(url.parse().unwrap()), Duration::from_secs(10));
        Store::open(Place::Postgres { options, connections: 4, timeout })
    };
    let name = format!("ledger_{:032x}", fastrand::u128(..));
    let all = open("postgres").await.unwrap();
    all.fetch(&format!("CREATE DATABASE {name}"), &[]).await.unwrap();
    open(&name).await.unwrap()
}

fn draining(store: &Store, journal: &Arc<Journal>, rows: bool) -> Drain {
    Drain::new(store.clone(), journal.clone(), standing(), rows)
}

async fn ints(store: &Store, sql: &str) -> Vec<i64> {
    let rows = store.fetch(sql, &[]).await.unwrap();
    rows.first().map_or(vec![], |row| (0..3).map_while(|at| row.maybe_int(at)).collect())
}

async fn calls(store: &Store) -> Vec<i64> {
    ints(store, "SELECT COUNT(*), COALESCE(CAST(SUM(spend) AS BIGINT), 0) FROM calls").await
}

#[test]
fn a_file_that_is_cut_anywhere_keeps_every_whole_record() {
    let directory = TempDir::new().unwrap();
    drop(filled(directory.path(), Sizes::default(), 4));
    let path = only_file(directory.path());
    let whole = std::fs::read(&path).unwrap();
    for cut in 0..=whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let [segment] = &Segment::left_behind(directory.path()).unwrap()[..] else { panic!() };
        let ends = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
        let (found, damaged) = lines(segment);
        assert_eq!((found.len(), damaged), (ends.saturating_sub(1), 0), "cut at {cut}");
    }
}

#[test]
fn a_damaged_byte_costs_three_records_at_most_and_changes_none() {
    let directory = TempDir::new().unwrap();
    drop(filled(directory.path(), Sizes::default(), 5));
    let path = only_file(directory.path());
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        for flip in [1, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            std::fs::write(&path, &bytes).unwrap();
            let [segment] = &Segment::left_behind(directory.path()).unwrap()[..] else { panic!() };
            let (found, _) = lines(segment);
            assert!(found.len() >= 2, "{} left, flipped at {at}", found.len());
            for line in found {
                let is_one = (0..5).any(|id| line.payload == record(id, 1 + id as i64));
                assert!(is_one, "{} at {at}", line.payload);
            }
        }
    }
}

#[tokio::test]
async fn files_follow_each_other_in_one_chain_and_go_when_they_are_drained() {
    let directory = TempDir::new().unwrap();
    let journal = filled(directory.path(), Sizes { segment: 2_000, ..Sizes::default() }, 20);
    let segments = journal.segments();
    assert!(segments.len() > 3, "{}", segments.len());
    let mut before = GENESIS;
    for segment in &segments {
        let (found, damaged) = lines(segment);
        assert_eq!(damaged, 0);
        let text = std::fs::read_to_string(directory.path().join(&*segment.name)).unwrap();
        let (head, payload) = chain::parts(text.lines().next().unwrap().as_bytes()).unwrap();
        assert_eq!(chain::hash(&before, payload), head);
        before = found.last().unwrap().hash;
    }
    let store = store().await;
    let mut drain = draining(&store, &journal, true);
    drain.drain(false).await.unwrap();
    assert_eq!(calls(&store).await, [20, 210]);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    journal.append(record(20, 21).as_bytes());
    drain.drain(true).await.unwrap();
    assert_eq!(calls(&store).await, [21, 231]);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    assert_eq!(ints(&store, "SELECT COUNT(*) FROM journals").await, [0]);
}

#[tokio::test]
async fn the_journal_of_a_process_that_lives_is_left_to_it() {
    let directory = TempDir::new().unwrap();
    let one = filled(directory.path(), Sizes::default(), 3);
    let other = journal(directory.path(), Sizes::default());
    let store = store().await;
    let mut drain = draining(&store, &other, true);
    drain.look();
    drain.drain(false).await.unwrap();
    assert_eq!(calls(&store).await, [0, 0]);
    drop(one);
    drain.look();
    drain.drain(false).await.unwrap();
    assert_eq!(calls(&store).await, [3, 6]);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_was_taken_over_before_a_process_died_is_not_counted_again() {
    for rows in [true, false] {
        let directory = TempDir::new().unwrap();
        let store = store().await;
        let one = filled(directory.path(), Sizes::default(), 3);
        draining(&store, &one, rows).drain(false).await.unwrap();
        one.append(record(3, 4).as_bytes());
        drop(one);
        let other = journal(directory.path(), Sizes::default());
        let mut drain = draining(&store, &other, rows);
        drain.look();
        drain.drain(false).await.unwrap();
        let sums = "SELECT CAST(SUM(spend) AS BIGINT), CAST(SUM(requests) AS BIGINT) FROM daily WHERE kind = 'user'";
        assert_eq!(ints(&store, sums).await, [10, 4]);
        assert_eq!(calls(&store).await, if rows { [4, 10] } else { [0, 0] });
        assert_eq!(store.account("global", "").await.unwrap().spend, 10);
    }
}

#[tokio::test]
async fn a_drain_that_nobody_waits_for_any_more_loses_nothing() {
    let (directory, store) = (TempDir::new().unwrap(), store().await);
    let in_files = filled(directory.path(), Sizes::default(), 3);
    let in_memory = Arc::new(Journal::new(None, Fsync::Batch, Sizes::default(), standing()));
    for id in 3..6 {
        assert!(!in_memory.append(record(id, 1 + id as i64).as_bytes()), "in no file");
    }
    for (journal, all) in [(in_files, vec![3, 6]), (in_memory, vec![6, 21])] {
        let mut drain = draining(&store, &journal, true);
        // It cannot write, and is let go of while it waits.
        let mut busy = store.work().await.unwrap();
        busy.execute("DELETE FROM journals", &[]).await.unwrap();
        if busy.is_postgres() {
            busy.execute("LOCK TABLE journals IN ACCESS EXCLUSIVE MODE", &[]).await.unwrap();
        }
        let waited = tokio::time::timeout(Duration::from_millis(100), drain.drain(false)).await;
        assert!(waited.is_err(), "{waited:?}");
        busy.commit().await.unwrap();
        drain.drain(true).await.unwrap();
        assert_eq!(calls(&store).await, all);
    }
}

#[tokio::test]
async fn without_room_on_the_disk_records_wait_in_memory_and_what_is_lost_is_counted() {
    let directory = TempDir::new().unwrap();
    let size = record(0, 1).len();
    let sizes = Sizes { files: 2_000, waiting: 3 * size + 20, ..Sizes::default() };
    let journal = journal(directory.path(), sizes);
    let standing = standing();
    let kept = (0..9).filter(|id| journal.append(record(*id, 1).as_bytes())).count();
    assert!((2..5).contains(&kept), "{kept}");
    let store = store().await;
    let mut drain = Drain::new(store.clone(), journal.clone(), standing.clone(), true);
    drain.drain(false).await.unwrap();
    assert_eq!(calls(&store).await, [kept as i64 + 3, kept as i64 + 3]);
    drain.drain(false).await.unwrap();
    // There is room again, and what follows goes on with the chain.
    assert!(journal.append(record(9, 1).as_bytes()));
    assert!(!journal.segments().is_empty());
    drain.drain(true).await.unwrap();
    assert_eq!(calls(&store).await[0], kept as i64 + 4);
    assert_eq!(standing.trouble(), None);
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_keeps_records_in_memory() {
    let directory = TempDir::new().unwrap();
    let journal = journal(&directory.path().join("gone"), Sizes::default());
    assert!(!journal.append(record(0, 5).as_bytes()));
    std::fs::create_dir(directory.path().join("gone")).unwrap();
    journal.retry();
    let (found, _) = lines(&journal.segments()[0]);
    assert_eq!(found.len(), 1);
    let store = store().await;
    draining(&store, &journal, true).drain(false).await.unwrap();
    assert_eq!(calls(&store).await, [1, 5]);
}

#[tokio::test]
async fn a_long_journal_is_taken_over_within_a_minute() {
    // With `--release` and 300000, it measures.
    let records = std::env::var_os("BARTIZAN_RECORDS");
    let records = records.and_then(|it| it.to_str()?.parse().ok()).unwrap_or(3_000);
    let directory = TempDir::new().unwrap();
    let journal = journal(&directory.path().join("journal"), Sizes::default());
    super::segment::place(&directory.path().join("journal")).unwrap();
    let began = tokio::time::Instant::now();
    (0..records).for_each(|id| assert!(journal.append(record(id, 1).as_bytes())));
    eprintln!("written in {:?}", began.elapsed());
    let store = Store::open(Place::Directory(directory.path().to_owned())).await.unwrap();
    let began = tokio::time::Instant::now();
    draining(&store, &journal, true).drain(true).await.unwrap();
    eprintln!("taken over in {:?}", began.elapsed());
    assert!(began.elapsed().as_secs() < 60);
    assert_eq!(calls(&store).await, [records as i64; 2]);
}

#[tokio::test]
async fn old_rows_go_and_their_sums_stay() {
    let directory = TempDir::new().unwrap();
    let journal = filled(directory.path(), Sizes::default(), 5);
    let recent = record(5, 6).replace("1763791500000", "1763791600000");
    journal.append(recent.as_bytes());
    let store = store().await;
    draining(&store, &journal, true).drain(false).await.unwrap();
    assert_eq!(super::sweep(&store, 1_763_791_550_000).await.unwrap(), 5);
    assert_eq!(calls(&store).await, [1, 6]);
    assert_eq!(store.account("api_key", "k").await.unwrap().spend, 21);
}

#[tokio::test]
async fn other_prices_change_rows_days_and_accounts_together() {
    let directory = TempDir::new().unwrap();
    let journal = filled(directory.path(), Sizes::default(), 600);
    let store = store().await;
    draining(&store, &journal, true).drain(false).await.unwrap();
    // 3 tokens in and 2 out.
    let price = Arc::new(Price::flat(Rates::tokens(1_000, 10_000)));
    let priced = |_: &super::Attempt| Some(price.clone());
    let mut work = store.work().await.unwrap();
    let done = super::reprice(&mut work, Some("m"), (0, i64::MAX), &priced).await.unwrap();
    assert_eq!((done.calls, done.changed, done.after), (600, 599, 600 * 23));
    // Until it is committed nothing has changed; a work that is dropped leaves all as it was.
    drop(work);
    assert_eq!(calls(&store).await, [600, 180_300]);
    let mut work = store.work().await.unwrap();
    super::reprice(&mut work, None, (0, i64::MAX), &priced).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(calls(&store).await, [600, 13_800]);
    let days = "SELECT CAST(SUM(spend) AS BIGINT) FROM daily WHERE kind = 'user'";
    assert_eq!(ints(&store, days).await, [13_800]);
    for (scope, subject) in [("global", ""), ("api_key", "k"), ("team", "t")] {
        assert_eq!(store.account(scope, subject).await.unwrap().spend, 13_800);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn all_sums_are_those_of_the_calls(costs in prop::collection::vec(0..10_000_000_i64, 1..700)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let directory = TempDir::new().unwrap();
            let journal = journal(directory.path(), Sizes { segment: 50_000, ..Sizes::default() });
            let store = store().await;
            let mut drain = draining(&store, &journal, true);
            for (id, cost) in costs.iter().enumerate() {
                journal.append(record(id, *cost).as_bytes());
                if id % 97 == 0 {
                    drain.drain(false).await.unwrap();
                }
            }
            drain.drain(false).await.unwrap();
            let sum: i64 = costs.iter().sum();
            assert_eq!(calls(&store).await, [costs.len() as i64, sum]);
            for kind in ["user", "team"] {
                let sql = format!(
                    "SELECT CAST(SUM(spend) AS BIGINT), CAST(SUM(requests) AS BIGINT), CAST(SUM(prompt_tokens) AS BIGINT) FROM daily WHERE kind = '{kind}'"
                );
                let count = costs.len() as i64;
                assert_eq!(ints(&store, &sql).await, [sum, count, 3 * count]);
            }
            let tags = "SELECT CAST(SUM(spend) AS BIGINT) FROM daily WHERE kind = 'tag'";
            assert_eq!(ints(&store, tags).await, [2 * sum]);
            for (scope, subject) in [("global", ""), ("api_key", "k"), ("team", "t")] {
                assert_eq!(store.account(scope, subject).await.unwrap().spend, sum);
            }
        });
    }
}
