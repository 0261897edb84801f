//! The names of keys.
use super::{Arg, Page, Store, StoreError};

impl Store {
    /// The aliases of keys with that text somewhere in them, in the order of the alphabet, and how
    /// many there are on all pages; those of one user's keys, if one is given.
    ///
    /// # Errors
    ///
    /// As [`Store::fetch`].
    pub async fn key_aliases(
        &self,
        part: &str,
        user: Option<&str>,
        page: Page,
    ) -> Result<(Vec<String>, i64), StoreError> {
        let literal = part.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
        let mut sql = r"FROM things WHERE kind = 'key' AND alias IS NOT NULL
            AND (lower(alias) LIKE $1 ESCAPE '\' OR alias LIKE $2 ESCAPE '\')"
            .to_owned();
        // SQLite knows the cases of ASCII only.
        let mut args =
            vec![Arg::from(format!("%{}%", literal.to_lowercase())), format!("%{literal}%").into()];
        if let Some(user) = user {
            sql += " AND user_id = $3";
            args.push(user.into());
        }
        let count = self.fetch(&format!("SELECT COUNT(*) {sql}"), &args).await?;
        let (size, skip) = (args.len() + 1, args.len() + 2);
        args.extend([page.size.into(), page.skip.into()]);
        let sql = format!("SELECT alias {sql} ORDER BY alias LIMIT ${size} OFFSET ${skip}");
        let rows = self.fetch(&sql, &args).await?;
        let total = count.first().map_or(0, |row| row.int(0));
        Ok((rows.iter().map(|row| row.text(0).to_owned()).collect(), total))
    }
}
