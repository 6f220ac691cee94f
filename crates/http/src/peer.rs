use std::net::SocketAddr;

/// Who is at the other end of the connection: a request extension that the listener puts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The other end of the socket.
    pub address: SocketAddr,
}
