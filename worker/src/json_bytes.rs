use std::io;

use serde::Serialize;

/// The size of a value's JSON, which is never in memory as a whole.
pub(crate) fn json_bytes(value: &impl Serialize) -> usize {
    let mut size = Size(0);
    // what cannot be written has no size that matters: encoding it fails later, and says so
    let _ = serde_json::to_writer(&mut size, value);
    size.0
}

/// Counts what is written.
struct Size(usize);

impl io::Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
