//! Who asks.
use super::Refusal;
use crate::identity::{Caller, Role};
use crate::store::{Actor, Doc};
use axum::extract::FromRequestParts;
use bartizan_layers::facts::Principal;
use http::StatusCode;
use http::request::Parts;

/// Who asks, proved by the key that came with the request.
#[derive(Clone, Debug)]
pub struct Who(pub Principal);

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let refused = || {
            let message = "Authentication Error, No api key passed in.";
            Refusal::error(StatusCode::UNAUTHORIZED, "auth_error", message)
        };
        parts.extensions.get().cloned().map(Self).ok_or_else(refused)
    }
}

impl Who {
    /// The key and what stands above it; `None` for the master key.
    #[must_use]
    pub fn caller(&self) -> Option<&Caller> {
        self.0.about.get()
    }

    /// Its user, if it has one.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        Some(&*self.0.user).filter(|user| !user.is_empty())
    }

    /// Puts down who made a thing, and who changed it last.
    pub fn signs_new(&self, doc: &mut Doc) {
        doc.insert("created_by".to_owned(), self.0.user.to_string().into());
        self.signs(doc);
    }

    /// Puts down who changed a thing last.
    pub fn signs(&self, doc: &mut Doc) {
        doc.insert("updated_by".to_owned(), self.0.user.to_string().into());
    }

    /// What it may do with the proxy itself.
    #[must_use]
    pub fn role(&self) -> Role {
        if self.0.admin { Role::Admin } else { self.caller().map_or(Role::None, Caller::role) }
    }

    /// Goes on for those only who may do everything.
    ///
    /// # Errors
    ///
    /// For all others, 401 with what `route` they asked for and who they are, as LiteLLM tells it.
    pub fn admin(&self, route: &str) -> Result<(), Refusal> {
        match self.role() {
            Role::Admin => Ok(()),
            role => Err(self.not_admin(role, route)),
        }
    }

    /// Goes on for those who may see everything.
    ///
    /// # Errors
    ///
    /// As [`Who::admin`].
    pub fn sees_all(&self, route: &str) -> Result<(), Refusal> {
        match self.role() {
            role if role.sees_all() => Ok(()),
            role => Err(self.not_admin(role, route)),
        }
    }

    pub(super) fn not_admin(&self, role: Role, route: &str) -> Refusal {
        let message = format!(
            "Authentication Error, Only proxy admin can be used to generate, delete, update info \
             for new keys/users/teams. Route={route}. Your role={}. Your user_id={}",
            role.name().unwrap_or("unknown"),
            self.user().map_or_else(|| "unknown".to_owned(), masked),
        );
        Refusal::error(StatusCode::UNAUTHORIZED, "auth_error", message)
    }

    /// Who it is for the audit log.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { user: self.0.user.to_string(), key: self.0.key.to_string() }
    }
}

/// Its first four letters and its last four, if there are others between them.
fn masked(user: &str) -> String {
    let count = user.chars().count();
    let mask = |(at, c)| if (4..count.saturating_sub(4)).contains(&at) { '*' } else { c };
    user.chars().enumerate().map(mask).collect()
}
