use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::pin::pin;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Link;

/// A listener and a link to it.
async fn linked() -> (TcpListener, Link) {
    let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let link = Link::to(target.local_addr().unwrap()).await.unwrap();
    (target, link)
}

/// Both ends of a connection through the link.
async fn connected(target: &TcpListener, link: &Link) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect((Ipv4Addr::LOCALHOST, link.port())).await.unwrap();
    (client, target.accept().await.unwrap().0)
}

async fn carries(from: &mut TcpStream, to: &mut TcpStream) {
    from.write_all(b"ping").await.unwrap();
    let mut read = [0; 4];
    to.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"ping");
}

#[tokio::test]
async fn carries_both_ways_and_the_end() {
    let (target, link) = linked().await;
    let (mut client, mut server) = connected(&target, &link).await;
    carries(&mut client, &mut server).await;
    carries(&mut server, &mut client).await;

    client.shutdown().await.unwrap();
    assert_eq!(server.read(&mut [0]).await.unwrap(), 0, "the end arrives");
    carries(&mut server, &mut client).await;
}

#[tokio::test]
async fn cut_resets_what_there_is_and_lets_new_ones_through() {
    let (target, link) = linked().await;
    let (mut client, mut server) = connected(&target, &link).await;
    carries(&mut client, &mut server).await;
    link.cut();
    for end in [&mut client, &mut server] {
        let error = end.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    let (mut client, mut server) = connected(&target, &link).await;
    carries(&mut client, &mut server).await;
}

#[tokio::test]
async fn pause_holds_everything_up_until_resume() {
    let (target, link) = linked().await;
    let (mut client, mut server) = connected(&target, &link).await;
    carries(&mut client, &mut server).await;

    link.pause();
    client.write_all(b"held").await.unwrap();
    let (mut other, _) = connected(&target, &link).await;
    other.write_all(b"accepted").await.unwrap();
    let mut read = [0; 4];
    {
        let mut arrives = pin!(server.read_exact(&mut read));
        // once round the runtime, where an open link would have carried it
        for _ in 0..100 {
            tokio::select! {
                biased;
                _ = &mut arrives => panic!("a paused link carried something"),
                () = tokio::task::yield_now() => {}
            }
        }
        link.resume();
        arrives.await.unwrap();
    }
    assert_eq!(&read, b"held");
}

#[tokio::test]
async fn cut_reaches_a_paused_connection() {
    let (target, link) = linked().await;
    let (mut client, mut server) = connected(&target, &link).await;
    carries(&mut client, &mut server).await;
    link.pause();
    client.write_all(b"held").await.unwrap();
    link.cut();
    assert!(client.read(&mut [0]).await.is_err());
    assert!(server.read(&mut [0]).await.is_err());
}

#[tokio::test]
async fn refuse_turns_only_new_connections_away() {
    let (target, link) = linked().await;
    let (mut client, mut server) = connected(&target, &link).await;
    carries(&mut client, &mut server).await;

    link.refuse(true);
    let mut refused = TcpStream::connect((Ipv4Addr::LOCALHOST, link.port())).await.unwrap();
    assert!(refused.read(&mut [0]).await.is_err());
    carries(&mut client, &mut server).await;

    link.refuse(false);
    let (mut client, mut server) = connected(&target, &link).await;
    carries(&mut client, &mut server).await;
}

#[tokio::test]
async fn closes_what_leads_nowhere() {
    let (target, link) = linked().await;
    drop(target);
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, link.port())).await.unwrap();
    assert!(client.read(&mut [0]).await.is_err());
}

#[tokio::test]
async fn dropped_it_closes_everything() {
    let (target, link) = linked().await;
    let (mut client, mut server) = connected(&target, &link).await;
    carries(&mut client, &mut server).await;
    let port = link.port();
    drop(link);
    assert!(matches!(client.read(&mut [0]).await, Ok(0) | Err(_)));
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err());
}
