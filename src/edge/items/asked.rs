//! A call for several things: those that are kept, and an answer for those that are not.
use crate::providers::openai::embeddings::{Shares, apart, asking_for, inputs, together};
use crate::providers::{Hold, Prompt};
use crate::telemetry::{Failure, Trail};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::cache::{Entry, Parts, Store};
use bartizan_layers::facts::{CacheKey, NanoUsd, Unit, Usage, UsageCell};
use bartizan_layers::fallback::FellBack;
use bartizan_layers::wire::scan::scan;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{Request, Response, StatusCode, header, response};
use http_body::Frame;
use http_body_util::{BodyExt, BodyStream, StreamBody};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use tower_service::Service;

/// Looks at a store that one call has open at once.
const LOOKS: usize = 64;

/// What a call asks for.
#[derive(Debug)]
pub(super) struct Asked<T> {
    parts: Parts<T>,
    keys: Arc<[CacheKey]>,
}

/// Which of them an upstream is asked for, and how what it takes is divided among these.
#[derive(Debug)]
struct Missing {
    places: Vec<usize>,
    shares: Shares,
}

impl<T: Store> Asked<T> {
    pub(super) const fn new(parts: Parts<T>, keys: Arc<[CacheKey]>) -> Self {
        Self { parts, keys }
    }

    pub(super) async fn answer<S>(
        self,
        mut inner: S,
        req: Request<Prompt>,
    ) -> Result<Response<Body>, BoxError>
    where
        S: Service<Request<Prompt>, Response = Response<Body>, Error = BoxError>,
    {
        let held = req.body().held.clone();
        let Some(found) = self.found(&*held).await else { return inner.call(req).await };
        let missing: Vec<_> = (0..found.len()).filter(|at| found[*at].is_none()).collect();
        if missing.is_empty() {
            if let Some(rsp) = self.replay(&found, &*held) {
                return Ok(rsp);
            }
        } else if missing.len() < found.len()
            && let Some((some, missing)) = self.asking_for(&req, missing)
        {
            let rsp = inner.call(some).await?;
            if let Some(rsp) = self.joined(rsp, &found, &missing, &*held).await {
                return Ok(rsp);
            }
            lose(&req);
            poll_fn(|cx| inner.poll_ready(cx)).await?;
        }
        self.whole(inner, req).await
    }

    /// What is kept of each; `None` where memory does not allow for it.
    async fn found(&self, held: &dyn Hold) -> Option<Vec<Option<Entry>>> {
        let mut looks = pin!(stream::iter(self.parts.looks()).buffered(LOOKS));
        let mut looked = Vec::with_capacity(self.keys.len());
        while let Some(look) = looks.next().await {
            let length = look.iter().flatten().map(|entry| entry.body.len()).sum();
            if !held.hold_more(length) {
                return None;
            }
            looked.push(look);
        }
        Some(self.parts.found(looked))
    }

    /// The answer where nothing is missing; `None` where what is kept does not go together.
    fn replay(&self, found: &[Option<Entry>], held: &dyn Hold) -> Option<Response<Body>> {
        let found: Vec<_> = found.iter().flatten().cloned().collect();
        let bodies: Vec<_> = found.iter().map(|entry| entry.body.clone()).collect();
        let body = together(&bodies, 0, held)?;
        Some(self.parts.replay(&found, body).map(Body::Full))
    }

    /// Asks for all of them, and keeps each if the answer can be taken apart.
    async fn whole<S>(&self, mut inner: S, req: Request<Prompt>) -> Result<Response<Body>, BoxError>
    where
        S: Service<Request<Prompt>, Response = Response<Body>, Error = BoxError>,
    {
        let held = req.body().held.clone();
        let Some((all, places)) = self.asking_for(&req, (0..self.keys.len()).collect()) else {
            return inner.call(req).await;
        };
        drop(req);
        let (head, bytes) = match self.collected(inner.call(all).await?, &*held).await {
            Ok(collected) => collected,
            Err(rsp) => return Ok(rsp),
        };
        if let Some(each) = apart(&bytes, &places.shares, &*held) {
            self.keep(&head, &places, each);
        }
        Ok(Response::from_parts(head, Body::Full(bytes)))
    }

    /// What was `found` and the answer for what was `missing`, in order; the answer as it is, if it
    /// is an error. `None` where they do not go together: then nothing is kept of it.
    async fn joined(
        &self,
        rsp: Response<Body>,
        found: &[Option<Entry>],
        missing: &Missing,
        held: &dyn Hold,
    ) -> Option<Response<Body>> {
        if !rsp.status().is_success() {
            return Some(rsp);
        }
        let (mut head, bytes) = self.collected(rsp, held).await.ok()?;
        let each = apart(&bytes, &missing.shares, held)?;
        let mut came = each.iter().cloned();
        let body = |kept: &Option<Entry>| match kept {
            Some(entry) => Some(entry.body.clone()),
            None => came.next(),
        };
        let bodies = found.iter().map(body).collect::<Option<Vec<_>>>()?;
        let body = together(&bodies, *missing.places.first()?, held)?;
        self.keep(&head, missing, each);
        head.headers.remove(header::CONTENT_LENGTH);
        Some(Response::from_parts(head, Body::Full(body)))
    }

    /// The request for those in these `places`. `None` where there is no memory for it.
    fn asking_for(
        &self,
        req: &Request<Prompt>,
        places: Vec<usize>,
    ) -> Option<(Request<Prompt>, Missing)> {
        let prompt = req.body();
        if prompt.text.cuts() > 0 && !prompt.held.hold_more(prompt.text.len()) {
            return None;
        }
        let whole = prompt.text.whole();
        let object = scan(&whole).ok()?;
        let all = inputs(&object)?;
        let some: Vec<_> = places.iter().filter_map(|at| all.get(*at).copied()).collect();
        let shares = Shares::by(some.iter().map(|input| input.len()));
        let mut asked = req.clone();
        if some.len() < all.len() {
            *asked.body_mut() = asking_for(prompt, &whole, &some)?;
        }
        // Whoever answers tells what it took, as for all answers that are kept.
        asked.extensions_mut().insert(*self.keys.get(*places.first()?)?);
        Some((asked, Missing { places, shares }))
    }

    /// All of an answer; or the answer as it was, where it is not one to these keys, or memory does
    /// not allow for it.
    async fn collected(
        &self,
        rsp: Response<Body>,
        held: &dyn Hold,
    ) -> Result<(response::Parts, Bytes), Response<Body>> {
        if rsp.status() != StatusCode::OK {
            return Err(rsp);
        }
        let (mut head, body) = rsp.into_parts();
        head.extensions.insert(self.parts.status());
        // Vectors of another model are of another space.
        if head.extensions.get::<FellBack>().is_some() {
            return Err(Response::from_parts(head, body));
        }
        match collected(body, held).await {
            Ok(bytes) => Ok((head, bytes)),
            Err(body) => Err(Response::from_parts(head, body)),
        }
    }

    fn keep(&self, head: &response::Parts, missing: &Missing, each: Vec<Bytes>) {
        let bill = head.extensions.get().and_then(UsageCell::bill);
        for (at, (part, body)) in missing.places.iter().zip(each).enumerate() {
            let share = bill.map(|bill| share(bill, &missing.shares, at));
            self.parts.keep(*part, head, body, share);
        }
    }
}

/// Notes that nobody gets an answer that was paid for.
fn lose(req: &Request<Prompt>) {
    if let Some(trail) = req.extensions().get::<Trail>() {
        trail.retrying(Failure::CANCELLED);
    }
}

/// What one input has of the call's bill.
fn share((usage, cost): (Usage, NanoUsd), shares: &Shares, at: usize) -> (Usage, NanoUsd) {
    let share = |total: i64| {
        let share = shares.of(u64::try_from(total).unwrap_or(0), at);
        i64::try_from(share).unwrap_or(i64::MAX)
    };
    let mut own = Usage::default();
    for unit in Unit::ALL {
        own[unit] = share(usage[unit]);
    }
    (own, NanoUsd(share(cost.0)))
}

/// All of a body; or the body as it was, where memory does not allow for it or it breaks off.
async fn collected(mut body: Body, held: &dyn Hold) -> Result<Bytes, Body> {
    if let Body::Full(bytes) = body {
        return Ok(bytes);
    }
    let mut frames = Vec::new();
    let mut length = 0;
    let broken = loop {
        match body.frame().await {
            None => break None,
            Some(Err(error)) => break Some(error),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                let fits = held.hold_more(data.len());
                length += data.len();
                frames.push(data);
                if !fits {
                    return Err(begun(frames, BodyStream::new(body)));
                }
            }
        }
    };
    match broken {
        None if frames.len() == 1 => Ok(frames.swap_remove(0)),
        None if held.hold_more(length) => Ok(frames.concat().into()),
        None => Err(begun(frames, stream::empty())),
        Some(error) => Err(begun(frames, stream::iter([Err(error)]))),
    }
}

/// A body of which these `frames` have come already.
fn begun(
    frames: Vec<Bytes>,
    rest: impl Stream<Item = Result<Frame<Bytes>, BoxError>> + Send + 'static,
) -> Body {
    let frames = stream::iter(frames).map(|data| Ok(Frame::data(data)));
    Body::stream(StreamBody::new(frames.chain(rest)))
}
