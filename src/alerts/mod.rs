//! Somebody is told when a budget runs out (contract 9.7): Slack, or whoever takes events as JSON.
//!
//! What a call has spent is looked at when it is booked. An event goes into a short queue, from
//! which one task sends it: no call waits for it, and what the queue does not hold is counted as
//! dropped. An event is told once in each window of its budget.
mod event;
mod sending;
mod told;

pub use self::event::About;

use self::event::{Event, projected};
use self::told::{Crossed, Told};
use crate::clock;
use crate::config::Alerting;
use crate::forward::Forwarder;
use crate::identity::Money;
use crate::telemetry::Metrics;
use arc_swap::ArcSwapOption;
use bartizan_layers::facts::{NanoUsd, Scope};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Events that wait for being sent.
const QUEUE: usize = 256;

/// Who is told, and of what they were told before. Clones are one.
#[derive(Clone, Debug)]
pub struct Alerts(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    places: ArcSwapOption<Places>,
    queue: mpsc::Sender<Event>,
    told: Mutex<Told>,
    metrics: Arc<Metrics>,
}

/// Where events are sent, and over which connections.
#[derive(Debug)]
struct Places {
    settings: Alerting,
    forwarder: Forwarder,
}

/// Events on their way.
#[derive(Debug)]
pub struct Waiting(mpsc::Receiver<Event>);

/// What somebody has spent of a budget.
#[derive(Clone, Copy, Debug)]
pub struct Spent<'a> {
    /// Whose kind of budget it is.
    pub scope: Scope,
    /// Whose it is.
    pub subject: &'a str,
    /// What may be spent.
    pub money: Money,
    /// What was spent, this call included.
    pub amount: NanoUsd,
    /// When the window ends, in seconds since 1970.
    pub until: Option<i64>,
}

impl Alerts {
    /// Nobody is told yet. [`Alerts::run`] sends what waits.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> (Self, Waiting) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (places, told) = (ArcSwapOption::empty(), Mutex::default());
        (Self(Arc::new(Shared { places, queue, told, metrics })), Waiting(waiting))
    }

    /// Tells those from now on that a config names, or nobody.
    pub fn tell(&self, settings: Option<Alerting>, forwarder: &Forwarder) {
        let places =
            settings.map(|settings| Arc::new(Places { settings, forwarder: forwarder.clone() }));
        self.0.places.store(places);
    }

    /// Whether anybody is told.
    #[must_use]
    pub fn are_on(&self) -> bool {
        self.0.places.load().is_some()
    }

    /// Looks at what was spent, and has told what there is to tell. `about` says whose call it was.
    pub fn spent(&self, spent: &Spent<'_>, about: impl Fn() -> About) {
        let Money { max, soft, .. } = spent.money;
        if max.is_none() && soft.is_none() {
            return;
        }
        let Some(places) = self.0.places.load_full() else { return };
        let now = clock::now() / 1000;
        let again = i64::try_from(places.settings.again.as_secs()).unwrap_or(i64::MAX);
        for crossed in Crossed::of(&spent.money, spent.amount) {
            let until = spent.until.unwrap_or(now.saturating_add(again));
            self.send((spent, crossed), until, now, || Event::new(spent, crossed, about()));
        }
        // A key's spend, if it goes on like this until the month ends.
        if spent.scope == Scope::Key
            && let Some((sum, day, until)) =
                soft.and_then(|soft| projected(spent.amount, soft, now))
        {
            self.send((spent, Crossed::Projection), until, now, || {
                Event::projected(spent, sum, &day, about())
            });
        }
    }

    fn send(
        &self,
        (spent, crossed): (&Spent<'_>, Crossed),
        until: i64,
        now: i64,
        event: impl FnOnce() -> Event,
    ) {
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.is_news((spent.scope, spent.subject, crossed), now) {
            return;
        }
        if self.0.queue.try_send(event()).is_err() {
            return self.0.metrics.alert_dropped();
        }
        told.note((spent.scope, spent.subject, crossed), until, now);
    }
}
