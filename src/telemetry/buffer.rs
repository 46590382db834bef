//! Log lines gathered for some milliseconds, so that thousands of jobs a second do not pay for a
//! system call each.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tracing_subscriber::fmt::MakeWriter;

/// The longest that a line waits.
const LINGER: Duration = Duration::from_millis(50);
/// Written at once beyond this many bytes.
const FULL: usize = 64 * 1024;

/// Standard error, buffered. What waits is written when it is flushed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffer(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    lines: Mutex<Vec<u8>>,
    first: Condvar,
}

impl Buffer {
    /// Starts the thread that writes; it sleeps while nothing is logged.
    pub(crate) fn start() -> io::Result<Self> {
        let buffer = Self::default();
        let writer = buffer.clone();
        thread::Builder::new().name("log".into()).spawn(move || writer.write_for_ever())?;
        Ok(buffer)
    }

    pub(crate) fn write_out(&self) {
        write_out(&mut self.lines());
    }

    fn write_for_ever(&self) {
        loop {
            let empty = |lines: &mut Vec<u8>| lines.is_empty();
            let lines = self.0.first.wait_while(self.lines(), empty);
            drop(lines.unwrap_or_else(PoisonError::into_inner));
            thread::sleep(LINGER);
            self.write_out();
        }
    }

    fn lines(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_out(lines: &mut Vec<u8>) {
    // nobody is left to be told that the log cannot be written
    let _ = io::stderr().write_all(lines);
    lines.clear();
}

impl<'a> MakeWriter<'a> for Buffer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Buffer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = self.lines();
        if lines.is_empty() {
            self.0.first.notify_one();
        }
        lines.extend_from_slice(line);
        if lines.len() > FULL {
            write_out(&mut lines);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
