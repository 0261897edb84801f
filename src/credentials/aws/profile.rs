//! Profiles: keys, or a role and where the keys for it come from.
use super::files::{self, Profiles};
use super::keys::Keys;
use super::{IN_FILES, WHO, metadata, sts};
use crate::config::Secret;
use crate::config::aws::{AwsPlaces, AwsRole, AwsVoucher, AwsWebIdentity};
use crate::credentials::error::CredentialError;
use crate::credentials::kept::Fresh;
use crate::forward::Forwarder;
use std::collections::HashMap;
use std::path::Path;

/// As many profiles may refer to one another.
const DEEPEST: usize = 5;

/// Whether there is a profile of this name that says who it is.
pub(super) async fn exists(name: &str, places: &AwsPlaces) -> bool {
    let known = ["aws_access_key_id", "role_arn"];
    let profiles = read(places).await;
    profiles.get(name).is_some_and(|it| known.iter().any(|key| it.contains_key(*key)))
}

/// Gets the keys of a profile.
pub(super) async fn keys(
    forwarder: &Forwarder,
    sts: &str,
    name: &str,
    places: &AwsPlaces,
) -> Result<Fresh<Keys>, CredentialError> {
    let profiles = read(places).await;
    let (mut roles, mut name) = (Vec::new(), name.to_owned());
    let mut keys = loop {
        let profile = profiles.get(&name).ok_or_else(|| missing(&name))?;
        let own = own(profile).map(|value| Fresh { value, lifetime: Some(IN_FILES) });
        let Some(role) = role(profile) else {
            break own.ok_or_else(|| unknown(&name, profile))?;
        };
        let text = |key: &str| profile.get(key).filter(|text| !text.is_empty());
        if let Some(file) = text("web_identity_token_file") {
            let token = AwsVoucher::File(file.into());
            break sts::vouched(forwarder, sts, &AwsWebIdentity { role, token }).await?;
        }
        roles.push(role);
        if roles.len() > DEEPEST {
            return Err(refused(&name, "it leads to too many others"));
        }
        match (text("source_profile"), text("credential_source")) {
            // It takes on the role with keys of its own.
            (Some(next), _) if *next == name => {
                break own.ok_or_else(|| unknown(&name, profile))?;
            }
            (Some(next), _) => name.clone_from(next),
            (None, Some(source)) => break of_source(forwarder, source, places, &name).await?,
            (None, None) => return Err(refused(&name, "its role has no source_profile")),
        }
    };
    for role in roles.iter().rev() {
        keys = sts::assumed(forwarder, sts, role, &keys.value).await?;
    }
    Ok(keys)
}

fn own(profile: &HashMap<String, String>) -> Option<Keys> {
    let id = profile.get("aws_access_key_id")?.clone();
    let secret = Secret::new(profile.get("aws_secret_access_key")?.clone());
    let token = profile.get("aws_session_token").filter(|token| !token.is_empty());
    Some(Keys { id, secret, token: token.cloned().map(Secret::new) })
}

fn role(profile: &HashMap<String, String>) -> Option<AwsRole> {
    Some(AwsRole {
        arn: profile.get("role_arn")?.clone(),
        session: profile.get("role_session_name").cloned(),
        external_id: profile.get("external_id").cloned(),
    })
}

async fn of_source(
    forwarder: &Forwarder,
    source: &str,
    places: &AwsPlaces,
    name: &str,
) -> Result<Fresh<Keys>, CredentialError> {
    match (source, places) {
        ("Environment", AwsPlaces { keys: Some(keys), .. }) => {
            Ok(Fresh { value: Keys::from(keys), lifetime: None })
        }
        ("Ec2InstanceMetadata", AwsPlaces { machine: Some(machine), .. }) => {
            metadata::of_machine(forwarder, machine).await
        }
        ("EcsContainer", AwsPlaces { container: Some(container), .. }) => {
            metadata::of_container(forwarder, container).await
        }
        _ => Err(refused(name, "its credential_source has none")),
    }
}

/// All profiles, as they stand in the files now.
async fn read(places: &AwsPlaces) -> Profiles {
    let mut profiles = Profiles::new();
    for (path, is_config) in [(&places.config, true), (&places.credentials, false)] {
        let text = match path {
            Some(path) => text(path).await,
            None => None,
        };
        files::read(&text.unwrap_or_default(), is_config, &mut profiles);
    }
    profiles
}

async fn text(path: &Path) -> Option<String> {
    tokio::fs::read_to_string(path).await.ok()
}

fn missing(name: &str) -> CredentialError {
    refused(name, "it is in none of AWS's files")
}

fn unknown(name: &str, profile: &HashMap<String, String>) -> CredentialError {
    let why = match () {
        () if profile.contains_key("credential_process") => "programs that make keys are not run",
        () if profile.keys().any(|key| key.starts_with("sso_")) => "single sign-on needs a person",
        () => "it has no keys",
    };
    refused(name, why)
}

fn refused(name: &str, why: &str) -> CredentialError {
    CredentialError::refused(WHO, &format!("the profile `{}`: {why}", name.escape_debug()))
}
