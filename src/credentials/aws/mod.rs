//! Keys of AWS, which expire, and requests signed with them.
mod files;
mod keys;
mod metadata;
mod profile;
mod sign;
mod sts;
#[cfg(test)]
mod tests;

pub(super) use self::keys::Keys;
pub use self::sign::Signer;

use super::error::CredentialError;
use super::kept::Fresh;
use crate::config::aws::{AwsIdentity, AwsPlaces, AwsSource};
use crate::forward::Forwarder;
use std::sync::Arc;
use std::time::Duration;

/// As messages name it.
const WHO: &str = "AWS";

/// How long what stands in files is taken to be so.
const IN_FILES: Duration = Duration::from_secs(300);

/// Gets the keys of an `identity`.
pub(super) async fn keys(
    forwarder: Forwarder,
    identity: Arc<AwsIdentity>,
) -> Result<Fresh<Keys>, CredentialError> {
    let AwsIdentity { source, role, sts } = &*identity;
    let base = match source {
        AwsSource::Keys(keys) => Fresh { value: Keys::from(keys), lifetime: None },
        AwsSource::Profile { name, places } => profile::keys(&forwarder, sts, name, places).await?,
        AwsSource::WebIdentity(identity) => sts::vouched(&forwarder, sts, identity).await?,
        AwsSource::Found(places) => found(&forwarder, sts, places).await?,
    };
    match role {
        Some(role) => sts::assumed(&forwarder, sts, role, &base.value).await,
        None => Ok(base),
    }
}

/// What there is: the profile `default`, or the identity of the container or the machine.
async fn found(
    forwarder: &Forwarder,
    sts: &str,
    places: &AwsPlaces,
) -> Result<Fresh<Keys>, CredentialError> {
    if profile::exists("default", places).await {
        return profile::keys(forwarder, sts, "default", places).await;
    }
    match (&places.container, &places.machine) {
        (Some(container), _) => metadata::of_container(forwarder, container).await,
        (None, Some(machine)) => metadata::of_machine(forwarder, machine).await,
        (None, None) => Err(CredentialError::refused(WHO, NOTHING)),
    }
}

const NOTHING: &str = "Unable to locate credentials: there are none in the config, the environment \
                       or AWS's files, and no server is to be asked";
