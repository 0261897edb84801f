//! The model catalogue: a table of facts that is part of the binary and is read in place.
//!
//! `catalogue.bin`, all numbers little-endian:
//!
//! | Part | Content |
//! |---|---|
//! | title | one line of text: source, date, licence |
//! | lengths | four `u32`: bytes of records, limits, flags and prices |
//! | records | 12 bytes a model, sorted by name, and one sentinel: `u24` place of the name, `u24` place of the price, `u16` limits, `u16` flags, `u8` provider, `u8` mode |
//! | limits | pairs of `u32`: tokens in, tokens out; 0 is "unknown" |
//! | flags | `u64` sets of abilities |
//! | prices | `u16` mask, then a LEB128 number for each bit that is set |
//! | names | all names, one after the other |
//!
//! Bits 0 to 6 of a price's mask are the base rates, bit 7 is a threshold in tokens, bits 8 to 14
//! are the rates above it. Rates that the second tier does not name are those of the base. Bit 15
//! says that a set of bits of its own follows, and what they announce, for models that make images:
//! 0 the price of an image, 1 that of a pixel, 2 and 3 the rates of image tokens in and out.
//! The tests read the table whole, so that a damaged one cannot be released.
use super::words::{MODES, PROVIDERS, SUPPORTS};
use super::{ImagePrice, Model, Supports};
use bartizan_layers::facts::{Price, Rates, Unit};

/// Cut while compiling: a table whose parts do not fit its lengths is no binary.
static TABLE: Sections = Sections::cut(include_bytes!("catalogue.bin"));
const RECORD: usize = 12;
const THRESHOLD_BIT: u16 = 1 << 7;
const IMAGES_BIT: u16 = 1 << 15;

/// The parts of the table.
struct Sections {
    title: &'static [u8],
    records: &'static [u8],
    limits: &'static [u8],
    flags: &'static [u8],
    prices: &'static [u8],
    names: &'static [u8],
}

/// One model's fixed-size record.
#[derive(Clone, Copy)]
pub(super) struct Record {
    at: usize,
}

/// What the catalogue was made from, with date and licence, as one line.
pub(super) fn title() -> &'static str {
    std::str::from_utf8(TABLE.title).unwrap_or_default()
}

/// All models, sorted by the bytes of their names.
pub(super) fn records() -> impl DoubleEndedIterator<Item = Record> {
    (0..len()).map(|at| Record { at })
}

/// The model that is spelled exactly so.
pub(super) fn find(name: &str) -> Option<Record> {
    let (mut low, mut high) = (0, len());
    while low < high {
        let middle = Record { at: low.midpoint(high) };
        match middle.name().cmp(name) {
            std::cmp::Ordering::Equal => return Some(middle),
            std::cmp::Ordering::Less => low = middle.at + 1,
            std::cmp::Ordering::Greater => high = middle.at,
        }
    }
    None
}

/// The number that records give to a provider.
pub(super) fn provider_number(provider: &str) -> Option<u8> {
    PROVIDERS.binary_search(&provider).ok().and_then(|at| u8::try_from(at).ok())
}

impl Sections {
    const fn cut(table: &'static [u8]) -> Self {
        let mut end = 0;
        while table[end] != b'\n' {
            end += 1;
        }
        let (title, rest) = table.split_at(end);
        let (lengths, rest) = rest.split_at(1 + 4 * 4);
        let (records, rest) = rest.split_at(length(lengths, 1));
        let (limits, rest) = rest.split_at(length(lengths, 5));
        let (flags, rest) = rest.split_at(length(lengths, 9));
        let (prices, names) = rest.split_at(length(lengths, 13));
        Self { title, records, limits, flags, prices, names }
    }
}

const fn length(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
}

impl Record {
    pub(super) fn name(self) -> &'static str {
        let from = number(TABLE.records, self.at * RECORD, 3);
        let to = number(TABLE.records, (self.at + 1) * RECORD, 3);
        let bytes = usize::try_from(from).ok().zip(usize::try_from(to).ok());
        let bytes = bytes.and_then(|(from, to)| TABLE.names.get(from..to));
        std::str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    }

    pub(super) fn provider_number(self) -> u8 {
        TABLE.records.get(self.at * RECORD + 10).copied().unwrap_or_default()
    }

    pub(super) fn provider(self) -> &'static str {
        PROVIDERS.get(usize::from(self.provider_number())).copied().unwrap_or_default()
    }

    pub(super) fn model(self) -> Model {
        let Sections { records, limits, flags, prices, .. } = TABLE;
        let field = |at, width| number(records, self.at * RECORD + at, width);
        let place = |at, width| usize::try_from(field(at, width)).unwrap_or(usize::MAX);
        let limit = |at| u32::try_from(number(limits, at, 4)).ok().filter(|limit| *limit > 0);
        let (price, image) = price(prices.get(place(3, 3)..).unwrap_or_default());
        Model {
            name: self.name(),
            provider: self.provider(),
            mode: MODES.get(place(11, 1)).copied().unwrap_or_default(),
            max_input_tokens: limit(place(6, 2) * 8),
            max_output_tokens: limit(place(6, 2) * 8 + 4),
            price,
            image,
            supports: Supports(number(flags, place(8, 2) * 8, 8)),
        }
    }
}

impl Supports {
    /// Names of the abilities, without `supports_`, sorted.
    pub fn iter(self) -> impl Iterator<Item = &'static str> {
        SUPPORTS.iter().enumerate().filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, n)| *n)
    }

    /// Whether the model is known to have an ability, for example `function_calling`.
    #[must_use]
    pub fn has(self, ability: &str) -> bool {
        SUPPORTS.binary_search(&ability).is_ok_and(|bit| self.0 >> bit & 1 == 1)
    }
}

fn len() -> usize {
    (TABLE.records.len() / RECORD).saturating_sub(1)
}

/// `width` bytes at a place, least significant first; 0 beyond the end.
fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    let bytes = at.checked_add(width).and_then(|end| bytes.get(at..end)).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A row of prices, and what an image costs.
fn price(bytes: &[u8]) -> (Price, Option<ImagePrice>) {
    let mask = u16::try_from(number(bytes, 0, 2)).unwrap_or_default();
    let mut numbers = bytes.get(2..).unwrap_or_default();
    // What a table leaves out is free, not unknown.
    let mut base = rates(Rates::tokens(0, 0), mask, &mut numbers);
    let above = (mask & THRESHOLD_BIT != 0).then(|| {
        let threshold = u32::try_from(varint(&mut numbers)).unwrap_or(u32::MAX);
        (threshold, rates(base, mask >> 8, &mut numbers))
    });
    let mut tiers: Vec<_> = above.into_iter().collect();
    let mut image = None;
    if mask & IMAGES_BIT != 0 {
        let told = varint(&mut numbers);
        let mut next = |bit: u32| (told >> bit & 1 == 1).then(|| varint(&mut numbers));
        let (each, pixel) = (next(0).map(ImagePrice::Each), next(1).map(ImagePrice::of_pixel));
        let (input, output) = (next(2), next(3));
        let with =
            |rates: Rates| rates.with(Unit::ImageInput, input).with(Unit::ImageOutput, output);
        base = with(base);
        tiers.iter_mut().for_each(|(_, rates)| *rates = with(*rates));
        image = each.or(pixel);
    }
    (Price { base, tiers }, image)
}

/// What the bits of a price's mask are, from the lowest.
const RATES: [Unit; 7] = [
    Unit::Input,
    Unit::Output,
    Unit::CacheRead,
    Unit::CacheWrite,
    Unit::Reasoning,
    Unit::AudioInput,
    Unit::AudioOutput,
];

/// `from`, with the rates that `mask` announces replaced.
fn rates(from: Rates, mask: u16, numbers: &mut &[u8]) -> Rates {
    let told = RATES.into_iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1);
    told.fold(from, |rates, (_, unit)| rates.with(unit, varint(numbers)))
}

/// Takes one LEB128 number of at most seven groups off the front.
fn varint(bytes: &mut &[u8]) -> i64 {
    let (mut value, mut shift) = (0, 0);
    while let Some((byte, rest)) = bytes.split_first() {
        *bytes = rest;
        value |= i64::from(byte & 127) << shift;
        shift += 7;
        if byte & 128 == 0 || shift > 42 {
            break;
        }
    }
    value
}
