//! Faults on demand, by name.

mod answer;
mod name;
mod sequence;
mod stream;

pub(super) use self::answer::meet;
pub(super) use self::name::{Fault, UnknownFault};
pub(super) use self::sequence::Sequences;
