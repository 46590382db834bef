mod faults;
mod pipeline;
mod poison;
mod stopping;
mod timing;
