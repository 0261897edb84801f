//! What revokes something does so also while the store is away.
use super::{Manage, Refusal, Who};
use crate::identity::Role;
use crate::revocations::{Deed, Revocation};
use crate::store::Kind;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue};
use serde::Serialize;
use std::pin::pin;
use std::time::Duration;
use tokio::time::timeout;

/// Says who has not heard of a change that is in force.
const PENDING: HeaderName = HeaderName::from_static("x-bartizan-pending");

/// When the store has not answered by then, what is revoked is in force without it.
const SOON: Duration = Duration::from_millis(300);
/// So much longer is its answer waited for.
const LATE: Duration = Duration::from_millis(1_500);

/// An answer, and whether the store has yet to hear of what it says.
#[derive(Clone, Debug)]
pub(super) struct Revoked<T> {
    told: T,
    is_pending: bool,
}

impl<T> Revoked<T> {
    /// An answer of which the store knows.
    pub(super) const fn done(told: T) -> Self {
        Self { told, is_pending: false }
    }
}

impl<T: Serialize> IntoResponse for Revoked<T> {
    fn into_response(self) -> Response {
        let mut rsp = Json(self.told).into_response();
        if self.is_pending {
            rsp.headers_mut().insert(PENDING, HeaderValue::from_static("store"));
        }
        rsp
    }
}

impl Manage {
    /// Has the store do `work`, which revokes `things`. Where an admin wants it and the store does
    /// not answer at once, they are revoked all the same, here and on other nodes; where it does
    /// not answer at all, that is what is `told`, and it hears of it later.
    ///
    /// # Errors
    ///
    /// As the store says, if it says anything; nothing is revoked then.
    pub(super) async fn revoking<T>(
        &self,
        who: &Who,
        things: &[(Kind, String, Deed)],
        work: impl Future<Output = Result<T, Refusal>>,
        told: impl FnOnce() -> T,
    ) -> Result<Revoked<T>, Refusal> {
        // What others may do, the store alone can say.
        if who.role() != Role::Admin || things.is_empty() {
            return work.await.map(Revoked::done);
        }
        let mut work = pin!(work);
        let mut said = timeout(SOON, &mut work).await.ok();
        if let Some(said) = said.take_if(|said| !is_away(said)) {
            return said.map(Revoked::done);
        }
        let by = who.actor();
        let new = |(kind, id, deed): &(Kind, String, Deed)| Revocation::new(*kind, id, *deed, &by);
        let pending = things.iter().map(new).collect();
        let telling = self.revocations.add(pending).await;
        if said.is_none() {
            said = timeout(LATE, work).await.ok();
        }
        if let Some(said) = said.filter(|said| !is_away(said)) {
            telling.told().await;
            return said.map(Revoked::done);
        }
        tracing::warn!("The store is away: it will hear later of what is revoked");
        Ok(Revoked { told: told(), is_pending: true })
    }
}

fn is_away<T>(said: &Result<T, Refusal>) -> bool {
    said.as_ref().is_err_and(Refusal::is_of_store)
}
