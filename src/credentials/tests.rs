//! What is kept, over paused time.
use super::{CredentialError, Fresh, Kept};
use crate::tasks::Tasks;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::{Instant, advance, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// A source that answers after `LATENCY` with how often it was asked, or fails.
#[derive(Clone, Default)]
struct Source {
    asked: Arc<AtomicU32>,
    fails: Arc<AtomicU32>,
}

const LATENCY: Duration = Duration::from_secs(2);
const HOUR: Duration = Duration::from_secs(3600);

impl Source {
    fn kept(&self, lifetime: Option<Duration>, stop: CancellationToken) -> Arc<Kept<u32>> {
        let source = self.clone();
        let fetch = move || {
            let source = source.clone();
            async move {
                let times = source.asked.fetch_add(1, Ordering::SeqCst) + 1;
                sleep(LATENCY).await;
                match source.fails.load(Ordering::SeqCst) {
                    0 => Ok(Fresh { value: times, lifetime }),
                    wish => Err(source.error(wish)),
                }
            }
        };
        Arc::new(Kept::new(Tasks::default(), stop, fetch))
    }

    fn hourly(&self) -> Arc<Kept<u32>> {
        self.kept(Some(HOUR), CancellationToken::new())
    }

    /// An answer of a server that wants to be left alone for so many seconds.
    fn error(&self, wish: u32) -> CredentialError {
        let answer = http::Response::builder().status(429).header("retry-after", wish);
        let answer = answer.body(bytes::Bytes::new()).unwrap();
        CredentialError::answered("Azure", "the token endpoint", &answer, &[])
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    fn fail(&self, wish: u32) {
        self.fails.store(wish, Ordering::SeqCst);
    }
}

/// Waits until what goes on in the background has ended.
async fn settled() {
    sleep(LATENCY + Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn many_who_wait_ask_once() {
    let source = Source::default();
    let kept = source.hourly();
    let waiting = (0..100).map(|_| {
        let kept = kept.clone();
        async move { kept.get().await.unwrap() }
    });
    let got = futures_util::future::join_all(waiting).await;
    assert!(got.iter().all(|value| *value == 1));
    assert_eq!(source.asked(), 1);
    assert_eq!(kept.held(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_cancels_nothing() {
    let source = Source::default();
    let kept = source.hourly();
    assert!(timeout(LATENCY / 2, kept.get()).await.is_err());
    let begun = Instant::now();
    assert_eq!(kept.get().await.unwrap(), 1);
    assert!(begun.elapsed() < LATENCY, "another one was not fetched");
    assert_eq!(source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_value_is_fetched_anew_before_it_expires_while_it_serves() {
    let source = Source::default();
    let kept = source.hourly();
    kept.get().await.unwrap();
    advance(HOUR - Duration::from_secs(370)).await;
    assert_eq!(kept.held(), Some(1));
    settled().await;
    assert_eq!(source.asked(), 1, "it is too early");
    advance(Duration::from_secs(80)).await;
    assert_eq!(kept.get().await.unwrap(), 1);
    settled().await;
    assert_eq!((kept.held(), source.asked()), (Some(2), 2));
}

#[tokio::test(start_paused = true)]
async fn of_a_short_life_a_fifth_is_left() {
    let source = Source::default();
    let kept = source.kept(Some(Duration::from_secs(60)), CancellationToken::new());
    kept.get().await.unwrap();
    advance(Duration::from_secs(42)).await;
    assert_eq!(kept.held(), Some(1));
    settled().await;
    assert_eq!(source.asked(), 1);
    advance(Duration::from_secs(3)).await;
    assert_eq!(kept.held(), Some(1));
    settled().await;
    assert_eq!(kept.held(), Some(2));
}

#[tokio::test(start_paused = true)]
async fn what_never_expires_is_fetched_once() {
    let source = Source::default();
    let kept = source.kept(None, CancellationToken::new());
    kept.get().await.unwrap();
    advance(HOUR * 24 * 365).await;
    assert_eq!(kept.get().await.unwrap(), 1);
    assert_eq!(source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn through_an_outage_the_old_value_serves_until_it_expires() {
    let source = Source::default();
    let kept = source.hourly();
    kept.get().await.unwrap();
    source.fail(1);
    advance(HOUR - Duration::from_secs(30)).await;
    assert_eq!(kept.get().await.unwrap(), 1);
    settled().await;
    assert_eq!(kept.get().await.unwrap(), 1);
    advance(Duration::from_secs(30)).await;
    let error = kept.get().await.unwrap_err();
    assert_eq!(error.to_string(), "Azure: the token endpoint answered 429");
    source.fail(0);
    advance(Duration::from_secs(60)).await;
    assert!(kept.get().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_is_left_alone_for_longer_and_longer() {
    let source = Source::default();
    let kept = source.hourly();
    source.fail(1);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        kept.get().await.unwrap_err();
        let (asked, failed) = (source.asked(), Instant::now());
        while source.asked() == asked {
            advance(Duration::from_millis(100)).await;
            drop(timeout(Duration::ZERO, kept.get()).await);
        }
        pauses.push(failed.elapsed().as_secs_f64());
        settled().await;
    }
    assert!(pauses.windows(2).all(|two| two[1] > two[0] * 0.75), "{pauses:?}");
    assert!(pauses.iter().all(|pause| (0.8..=30.2).contains(pause)), "{pauses:?}");
    assert!(pauses.iter().filter(|pause| **pause > 24.0).count() >= 2, "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_source_is_left_alone_for_as_long_as_it_wants() {
    let source = Source::default();
    let kept = source.hourly();
    source.fail(100);
    let error = kept.get().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(100)));
    advance(Duration::from_secs(99)).await;
    let begun = Instant::now();
    kept.get().await.unwrap_err();
    assert_eq!((begun.elapsed(), source.asked()), (Duration::ZERO, 1));
    advance(Duration::from_secs(2)).await;
    kept.get().await.unwrap_err();
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_stops_waits_for_no_credential() {
    let source = Source::default();
    let (tasks, stop) = (Tasks::default(), CancellationToken::new());
    let never = source.clone();
    let fetch = move || {
        never.asked.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<Result<Fresh<u32>, _>>()
    };
    let kept = Arc::new(Kept::new(tasks.clone(), stop.clone(), fetch));
    let (told, ()) = tokio::join!(kept.get(), async {
        sleep(LATENCY).await;
        stop.cancel();
    });
    assert!(told.is_err());
    tasks.drained().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_fetching_is_a_failure_like_others() {
    let times = AtomicU32::new(0);
    let fetch = move || {
        let first = times.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            assert!(!first, "broken on purpose");
            Ok(Fresh { value: 7_u32, lifetime: None })
        }
    };
    let kept = Arc::new(Kept::new(Tasks::default(), CancellationToken::new(), fetch));
    assert!(kept.get().await.is_err());
    advance(Duration::from_secs(2)).await;
    assert_eq!(kept.get().await.unwrap(), 7);
}
