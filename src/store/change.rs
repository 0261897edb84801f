//! Changes of things: each is audited, and told to the other processes.
use super::things::{Doc, Kind, Thing};
use super::{Account, Store, StoreError, Work};
use crate::clock;
use serde_json::Value;

/// Who changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user's id.
    pub user: String,
    /// The digest of the key, or its alias.
    pub key: String,
}

/// Changes that are made as a whole when they are [committed](Self::commit), or not at all.
#[derive(Debug)]
pub struct Change {
    work: Work,
    actor: Actor,
    /// Milliseconds since 1970.
    now: i64,
    made: Vec<Made>,
    /// Accounts that were set.
    set: Vec<Account>,
    /// What the first of them is called in the audit log, where that was said before.
    name: Option<String>,
}

/// A thing before and after; `None` where there is none.
#[derive(Debug)]
struct Made {
    kind: Kind,
    id: String,
    before: Option<Thing>,
    after: Option<Thing>,
}

/// What changed, of which one process hears from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its number: later changes have greater ones.
    pub seq: i64,
    /// What it was; `None` if only later versions know that.
    pub news: Option<News>,
}

/// What another process has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A thing of that kind, with that id.
    Thing(Kind, String),
    /// Somebody has set an account: its scope and whose it is.
    Account(String, String),
}

/// How the feed calls an account. Its id there is the scope, a colon and whose it is.
const ACCOUNT: &str = "account";

/// Changes wait for each other in Postgres, so that they are seen in the order of their numbers.
const ALONE: &str = "SELECT pg_advisory_xact_lock(4242001)";

impl Store {
    /// Begins changes by `actor`.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn change(&self, actor: Actor) -> Result<Change, StoreError> {
        let mut work = self.work().await?;
        if work.is_postgres() {
            work.execute(ALONE, &[]).await?;
        }
        Ok(Change { work, actor, now: clock::now(), made: Vec::new(), set: Vec::new(), name: None })
    }

    /// The number of the last change.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn last_change(&self) -> Result<i64, StoreError> {
        let rows = self.fetch("SELECT MAX(seq) FROM changes", &[]).await?;
        Ok(rows.first().map_or(0, |row| row.int(0)))
    }

    /// The changes after that number, a thousand at most.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn changes_since(&self, seq: i64) -> Result<Vec<Heard>, StoreError> {
        let sql = "SELECT seq, kind, id FROM changes WHERE seq > $1 ORDER BY seq LIMIT 1000";
        let rows = self.fetch(sql, &[seq.into()]).await?;
        let heard = |row: &super::Row| {
            let (kind, id) = (row.text(1), row.text(2));
            let thing = Kind::named(kind).map(|kind| News::Thing(kind, id.to_owned()));
            let account = id.split_once(':').filter(|_| kind == ACCOUNT);
            let account = account.map(|(scope, whose)| News::Account(scope.into(), whose.into()));
            Heard { seq: row.int(0), news: thing.or(account) }
        };
        Ok(rows.iter().map(heard).collect())
    }
}

impl Change {
    /// What was changed so far can be read here, and nowhere else yet.
    pub const fn work(&mut self) -> &mut Work {
        &mut self.work
    }

    /// When it is, in milliseconds since 1970: the same for all of it.
    #[must_use]
    pub const fn now(&self) -> i64 {
        self.now
    }

    /// Names the first change of all for the audit log, with a name that is found nowhere else.
    /// `false`: that change was made already.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn once(&mut self, name: &str) -> Result<bool, StoreError> {
        let sql = "SELECT id FROM audit WHERE id = $1";
        let is_new = self.work.fetch(sql, &[name.into()]).await?.is_empty();
        self.name = Some(name.to_owned());
        Ok(is_new)
    }

    /// Makes a thing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] if there is one with this id or, for a key, with this alias.
    pub async fn insert(
        &mut self,
        kind: Kind,
        id: impl Into<String>,
        doc: Doc,
    ) -> Result<Thing, StoreError> {
        let (created_at, updated_at) = (self.now, self.now);
        let thing = Thing { kind, id: id.into(), doc, created_at, updated_at };
        thing.put(&mut self.work, true).await?;
        self.note(None, Some(thing.clone()));
        Ok(thing)
    }

    /// Gives a thing that was read another document.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] if another key has its alias.
    pub async fn update(&mut self, before: &Thing, doc: Doc) -> Result<Thing, StoreError> {
        let after = Thing { doc, updated_at: self.now, ..before.clone() };
        after.put(&mut self.work, false).await?;
        self.note(Some(before.clone()), Some(after.clone()));
        Ok(after)
    }

    /// Takes a thing away. Nothing happens where there is none.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn delete(&mut self, kind: Kind, id: &str) -> Result<Option<Thing>, StoreError> {
        let Some(before) = self.work.thing(kind, id).await? else { return Ok(None) };
        let sql = "DELETE FROM things WHERE kind = $1 AND id = $2";
        self.work.execute(sql, &[kind.name().into(), id.into()]).await?;
        self.note(Some(before.clone()), None);
        Ok(Some(before))
    }

    /// Replaces what an account says.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn set_account(&mut self, account: Account) -> Result<(), StoreError> {
        self.work.set_account(&account).await?;
        self.set.push(account);
        Ok(())
    }

    /// The accounts that were set.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.set
    }

    fn note(&mut self, before: Option<Thing>, after: Option<Thing>) {
        let Some(one) = after.as_ref().or(before.as_ref()) else { return };
        self.made.push(Made { kind: one.kind, id: one.id.clone(), before, after });
    }

    /// Makes it so, and tells what things are now: `None` for those that are gone.
    ///
    /// # Errors
    ///
    /// As the store says; then nothing was changed.
    pub async fn commit(mut self) -> Result<Vec<(Kind, String, Option<Thing>)>, StoreError> {
        let sql = "INSERT INTO changes (kind, id, at) VALUES ($1, $2, $3)";
        for made in &self.made {
            let args = [made.kind.name().into(), made.id.as_str().into(), self.now.into()];
            self.work.execute(sql, &args).await?;
            let name = self.name.take();
            let name = name.unwrap_or_else(|| format!("{:032x}", fastrand::u128(..)));
            made.audit(&mut self.work, name, &self.actor, self.now).await?;
        }
        for Account { scope, subject, .. } in &self.set {
            let args = [ACCOUNT.into(), format!("{scope}:{subject}").into(), self.now.into()];
            self.work.execute(sql, &args).await?;
        }
        self.work.commit().await?;
        Ok(self.made.into_iter().map(|made| (made.kind, made.id, made.after)).collect())
    }
}

impl Made {
    async fn audit(
        &self,
        work: &mut Work,
        name: String,
        actor: &Actor,
        now: i64,
    ) -> Result<(), StoreError> {
        let action = match (&self.before, &self.after) {
            (None, _) => "created",
            (Some(_), Some(_)) => "updated",
            (Some(_), None) => "deleted",
        };
        let shown = |thing: &Option<Thing>| {
            let text = thing.as_ref().map(|thing| masked(thing.doc.clone().into()).to_string());
            super::Arg::from(text.as_deref())
        };
        let sql = "INSERT INTO audit (id, at, changed_by, changed_by_key, action, kind, thing, \
            before, after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let args = [
            name.into(),
            now.into(),
            actor.user.as_str().into(),
            actor.key.as_str().into(),
            action.into(),
            self.kind.name().into(),
            self.id.as_str().into(),
            shown(&self.before),
            shown(&self.after),
        ];
        work.execute(sql, &args).await.map(|_| ())
    }
}

/// Without what may be a secret by its name: people put credentials of other services into the
/// metadata of keys.
fn masked(value: Value) -> Value {
    let is_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["secret", "password", "api_key", "access_key", "private_key", "credential"]
            .iter()
            .any(|word| name.contains(word))
    };
    match value {
        Value::Object(map) => map
            .into_iter()
            .map(|(name, value)| match value {
                Value::String(_) if is_secret(&name) => (name, Value::from("*****")),
                value => (name, masked(value)),
            })
            .collect(),
        Value::Array(list) => list.into_iter().map(masked).collect(),
        value => value,
    }
}
