//! What was spent, by whose account it is, and who hears when somebody sets it.
use super::Holder;
use super::directory::{Directory, read, write};
use crate::store::{Account, Kind};
use bartizan_layers::cost::{Budget, BudgetWindow};
use bartizan_layers::facts::{NanoUsd, Scope};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock, RwLock};

/// Whose accounts have holders here, besides the models of keys and the proxy.
const ACCOUNTS: [(Scope, Kind); 7] = [
    (Scope::Key, Kind::Key),
    (Scope::User, Kind::User),
    (Scope::Team, Kind::Team),
    (Scope::TeamMember, Kind::TeamMember),
    (Scope::Organization, Kind::Organization),
    (Scope::EndUser, Kind::EndUser),
    (Scope::Tag, Kind::Tag),
];

/// Where somebody has set what was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setter {
    /// In this process: whoever counts for several processes has to hear of it from here.
    Here,
    /// In another one.
    Elsewhere,
}

type Hear = dyn Fn(&Budget, NanoUsd, Setter) + Send + Sync;

/// What a directory knows of accounts besides its holders.
#[derive(Default)]
pub(super) struct Accounts {
    /// Of single models of keys: the digest, a colon and the model.
    models: RwLock<HashMap<Box<str>, Arc<Holder>, RandomState>>,
    /// Who else keeps accounts, and has to hear when one is set.
    hear: OnceLock<Box<Hear>>,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts")
            .field("models", &read(&self.models).len())
            .finish_non_exhaustive()
    }
}

/// Whose account a thing has; `None` for those that spend nothing.
#[must_use]
pub(super) fn scope_of(kind: Kind) -> Option<Scope> {
    ACCOUNTS.into_iter().find(|(_, own)| *own == kind).map(|(scope, _)| scope)
}

impl Directory {
    /// Takes over what an account says, where its holder is here.
    pub fn set_spent(&self, account: &Account) {
        self.purses().set(account);
        self.spent(&account.scope, &account.subject, |holder| holder.spent.set(account));
    }

    /// Has `hear` told of each account that a person sets.
    pub fn on_spent(&self, hear: impl Fn(&Budget, NanoUsd, Setter) + Send + Sync + 'static) {
        // The first one counts: there is one ledger.
        self.accounts().hear.get_or_init(|| Box::new(hear));
    }

    /// Takes over what a person says was spent, for the calls that come.
    pub fn respend(&self, account: &Account, setter: Setter) {
        self.set_spent(account);
        let scopes = ACCOUNTS.into_iter().map(|(scope, _)| scope);
        let mut scopes = scopes.chain([Scope::ModelPerKey, Scope::Global]);
        let scope = scopes.find(|scope| scope.name() == account.scope);
        if let (Some(scope), Some(hear)) = (scope, self.accounts().hear.get()) {
            let window = self.window(scope, &account.subject);
            let budget = Budget::of(scope, account.subject.as_str(), NanoUsd(0));
            let budget = window.into_iter().fold(budget, Budget::per);
            hear(&budget, NanoUsd(account.spend), setter);
        }
    }

    /// A thing is about to go: whoever has its name later has spent nothing.
    pub fn forget_spent(&self, kind: Kind, id: &str, setter: Setter) {
        let Some(scope) = scope_of(kind) else { return };
        let of = |scope: Scope, subject: String| Account {
            scope: scope.name().to_owned(),
            subject,
            spend: 0,
            until: None,
        };
        if kind == Kind::Key {
            for subject in self.models_of(id) {
                self.respend(&of(Scope::ModelPerKey, subject.clone()), setter);
                write(&self.accounts().models).remove(&*subject);
            }
        }
        self.respend(&of(scope, id.to_owned()), setter);
    }

    /// The accounts of single models of a key that are here.
    fn models_of(&self, id: &str) -> Vec<String> {
        let models = read(&self.accounts().models);
        let own = models.keys().filter(|subject| key_in(subject) == id);
        own.map(|subject| subject.to_string()).collect()
    }

    /// After which time what may be spent starts anew.
    fn window(&self, scope: Scope, subject: &str) -> Option<BudgetWindow> {
        if scope == Scope::Global {
            return self.proxy_money().window;
        }
        if scope == Scope::ModelPerKey {
            let key = self.key_of(key_in(subject))?;
            let (_, model) = subject.split_once(':')?;
            return key.holder.rules.as_ref()?.money_of(model)?.1.window;
        }
        let mut window = None;
        self.spent(scope.name(), subject, |holder| window = self.money(holder).window);
        window
    }

    /// Shows the holder of an account to `visit`, if it is here.
    pub fn spent(&self, scope: &str, subject: &str, visit: impl FnOnce(&Holder)) {
        if scope == Scope::Key.name() {
            if let Some(key) = self.key_of(subject) {
                visit(&key.holder);
            }
            return;
        }
        if scope == Scope::Global.name() {
            return visit(&self.proxy());
        }
        if scope == Scope::ModelPerKey.name() {
            if let Some(holder) = self.model(subject) {
                visit(&holder);
            }
            return;
        }
        let kind = ACCOUNTS.into_iter().find(|(own, _)| own.name() == scope);
        if let Some(holder) = kind.and_then(|(_, kind)| self.holder(kind, subject)) {
            visit(&holder);
        }
    }

    /// What is known of a single model of a key that is here.
    fn model(&self, subject: &str) -> Option<Arc<Holder>> {
        let models = &self.accounts().models;
        if let Some(known) = read(models).get(subject) {
            return Some(known.clone());
        }
        self.key_of(key_in(subject))?;
        Some(write(models).entry(subject.into()).or_default().clone())
    }
}

/// The digest of the key whose model that is.
fn key_in(subject: &str) -> &str {
    subject.split_once(':').map_or(subject, |(key, _)| key)
}
