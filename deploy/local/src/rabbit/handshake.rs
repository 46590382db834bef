use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::bail;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// A machine that builds on all its processors boots a node slowly.
const DEADLINE: Duration = Duration::from_secs(90);

const PAUSE: Duration = Duration::from_millis(20);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// AMQP 0-9-1, section 4.2.2: what a client says first.
const PROTOCOL_HEADER: &[u8; 8] = b"AMQP\x00\x00\x09\x01";

/// AMQP 0-9-1, section 4.2.3: a frame that carries a method begins with this octet.
const METHOD_FRAME: u8 = 1;

/// Waits until the broker answers a protocol header with a method, `connection.start`.
pub(super) async fn wait(port: u16, mut has_ended: impl FnMut() -> bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + DEADLINE;
    while Instant::now() < deadline {
        if has_ended() {
            bail!("the node ended");
        }
        if matches!(timeout(ANSWER_TIMEOUT, first_octet(port)).await, Ok(Ok(METHOD_FRAME))) {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
    bail!("no answer on port {port} within {} s", DEADLINE.as_secs())
}

/// Waits until somebody listens: of TLS, only whoever knows the certificate gets an answer.
pub(super) async fn listens(port: u16, mut has_ended: impl FnMut() -> bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + DEADLINE;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
        if has_ended() {
            bail!("the node ended");
        }
        if Instant::now() > deadline {
            bail!("nobody listens on port {port} after {} s", DEADLINE.as_secs());
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

pub(super) async fn first_octet(port: u16) -> io::Result<u8> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(PROTOCOL_HEADER).await?;
    stream.read_u8().await
}
