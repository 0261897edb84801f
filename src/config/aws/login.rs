//! Identities at AWS.
use crate::config::Secret;
use http::Uri;
use std::path::PathBuf;

/// An identity at AWS, and the service that its requests are signed for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AwsLogin {
    /// Whose. Equal ones share their credentials, wherever they are used.
    pub identity: AwsIdentity,
    /// The service, as signatures name it: `bedrock`.
    pub service: &'static str,
    /// The region.
    pub region: String,
    /// The deployment's base URL: its host and its path are signed.
    pub base: Uri,
}

/// Who somebody is at AWS.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AwsIdentity {
    /// Where the credentials come from.
    pub source: AwsSource,
    /// The role that is taken on with them.
    pub role: Option<AwsRole>,
    /// Where roles are asked for, without a slash at its end.
    pub sts: String,
}

/// Where credentials come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AwsSource {
    /// They are there.
    Keys(AwsKeys),
    /// A profile in the files of AWS's tools.
    Profile {
        /// Its name.
        name: String,
        /// Where those are, and whatever else a profile may refer to.
        places: AwsPlaces,
    },
    /// A role, for somebody for whom another one vouches.
    WebIdentity(AwsWebIdentity),
    /// What there is: the profile `default`, or the identity of the container or the machine.
    Found(AwsPlaces),
}

/// A pair of keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AwsKeys {
    /// `aws_access_key_id`.
    pub id: String,
    /// `aws_secret_access_key`.
    pub secret: Secret<String>,
    /// `aws_session_token`, for those that expire.
    pub token: Option<Secret<String>>,
}

/// A role to be taken on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AwsRole {
    /// Its ARN.
    pub arn: String,
    /// What the session is called in records; default `bartizan`.
    pub session: Option<String>,
    /// What the role's owner wants to hear.
    pub external_id: Option<String>,
}

/// A role, for somebody for whom another one vouches (a pod, for whom its cluster does).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AwsWebIdentity {
    /// The role.
    pub role: AwsRole,
    /// The other one's word.
    pub token: AwsVoucher,
}

/// A token by which one vouches for another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AwsVoucher {
    /// It lies in a file that changes, and is read whenever it is needed.
    File(PathBuf),
    /// As it is.
    Token(Secret<String>),
}

/// Places where credentials may be found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AwsPlaces {
    /// The environment.
    pub keys: Option<AwsKeys>,
    /// The shared credentials file.
    pub credentials: Option<PathBuf>,
    /// The config file.
    pub config: Option<PathBuf>,
    /// The container's server.
    pub container: Option<AwsContainer>,
    /// The machine's server, without a slash at its end; `None` where it is not to be asked.
    pub machine: Option<Uri>,
}

/// The server that tells a container who it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AwsContainer {
    /// Its URL.
    pub url: Uri,
    /// What it wants to see.
    pub token: Option<Secret<String>>,
    /// Where that lies, and changes.
    pub file: Option<PathBuf>,
}
