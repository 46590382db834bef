//! What there is to work on: passages and pictures, built into the program.

use actionfleet_proto::{Input, Job, Media, MediaSource, RetryOptions};
use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

const PASSAGES: &str = include_str!("../passages/passages.jsonl");

macro_rules! pictures {
    ($($file:literal),+ $(,)?) => {
        [$(Picture { file: $file, bytes: include_bytes!(concat!("../pictures/", $file)) }),+]
    };
}

const PICTURES: [Picture; 12] = pictures![
    "bar-chart.png",
    "chess-board.png",
    "moon-over-the-sea.png",
    "rainbow.png",
    "road.jpg",
    "snow.jpg",
    "starry-night.png",
    "stripes.png",
    "sunset.png",
    "target.png",
    "traffic-light.png",
    "tree-on-a-meadow.png",
];

#[derive(Debug, Deserialize)]
pub(crate) struct Passage {
    id: String,
    pub(crate) text: String,
    pub(crate) source: String,
    pub(crate) author: String,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Picture {
    pub(crate) file: &'static str,
    bytes: &'static [u8],
}

/// The material of one job.
#[derive(Debug)]
pub(crate) enum Material {
    Passage(Passage),
    Picture(Picture),
}

/// How much of the material is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    All,
    /// A dozen jobs: for a service that costs money.
    Few,
}

impl Share {
    /// The stand-in fails one call in seven: so many in a row it fails in one of millions of jobs.
    /// A service that fails a few times in a row is better asked later.
    fn max_attempts(self) -> u32 {
        match self {
            Self::All => 8,
            Self::Few => 4,
        }
    }
}

/// The material, each with the job that works on it.
pub(crate) fn load(share: Share) -> anyhow::Result<Vec<(Material, Job)>> {
    let (passages, pictures) = match share {
        Share::All => (usize::MAX, usize::MAX),
        Share::Few => (9, 3),
    };
    let passages = PASSAGES.lines().take(passages).map(|line| {
        serde_json::from_str(line).map(Material::Passage).context("a passage cannot be read")
    });
    let pictures =
        PICTURES.into_iter().take(pictures).map(|picture| Ok(Material::Picture(picture)));
    let materials = passages.chain(pictures);
    materials.map(|material| material.map(|material| with_job(material, share))).collect()
}

/// The job's id is the material's name, so that logs and errors say what they are about.
fn with_job(material: Material, share: Share) -> (Material, Job) {
    let retry =
        RetryOptions { max_attempts: Some(share.max_attempts()), ..RetryOptions::default() };
    let job = Job {
        id: Some(material.name().to_owned()),
        retry: Some(retry),
        ..Job::new(material.action(), material.input())
    };
    (material, job)
}

impl Material {
    pub(crate) const ACTIONS: [&str; 2] = ["refine_text", "generate_alt_text"];

    pub(crate) fn action(&self) -> &'static str {
        let [refine_text, generate_alt_text] = Self::ACTIONS;
        match self {
            Self::Passage(_) => refine_text,
            Self::Picture(_) => generate_alt_text,
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Passage(passage) => &passage.id,
            Self::Picture(picture) => picture.file,
        }
    }

    fn input(&self) -> Input {
        match self {
            Self::Passage(passage) => Input::text(&passage.text),
            Self::Picture(picture) => Input::Image(vec![Media {
                source: MediaSource::Base64(STANDARD.encode(picture.bytes)),
                content_type: None,
            }]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_job_is_valid() {
        for (share, least) in [(Share::All, 112), (Share::Few, 12)] {
            let jobs = load(share).unwrap();
            assert!(jobs.len() >= least, "{}", jobs.len());
            for (_, job) in jobs {
                job.validate().unwrap();
            }
        }
    }

    #[test]
    fn no_picture_is_forgotten() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pictures");
        let entries = fs::read_dir(folder).unwrap();
        let mut files: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        assert_eq!(files, PICTURES.map(|picture| picture.file));
    }
}
