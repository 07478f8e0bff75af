//! Sends a packet.
let socket = std::net::UdpSocket::bind("0.0.0.0:0");
let sent = socket.and_then(|socket| socket.send_to(b"hello", "127.0.0.1:9"));
panic!("{}", if sent.is_ok() { "gained: the network" } else { "no network" })
