//! Breakers that hear of each other's cooldowns.
use super::{Gate, Policy, Trip, Trips};
use crate::redis::Redis;
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;

impl Gate {
    /// A closed breaker of `deployment` that rests when one on another node does.
    ///
    /// When it opens by itself, `trips` are told, and the others hear of it within about a second
    /// and rest until the same time. While Redis is away each node learns by itself.
    #[must_use]
    pub fn shared(
        policy: Policy,
        redis: &Redis,
        deployment: impl Into<Arc<str>>,
        trips: impl Trips + 'static,
    ) -> Self {
        let deployment = deployment.into();
        let (teller, told) = (redis.clone(), deployment.clone());
        let gate = Self::telling(policy, move |trip: &Trip| {
            trips.tripped(trip);
            teller.tell_rest(&told, trip.until, trip.status.as_u16());
        });
        let find = gate.weak();
        let rested = move |rest: Option<(Duration, u16)>| {
            let found = find();
            if let (Some(gate), Some((rest, status))) = (&found, rest) {
                let status = StatusCode::from_u16(status);
                gate.trip(rest, status.unwrap_or(StatusCode::TOO_MANY_REQUESTS));
            }
            found.is_some()
        };
        redis.watch_rests(&deployment, Arc::new(rested));
        gate
    }
}
