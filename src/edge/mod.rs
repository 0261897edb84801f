//! Between the listener and the layers: path → operation, the record of a call, and the only
//! place where errors become answers.
mod asked;
mod budget;
mod cors;
mod dispatch;
mod flow;
mod fork;
mod form;
mod guard;
mod inflate;
mod ingest;
mod intake;
mod overrides;
mod panic;
mod pause;
mod record;
mod respond;
mod rewrite;
mod room;
mod route;
mod selectors;
mod text;

pub use self::budget::{BodyRules, Budget, Share};
pub use self::dispatch::{Dispatch, DispatchFuture, Doors, nothing};
pub use self::fork::{Fork, ForkFuture};
pub use self::guard::{Guard, HOP};
pub use self::ingest::{Ingest, IngestError, IngestLayer};
pub use self::intake::{Intake, IntakeLayer};
pub use self::panic::{Catch, CatchBody, CatchFuture, CatchLayer};
pub use self::pause::{PauseLayer, PauseLimit, Paused, Unpaused};
pub use self::record::{Answer, Counted, Record, RecordFuture, RecordLayer, Recording};
pub use self::respond::{Respond, RespondFuture, RespondLayer, answer, problem};
pub use self::room::{Room, RoomFuture, RoomLayer, TooManyCalls};
pub use self::route::{AdminRoute, At, DEPLOYMENTS, ROWS, Route, Row};
