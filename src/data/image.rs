//! What images cost, and which rows of the catalogue say so.

/// What a model charges for an image that it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImagePrice {
    /// So many picodollars for each, whatever its size.
    Each(i64),
    /// So many millionths of a picodollar for each of its pixels.
    Pixel(i64),
}

/// What a request says of the images that it wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    size: Option<(u32, u32)>,
    quality: Option<Box<str>>,
    count: Option<u32>,
}

/// What OpenAI makes where no size is told: width and height.
const USUAL: (u32, u32) = (1024, 1024);

/// Longer words are no quality: nobody names one so.
const LONGEST_QUALITY: usize = 32;

impl ImagePrice {
    /// So many picodollars for each pixel.
    #[must_use]
    pub const fn of_pixel(picodollars: i64) -> Self {
        Self::Pixel(picodollars.saturating_mul(1_000_000))
    }

    /// What an image costs of that width and height, in picodollars.
    #[must_use]
    pub fn rate(self, picture: &Picture) -> i64 {
        match self {
            Self::Each(rate) => rate,
            Self::Pixel(rate) => {
                let (width, height) = picture.size.unwrap_or(USUAL);
                let all = i128::from(rate) * i128::from(width) * i128::from(height);
                i64::try_from((all + 500_000) / 1_000_000).unwrap_or(i64::MAX)
            }
        }
    }
}

impl Picture {
    /// The members of a request that say something of its images.
    pub const MEMBERS: [&'static str; 3] = ["size", "quality", "n"];

    /// Takes in a member of a request: its `size` (`1024x1792`), its `quality`, and how many it
    /// wants (`n`). What leaves the choice to the model (`auto`) says nothing.
    pub fn note(&mut self, name: &str, value: &str) {
        match name {
            "size" => self.size = pixels(value),
            "quality" => self.quality = Some(value).filter(|it| is_quality(it)).map(Into::into),
            "n" => self.count = value.parse().ok(),
            _ => {}
        }
    }

    /// How many it wants: one, unless it says more.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count.unwrap_or(1).max(1)
    }

    /// The beginnings of rows that may have the price, the likeliest first: `hd/1024-x-1792/`.
    /// The last is empty, for the model itself: it has the price of the usual size.
    #[must_use]
    pub fn rows(&self) -> Vec<String> {
        let (width, height) = self.size.unwrap_or(USUAL);
        let size = format!("{width}-x-{height}/");
        let mut rows: Vec<_> =
            self.quality.iter().map(|quality| format!("{quality}/{size}")).collect();
        rows.push(size.clone());
        if self.quality.is_none() && (width, height) != USUAL {
            rows.push(format!("standard/{size}"));
        }
        rows.push(format!("high/{size}"));
        rows.push(String::new());
        rows
    }
}

fn is_quality(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let fits = (1..=LONGEST_QUALITY).contains(&word.len()) && word.bytes().all(plain);
    fits && word != "auto"
}

/// `1024x1792`, and `1024-x-1792` as the catalogue has it.
fn pixels(size: &str) -> Option<(u32, u32)> {
    let (width, height) = size.split_once("-x-").or_else(|| size.split_once('x'))?;
    let side = |text: &str| text.parse().ok().filter(|side| (1..100_000).contains(side));
    Some((side(width)?, side(height)?))
}

#[cfg(test)]
mod tests {
    use super::{ImagePrice, Picture};

    fn picture(size: Option<&str>, quality: Option<&str>) -> Picture {
        let mut picture = Picture::default();
        let told = [("size", size), ("quality", quality)];
        told.iter().for_each(|(name, value)| value.iter().for_each(|it| picture.note(name, it)));
        picture
    }

    #[test]
    fn a_size_and_a_quality_name_the_rows_that_may_have_the_price() {
        let rows = |size, quality| picture(size, quality).rows().join(" ");
        assert_eq!(rows(None, None), "1024-x-1024/ high/1024-x-1024/ ");
        assert_eq!(
            rows(Some("1024x1792"), Some("hd")),
            "hd/1024-x-1792/ 1024-x-1792/ high/1024-x-1792/ "
        );
        assert_eq!(
            rows(Some("1792-x-1024"), None),
            "1792-x-1024/ standard/1792-x-1024/ high/1792-x-1024/ "
        );
    }

    #[test]
    fn what_is_no_size_and_no_quality_says_nothing() {
        let usual = Picture::default();
        for size in ["auto", "", "x", "0x5", "1024", "1e3x1", "1024x1024x1024", "100000x1", "-1x2"]
        {
            assert_eq!(picture(Some(size), None), usual, "{size}");
        }
        let long = "x".repeat(33);
        for quality in ["auto", "", "a/b", "../x", long.as_str()] {
            assert_eq!(picture(None, Some(quality)), usual, "{quality}");
        }
        for (count, wanted) in [("3", 3), ("0", 1), ("-1", 1), ("many", 1)] {
            let mut some = Picture::default();
            some.note("n", count);
            assert_eq!(some.count(), wanted, "{count}");
        }
    }

    #[test]
    fn a_pixel_may_cost_less_than_a_picodollar() {
        let square = picture(Some("512x512"), None);
        assert_eq!(ImagePrice::Pixel(2_034_505_208).rate(&square), 533_333_333);
        assert_eq!(ImagePrice::of_pixel(19_000).rate(&Picture::default()), 19_922_944_000);
        assert_eq!(ImagePrice::Each(7).rate(&square), 7);
        let most = picture(Some("99999x99999"), None);
        assert_eq!(ImagePrice::Pixel(i64::MAX).rate(&most), i64::MAX);
    }
}
