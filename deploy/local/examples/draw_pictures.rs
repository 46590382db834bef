//! Draws the demo's pictures: `cargo run -p actionfleet-local --example draw_pictures FOLDER`.
//!
//! Each picture is a function from a point to a colour. A point's x goes from 0 to 4/3 and its y
//! from 0, the top, to 1.

use std::path::PathBuf;

use anyhow::Context;
use image::{Rgb, RgbImage};

const WIDTH: u32 = 128;
const HEIGHT: u32 = 96;

type Colour = [u8; 3];
type Picture = fn(f64, f64) -> Colour;

const WHITE: Colour = [255, 255, 255];
const BLACK: Colour = [16, 16, 16];
const RED: Colour = [210, 30, 40];
const GREEN: Colour = [60, 150, 60];
const YELLOW: Colour = [245, 210, 60];
const ORANGE: Colour = [250, 140, 30];
const BLUE: Colour = [50, 100, 210];
const SKY: Colour = [135, 190, 240];
const NIGHT: Colour = [12, 18, 60];

const PICTURES: [(&str, Picture); 12] = [
    ("sunset.png", sunset),
    ("chess-board.png", chess_board),
    ("traffic-light.png", traffic_light),
    ("stripes.png", stripes),
    ("moon-over-the-sea.png", moon_over_the_sea),
    ("bar-chart.png", bar_chart),
    ("target.png", target),
    ("rainbow.png", rainbow),
    ("tree-on-a-meadow.png", tree_on_a_meadow),
    ("starry-night.png", starry_night),
    ("snow.jpg", snow),
    ("road.jpg", road),
];

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.context("name the folder to draw into")?;
    for (name, colour) in PICTURES {
        let picture = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
            let along = |pixel: u32| (f64::from(pixel) + 0.5) / f64::from(HEIGHT);
            Rgb(colour(along(x), along(y)))
        });
        let file = folder.join(name);
        picture.save(&file).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn sunset(x: f64, y: f64) -> Colour {
    let (sun, horizon) = (distance((x, y), (0.7, 0.55)) < 0.16, 0.62);
    if y > horizon {
        // the sun's light on the water gets wider towards the beach
        let glitter = (x - 0.7).abs() < 0.05 + (y - horizon) * 0.4 && (y * 40.0).sin() > 0.2;
        return if glitter { ORANGE } else { [60, 30, 80] };
    }
    if sun { YELLOW } else { blend([110, 50, 130], ORANGE, y / horizon) }
}

fn chess_board(x: f64, y: f64) -> Colour {
    let (column, row) = ((x - 1.0 / 6.0) * 8.0, y * 8.0);
    match (0.0..8.0).contains(&column) {
        false => [120, 80, 40],
        true if (column.floor() + row.floor()) % 2.0 < 1.0 => WHITE,
        true => BLACK,
    }
}

fn traffic_light(x: f64, y: f64) -> Colour {
    let lamps = [(0.22, RED), (0.5, [70, 60, 20]), (0.78, [20, 60, 30])];
    for (height, colour) in lamps {
        if distance((x, y), (2.0 / 3.0, height)) < 0.11 {
            return colour;
        }
    }
    if (x - 2.0 / 3.0).abs() < 0.18 && (y - 0.5).abs() < 0.46 { BLACK } else { SKY }
}

fn stripes(_: f64, y: f64) -> Colour {
    let stripes = [(0.2, BLUE), (0.4, WHITE), (0.6, ORANGE), (0.8, WHITE)];
    stripes.iter().find(|(until, _)| y < *until).map_or(GREEN, |(_, colour)| *colour)
}

fn moon_over_the_sea(x: f64, y: f64) -> Colour {
    let (moon, pale) = (distance((x, y), (0.9, 0.25)) < 0.13, [250, 245, 200]);
    if y > 0.6 {
        let path = (x - 0.9).abs() < 0.07 && (y * 60.0).sin() > 0.0;
        return if path { pale } else { [10, 40, 90] };
    }
    if moon { pale } else { NIGHT }
}

fn bar_chart(x: f64, y: f64) -> Colour {
    let bars = [(0.15, 0.35, BLUE), (0.38, 0.6, RED), (0.61, 0.45, GREEN), (0.84, 0.75, ORANGE)];
    for (left, height, colour) in bars {
        if (left..left + 0.17).contains(&x) && (0.9 - height..0.9).contains(&y) {
            return colour;
        }
    }
    let axes = (0.08..0.1).contains(&x) && y < 0.92 || (0.9..0.92).contains(&y) && x > 0.08;
    if axes { BLACK } else { WHITE }
}

fn target(x: f64, y: f64) -> Colour {
    let ring = (distance((x, y), (2.0 / 3.0, 0.5)) * 10.0).floor();
    match ring {
        ..1.0 => YELLOW,
        5.0.. => GREEN,
        _ if ring % 2.0 < 1.0 => WHITE,
        _ => RED,
    }
}

fn rainbow(x: f64, y: f64) -> Colour {
    if y > 0.85 {
        return GREEN;
    }
    let bow = [[130, 60, 180], BLUE, [40, 170, 90], YELLOW, ORANGE, RED];
    let from_inside = (distance((x, y), (2.0 / 3.0, 0.9)) - 0.4) * 20.0;
    let mut bands = (0..).map(f64::from).zip(bow);
    bands
        .find(|(band, _)| (*band..band + 1.0).contains(&from_inside))
        .map_or(SKY, |(_, colour)| colour)
}

fn tree_on_a_meadow(x: f64, y: f64) -> Colour {
    let leaves = [(0.5, 0.38), (0.72, 0.3), (0.62, 0.22), (0.82, 0.42)];
    if leaves.iter().any(|leaf| distance((x, y), *leaf) < 0.17) {
        return [30, 95, 40];
    }
    if (x - 0.67).abs() < 0.04 && (0.4..0.82).contains(&y) {
        return [100, 65, 30];
    }
    if y > 0.7 + 0.03 * (x * 4.0).sin() { [110, 190, 70] } else { SKY }
}

fn starry_night(x: f64, y: f64) -> Colour {
    if y > 0.8 + 0.06 * (x * 5.0).sin() {
        return [8, 25, 15];
    }
    let star = (1..40).map(f64::from).any(|star| {
        distance((x, y), (scattered(star, 0.754_877) * 4.0 / 3.0, scattered(star, 0.569_840) * 0.8))
            < 0.004 + 0.008 * scattered(star, 0.3)
    });
    if star { WHITE } else { NIGHT }
}

fn snow(x: f64, y: f64) -> Colour {
    let flake = (1..60).map(f64::from).any(|flake| {
        distance((x, y), (scattered(flake, 0.754_877) * 4.0 / 3.0, scattered(flake, 0.569_840)))
            < 0.012
    });
    let fir = (0.3..0.8).contains(&y) && (x - 0.9).abs() < (y - 0.3) % 0.25 * 0.6 + 0.02;
    match (flake, fir) {
        (true, _) => WHITE,
        (_, true) => [25, 75, 50],
        _ if y > 0.75 => [235, 240, 250],
        _ => [150, 160, 175],
    }
}

fn road(x: f64, y: f64) -> Colour {
    let horizon = 0.4;
    if y < horizon {
        return blend(BLUE, SKY, y / horizon);
    }
    // everything on the ground gets wider towards the eye
    let near = (y - horizon) / (1.0 - horizon);
    let aside = (x - 2.0 / 3.0).abs();
    let dash = (3.0 / (near + 0.1)).fract() < 0.5;
    match aside {
        _ if aside < 0.012 * near + 0.002 && dash => WHITE,
        _ if aside < 0.45 * near + 0.02 => [75, 75, 80],
        _ => [170, 150, 80],
    }
}

fn distance((x, y): (f64, f64), (to_x, to_y): (f64, f64)) -> f64 {
    (x - to_x).hypot(y - to_y)
}

/// A number from 0 to 1 that looks like chance and is the same every time.
fn scattered(number: f64, step: f64) -> f64 {
    (number * step).fract()
}

fn blend(from: Colour, to: Colour, share: f64) -> Colour {
    // in 256ths, for there is no loss-free way from a float to a byte
    let weight = (0..=u8::MAX).take_while(|weight| f64::from(*weight) < share * 255.0).count();
    let mut mixed = from;
    for (channel, target) in mixed.iter_mut().zip(to) {
        let (old, new) = (usize::from(*channel), usize::from(target));
        *channel = u8::try_from((old * (255 - weight.min(255)) + new * weight.min(255)) / 255)
            .unwrap_or(u8::MAX);
    }
    mixed
}
