//! Says of a picture what its pixels say: its size and its colours.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{ImageReader, Limits, Rgb, RgbImage};

use super::api_error::ApiError;

const MAX_SIDE: u32 = 8192;
const MAX_MEMORY: u64 = 512 * 1024 * 1024;

/// How many pixels are looked at. More say nothing more.
const SAMPLE: usize = 40_000;

/// A colour on less than a twentieth of the picture is not worth a word.
const SOME: usize = 20;

/// The alternative text for the picture in a data URL.
pub(super) fn describe(url: &str) -> Result<String, ApiError> {
    let picture = decode(url)?;
    let (width, height) = picture.dimensions();
    Ok(format!("A {width} × {height} picture, {}.", colours(&picture)))
}

fn decode(url: &str) -> Result<RgbImage, ApiError> {
    let Some((media_type, data)) =
        url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"))
    else {
        let message = "the stand-in is offline: a picture is a URL that begins with \
                       `data:image/…;base64,`";
        return Err(ApiError::invalid(message).code("invalid_image_url"));
    };
    if !media_type.starts_with("image/") {
        let message = format!("{media_type:?} is the type of no picture");
        return Err(ApiError::invalid(message).code("invalid_image_format"));
    }
    let bytes = STANDARD.decode(data).map_err(|error| broken(&error))?;
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| broken(&error))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    Ok(reader.decode().map_err(|error| broken(&error))?.into_rgb8())
}

fn broken(error: &dyn std::error::Error) -> ApiError {
    ApiError::invalid(format!("the picture cannot be read, PNG and JPEG can: {error}"))
        .code("image_parse_error")
}

fn colours(picture: &RgbImage) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let mut total: usize = 0;
    let step = (picture.pixels().len() / SAMPLE).max(1);
    for pixel in picture.pixels().step_by(step) {
        total = total.saturating_add(1);
        let name = name(*pixel);
        match counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => counts.push((name, 1)),
        }
    }
    // the name decides between equals, or the answer would depend on the first pixel
    counts.sort_by(|(a, m), (b, n)| n.cmp(m).then(a.cmp(b)));
    let mut seen = counts.iter().filter(|(_, count)| count.saturating_mul(SOME) >= total);
    match (seen.next(), seen.next(), seen.next()) {
        (Some((first, count)), Some((second, _)), _) if count.saturating_mul(2) > total => {
            format!("mostly {first} with some {second}")
        }
        (Some((first, _)), Some((second, _)), Some((third, _))) => {
            format!("{first}, {second} and {third}")
        }
        (Some((first, _)), Some((second, _)), None) => format!("{first} and {second}"),
        (Some((first, _)), None, _) => format!("all {first}"),
        (None, ..) => "of very many colours".to_owned(),
    }
}

/// What most people call a colour, by its hue, saturation and lightness.
fn name(Rgb([red, green, blue]): Rgb<u8>) -> &'static str {
    let [r, g, b] = [red, green, blue].map(i32::from);
    let (high, low) = (r.max(g).max(b), r.min(g).min(b));
    let (lightness, spread) = (i32::midpoint(high, low), high - low);
    // too little colour to name it
    if spread < 24 || spread * 5 < high {
        return match lightness {
            ..40 => "black",
            40..100 => "dark grey",
            100..215 => "grey",
            _ => "white",
        };
    }
    // a sixth of the circle of hues for each pair of neighbours among red, green and blue
    let hue = if high == r {
        (60 * (g - b) / spread + 360) % 360
    } else if high == g {
        60 * (b - r) / spread + 120
    } else {
        60 * (r - g) / spread + 240
    };
    let [dark, plain, light] = shades(hue);
    match lightness {
        ..25 => "black",
        25..85 => dark,
        85..180 => plain,
        _ => light,
    }
}

/// A hue, in degrees, when dark, plain and light.
fn shades(hue: i32) -> [&'static str; 3] {
    match hue {
        15..45 => ["brown", "orange", "light orange"],
        45..70 => ["olive", "yellow", "light yellow"],
        70..165 => ["dark green", "green", "light green"],
        165..200 => ["dark turquoise", "turquoise", "light turquoise"],
        200..260 => ["dark blue", "blue", "light blue"],
        260..310 => ["dark purple", "purple", "light purple"],
        310..345 => ["dark pink", "pink", "light pink"],
        _ => ["dark red", "red", "light red"],
    }
}
