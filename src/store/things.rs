//! What the proxy issues, as documents.
use super::{Arg, Row, Store, StoreError, Work};
use serde_json::{Map, Value};

/// The fields of a thing, by LiteLLM's names.
pub type Doc = Map<String, Value>;

/// What kinds of things there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A virtual key; its id is the SHA-256 of its text, in hexadecimal.
    Key,
    /// A user.
    User,
    /// A team.
    Team,
    /// A user in a team: [`member_id`].
    TeamMember,
    /// An organisation.
    Organization,
    /// A user in an organisation: [`member_id`].
    OrganizationMember,
    /// Whom a client says it calls for.
    EndUser,
    /// Money and limits that several others may refer to.
    Budget,
    /// A word that calls bear.
    Tag,
    /// A name for several models.
    AccessGroup,
    /// A model that was added at run time; its parameters are sealed.
    Model,
}

impl Kind {
    /// All of them. What is named by others stands before those.
    pub const ALL: [Self; 11] = [
        Self::Model,
        Self::Budget,
        Self::AccessGroup,
        Self::Organization,
        Self::Team,
        Self::User,
        Self::OrganizationMember,
        Self::TeamMember,
        Self::EndUser,
        Self::Tag,
        Self::Key,
    ];

    /// As the store spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::User => "user",
            Self::Team => "team",
            Self::TeamMember => "team_member",
            Self::Organization => "organization",
            Self::OrganizationMember => "organization_member",
            Self::EndUser => "end_user",
            Self::Budget => "budget",
            Self::Tag => "tag",
            Self::AccessGroup => "access_group",
            Self::Model => "model",
        }
    }

    /// The kind with that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The field that people call it by, where ids are not enough.
    const fn alias(self) -> &'static str {
        match self {
            Self::Key => "key_alias",
            Self::User => "user_email",
            Self::Team => "team_alias",
            Self::Organization => "organization_alias",
            Self::Model => "model_name",
            _ => "alias",
        }
    }
}

/// The id of a user in a team or an organisation.
#[must_use]
pub fn member_id(of: &str, user: &str) -> String {
    Value::from(vec![of, user]).to_string()
}

/// One thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Thing {
    /// What it is.
    pub kind: Kind,
    /// What it is found by.
    pub id: String,
    /// Everything about it.
    pub doc: Doc,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// When it was changed last, in milliseconds since 1970.
    pub updated_at: i64,
}

impl Thing {
    /// The text in a field, if there is one and it is not empty.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.doc.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub(super) fn of(row: &Row) -> Result<Self, StoreError> {
        let broken = || StoreError::Broken(format!("{} {}", row.text(0), row.text(1)).into());
        let kind = Kind::named(row.text(0)).ok_or_else(broken)?;
        let doc = serde_json::from_str(row.text(2)).map_err(|_| broken())?;
        let (created_at, updated_at) = (row.int(3), row.int(4));
        Ok(Self { kind, id: row.text(1).to_owned(), doc, created_at, updated_at })
    }

    /// Puts it in the place of the one with its id, or makes it.
    pub(super) async fn put(&self, work: &mut Work, is_new: bool) -> Result<(), StoreError> {
        let text = serde_json::to_string(&self.doc).map_err(|_| StoreError::Broken("".into()))?;
        let own = |field| Arg::from(self.text(field));
        let sql = if is_new {
            "INSERT INTO things (kind, id, alias, user_id, team_id, organization_id, created_at, \
             updated_at, doc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        } else {
            "UPDATE things SET alias = $3, user_id = $4, team_id = $5, organization_id = $6, \
             created_at = $7, updated_at = $8, doc = $9 WHERE kind = $1 AND id = $2"
        };
        let args = [
            self.kind.name().into(),
            self.id.as_str().into(),
            own(self.kind.alias()),
            own("user_id"),
            own("team_id"),
            own("organization_id"),
            self.created_at.into(),
            self.updated_at.into(),
            text.into(),
        ];
        work.execute(sql, &args).await.map(|_| ())
    }
}

const COLUMNS: &str = "SELECT kind, id, doc, created_at, updated_at FROM things";

/// Which things are asked for: those of which all that is given is true.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this user.
    pub user: Option<String>,
    /// Of this team.
    pub team: Option<String>,
    /// Of this organisation.
    pub organization: Option<String>,
    /// With this alias.
    pub alias: Option<String>,
    /// With this id.
    pub id: Option<String>,
    /// With this text somewhere in the alias, whatever its case.
    pub alias_has: Option<String>,
}

/// Which part of a long list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// How many come before it.
    pub skip: i64,
    /// How many it has at most.
    pub size: i64,
    /// Whether the oldest come first.
    pub ascending: bool,
}

impl Page {
    /// Everything, the oldest first.
    pub const ALL: Self = Self { skip: 0, size: i64::MAX, ascending: true };
}

impl Filter {
    fn conditions(&self, kind: Kind) -> (String, Vec<Arg>) {
        let mut sql = " WHERE kind = $1".to_owned();
        let mut args = vec![Arg::from(kind.name())];
        let own = [
            ("user_id = ", &self.user),
            ("team_id = ", &self.team),
            ("organization_id = ", &self.organization),
            ("alias = ", &self.alias),
            ("id = ", &self.id),
        ];
        for (column, value) in own {
            if let Some(value) = value {
                args.push(value.as_str().into());
                sql += &format!(" AND {column}${}", args.len());
            }
        }
        if let Some(part) = &self.alias_has {
            let literal = part.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
            args.push(format!("%{literal}%").into());
            // Which letters are one, either engine decides by itself.
            sql += &format!(r" AND lower(alias) LIKE lower(${}) ESCAPE '\'", args.len());
        }
        (sql, args)
    }
}

impl Store {
    /// The thing with that id.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn thing(&self, kind: Kind, id: &str) -> Result<Option<Thing>, StoreError> {
        let sql = format!("{COLUMNS} WHERE kind = $1 AND id = $2");
        let rows = self.fetch(&sql, &[kind.name().into(), id.into()]).await?;
        rows.first().map(Thing::of).transpose()
    }

    /// The things of a kind that `filter` lets through, those of one page.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn things(
        &self,
        kind: Kind,
        filter: &Filter,
        page: Page,
    ) -> Result<Vec<Thing>, StoreError> {
        let (conditions, mut args) = filter.conditions(kind);
        let order = if page.ascending { "ASC" } else { "DESC" };
        args.extend([page.size.into(), page.skip.into()]);
        let (size, skip) = (args.len() - 1, args.len());
        let sql = format!(
            "{COLUMNS}{conditions} ORDER BY created_at {order}, id {order} LIMIT ${size} OFFSET \
             ${skip}"
        );
        self.fetch(&sql, &args).await?.iter().map(Thing::of).collect()
    }

    /// The next things of a kind after the one with the id `after`, by their ids, at most so many:
    /// all of them are read so at a cost that does not grow from part to part.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn things_after(
        &self,
        kind: Kind,
        after: &str,
        most: i64,
    ) -> Result<Vec<Thing>, StoreError> {
        let sql = format!("{COLUMNS} WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3");
        let args = [kind.name().into(), after.into(), most.into()];
        self.fetch(&sql, &args).await?.iter().map(Thing::of).collect()
    }

    /// How many of a kind `filter` lets through.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn count(&self, kind: Kind, filter: &Filter) -> Result<i64, StoreError> {
        let (conditions, args) = filter.conditions(kind);
        let rows = self.fetch(&format!("SELECT COUNT(*) FROM things{conditions}"), &args).await?;
        Ok(rows.first().map_or(0, |row| row.int(0)))
    }
}

impl Work {
    /// The thing with that id, as this work has left it.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn thing(&mut self, kind: Kind, id: &str) -> Result<Option<Thing>, StoreError> {
        let sql = format!("{COLUMNS} WHERE kind = $1 AND id = $2");
        let rows = self.fetch(&sql, &[kind.name().into(), id.into()]).await?;
        rows.first().map(Thing::of).transpose()
    }

    /// The things that `filter` lets through, as this work has left them.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn things(&mut self, kind: Kind, filter: &Filter) -> Result<Vec<Thing>, StoreError> {
        let (conditions, args) = filter.conditions(kind);
        let sql = format!("{COLUMNS}{conditions} ORDER BY created_at, id");
        self.fetch(&sql, &args).await?.iter().map(Thing::of).collect()
    }
}
