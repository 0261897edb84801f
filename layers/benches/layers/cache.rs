//! An answer of 4 KiB: one that is kept already, one that is too large to be kept, one that is
//! looked for no more but kept anew, and one that was not asked for.
use crate::{Bench, request};
use bartizan_layers::BoxError;
use bartizan_layers::cache::{CacheLayer, MemoryStore};
use bartizan_layers::facts::{CacheControl, CacheKey};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, service_fn};

pub(crate) fn bench(bench: &mut Bench) {
    let bare = service_fn(async |_: Request<()>| {
        Ok::<_, BoxError>(Response::new(Full::new(Bytes::from_static(&[b'x'; 4096]))))
    });
    let hit = CacheLayer::new(MemoryStore::new()).layer(bare);
    let miss = CacheLayer::new(MemoryStore::new()).max_entry(0).layer(bare);
    let keyed = || {
        let mut req = request();
        req.extensions_mut().insert(CacheKey([7; 32]));
        req
    };
    let anew = || {
        let mut req = keyed();
        req.extensions_mut().insert(CacheControl { no_cache: true, ..CacheControl::default() });
        req
    };
    bench.calls("cache", keyed).of("bare", &bare).of("miss", &miss).of("hit", &hit);
    bench.calls("cache anew", anew).of("bare", &bare).of("kept", &hit);
    bench.calls("cache without a key", request).of("bare", &bare).of("layer", &hit);
}
