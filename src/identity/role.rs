//! What users may do with the proxy itself.

/// What a user may do with the proxy itself, besides making calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Everything (`proxy_admin`).
    Admin,
    /// See everything and change nothing (`proxy_admin_viewer`).
    AdminViewer,
    /// See and change what is its own (`internal_user`).
    User,
    /// See what is its own (`internal_user_viewer`).
    Viewer,
    /// Make calls (`team`, `customer`, and keys without a user).
    #[default]
    None,
}

impl Role {
    /// The role with that name; unknown ones may nothing.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "proxy_admin" => Self::Admin,
            "proxy_admin_viewer" => Self::AdminViewer,
            "internal_user" => Self::User,
            "internal_user_viewer" => Self::Viewer,
            _ => Self::None,
        }
    }

    /// As LiteLLM spells it; `None` where it has no name.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Admin => Some("proxy_admin"),
            Self::AdminViewer => Some("proxy_admin_viewer"),
            Self::User => Some("internal_user"),
            Self::Viewer => Some("internal_user_viewer"),
            Self::None => None,
        }
    }

    /// Whether it sees what belongs to others.
    #[must_use]
    pub const fn sees_all(self) -> bool {
        matches!(self, Self::Admin | Self::AdminViewer)
    }
}
