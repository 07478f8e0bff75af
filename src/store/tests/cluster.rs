//! A few servers of the service over the simulated network, without the lab.

use std::sync::Arc;
use std::time::Duration;

use crate::api::ServerId;
use crate::api::kv_rpc::{ClientId, GetArgs, PutArgs, Refused, RequestId};
use crate::kv::ClerkSession;
use crate::labrpc::{self, Host, Network};
use crate::persister::Unsynced;
use crate::runtime::{self, RunConfig, block_on, thread};
use crate::store::{Disk, DiskUsage, StoreClerk, StoreConfig, StoreEnd, StorePeer, StoreServer};

pub(super) const SERVERS: u32 = 3;

/// Long enough for an election and for any news to reach all servers.
pub(super) const LONG: Duration = Duration::from_secs(3);

pub(super) struct Cluster {
    pub(super) network: Arc<Network>,
    pub(super) config: StoreConfig,
    pub(super) disks: Vec<Disk>,
    pub(super) servers: Vec<StoreServer>,
}

impl Cluster {
    pub(super) fn new(config: StoreConfig) -> Cluster {
        let network = Arc::new(Network::new());
        let disks: Vec<_> = (0..SERVERS).map(|_| Disk::new()).collect();
        let (me, network_of) = (0..SERVERS, &network);
        let servers = me.zip(&disks).map(|(me, disk)| boot(network_of, me, disk, config)).collect();
        let cluster = Cluster { network, config, disks, servers };
        (0..SERVERS).for_each(|me| cluster.connect(me, true));
        cluster
    }

    /// A clerk that reaches all servers. Each clerk needs a `number` of its own.
    pub(super) fn clerk(&self, number: u32) -> StoreClerk {
        let from = Host::Client(number);
        let end = |to| {
            let end = self.network.end(from, host(to));
            self.network.enable(from, host(to), true);
            end.into()
        };
        StoreClerk::new(ClientId(number.into()), (0..SERVERS).map(end).collect())
    }

    /// Sends request `number` of client `client` once more, until some server accepts it, and waits
    /// until all have applied it.
    pub(super) fn repeat_append(&self, client: u32, number: u64, key: &str, value: &str) {
        let request = RequestId { client: ClientId(client.into()), number };
        let args = PutArgs { key: key.to_owned(), value: value.to_owned(), request };
        let ends = (0..SERVERS).map(|to| self.network.end(Host::Client(client), host(to)).into());
        let servers: Vec<StoreEnd> = ends.collect();
        ClerkSession::new(request.client, servers)
            .ask(&args, async |server, args| server.append(labrpc::context(), args).await);
        thread::sleep(LONG);
    }

    /// What server `me` answers to a read; no other server is asked.
    pub(super) fn read_at(&self, me: u32, key: &str) -> Result<Option<String>, Refused> {
        let from = Host::Client(99);
        let end: StoreEnd = self.network.end(from, host(me)).into();
        self.network.enable(from, host(me), true);
        let args = GetArgs { key: key.to_owned() };
        block_on(async move { end.get(labrpc::context(), args).await }).expect("it is reached")
    }

    /// Opens or cuts the links between `me` and the other servers. Clients reach it all the same.
    pub(super) fn connect(&self, me: u32, on: bool) {
        for other in (0..SERVERS).filter(|&other| other != me) {
            self.network.enable(host(me), host(other), on);
            self.network.enable(host(other), host(me), on);
        }
    }

    pub(super) fn server(&self, me: u32) -> &StoreServer {
        &self.servers[me as usize]
    }

    /// The one leader, after enough time for an election.
    pub(super) fn leader(&self) -> u32 {
        thread::sleep(LONG);
        let leads = |me: &u32| self.server(*me).get_state().is_leader;
        let leaders: Vec<u32> = (0..SERVERS).filter(leads).collect();
        assert_eq!(leaders.len(), 1, "{leaders:?} lead");
        leaders[0]
    }

    /// Crashes server `me`; chance decides what survives of the writes that it did not sync.
    pub(super) fn crash(&mut self, me: u32) {
        self.network.delete_server(host(me));
        let disk = &mut self.disks[me as usize];
        *disk = disk.crash(Unsynced::Draw);
        self.servers[me as usize].kill();
    }

    pub(super) fn restart(&mut self, me: u32) {
        let server = boot(&self.network, me, &self.disks[me as usize], self.config);
        self.servers[me as usize] = server;
        self.connect(me, true);
    }

    pub(super) fn crash_and_restart_all(&mut self) {
        (0..SERVERS).for_each(|me| self.crash(me));
        (0..SERVERS).for_each(|me| self.restart(me));
    }

    /// What all disks together were asked to do.
    pub(super) fn usage(&self) -> DiskUsage {
        let add = |sum: DiskUsage, disk: &Disk| {
            let DiskUsage { bytes_written, syncs } = disk.usage();
            let bytes_written = sum.bytes_written + bytes_written;
            DiskUsage { bytes_written, syncs: sum.syncs + syncs }
        };
        self.disks.iter().fold(DiskUsage::default(), add)
    }

    /// Ends all servers.
    pub(super) fn shutdown(self) {
        self.servers.iter().for_each(StoreServer::kill);
    }
}

fn boot(network: &Network, me: u32, disk: &Disk, config: StoreConfig) -> StoreServer {
    let to = |to| StorePeer {
        messages: network.end(host(me), host(to)).into(),
        chunks: network.end(host(me), host(to)).into(),
    };
    let peers = (0..SERVERS).map(to).collect();
    let start = || StoreServer::start(peers, ServerId(me), disk, config).unwrap();
    let (server, services) = thread::under_test(me, || {
        let server = start();
        let services = server.services();
        (server, services)
    });
    network.add_server(host(me), services);
    server
}

pub(super) const fn host(server: u32) -> Host {
    Host::Server(ServerId(server))
}

pub(super) const fn other_than(server: u32) -> u32 {
    (server + 1) % SERVERS
}

/// Runs `main` with seeds `1..=seed_count`, in virtual time. No task may be left at the end.
pub(super) fn in_virtual_time(seed_count: u64, main: impl Fn() + Clone + Send + 'static) {
    for seed in 1..=seed_count {
        let outcome = runtime::run(&RunConfig { seed, ..RunConfig::default() }, main.clone());
        outcome.result.unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
        assert_eq!(outcome.tasks_left, 0, "tasks were left with seed {seed}");
    }
}
