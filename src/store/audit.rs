//! What was changed, by whom.
use super::{Arg, Page, Row, Store, StoreError};

/// What somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// Its own id.
    pub id: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The user who did it.
    pub by: String,
    /// The key that it was done with.
    pub by_key: String,
    /// `created`, `updated` or `deleted`.
    pub action: String,
    /// What kind of thing it was done to.
    pub kind: String,
    /// To which.
    pub thing: String,
    /// Its document before, as JSON.
    pub before: Option<String>,
    /// Its document afterwards, as JSON.
    pub after: Option<String>,
}

/// Which entries of the audit log are asked for: those of which all that is given is true.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// With this id.
    pub id: Option<String>,
    /// Done by this user.
    pub by: Option<String>,
    /// Done with this key.
    pub by_key: Option<String>,
    /// That did so.
    pub action: Option<String>,
    /// Done to things of this kind.
    pub kind: Option<String>,
    /// Done to this thing.
    pub thing: Option<String>,
    /// Not before then, in milliseconds since 1970.
    pub from: Option<i64>,
    /// Not after then.
    pub to: Option<i64>,
}

impl AuditFilter {
    fn conditions(&self) -> (String, Vec<Arg>) {
        let texts = [
            ("id = ", &self.id),
            ("changed_by = ", &self.by),
            ("changed_by_key = ", &self.by_key),
            ("action = ", &self.action),
            ("kind = ", &self.kind),
            ("thing = ", &self.thing),
        ];
        let texts =
            texts.into_iter().filter_map(|(test, value)| Some((test, value.as_deref()?.into())));
        let times = [("at >= ", self.from), ("at <= ", self.to)];
        let times = times.into_iter().filter_map(|(test, value)| Some((test, Arg::from(value?))));
        let (mut sql, mut args) = (String::new(), Vec::new());
        for (test, value) in texts.chain(times) {
            args.push(value);
            let word = if args.len() == 1 { " WHERE " } else { " AND " };
            sql += &format!("{word}{test}${}", args.len());
        }
        (sql, args)
    }
}

impl Store {
    /// The entries of the audit log that `filter` lets through, those of one page, and how many
    /// there are on all.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        page: Page,
    ) -> Result<(Vec<Audited>, i64), StoreError> {
        let (conditions, mut args) = filter.conditions();
        let count = self.fetch(&format!("SELECT COUNT(*) FROM audit{conditions}"), &args).await?;
        let order = if page.ascending { "ASC" } else { "DESC" };
        let (size, skip) = (args.len() + 1, args.len() + 2);
        args.extend([page.size.into(), page.skip.into()]);
        let sql = format!(
            "SELECT id, at, changed_by, changed_by_key, action, kind, thing, before, after FROM \
             audit{conditions} ORDER BY at {order}, id {order} LIMIT ${size} OFFSET ${skip}"
        );
        let rows = self.fetch(&sql, &args).await?;
        Ok((rows.iter().map(audited).collect(), count.first().map_or(0, |row| row.int(0))))
    }
}

fn audited(row: &Row) -> Audited {
    let text = |column| row.text(column).to_owned();
    Audited {
        id: text(0),
        at: row.int(1),
        by: text(2),
        by_key: text(3),
        action: text(4),
        kind: text(5),
        thing: text(6),
        before: row.maybe_text(7).map(str::to_owned),
        after: row.maybe_text(8).map(str::to_owned),
    }
}
