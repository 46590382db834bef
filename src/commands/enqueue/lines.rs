//! Many jobs from a file, one a line, read by a thread of its own: a pipe that is silent for a
//! while must not hold up the jobs before it.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    thread,
};

use actionfleet_proto::Job;
use futures::{Stream, stream};
use tokio::sync::mpsc;

use super::{Given, job::parse};
use crate::exit::{Exit, Failure, OrExit};

/// Lines read ahead: enough to keep both threads busy, few enough to hold pictures.
const AHEAD: usize = 32;

pub(super) struct Source {
    pub(super) name: String,
    /// In bytes, where it is known.
    pub(super) size: Option<u64>,
    reader: Box<dyn Read + Send>,
}

/// How lines become jobs.
pub(super) struct Reading {
    pub(super) action: Option<String>,
    pub(super) given: Given,
    /// The longest line, in bytes.
    pub(super) max: usize,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: u64,
    /// Of the line's end, in bytes.
    pub(super) end: u64,
}

pub(super) type Line = (Place, Result<Job, String>);

pub(super) fn open(path: &Path) -> Result<Source, Failure> {
    if path == Path::new("-") {
        let reader = Box::new(io::stdin());
        return Ok(Source { name: "standard input".to_owned(), size: None, reader });
    }
    let name = path.display().to_string();
    let problem = |error: io::Error| Failure::message(Exit::NoInput, format!("{name}: {error}"));
    let file = File::open(path).map_err(problem)?;
    let metadata = file.metadata().map_err(problem)?;
    let size = metadata.is_file().then_some(metadata.len());
    Ok(Source { name, size, reader: Box::new(file) })
}

/// Ends after the last line, or after the first that cannot be read. Dropped, it stops reading.
pub(super) fn read(
    reader: Box<dyn Read + Send>,
    reading: Reading,
) -> Result<impl Stream<Item = Line>, Failure> {
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    let send_all = move || {
        for line in Lines::new(BufReader::with_capacity(1 << 16, reader), reading) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("lines".to_owned()).spawn(send_all).or_exit(Exit::Software)?;
    Ok(stream::poll_fn(move |context| receiver.poll_recv(context)))
}

impl Source {
    pub(super) fn read(self, reading: Reading) -> Result<impl Stream<Item = Line>, Failure> {
        read(self.reader, reading)
    }
}

struct Lines<R> {
    reader: R,
    reading: Reading,
    place: Place,
    buffer: Vec<u8>,
    over: bool,
}

impl<R: BufRead> Lines<R> {
    fn new(reader: R, reading: Reading) -> Self {
        let place = Place { line: 0, end: 0 };
        Self { reader, reading, place, buffer: Vec::new(), over: false }
    }

    /// Reads a line into the buffer, as much of it as is allowed; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        let limit = u64::try_from(self.reading.max).unwrap_or(u64::MAX).saturating_add(2);
        let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut self.buffer)?;
        self.advance(read);
        if read == 0 {
            return Ok(false);
        }
        self.place.line += 1;
        if self.buffer.ends_with(b"\n") {
            self.buffer.pop();
        } else if self.buffer.len() > self.reading.max {
            let skipped = self.reader.skip_until(b'\n')?;
            self.advance(skipped);
        }
        Ok(true)
    }

    fn advance(&mut self, bytes: usize) {
        self.place.end = self.place.end.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    fn parse(&self) -> Result<Job, String> {
        let Reading { action, given, max } = &self.reading;
        if self.buffer.len() > *max {
            return Err(format!("the line is longer than {max} bytes (limits.job_bytes)"));
        }
        // a document of one line: its number there would be taken for the file's
        parse(&self.buffer, action.as_deref(), given)
            .map_err(|problem| problem.replace(" at line 1 column ", " at column "))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        while !self.over {
            match self.fill() {
                Ok(true) if self.buffer.trim_ascii().is_empty() => {}
                Ok(true) => return Some((self.place, self.parse())),
                Ok(false) => self.over = true,
                Err(error) => {
                    self.over = true;
                    self.place.line += 1;
                    return Some((self.place, Err(format!("cannot read on: {error}"))));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, max: usize) -> Vec<Line> {
        let reading = Reading { action: Some("a".to_owned()), given: Given::default(), max };
        Lines::new(text.as_bytes(), reading).collect()
    }

    #[test]
    fn every_line_is_a_job_or_a_problem_with_its_number() {
        let long = format!("{{\"text\": \"{}\"}}", "x".repeat(200));
        let text = format!("{{\"text\": \"1\"}}\r\n\n  \nnonsense\n{long}\n{{\"text\": \"6\"}}");
        let lines = lines(&text, 100);
        let numbers: Vec<u64> = lines.iter().map(|(place, _)| place.line).collect();
        assert_eq!(numbers, [1, 4, 5, 6]);
        assert_eq!(lines.last().unwrap().0.end, u64::try_from(text.len()).unwrap());
        assert!(lines[0].1.is_ok() && lines[3].1.is_ok());
        let nonsense = lines[1].1.as_ref().unwrap_err();
        let expected = "not a JSON object (expected ident at column 2): \"nonsense\"; give";
        assert!(nonsense.starts_with(expected), "{nonsense}");
        assert!(lines[2].1.as_ref().unwrap_err().contains("longer than 100 bytes"));
    }

    #[test]
    fn a_line_of_just_the_limit_is_read() {
        let line = format!("{{\"text\": \"{}\"}}", "x".repeat(88));
        assert_eq!(line.len(), 100);
        assert!(lines(&line, 100)[0].1.is_ok());
        assert!(lines(&format!("{line}\n{line}\n"), 100).iter().all(|(_, job)| job.is_ok()));
        assert!(lines(&line, 99)[0].1.is_err());
    }

    #[test]
    fn a_reader_that_breaks_is_told_once() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let reading = Reading { action: None, given: Given::default(), max: 10 };
        let lines: Vec<_> = Lines::new(BufReader::new(Broken), reading).collect();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].1.as_ref().unwrap_err().contains("cannot read on: gone"));
    }
}
