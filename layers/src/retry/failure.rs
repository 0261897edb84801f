//! What is known of an attempt that failed.
use crate::BoxError;
use crate::cause::cause_ref;
use crate::facts::{Fault, ServedBy};
use http::Response;
use std::sync::Arc;

/// How often the deployment that failed wants to be tried again (its own `num_retries`). A fact
/// of an answer with an error status; absent means that it has no wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeploymentRetries(pub u32);

/// An error together with the deployment that it came from, for whoever picks: in the chain of
/// an error it stands for what [`ServedBy`] and [`DeploymentRetries`] say of an answer.
#[derive(Debug, thiserror::Error)]
#[error("an attempt failed")]
pub struct AttemptFailed {
    /// The deployment that was tried.
    pub deployment: Arc<str>,
    /// Its own `num_retries`.
    pub retries: Option<u32>,
    /// How it failed.
    pub source: BoxError,
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How.
    pub fault: Fault,
    /// The deployment that was tried; `None` where nobody says, and it may be tried again.
    pub deployment: Option<Arc<str>>,
    /// How often that deployment wants to be tried again.
    pub retries: Option<u32>,
}

impl Failure {
    /// What an outcome says of itself: its [`Fault`], and the facts [`ServedBy`] and
    /// [`DeploymentRetries`] of an answer or an [`AttemptFailed`] in an error's chain. `None` if
    /// it is no failure.
    #[must_use]
    pub fn of<R>(outcome: Result<&Response<R>, &BoxError>) -> Option<Self> {
        let fault = Fault::of(outcome)?;
        let (deployment, retries) = match outcome {
            Ok(rsp) => {
                let facts = rsp.extensions();
                let deployment = facts.get().map(|ServedBy(id)| id.clone());
                (deployment, facts.get().map(|DeploymentRetries(retries)| *retries))
            }
            Err(error) => match cause_ref::<AttemptFailed>(&**error) {
                Some(failed) => (Some(failed.deployment.clone()), failed.retries),
                None => (None, None),
            },
        };
        Some(Self { fault, deployment, retries })
    }
}
