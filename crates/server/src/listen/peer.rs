use std::net::SocketAddr;

/// What is known of a connection once its handshake is done. The same for all of its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionFacts {
    /// The other end of the socket.
    pub address: SocketAddr,
    /// Our end of the socket.
    pub local_address: SocketAddr,
    /// Counts the connections of this listener from 1.
    pub connection_number: u64,
    /// The protocol version of the handshake.
    pub tls_version: TlsVersion,
    /// The protocol spoken on the connection; HTTP/1.1 also when the peer did not choose.
    pub protocol: Protocol,
    /// The name that the peer asked for (SNI), in lower case.
    pub server_name: Option<String>,
}

/// A TLS version that we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2.
    V1_2,
    /// TLS 1.3.
    V1_3,
}

/// An application protocol that we speak (ALPN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `http/1.1`
    Http1,
    /// `h2`
    Http2,
}
