//! A body on its way through: counted, bounded, and watched by who reads its form.
use super::budget::Share;
use super::form::FormReader;
use super::ingest::IngestError;
use super::selectors::FormSelectors;
use crate::providers::{Fault, Problem};
use crate::telemetry::Trail;
use bartizan_layers::BoxError;
use bytes::Bytes;
use http::StatusCode;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// What the fault knows of an error.
fn reason(fault: &Fault, error: BoxError) -> IngestError {
    let known = fault.take().unwrap_or(error);
    known.downcast().map_or_else(IngestError::Broken, |error| *error)
}

/// How long a body may be, and which setting says so.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cap {
    None,
    Body(usize),
    File(u64),
}

/// A body on its way. What ends it early is kept as its [`Fault`].
#[derive(Debug)]
pub(super) struct Flow<B> {
    pub(super) body: B,
    pub(super) trail: Option<Trail>,
    pub(super) cap: Cap,
    pub(super) seen: u64,
    pub(super) reader: Option<Reader>,
    pub(super) fault: Fault,
}

/// Who reads a form while it passes.
#[derive(Debug)]
pub(super) enum Reader {
    Upload(FormReader),
    Objects(FormSelectors),
}

impl<B> Flow<B> {
    pub(super) const fn upload(&mut self) -> Option<&mut FormReader> {
        match &mut self.reader {
            Some(Reader::Upload(form)) => Some(form),
            _ => None,
        }
    }

    pub(super) const fn selectors(&mut self) -> Option<&mut FormSelectors> {
        match &mut self.reader {
            Some(Reader::Objects(selectors)) => Some(selectors),
            _ => None,
        }
    }

    pub(super) fn admit(&self, bytes: u64) -> Result<(), IngestError> {
        match self.cap {
            Cap::Body(cap) if bytes > cap as u64 => Err(IngestError::TooLarge(cap)),
            Cap::File(cap) if bytes > cap => {
                let message = format!(
                    "The file is larger than {cap} bytes. Raise `general_settings.max_file_size_mb`."
                );
                let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message);
                Err(IngestError::Refused(Box::new(problem)))
            }
            _ => Ok(()),
        }
    }

    /// Looks at a piece, or at the end.
    fn look(&mut self, data: Option<&Bytes>, last: bool) -> Result<(), IngestError> {
        if let Some(data) = data {
            self.seen += data.len() as u64;
            self.admit(self.seen)?;
            if let Some(trail) = &self.trail {
                trail.add_received(data.len() as u64);
            }
        }
        let read = match (&mut self.reader, data) {
            (Some(Reader::Upload(form)), data) => {
                let read = data.map_or(Ok(()), |data| form.push(data));
                read.and_then(|()| if last { form.finish() } else { Ok(()) })
            }
            (Some(Reader::Objects(selectors)), Some(data)) => selectors.push(data),
            _ => Ok(()),
        };
        read.map_err(|problem| IngestError::Refused(Box::new(problem)))
    }
}

impl<B> Flow<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// The next piece of data, to be held beside `held` bytes.
    pub(super) async fn next(
        &mut self,
        held: usize,
        share: &Share,
    ) -> Result<Option<Bytes>, IngestError> {
        while let Some(frame) = self.frame().await {
            let frame = frame.map_err(|error| reason(&self.fault, error))?;
            let Ok(data) = frame.into_data() else { continue };
            let fits = share.grow_to(held + data.len());
            return if fits { Ok(Some(data)) } else { Err(IngestError::NoMemory) };
        }
        Ok(None)
    }
}

impl<B> http_body::Body for Flow<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx)).transpose();
        let looked = frame.map_err(|error| IngestError::of_body(error.into())).and_then(|frame| {
            // With a content length nobody asks again after the last byte.
            let last = frame.is_none() || this.body.is_end_stream();
            this.look(frame.as_ref().and_then(Frame::data_ref), last)?;
            Ok(frame)
        });
        Poll::Ready(match looked {
            Ok(frame) => frame.map(Ok),
            Err(error) => {
                let words = error.to_string();
                this.fault.set(error.into());
                Some(Err(words.into()))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
