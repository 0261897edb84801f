//! How much a principal or a deployment may take.
use std::fmt;
use std::sync::Arc;

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everyone's together.
    Global,
    /// Of a virtual key.
    Key,
    /// Of a key, for one model group.
    ModelPerKey,
    /// Of a user.
    User,
    /// Of a team.
    Team,
    /// Of a user as a member of a team.
    TeamMember,
    /// Of an organisation.
    Organization,
    /// Of an end user.
    EndUser,
    /// Of all calls that bear a word.
    Tag,
    /// Of a model group.
    Model,
    /// Of a deployment: what its provider grants.
    Deployment,
    /// Of a provider: of all deployments there.
    Provider,
}

impl Scope {
    /// As LiteLLM's headers and messages spell it (contract 7.4).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Key => "api_key",
            Self::ModelPerKey => "model_per_key",
            Self::User => "user",
            Self::Team => "team",
            Self::TeamMember => "team_member",
            Self::Organization => "organization",
            Self::EndUser => "end_user",
            Self::Tag => "tag",
            Self::Model => "model",
            Self::Deployment => "deployment",
            Self::Provider => "provider",
        }
    }
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Calls in a window.
    Requests,
    /// Tokens in a window.
    Tokens,
    /// Calls that are open at once.
    Parallel,
}

impl Measure {
    /// As LiteLLM's headers and messages spell it (contract 7.4).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Parallel => "max_parallel_requests",
        }
    }
}

/// A limit: at most so many of a measure, of whoever it belongs to.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Limit {
    /// Whose kind of limit it is.
    pub scope: Scope,
    /// Whose it is: a digest, a name or an id; empty for [`Scope::Global`].
    pub subject: Arc<str>,
    /// What is limited.
    pub measure: Measure,
    /// How much is allowed: in a window, or at once.
    pub most: u64,
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, subject, measure, most } = self;
        write!(f, "{most} {} of {} {subject}", measure.name(), scope.name())
    }
}
