//! Records the operations of threads on a shared map, and checks whether they are linearizable.
//!
//! The second map is broken: it answers reads from a copy that is updated only now and then, like a
//! replica that lags behind.

use std::collections::BTreeMap;

use raftlab::checker::models::{Kv, KvInput, KvOutput};
use raftlab::checker::{Budget, Operation, Verdict, check};
use raftlab::runtime::sync::Mutex;
use raftlab::runtime::{self, RunConfig, thread, time};

raftlab::guard!();

type History = Vec<Operation<KvInput, KvOutput>>;

/// A map of texts, and a copy that answers the reads and is updated at every `lag`-th append.
struct Map {
    texts: BTreeMap<String, String>,
    copy: BTreeMap<String, String>,
    appends: u64,
    lag: u64,
}

impl Map {
    fn ask(&mut self, input: &KvInput) -> KvOutput {
        if let KvInput::Append { key, value } = input {
            self.texts.entry(key.clone()).or_default().push_str(value);
            self.appends += 1;
            if self.appends.is_multiple_of(self.lag) {
                self.copy = self.texts.clone();
            }
            return KvOutput::Done;
        }
        KvOutput::Value(self.copy.get(input.key()).cloned().unwrap_or_default())
    }
}

/// Returns the history of four clients of a map, in a run on the virtual clock.
fn record(lag: u64) -> History {
    let main = move || {
        let (texts, copy) = (BTreeMap::new(), BTreeMap::new());
        let map = std::sync::Arc::new(Mutex::new(Map { texts, copy, appends: 0, lag }));
        let clients = (0..4).map(|client| {
            let map = map.clone();
            thread::spawn(format!("client{client}"), move || work(client, &map))
        });
        let clients: Vec<_> = clients.collect();
        clients.into_iter().flat_map(|client| client.join()).collect()
    };
    runtime::run(&RunConfig::default(), main).result.expect("nothing in it can fail")
}

fn work(client: u64, map: &Mutex<Map>) -> History {
    let ask = |count: u64| {
        let key = "k".to_string();
        let input = match count % 2 {
            0 => KvInput::Append { key, value: format!("{client}.{count} ") },
            _ => KvInput::Get { key },
        };
        let call = now();
        thread::sleep(std::time::Duration::from_millis(client + 1));
        let output = map.lock().ask(&input);
        Operation::answered(client, call, input, now(), output)
    };
    (0..10).map(ask).collect()
}

/// Nanoseconds since the run began.
fn now() -> u64 {
    u64::try_from(time::since_start().as_nanos()).expect("a run ends within 500 years")
}

fn main() {
    for (name, lag) in [("the map", 1), ("the map that lags", 3)] {
        let history = record(lag);
        match check(&Kv, &history, &Budget::default()) {
            Verdict::Ok => println!("{name}: linearizable, all {} operations", history.len()),
            Verdict::Unknown(why) => println!("{name}: undecided: {why:?}"),
            Verdict::Illegal(example) => {
                println!("{name}: not linearizable. These contradict each other:");
                for index in example.conflict {
                    println!("  {:?}", history[index]);
                }
            }
        }
    }
}
