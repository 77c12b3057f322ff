//! HTTP/2, where both ends agree on it: one connection for all, and a server that says which requests it did not take.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{Method, Request, Response};
use rcgen::{CertificateParams, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use unreset::fault::Delivery;
use unreset::http::body::RequestBody;
use unreset::http::call::{Call, Client};
use unreset::http::transport::IncomingBody;
use unreset::http::transport::direct::DirectTransport;
use unreset::http::transport::options::TransportOptions;
use unreset::http::transport::tls::{TlsOptions, Trust};

use crate::support::*;

type Session = h2::server::Connection<TlsStream<TcpStream>, Bytes>;
type Asked = (Request<RecvStream>, SendResponse<Bytes>);

/// Ends with all its connections when it is dropped.
struct Http2Server {
    url: String,
    certificate: Bytes,
    /// Connections that came as far as the handshake.
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Http2Server {
    /// Runs `on_session` for each connection, with its number from 0.
    async fn start<F, Fut>(on_session: F) -> Self
    where
        F: Fn(Session, usize) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let on_session = Arc::new(on_session);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut sessions = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, counted, on_session) = (acceptor.clone(), Arc::clone(&counted), Arc::clone(&on_session));
                sessions.spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let number = counted.fetch_add(1, Ordering::Relaxed);
                    match stream.get_ref().1.alpn_protocol() {
                        Some(b"h2") => on_session(h2::server::handshake(stream).await.unwrap(), number).await,
                        _ => Peer { stream, number, seen: Arc::default(), unread: Vec::new() }.echo().await,
                    }
                });
            }
        });
        Http2Server { url, certificate: certificate.pem().into(), connections, _tasks: tasks }
    }

    fn client_with(&self, change: impl FnOnce(&mut TransportOptions)) -> TestClient {
        let mut options = TransportOptions {
            tls: TlsOptions { trust: Trust::only([&*self.certificate]), ..Default::default() },
            ..Default::default()
        };
        change(&mut options);
        Client::new(DirectTransport::new(options).unwrap())
    }

    fn client(&self) -> TestClient {
        self.client_with(|_| {})
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// The next request of a session; `None` when the client has closed it.
async fn asked(session: &mut Session) -> Option<Asked> {
    session.accept().await?.ok()
}

async fn whole(body: &mut RecvStream) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(Ok(piece)) = body.data().await {
        let _ = body.flow_control().release_capacity(piece.len());
        whole.extend_from_slice(&piece);
    }
    whole
}

async fn echo_one((request, mut respond): Asked) {
    let (parts, mut body) = request.into_parts();
    let whole = whole(&mut body).await;
    let response = Response::builder().header("x-authority", parts.uri.authority().unwrap().as_str()).body(()).unwrap();
    assert!(!parts.headers.contains_key("host"));
    if let Ok(mut stream) = respond.send_response(response, whole.is_empty())
        && !whole.is_empty()
    {
        let _ = stream.send_data(whole.into(), true);
    }
}

/// Answers each request with its body, at the same time.
async fn echo(mut session: Session) {
    let mut exchanges = JoinSet::new();
    loop {
        tokio::select! {
            next = asked(&mut session) => match next {
                Some(next) => drop(exchanges.spawn(echo_one(next))),
                None => return,
            },
            Some(_) = exchanges.join_next() => {}
        }
    }
}

#[tokio::test]
async fn all_exchanges_share_one_connection() {
    let server = Http2Server::start(|session, _| echo(session)).await;
    let client = server.client();
    // All at once, while it is not known yet what the server speaks.
    let calls = (0..50).map(|_| async { text(client.call(post(server.url.clone(), "a")).await).await });
    assert!(timeout(LONG, join_all(calls)).await.unwrap().iter().all(|text| text == "a"));
    assert_eq!(server.connections(), 1);
    let answer = client.call(get(server.url.clone())).await.unwrap();
    assert_eq!((answer.status.as_u16(), &*answer.status_text), (200, &b""[..]));
    let authority = server.url.trim_start_matches("https://").trim_end_matches('/');
    assert_eq!(answer.headers()["x-authority"], authority);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_server_without_it_is_spoken_to_in_http_1() {
    let server = Http2Server::start(|session, _| echo(session)).await;
    let client = server.client_with(|options| options.http2 = false);
    for _ in 0..2 {
        let answer = client.call(post(server.url.clone(), "a")).await.unwrap();
        assert_eq!(&*answer.status_text, b"OK");
        assert_eq!(text(Ok(answer)).await, "a");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_refused_stream_is_repeated_whatever_it_carries() {
    let refused = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&refused);
    let server = Http2Server::start(move |mut session, _| {
        let seen = Arc::clone(&seen);
        async move {
            let mut first = true;
            while let Some((request, mut respond)) = asked(&mut session).await {
                seen.lock().unwrap().push(request.method().to_string());
                if std::mem::take(&mut first) {
                    respond.send_reset(Reason::REFUSED_STREAM);
                } else {
                    let response = Response::builder().status(201).body(()).unwrap();
                    respond.send_response(response, true).unwrap();
                }
            }
        }
    })
    .await;
    let answer = server.client().call(post(server.url.clone(), "charge")).await.unwrap();
    assert_eq!(answer.status, 201);
    let recovery = answer.recovery.unwrap();
    let fault = recovery.attempts[0].fault.as_ref().unwrap();
    assert_eq!((&*fault.code, fault.delivery), ("ERR_HTTP2_STREAM_ERROR", Delivery::NotSent));
    assert_eq!(*refused.lock().unwrap(), ["POST", "POST"]);
    assert_eq!(server.connections(), 1, "the connection is still good");
}

#[tokio::test]
async fn any_other_reset_may_have_had_an_effect() {
    let server = Http2Server::start(|mut session, _| async move {
        while let Some((_, mut respond)) = asked(&mut session).await {
            respond.send_reset(Reason::INTERNAL_ERROR);
        }
    })
    .await;
    let (fault, reason, attempts) = gave_up(server.client().call(post(server.url.clone(), "charge")).await);
    assert_eq!((&*fault.code, fault.delivery), ("ERR_HTTP2_STREAM_ERROR", Delivery::Unknown));
    assert_eq!((reason.as_str(), attempts), ("not-idempotent", 1));
    let (_, _, attempts) = gave_up(server.client().call(get(server.url.clone()).retries(1)).await);
    assert_eq!(attempts, 2);
}

#[tokio::test]
async fn what_a_goaway_leaves_out_is_repeated_on_another_connection() {
    let server = Http2Server::start(|mut session, number| async move {
        if number > 0 {
            return echo(session).await;
        }
        // The first request makes the connection; the second one meets a server that is going away.
        echo_one(asked(&mut session).await.unwrap()).await;
        let second = asked(&mut session).await;
        session.abrupt_shutdown(Reason::NO_ERROR);
        while asked(&mut session).await.is_some() {}
        drop(second);
    })
    .await;
    let client = server.client();
    assert_eq!(text(client.call(post(server.url.clone(), "first")).await).await, "first");
    let outcome = client.call(post(server.url.clone(), "second")).await;
    // The server had taken the second one off the wire: what it names as the last it saw decides.
    match outcome {
        Ok(answer) => {
            let fault = answer.recovery.as_ref().and_then(|recovery| recovery.attempts[0].fault.clone()).unwrap();
            assert_eq!((&*fault.code, fault.delivery), ("ERR_HTTP2_GOAWAY_SESSION", Delivery::NotSent));
            assert_eq!(text(Ok(answer)).await, "second");
        }
        Err(error) => assert_eq!(failed::<DirectTransport>(Err(error)).0.delivery, Delivery::Unknown),
    }
    // In any case the next call has a new connection.
    assert_eq!(text(client.call(post(server.url.clone(), "third")).await).await, "third");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_breaks_under_several_is_one_fault_for_each() {
    let server = Http2Server::start(|mut session, number| async move {
        if number > 0 {
            return echo(session).await;
        }
        let mut taken = Vec::new();
        while taken.len() < 5 {
            taken.push(asked(&mut session).await.unwrap());
        }
    })
    .await;
    let client = server.client();
    let posts = join_all((0..3).map(|_| client.call(post(server.url.clone(), "charge"))));
    let gets = join_all((0..2).map(|_| client.call(get(server.url.clone()))));
    let (posts, gets) = timeout(LONG, async { tokio::join!(posts, gets) }).await.unwrap();
    for outcome in posts {
        let (fault, reason, _) = gave_up(outcome);
        assert_eq!(
            (&*fault.code, fault.delivery, reason.as_str()),
            ("ECONNRESET", Delivery::Unknown, "not-idempotent")
        );
    }
    for outcome in gets {
        assert_eq!(outcome.unwrap().status, 200);
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn large_bodies_go_both_ways() {
    let server = Http2Server::start(|session, _| echo(session)).await;
    let large = Bytes::from(vec![b'x'; 4 << 20]);
    let upload = Call { body: RequestBody::Bytes(large), ..post(server.url.clone(), "") };
    let answer = server.client().call(upload).await.unwrap();
    assert_eq!(timeout(LONG, text(Ok(answer))).await.unwrap().len(), 4 << 20);
}

#[tokio::test]
async fn a_body_that_breaks_is_a_fault_of_the_body() {
    let server = Http2Server::start(|mut session, _| async move {
        while let Some((_, mut respond)) = asked(&mut session).await {
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            stream.send_data(Bytes::from_static(b"half"), false).unwrap();
            tokio::select! {
                _ = asked(&mut session) => {}
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
            stream.send_reset(Reason::INTERNAL_ERROR);
        }
    })
    .await;
    let mut body = server.client().call(get(server.url.clone())).await.unwrap().body;
    assert_eq!(body.chunk().await.unwrap().as_deref(), Some(&b"half"[..]));
    let fault = timeout(LONG, body.chunk()).await.unwrap().unwrap_err();
    assert_eq!((&*fault.code, fault.delivery), ("ERR_HTTP2_STREAM_ERROR", Delivery::Answered));
}

#[tokio::test]
async fn nothing_is_to_come_of_an_answer_to_head() {
    let server = Http2Server::start(|mut session, _| async move {
        while let Some((_, mut respond)) = asked(&mut session).await {
            let response = Response::builder().header("content-length", "10").body(()).unwrap();
            respond.send_response(response, true).unwrap();
        }
    })
    .await;
    let head = get(server.url.clone()).with_method(Method::HEAD);
    let mut answer = server.client().call(head).await.unwrap();
    assert_eq!(answer.headers()["content-length"], "10");
    assert_eq!(answer.body.remaining(), Some(0));
    assert_eq!(read(&mut answer.body).await.unwrap(), "");
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_the_connection_to_the_others() {
    let server = Http2Server::start(|session, _| echo(session)).await;
    let client = server.client();
    text(client.call(get(server.url.clone())).await).await;
    for _ in 0..20 {
        drop(timeout(Duration::from_micros(50), client.call(post(server.url.clone(), "a"))).await);
    }
    assert_eq!(text(client.call(post(server.url.clone(), "b")).await).await, "b");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn the_caller_s_own_host_is_the_authority() {
    let server = Http2Server::start(|session, _| echo(session)).await;
    let answer = server.client().call(get(server.url.clone()).header("host", "other.test")).await.unwrap();
    assert_eq!(answer.headers()["x-authority"], "other.test");
}

#[tokio::test]
async fn a_server_that_fell_silent_is_found_by_asking_it() {
    let server = Http2Server::start(|mut session, number| async move {
        if number > 0 {
            return echo(session).await;
        }
        echo_one(asked(&mut session).await.unwrap()).await;
        let _unanswered = asked(&mut session).await;
        // Its socket stays open, and no PING is answered.
        std::future::pending().await
    })
    .await;
    let client = server.client();
    text(client.call(get(server.url.clone())).await).await;
    let mut patient = post(server.url.clone(), "charge");
    patient.limits.headers = None;
    tokio::time::pause();
    let (fault, reason, _) = gave_up(client.call(patient).await);
    tokio::time::resume();
    assert_eq!((&*fault.code, fault.delivery, reason.as_str()), ("ETIMEDOUT", Delivery::Unknown, "not-idempotent"));
    assert!(fault.transient && fault.reason.contains("PING"), "{fault:?}");
    assert_eq!(text(client.call(post(server.url.clone(), "next")).await).await, "next");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_stated_length_is_held_against_a_reset_without_an_error() {
    for (stated, whole) in [(None, true), (Some(4), true), (Some(8), false)] {
        let server = Http2Server::start(move |mut session, _| async move {
            while let Some((_, mut respond)) = asked(&mut session).await {
                let mut response = Response::builder();
                if let Some(stated) = stated {
                    response = response.header("content-length", stated);
                }
                let mut stream = respond.send_response(response.body(()).unwrap(), false).unwrap();
                stream.send_data(Bytes::from_static(b"half"), false).unwrap();
                // Only when it has left, or the reset overtakes it.
                let sent = async { tokio::time::sleep(Duration::from_millis(50)).await };
                tokio::select! {
                    _ = asked(&mut session) => {}
                    () = sent => {}
                }
                stream.send_reset(Reason::NO_ERROR);
            }
        })
        .await;
        let mut body = server.client().call(get(server.url.clone())).await.unwrap().body;
        assert_eq!(body.chunk().await.unwrap().as_deref(), Some(&b"half"[..]));
        match timeout(LONG, body.chunk()).await.unwrap() {
            Ok(end) => assert!(whole && end.is_none(), "{stated:?}"),
            Err(fault) => {
                assert!(!whole, "{stated:?}");
                assert_eq!((&*fault.code, fault.delivery), ("ERR_HTTP2_STREAM_ERROR", Delivery::Answered));
            }
        }
    }
}
