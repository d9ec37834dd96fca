//! What the server itself asks of a request before anything of ours sees it (RFC 9112 3.2).

use countersign::http::server::serve;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Site, on_both};

#[test]
fn a_request_names_one_host_or_is_refused() {
    on_both(async |dialect| {
        let site = Site::new(dialect).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let server = tokio::spawn(serve(listener, site.router.clone(), async { drop(stopped.await) }));
        for (head, status) in [
            ("GET /livez HTTP/1.1\r\nHost: a.example\r\n", "200"),
            ("GET /livez HTTP/1.0\r\n", "200"),
            ("GET /livez HTTP/1.1\r\n", "400"),
            ("GET /livez HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n", "400"),
            ("GET /livez HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n", "400"),
            ("GET /livez HTTP/1.0\r\nHost: a.example\r\nHost: b.example\r\n", "400"),
        ] {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer.split(' ').nth(1), Some(status), "{head:?}: {answer}");
        }
        stop.send(()).unwrap();
        server.await.unwrap();
        site.remove().await;
    });
}
