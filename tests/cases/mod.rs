mod backends;
mod cli;
mod faults;
mod pipeline;
mod poison;
mod readme;
mod stopping;
mod timing;
