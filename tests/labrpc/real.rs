//! Ends over real connections have the same client type, and the same error for a missing answer.

use futures::StreamExt;
use raftlab::labrpc::{self, ClientEnd};
use raftlab::runtime::{Clock, block_on};
use tarpc::server::{BaseChannel, Channel};

use super::*;

#[test]
fn an_end_over_a_connection_is_answered_until_the_connection_is_gone() {
    let tokio =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (near, far) = tarpc::transport::channel::unbounded();
    let guard = tokio.enter();
    let connection = tarpc::client::new(tarpc::client::Config::default(), near).spawn();
    drop(guard);
    let answers = BaseChannel::with_defaults(far).execute(Server::default().serve());
    let server = tokio.spawn(answers.for_each(|answer| async {
        tokio::spawn(answer);
    }));

    // A task of a run makes the call, outside of tokio.
    let client: Client = ClientEnd::over(connection).into();
    let theirs = client.clone();
    let outcome = run_on(&config(Clock::Real, 1), move || double(&theirs, 21));
    assert_eq!(outcome.result.unwrap().unwrap(), "twice 21 is 42");

    server.abort();
    drop(tokio);
    let gone = block_on(client.double(labrpc::context(), 1));
    assert_eq!(answer(gone), None, "a connection that is gone has answered");
}
