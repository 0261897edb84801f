//! What Claude models take, whoever hosts them: Anthropic itself, and clouds in words of their own.
mod model;
mod sampling;
mod schema;
#[cfg(test)]
mod tests;
mod thinking;

pub(super) use self::model::{Model, Schemas};
pub(super) use self::sampling::fit_sampling;
pub(super) use self::schema::{close, is_closed};
pub(super) use self::thinking::{Plan, plan};
