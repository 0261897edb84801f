//! The second listener: `/health/*` and `/metrics` without a key, and nothing else.
use super::{Handles, health, metrics};
use crate::edge::{AdminRoute, nothing};
use bartizan_layers::body::Body;
use http::Response;

/// What is answered there without a key; nothing else is.
pub(super) fn page(handles: &Handles, route: &AdminRoute) -> Response<Body> {
    match route {
        AdminRoute::Liveness => health::liveness(),
        AdminRoute::Readiness => health::readiness(handles),
        AdminRoute::Health => health::summary(handles),
        AdminRoute::Metrics => metrics(handles),
        _ => nothing(),
    }
}
