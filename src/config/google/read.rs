//! A login from the JSON that Google's tools write.
use super::{
    Acting, AuthorizedUser, ExternalAccount, GoogleIdentity, GoogleLogin, ServiceAccount,
    TokenPlace, TokenSource,
};
use crate::config::{Secret, web_url};
use http::{HeaderName, HeaderValue, Uri};
use serde_json::{Map, Value};

const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
const STS: &str = "https://sts.googleapis.com/v1/token";

/// Seconds that a token of an account that somebody acts as is good for, where nobody says it.
const LIFETIME: u32 = 3600;

/// Why a text is no login. Shows nothing of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotALogin {
    /// It is no JSON object.
    #[error("is no JSON object")]
    Json,
    /// It does not say what it is, or something that is not in this version.
    #[error("is of no type that is known here")]
    Type,
    /// Its token comes from a program or from AWS.
    #[error("takes its token from `{0}`, which is not in this version")]
    Source(&'static str),
    /// A member is missing, or not what it should be.
    #[error("has no `{0}`, or it is not what it should be")]
    Member(&'static str),
}

impl GoogleLogin {
    /// The login that a JSON text holds.
    ///
    /// # Errors
    /// [`NotALogin`], if it holds none.
    pub fn of_json(text: &str) -> Result<Self, NotALogin> {
        let Ok(Value::Object(file)) = serde_json::from_str(text) else {
            return Err(NotALogin::Json);
        };
        Self::of(&file)
    }

    pub(super) fn of(file: &Map<String, Value>) -> Result<Self, NotALogin> {
        let members = Members(file);
        let project = members.text("project_id").or_else(|| members.text("quota_project_id"));
        let (identity, acting) = match members.text("type") {
            Some("service_account") => (members.account()?, None),
            Some("authorized_user") => (members.user()?, None),
            Some("external_account") => (members.federated()?, members.acting()?),
            Some("impersonated_service_account") => {
                let source = members.object("source_credentials");
                let source = source.ok_or(NotALogin::Member("source_credentials"))?;
                let own = Self::of(source.0)?;
                // Who acts as one who acts as another would have to be asked for two tokens.
                let acting = members.acting()?.filter(|_| own.acting.is_none());
                (own.identity, Some(acting.ok_or(NotALogin::Member(ACTING))?))
            }
            _ => return Err(NotALogin::Type),
        };
        Ok(Self { identity, acting, project: project.map(str::to_owned) })
    }
}

const ACTING: &str = "service_account_impersonation_url";

/// The members of a JSON object.
#[derive(Clone, Copy)]
struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    fn object(self, name: &str) -> Option<Self> {
        self.0.get(name)?.as_object().map(Self)
    }

    fn needed(self, name: &'static str) -> Result<String, NotALogin> {
        self.text(name).map(str::to_owned).ok_or(NotALogin::Member(name))
    }

    fn secret(self, name: &'static str) -> Result<Secret<String>, NotALogin> {
        self.needed(name).map(Secret::new)
    }

    /// A URL, or where it is said to be if nobody says it.
    fn url(self, name: &'static str, usual: &str) -> Result<Uri, NotALogin> {
        web_url(self.text(name).unwrap_or(usual)).ok_or(NotALogin::Member(name))
    }

    fn account(self) -> Result<GoogleIdentity, NotALogin> {
        let account = ServiceAccount {
            email: self.needed("client_email")?,
            key_id: self.text("private_key_id").map(str::to_owned),
            key: self.secret("private_key")?,
            token_uri: self.url("token_uri", TOKEN_URI)?,
        };
        account.key_pair().ok_or(NotALogin::Member("private_key"))?;
        Ok(GoogleIdentity::Account(account))
    }

    fn user(self) -> Result<GoogleIdentity, NotALogin> {
        Ok(GoogleIdentity::User(AuthorizedUser {
            client_id: self.needed("client_id")?,
            client_secret: self.secret("client_secret")?,
            refresh_token: self.secret("refresh_token")?,
            token_uri: self.url("token_uri", TOKEN_URI)?,
        }))
    }

    fn federated(self) -> Result<GoogleIdentity, NotALogin> {
        let source = self.object("credential_source");
        let client = self.text("client_id").zip(self.text("client_secret"));
        Ok(GoogleIdentity::Federated(Box::new(ExternalAccount {
            audience: self.needed("audience")?,
            subject_token_type: self.needed("subject_token_type")?,
            source: source.ok_or(NotALogin::Member("credential_source"))?.source()?,
            token_url: self.url("token_url", STS)?,
            client: client.map(|(id, secret)| (id.to_owned(), Secret::new(secret.to_owned()))),
            user_project: self.text("workforce_pool_user_project").map(str::to_owned),
        })))
    }

    fn source(self) -> Result<TokenSource, NotALogin> {
        let other = ["environment_id", "executable", "certificate"];
        if let Some(other) = other.into_iter().find(|name| self.0.contains_key(*name)) {
            return Err(NotALogin::Source(other));
        }
        let place = match self.text("file") {
            Some(path) => TokenPlace::File(path.into()),
            None => TokenPlace::Url(self.url("url", "")?, self.headers()?),
        };
        let format = self.object("format").filter(|format| format.text("type") == Some("json"));
        let member = format.map(|format| format.needed("subject_token_field_name")).transpose()?;
        Ok(TokenSource { place, member })
    }

    fn headers(self) -> Result<Vec<(HeaderName, HeaderValue)>, NotALogin> {
        let told = self.object("headers").into_iter().flat_map(|headers| headers.0);
        let header = |(name, value): (&String, &Value)| {
            let mut value = HeaderValue::from_str(value.as_str()?).ok()?;
            value.set_sensitive(true);
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
        };
        told.map(|pair| header(pair).ok_or(NotALogin::Member("headers"))).collect()
    }

    fn acting(self) -> Result<Option<Acting>, NotALogin> {
        if self.text(ACTING).is_none() {
            return Ok(None);
        }
        let own = self.object("service_account_impersonation");
        let lifetime = own.and_then(|own| own.0.get("token_lifetime_seconds")?.as_u64());
        let delegates = self.0.get("delegates").and_then(Value::as_array).into_iter().flatten();
        Ok(Some(Acting {
            url: self.url(ACTING, "")?,
            delegates: delegates.filter_map(Value::as_str).map(str::to_owned).collect(),
            lifetime: lifetime.and_then(|it| u32::try_from(it).ok()).unwrap_or(LIFETIME),
        }))
    }
}
