//! Reloads inside the process: what is freed, and what is read beside the config.
use super::{Rotating, Source};
use crate::config::{Env, Options, load};
use crate::generation::House;
use crate::persistence::Persistence;
use crate::server::Drain;
use crate::tasks::Tasks;
use crate::telemetry::{LogWriter, Metrics};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// A config in a directory of its own, its source, and a house for it.
fn home() -> (TempDir, Options, Source, House) {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.yaml");
    std::fs::write(&config, "general_settings: {master_key: sk-1}\n").unwrap();
    let options = Options { config: Some(config), ..Options::default() };
    let (config, _) = load(&options, Env::default()).unwrap();
    let source = Source::new(options.clone(), &config);
    let writer = LogWriter::start(std::io::sink()).unwrap();
    let draining = Drain::new(Duration::ZERO).handle();
    let metrics = Arc::new(Metrics::new(config.compat));
    let house =
        House::new(&config, draining, Tasks::default(), writer, metrics, Persistence::default())
            .unwrap();
    (dir, options, source, house)
}

#[tokio::test]
async fn a_generation_is_gone_when_nothing_holds_it_any_more() {
    let (_dir, options, _source, house) = home();
    let make = || house.generation(load(&options, Env::default()).unwrap().0).unwrap();
    let (first, second) = (make(), make());
    let call = first.calls.clone();
    drop(first);
    assert!(timeout(Duration::from_millis(1), house.gone()).await.is_err(), "a call is open");
    drop(call);
    timeout(PATIENCE, house.gone()).await.unwrap();
    house.tidy();
    drop(second);
}

/// Certificates, as it were.
#[derive(Debug)]
struct Beside {
    file: PathBuf,
    read: Arc<AtomicUsize>,
}

impl Rotating for Beside {
    fn files(&self) -> Vec<PathBuf> {
        vec![self.file.clone()]
    }

    fn reload(&self) -> Result<(), String> {
        self.read.fetch_add(1, Relaxed);
        let text = std::fs::read_to_string(&self.file).map_err(|error| error.to_string())?;
        if text == "good" { Ok(()) } else { Err("not good".to_owned()) }
    }
}

#[tokio::test]
async fn what_is_read_beside_the_config_rotates_and_its_failure_is_told() {
    let (dir, _options, source, house) = home();
    let (file, read) = (dir.path().join("cert"), Arc::<AtomicUsize>::default());
    std::fs::write(&file, "good").unwrap();
    let beside = Beside { file: file.clone(), read: read.clone() };
    let source = source.with(Box::new(beside));
    let swapped = AtomicUsize::new(0);
    let swap = |_| {
        swapped.fetch_add(1, Relaxed);
        Ok(())
    };
    let (is_refused, write) = (
        || house.last_reload().is_refused(),
        |text| {
            std::fs::write(&file, text).unwrap();
        },
    );
    let steps = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        write("bad!");
        while !is_refused() {
            ticks.tick().await;
        }
        assert!(read.load(Relaxed) > 0 && swapped.load(Relaxed) > 0, "the config is well");
        write("good");
        while is_refused() {
            ticks.tick().await;
        }
    };
    tokio::select! {
        never = source.follow(&house, swap) => match never {},
        done = timeout(PATIENCE, steps) => done.unwrap(),
    }
}
