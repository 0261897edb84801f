//! Flights under every order of events: nobody is stranded, nobody leads twice.
use super::flight::{Flights, Joined, Landed, Lead, Wait};
use super::{Answer, CacheScope, Entry, Key};
use crate::facts::CacheKey;
use http::{Extensions, HeaderMap};
use loom::future::block_on;
use loom::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

#[test]
fn followers_get_the_answer_or_the_lead() {
    model(|flights| {
        let Joined::Leads { lead, .. } = flights.join(key(), 0) else { panic!("the first leads") };
        let threads = [0, 1].map(|_| {
            let flights = flights.clone();
            loom::thread::spawn(move || follow(&flights))
        });
        lead.land(Some(entry()));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_leader_that_leaves_strands_nobody() {
    model(|flights| {
        let Joined::Leads { lead, .. } = flights.join(key(), 0) else { panic!("the first leads") };
        let Joined::Follows(one) = flights.join(key(), 0) else { panic!("the second follows") };
        let Joined::Follows(two) = flights.join(key(), 0) else { panic!("the third follows") };
        let leaders = Arc::new(AtomicUsize::new(0));
        let threads = [one, two].map(|wait| {
            let leaders = leaders.clone();
            loom::thread::spawn(move || wait_for(wait, &leaders))
        });
        drop(lead);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(leaders.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_follower_that_leaves_passes_the_lead_on() {
    model(|flights| {
        let Joined::Leads { lead, .. } = flights.join(key(), 0) else { panic!("the first leads") };
        let Joined::Follows(one) = flights.join(key(), 0) else { panic!("the second follows") };
        let Joined::Follows(mut two) = flights.join(key(), 0) else { panic!("the third follows") };
        assert!(std::pin::Pin::new(&mut two).poll(&mut noop()).is_pending());
        let leaves = loom::thread::spawn(move || drop(two));
        let waits = loom::thread::spawn(move || match block_on(one) {
            Landed::Lead(lead) => lead.land(None),
            other => panic!("{other:?}"),
        });
        drop(lead);
        leaves.join().unwrap();
        waits.join().unwrap();
    });
}

fn noop() -> std::task::Context<'static> {
    std::task::Context::from_waker(std::task::Waker::noop())
}

/// An equal call at any time: it follows, or it comes late and has to look again.
fn follow(flights: &Flights) {
    match flights.join(key(), 0) {
        Joined::Follows(wait) => assert!(matches!(block_on(wait), Landed::Kept(_))),
        Joined::Leads { lead, again } => {
            assert!(again, "an answer was kept since");
            lead.land(Some(entry()));
        }
    }
}

fn wait_for(wait: Wait, leaders: &AtomicUsize) {
    match block_on(wait) {
        Landed::Lead(lead) => lands(lead, leaders),
        Landed::Kept(_) => {}
        Landed::Alone => panic!("an answer was kept"),
    }
}

fn lands(lead: Lead, leaders: &AtomicUsize) {
    leaders.fetch_add(1, Ordering::Relaxed);
    lead.land(Some(entry()));
}

/// Runs `test` in every order, and looks that nothing is left behind.
fn model(test: impl Fn(&Flights) + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    // All orders take minutes, and were looked at once.
    model.preemption_bound = Some(3);
    model.check(move || {
        let flights = Flights::new();
        test(&flights);
        assert!(flights.is_empty());
    });
}

fn key() -> Key {
    Key::new(&CacheKey([0; 32]), &Extensions::new(), CacheScope::All, "")
}

fn entry() -> Entry {
    Answer::new(false, HeaderMap::new(), "hi".into()).into()
}
