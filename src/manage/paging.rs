//! Parts of long lists.
use super::Refusal;
use crate::store::{Doc, Page};
use serde_json::Value;

/// The largest page.
const LARGEST: i64 = 100;

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paging {
    page: i64,
    size: i64,
}

impl Paging {
    /// The page of that number, from 1, with so many each.
    ///
    /// # Errors
    ///
    /// If there are no such pages.
    pub(super) fn new(page: Option<i64>, size: Option<i64>, usual: i64) -> Result<Self, Refusal> {
        let (page, size) = (page.unwrap_or(1), size.unwrap_or(usual));
        if page < 1 {
            let message = "Input should be greater than or equal to 1";
            return Err(Refusal::invalid(&["query", "page"], message));
        }
        if !(1..=LARGEST).contains(&size) {
            let message = format!("Input should be from 1 to {LARGEST}");
            return Err(Refusal::invalid(&["query", "page_size"], &message));
        }
        Ok(Self { page, size })
    }

    /// As the store knows it.
    pub(super) const fn page(&self, ascending: bool) -> Page {
        Page { skip: (self.page - 1).saturating_mul(self.size), size: self.size, ascending }
    }

    /// Those of `all` that stand on it.
    pub(super) fn cut<T>(&self, all: Vec<T>) -> Vec<T> {
        let skip = usize::try_from((self.page - 1).saturating_mul(self.size));
        let size = usize::try_from(self.size).unwrap_or_default();
        all.into_iter().skip(skip.unwrap_or(usize::MAX)).take(size).collect()
    }

    /// `{name: rows, "total", "page", "page_size", "total_pages"}`.
    pub(super) fn answer(&self, name: &str, rows: Vec<Doc>, total: i64) -> Doc {
        let rows: Vec<_> = rows.into_iter().map(Value::Object).collect();
        let pages = total.saturating_add(self.size - 1) / self.size;
        let numbers = [
            ("total", total),
            ("page", self.page),
            ("page_size", self.size),
            ("total_pages", pages),
        ];
        let mut answer = Doc::new();
        answer.insert(name.to_owned(), rows.into());
        answer.extend(numbers.map(|(name, number)| (name.to_owned(), number.into())));
        answer
    }
}
