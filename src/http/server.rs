//! Our own accept loop over hyper: deadlines for headers and idle connections, a cap on connections, and a shutdown that lets requests finish.
//!
//! (`axum::serve` has none of the three, and hyper's header deadline does nothing without a timer.)

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{StatusCode, Version, header};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use super::error::Failure;
use super::oauth;

/// Connections at once; more wait in the kernel's queue.
const CONNECTIONS: usize = 4096;
/// A request line and headers must arrive within this, and so must the next request on an idle connection.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);
/// What a connection must have shown by then: which version of HTTP it speaks.
const FIRST_BYTES_WITHIN: Duration = Duration::from_secs(10);
/// How long requests under way may take to finish when we stop.
const DRAIN: Duration = Duration::from_secs(25);

/// Serves `router` on `listener` until `stop` resolves, then lets requests under way finish.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let builder = Arc::new(builder());
    let graceful = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let serving = serve_connection(Arc::clone(&builder), stream, peer, router.clone(), graceful.watcher());
                tokio::spawn(async move {
                    let _permit = permit;
                    serving.await;
                });
            }
            Err(error) => {
                // out of file handles, most likely: connections that end make room
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_headers(64)
        .max_buf_size(32 * 1024)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .max_concurrent_streams(128)
        .max_header_list_size(32 * 1024)
        .max_pending_accept_reset_streams(20);
    builder
}

async fn serve_connection(
    builder: Arc<Builder<TokioExecutor>>,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    watcher: Watcher,
) {
    let _ = stream.set_nodelay(true);
    if tokio::time::timeout(FIRST_BYTES_WITHIN, shows_its_version(&stream)).await != Ok(true) {
        return;
    }
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let router = router.clone();
        async move {
            if names_one_host(&request) {
                return router.oneshot(request).await;
            }
            let refused = Failure::new(StatusCode::BAD_REQUEST, "malformed", "A request names one Host.");
            Ok(oauth::told(&refused))
        }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::trace!(%error, "a connection ended early");
    }
}

/// HTTP/1.1 asks for exactly one `Host` (RFC 9112 3.2): two servers on the way could each believe another one.
fn names_one_host(request: &hyper::Request<Body>) -> bool {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    hosts == 1 || (hosts == 0 && request.version() != Version::HTTP_11)
}

/// Waits until the first bytes tell HTTP/1 from HTTP/2; false if there will be none. hyper-util waits for them without a deadline of its own.
async fn shows_its_version(stream: &TcpStream) -> bool {
    const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut first = [0; 24];
    loop {
        match stream.peek(&mut first).await {
            Ok(0) | Err(_) => return false,
            Ok(length) if length == HTTP2.len() || !HTTP2.starts_with(&first[..length]) => return true,
            // "P": POST or HTTP/2? What has come stays readable, so wait a moment instead of spinning
            Ok(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
