//! A TCP proxy that fails on purpose, for tests of what happens when the network does.

#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs, lookup_host};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

const BUFFER: usize = 64 * 1024;

/// The way from a free port on 127.0.0.1 to a target, open until told otherwise.
///
/// Dropped, it closes its port and every connection.
#[derive(Debug)]
pub struct Link {
    port: u16,
    condition: watch::Sender<Condition>,
    accepting: AbortHandle,
}

#[derive(Debug, Default, Clone, Copy)]
struct Condition {
    /// Connections made before the last cut are gone.
    cuts: u64,
    paused: bool,
    refusing: bool,
}

impl Link {
    /// # Errors
    /// The target's name does not resolve, or no port is free. Whether the target listens shows
    /// with each connection: without one behind it, a connection is closed at once.
    pub async fn to(target: impl ToSocketAddrs) -> anyhow::Result<Self> {
        let target = lookup_host(target)
            .await
            .context("cannot resolve the target of a link")?
            .next()
            .context("the target of a link has no address")?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("cannot listen on 127.0.0.1")?;
        let port = listener.local_addr()?.port();
        let (condition, seen) = watch::channel(Condition::default());
        let accepting = tokio::spawn(accept(listener, target, seen)).abort_handle();
        Ok(Self { port, condition, accepting })
    }

    /// Where to connect in place of the target.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Resets every connection (RST on both sides). New ones go through.
    pub fn cut(&self) {
        self.condition.send_modify(|condition| condition.cuts = condition.cuts.wrapping_add(1));
    }

    /// Forwards nothing any more and closes nothing: a hung network.
    pub fn pause(&self) {
        self.condition.send_modify(|condition| condition.paused = true);
    }

    /// Forwards again, what was held up first.
    pub fn resume(&self) {
        self.condition.send_modify(|condition| condition.paused = false);
    }

    /// Whether new connections are closed at once. Those that exist go on.
    pub fn refuse(&self, refusing: bool) {
        self.condition.send_modify(|condition| condition.refusing = refusing);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, condition: watch::Receiver<Condition>) {
    // dropped with this task, and its connections with it
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let now = *condition.borrow();
                if now.refusing {
                    reset(&client);
                } else {
                    connections.spawn(connect(client, target, condition.clone(), now.cuts));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connect(
    mut client: TcpStream,
    target: SocketAddr,
    mut condition: watch::Receiver<Condition>,
    cuts: u64,
) {
    let Ok(mut server) = TcpStream::connect(target).await else {
        return reset(&client);
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let was_cut = {
        let (up, down) = (condition.clone(), condition.clone());
        let (mut client_read, mut client_write) = client.split();
        let (mut server_read, mut server_write) = server.split();
        tokio::select! {
            _ = condition.wait_for(|now| now.cuts != cuts) => true,
            ends = async { tokio::try_join!(
                pump(&mut client_read, &mut server_write, up),
                pump(&mut server_read, &mut client_write, down),
            ) } => ends.is_err(),
        }
    };
    if was_cut {
        reset(&client);
        reset(&server);
    }
}

/// Carries bytes one way until the source ends, then passes the end on.
async fn pump(
    from: &mut ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
    mut condition: watch::Receiver<Condition>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = from.read(&mut buffer).await?;
        // a closed channel is a dropped link, which ends this task
        let _ = condition.wait_for(|now| !now.paused).await;
        match buffer.get(..length) {
            Some(read) if !read.is_empty() => to.write_all(read).await?,
            _ => return to.shutdown().await,
        }
    }
}

/// Makes the close of a connection, when it is dropped, a reset.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}
