mod chat;
mod client;
mod faults;
mod plain;
