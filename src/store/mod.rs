//! What outlives the process: keys, teams, budgets, spend, audit. SQLite in the state directory,
//! or Postgres.
//!
//! Both engines speak the same SQL here: text and 64-bit integers, numbered placeholders,
//! `ON CONFLICT`. Values are always arguments, never a part of a statement's text. A thing that the
//! proxy issues is a JSON [document](Thing), with the few fields beside it that it is looked up by.
mod accounts;
mod aliases;
mod audit;
mod carry;
mod change;
mod db;
mod held;
mod migrate;
mod objects;
mod open;
mod responses;
mod seal;
mod things;

pub use self::accounts::Account;
pub use self::audit::{AuditFilter, Audited};
pub use self::change::{Actor, Change, Heard, News};
pub use self::db::{Arg, Row, StoreError, Work};
pub use self::open::{Place, Store};
pub use self::responses::{Link, Turn};
pub use self::seal::Seal;
pub use self::things::{Doc, Filter, Kind, Page, Thing, member_id};
