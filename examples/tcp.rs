//! Raft over real sockets: the suite's `RaftRpc` between three processes on this machine.
//!
//! `cargo run --example tcp` starts itself three times as a server. Each listens on a port of its
//! own; tarpc's TCP transport carries the calls, in the encoding of the simulated network. The
//! parent submits commands, kills the leader, and continues with the two servers that are left:
//!
//! ```text
//! parent ──stdin: start, stop──► server ◄──TCP, tarpc, postcard──► server
//!        ◄─stdout: leads, applied──
//! ```
//!
//! `src/raft` does not notice that the network is real: a peer is a client over a [`ClientEnd`],
//! and [`ClientEnd::over`] makes such an end from a connection.
#![allow(clippy::unwrap_used, reason = "an example that cannot continue may stop")]

use std::io::{self, BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use raftlab::api::raft_rpc::{RaftRpc, RaftRpcRequest, RaftRpcResponse};
use raftlab::api::{ApplyMsg, Consensus, ServerId};
use raftlab::labrpc::ClientEnd;
use raftlab::persister::Persister;
use raftlab::raft::{Peer, Raft};
use raftlab::runtime::channel::{self, Receiver, Sender};
use raftlab::runtime::time::Instant;
use raftlab::runtime::{self, Clock, RunConfig, thread};
use serde::{Serialize, de::DeserializeOwned};
use tarpc::serde_transport::{self, Transport};
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::{Deserializer, Serializer};
use tarpc::tokio_util::codec::LengthDelimitedCodec;
use tokio::net::{TcpListener, TcpStream};

const SERVERS: usize = 3;

/// How long the parent waits for the next line of any server.
const PATIENCE: Duration = Duration::from_secs(3);

fn main() {
    let config =
        RunConfig { clock: Clock::Real, seed: std::process::id().into(), ..<_>::default() };
    let outcome = match std::env::args().nth(1).map(|me| me.parse()) {
        Some(me) => runtime::run(&config, move || serve(ServerId(me.unwrap()))),
        None => runtime::run(&config, watch_a_cluster),
    };
    if let Err(failure) = outcome.result {
        eprintln!("{failure}");
        std::process::exit(1);
    }
}

// ── A server ──

/// Runs one server until its standard input ends or has a line that is no `start`.
fn serve(me: ServerId) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = tokio.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
    say(&format!("listens {}", listener.local_addr().unwrap().port()));

    let mut orders = io::stdin().lines().map_while(Result::ok);
    let ports = orders.next().expect("the parent says where all servers are");
    let ports = ports.split(' ').map(|port| port.parse().unwrap());
    let peers = tokio.block_on(async {
        let mut peers = Vec::new();
        for port in ports {
            peers.push(connect(port).await.unwrap());
        }
        peers
    });

    let (apply_ch, applied) = channel::bounded(0);
    let raft = Raft::make(peers, me, Persister::new(), apply_ch).unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let service = raft.clone();
    thread::spawn("network", move || {
        // Incoming and outgoing calls all run on this thread; their handlers are short.
        tokio.block_on(async {
            tokio::select! {
                () = accept(listener, service) => {}
                _ = stopped => {}
            }
        });
    });
    thread::spawn("service", move || applied.iter().for_each(|message| say_applied(&message)));
    let leader = raft.clone();
    thread::spawn("leadership", move || say_when_leading(&leader));

    for order in orders {
        match order.strip_prefix("start ") {
            Some(command) => drop(raft.start(Bytes::copy_from_slice(command.as_bytes()))),
            None => break,
        }
    }
    raft.kill();
    drop(stop);
}

/// Prints a line for the parent.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap();
}

fn say_applied(message: &ApplyMsg) {
    if let ApplyMsg::Command { index, command, .. } = message {
        say(&format!("applied {index} {}", String::from_utf8_lossy(command)));
    }
}

fn say_when_leading(raft: &Raft) {
    let mut known = None;
    loop {
        let now = raft.get_state();
        if now.is_leader && known != Some(now.term) {
            say(&format!("leads {}", now.term));
            known = Some(now.term);
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Connects to the server on `port`. Needs a tokio runtime, which then drives the connection.
async fn connect(port: u16) -> io::Result<Peer> {
    let transport = framed(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?)?;
    let client = tarpc::client::new(tarpc::client::Config::default(), transport).spawn();
    Ok(ClientEnd::<RaftRpcRequest, RaftRpcResponse>::over(client).into())
}

/// Accepts connections and serves their calls, for ever.
async fn accept(listener: TcpListener, raft: Raft) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let channel = BaseChannel::with_defaults(framed(stream).unwrap());
        let answers = channel.execute(raft.clone().serve());
        tokio::spawn(answers.for_each(|answer| async {
            tokio::spawn(answer);
        }));
    }
}

fn framed<Item, SinkItem>(
    stream: TcpStream,
) -> io::Result<Transport<TcpStream, Item, SinkItem, Postcard>>
where
    Item: DeserializeOwned,
    SinkItem: Serialize,
{
    // Small messages must not wait to be sent together with others.
    stream.set_nodelay(true)?;
    let frames = LengthDelimitedCodec::builder().max_frame_length(64 << 20).new_framed(stream);
    Ok(serde_transport::new(frames, Postcard))
}

/// The simulated network's encoding, for tarpc's transport.
struct Postcard;

impl<T: Serialize> Serializer<T> for Postcard {
    type Error = io::Error;

    fn serialize(self: Pin<&mut Self>, message: &T) -> io::Result<Bytes> {
        postcard::to_allocvec(message).map(Bytes::from).map_err(io::Error::other)
    }
}

impl<T: DeserializeOwned> Deserializer<T> for Postcard {
    type Error = io::Error;

    fn deserialize(self: Pin<&mut Self>, frame: &BytesMut) -> io::Result<T> {
        postcard::from_bytes(frame).map_err(io::Error::other)
    }
}

// ── The parent ──

/// A line that a server printed, with the number of the server.
type Line = (usize, String);

struct Cluster {
    servers: Vec<Option<(Child, ChildStdin)>>,
    lines: Receiver<Line>,
    start: Instant,
}

fn watch_a_cluster() {
    let mut cluster = Cluster::start();
    let first = cluster.wait_for_leader();
    for command in ["x=1", "y=2", "z=3"] {
        cluster.agree(first, command);
    }
    println!("        kill S{first}, the leader");
    cluster.kill(first);
    let second = cluster.wait_for_leader();
    for command in ["x=4", "y=5"] {
        cluster.agree(second, command);
    }
    println!("        two of three have agreed on all five commands: stop");
    cluster.stop();
}

impl Cluster {
    /// Starts the servers and tells each where the others are.
    fn start() -> Cluster {
        let (said, lines) = channel::unbounded();
        let servers = (0..SERVERS).map(|me| Some(spawn_server(me, said.clone()))).collect();
        let mut cluster = Cluster { servers, lines, start: Instant::now() };
        let mut ports = vec![String::new(); SERVERS];
        while ports.iter().any(String::is_empty) {
            let (server, port) = cluster.wait_for("listens ");
            ports[server] = port;
        }
        for server in 0..SERVERS {
            cluster.tell(server, &ports.join(" "));
        }
        cluster
    }

    /// Prints the servers' lines until one begins with `what`; returns that server and the rest of
    /// its line.
    fn wait_for(&mut self, what: &str) -> Line {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let (server, line) =
                line.unwrap_or_else(|_| panic!("no server prints {what:?} within {PATIENCE:?}"));
            println!("{:6.3}  S{server} {line}", self.start.elapsed().as_secs_f64());
            if let Some(rest) = line.strip_prefix(what) {
                return (server, rest.to_string());
            }
        }
    }

    fn wait_for_leader(&mut self) -> usize {
        self.wait_for("leads ").0
    }

    /// Submits `command` to `leader` and waits until all living servers have applied it.
    fn agree(&mut self, leader: usize, command: &str) {
        self.tell(leader, &format!("start {command}"));
        let living = self.servers.iter().flatten().count();
        let mut applied = 0;
        while applied < living {
            let (_, what) = self.wait_for("applied ");
            applied += usize::from(what.ends_with(command));
        }
    }

    fn tell(&mut self, server: usize, order: &str) {
        let (_, stdin) = self.servers[server].as_mut().expect("the server is alive");
        writeln!(stdin, "{order}").unwrap();
    }

    fn kill(&mut self, server: usize) {
        let (mut child, _) = self.servers[server].take().expect("the server is alive");
        child.kill().and_then(|()| child.wait()).unwrap();
    }

    /// Ends the servers properly: each must exit with success.
    fn stop(mut self) {
        for (mut child, stdin) in self.servers.iter_mut().filter_map(Option::take) {
            drop(stdin);
            let status = child.wait().unwrap();
            assert!(status.success(), "a server ended with {status}");
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for (child, _) in self.servers.iter_mut().flatten() {
            // The example has failed: leave no process behind.
            let _ = child.kill();
        }
    }
}

/// Starts this program as server `me`; a task passes its lines on to `said`.
fn spawn_server(me: usize, said: Sender<Line>) -> (Child, ChildStdin) {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program)
        .arg(me.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    thread::spawn(format!("listens to S{me}"), move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if said.send((me, line)).is_err() {
                return;
            }
        }
    });
    (child, stdin)
}
