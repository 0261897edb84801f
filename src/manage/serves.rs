//! How the routes of a folder are written down, and what axum makes of them.
use super::Manage;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use std::pin::Pin;
use std::sync::Arc;

/// Handlers that work on the management API's state.
pub(super) type Routes = axum::Router<Arc<Manage>>;

/// The same, described.
pub(super) type Described = utoipa_axum::router::OpenApiRouter<Arc<Manage>>;

type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A handler, whatever it takes out of a request. With one type for all, axum's routing is
/// compiled once and not for each of them.
#[derive(Clone, Copy)]
pub(super) struct Erased(pub(super) fn(Request, Arc<Manage>) -> Answer);

impl Handler<(), Arc<Manage>> for Erased {
    type Future = Answer;

    fn call(self, request: Request, manage: Arc<Manage>) -> Answer {
        (self.0)(request, manage)
    }
}

/// The routes of a folder, `METHOD "path" => handler`: what serves them, and what describes them.
/// After a semicolon stand those that are not described: other names of the same.
///
/// A proxy that runs never describes: it has the document from `openapi.json`, so that what
/// builds one is no part of the binary.
macro_rules! serves {
    (
        $($method:ident $path:literal => $($handler:ident)::+,)*
        $(; $($other:ident $name:literal => $($same:ident)::+,)*)?
    ) => {
        pub(super) fn routes(routes: $crate::manage::serves::Routes) -> $crate::manage::serves::Routes {
            use $crate::manage::serves::Erased;
            use axum::handler::Handler;
            use axum::routing::{MethodFilter, on};
            routes
                $(.route($path, on(
                    MethodFilter::$method,
                    Erased(|request, manage| Handler::call($($handler)::+, request, manage)),
                )))*
                $($(.route($name, on(
                    MethodFilter::$other,
                    Erased(|request, manage| Handler::call($($same)::+, request, manage)),
                )))*)?
        }

        pub(super) fn described() -> $crate::manage::serves::Described {
            $crate::manage::serves::Described::new()
                $(.routes(utoipa_axum::routes!($($handler)::+)))*
        }

        /// The methods and paths of what is described.
        #[cfg(test)]
        pub(super) const DESCRIBED: &[(&str, &str)] = &[$((stringify!($method), $path)),*];
    };
}
