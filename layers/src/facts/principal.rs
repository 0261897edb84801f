//! Who calls.
use super::Limit;
use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// The other end of the client's connection. A request fact, written by the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Who is calling, proved by a virtual key. A request fact, written by `auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// What metrics and records call the key: a digest or an alias, never the key itself.
    pub key: Arc<str>,
    /// The user that the key belongs to.
    pub user: Arc<str>,
    /// The team that the key belongs to.
    pub team: Option<Arc<str>>,
    /// Whether it may use management routes.
    pub admin: bool,
    /// The limits that it falls under.
    pub limits: Arc<[Limit]>,
    /// What else its issuer knows, for policies of its own.
    pub about: About,
}

/// What the issuer of a key knows of it besides: a value of the issuer's own type, or nothing.
/// Clones share it; they are equal if they do.
#[derive(Clone, Default)]
pub struct About(Option<Arc<dyn Any + Send + Sync>>);

impl About {
    /// Holds `value`.
    #[must_use]
    pub fn new<T: Send + Sync + 'static>(value: Arc<T>) -> Self {
        Self(Some(value))
    }

    /// The value, if it has this type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.as_deref()?.downcast_ref()
    }
}

impl PartialEq for About {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for About {}

impl fmt::Debug for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "About(..)" } else { "About(nothing)" })
    }
}

impl Principal {
    /// A key and its user, without team, rights or limits.
    #[must_use]
    pub fn new(key: impl Into<Arc<str>>, user: impl Into<Arc<str>>) -> Self {
        let limits = Arc::from([]);
        let (about, team, admin) = (About::default(), None, false);
        Self { key: key.into(), user: user.into(), team, admin, limits, about }
    }
}
