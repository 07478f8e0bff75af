//! The caller's side: an end, and the course of one call.

use std::any::{Any, TypeId};
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tarpc::RequestName;
use tarpc::client::stub::Stub;
use tarpc::client::{Channel, RpcError};
use tarpc::context::Context;
use tokio::sync::oneshot;

use super::codec::{self, Frame};
use super::hooks::{Hooks, Judged};
use super::hub::{Hub, Link, Opened, Route, Server};
use super::service::{Delivery, Service};
use super::{Call, Host, Leg};
use crate::record::{self, Event, Fate, What};
use crate::runtime::{self, FailureKind, thread, time};

/// Interval at which a caller checks that the server that runs its request is still there.
const DEAD_CHECK: Duration = Duration::from_millis(100);

/// Makes calls from one host to another. A tarpc `Stub`: `RaftRpcClient::from(end)` is a client.
///
/// A call without a reply, whatever the cause, returns `RpcError::DeadlineExceeded`.
pub struct ClientEnd<Q, R> {
    wire: Wire<Q, R>,
}

enum Wire<Q, R> {
    Simulated(Arc<SimEnd>, PhantomData<fn(Q) -> R>),
    Real(Channel<Q, R>),
}

impl<Q, R> ClientEnd<Q, R> {
    /// Makes an end over a real connection: tarpc's own client, for instance on TCP.
    ///
    /// Needs the tokio runtime that drives the connection, but may be called from any thread.
    pub fn over(channel: Channel<Q, R>) -> ClientEnd<Q, R> {
        ClientEnd { wire: Wire::Real(channel) }
    }

    pub(super) fn simulated(end: SimEnd) -> ClientEnd<Q, R> {
        ClientEnd { wire: Wire::Simulated(Arc::new(end), PhantomData) }
    }
}

impl<Q, R> Clone for ClientEnd<Q, R> {
    fn clone(&self) -> ClientEnd<Q, R> {
        let wire = match &self.wire {
            Wire::Simulated(end, types) => Wire::Simulated(end.clone(), *types),
            Wire::Real(channel) => Wire::Real(channel.clone()),
        };
        ClientEnd { wire }
    }
}

impl<Q, R> fmt::Debug for ClientEnd<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wire {
            Wire::Simulated(end, _) => write!(f, "ClientEnd({} → {})", end.from, end.to),
            Wire::Real(_) => f.write_str("ClientEnd(real)"),
        }
    }
}

impl<Q, R> Stub for ClientEnd<Q, R>
where
    Q: RequestName + Serialize + 'static,
    R: DeserializeOwned + 'static,
{
    type Req = Q;
    type Resp = R;

    /// Makes the call and waits until it ends; needs [`runtime::block_on`].
    async fn call(&self, _: Context, request: Q) -> Result<R, RpcError> {
        // Boxed, since this future is moved several times before it is polled: into the future of
        // the generated client, into a task, into `block_on`.
        let answer = match &self.wire {
            Wire::Simulated(end, _) => Box::pin(end.call(&request)).await,
            // tarpc enforces a context's deadline, and the caller's context may be as old as the
            // process.
            Wire::Real(channel) => {
                Box::pin(channel.call(tarpc::context::current(), request)).await.ok()
            }
        };
        answer.ok_or(RpcError::DeadlineExceeded)
    }
}

/// An end on the simulated network.
pub(super) struct SimEnd {
    hub: Weak<Hub>,
    from: Host,
    to: Host,
    link: Link,
    /// Length of the previous request: the next one is probably about as long.
    last_len: AtomicUsize,
}

impl SimEnd {
    pub(super) fn new(hub: Weak<Hub>, from: Host, to: Host, link: Link) -> SimEnd {
        SimEnd { hub, from, to, link, last_len: AtomicUsize::new(0) }
    }

    /// Makes one call, from its request to its end. `None`: there is no reply.
    async fn call<Q, R>(&self, request: &Q) -> Option<R>
    where
        Q: RequestName + Serialize + 'static,
        R: DeserializeOwned,
    {
        let hub = self.hub.upgrade()?;
        let frame = codec::encode(request, self.last_len.load(Ordering::Relaxed));
        self.last_len.store(frame.len(), Ordering::Relaxed);
        let Opened { id, route, hooks } = hub.open(self.link, frame.len())?;
        let call = Call { id, from: self.from, to: self.to, method: request.name() };
        hooks.each_tap(|tap| tap.sent(&call, request as &dyn Any));
        let reply = match route {
            Route::Nowhere(wait) => {
                tell(&call, Leg::Request, || Fate::Unreachable);
                time::sleep(wait).await;
                None
            }
            Route::To(server) => {
                let trip = Trip { hub: &hub, link: self.link, call, hooks: &hooks };
                trip.exchange(&server, TypeId::of::<Q>(), frame).await
            }
        };
        hooks.each_tap(|tap| tap.ended(&call, reply.is_some()));
        Some(codec::decode(&reply?))
    }
}

/// A call on its way to a server and back.
struct Trip<'a> {
    hub: &'a Arc<Hub>,
    link: Link,
    call: Call<'a>,
    hooks: &'a Arc<Hooks>,
}

impl Trip<'_> {
    /// Carries the request to `server` and the reply back. `None`: the caller gets no reply.
    async fn exchange(&self, server: &Arc<Server>, types: TypeId, frame: Frame) -> Option<Frame> {
        self.request_leg(types, &frame).await?;
        let answer = self.dispatch(server, types, frame);
        let reply = self.wait_for(answer, server).await?;
        if !self.hub.still_there(self.link, server) {
            tell(&self.call, Leg::Reply, || Fate::Gone);
            return None;
        }
        self.reply_leg(reply.len()).await?;
        self.hub.delivered(reply.len());
        Some(reply)
    }

    /// `None`: the request is lost.
    async fn request_leg(&self, types: TypeId, frame: &Frame) -> Option<()> {
        let judged = self.hooks.judge(&self.call, Leg::Request, frame.len());
        for after in &judged.copies {
            tell(&self.call, Leg::Request, || Fate::Repeated { after: judged.delay + *after });
            self.send_copy(types, frame.clone(), judged.delay + *after);
        }
        self.pass(&judged, Leg::Request).await
    }

    /// `None`: the reply is lost.
    async fn reply_leg(&self, bytes: usize) -> Option<()> {
        let judged = self.hooks.judge(&self.call, Leg::Reply, bytes);
        self.pass(&judged, Leg::Reply).await
    }

    /// Waits as long as the message of `leg` is delayed. `None`: it is lost.
    async fn pass(&self, judged: &Judged, leg: Leg) -> Option<()> {
        if !judged.delay.is_zero() {
            tell(&self.call, leg, || judged.as_delayed());
            time::sleep(judged.delay).await;
        }
        if judged.is_dropped() {
            tell(&self.call, leg, || judged.as_lost());
            return None;
        }
        Some(())
    }

    /// Starts the handler in its own task, which belongs to the server.
    fn dispatch(
        &self,
        server: &Arc<Server>,
        types: TypeId,
        frame: Frame,
    ) -> oneshot::Receiver<Frame> {
        let (reply, answer) = oneshot::channel();
        let service = find_service(server, types, &self.call).clone();
        let Call { id, from, to, .. } = self.call;
        let hooks = self.hooks.clone();
        let delivery = Delivery { id, from, to, hooks, server: server.clone() };
        thread::with_label(service.label(), || {
            thread::go(move || {
                if let Some(frame) = service.handle(&delivery, &frame) {
                    // If the caller has given up, the reply is discarded.
                    let _ = reply.send(frame);
                }
            });
        });
        answer
    }

    /// Waits for the handler's reply, as long as the server is still there.
    async fn wait_for(
        &self,
        mut answer: oneshot::Receiver<Frame>,
        server: &Arc<Server>,
    ) -> Option<Frame> {
        loop {
            let mut check = pin!(time::sleep(DEAD_CHECK));
            let answered = poll_fn(|cx| match pin!(&mut answer).poll(cx) {
                Poll::Ready(reply) => Poll::Ready(Some(reply.ok())),
                Poll::Pending => check.as_mut().poll(cx).map(|()| None),
            });
            match answered.await {
                Some(reply) => return reply,
                None if self.hub.still_there(self.link, server) => {}
                None => {
                    tell(&self.call, Leg::Reply, || Fate::Gone);
                    return None;
                }
            }
        }
    }

    /// Sends a copy of the request, which arrives after `delay` at the server that is there then.
    fn send_copy(&self, types: TypeId, frame: Frame, delay: Duration) {
        let hub = Arc::downgrade(self.hub);
        let hooks = self.hooks.clone();
        let Call { id, from, to, .. } = self.call;
        let method = self.call.method.to_owned();
        thread::with_label(None, || {
            thread::go(move || {
                thread::sleep(delay);
                let server = hub.upgrade().and_then(|hub| hub.server_at(to));
                let Some(server) = server else { return };
                let call = Call { id, from, to, method: &method };
                tell(&call, Leg::Request, || Fate::Again);
                let service: &Service = find_service(&server, types, &call);
                let delivery = Delivery { id, from, to, hooks, server: server.clone() };
                thread::with_label(service.label(), || service.handle(&delivery, &frame));
            });
        });
    }
}

/// Finds the service for requests of type `types`; a server without one ends the run.
fn find_service<'a>(server: &'a Server, types: TypeId, call: &Call<'_>) -> &'a Service {
    server.dispatch(types).unwrap_or_else(|| {
        let message = format!(
            "{} called {} of {}, which serves {}; give add_server a Service for it",
            call.from,
            call.method,
            call.to,
            server.serves(),
        );
        runtime::fail(FailureKind::Assertion, "labrpc_unknown_service", message)
    })
}

/// Records what happened to a message of a call.
fn tell(call: &Call<'_>, leg: Leg, fate: impl FnOnce() -> Fate) {
    record::emit(|| Event {
        who: Some(call.from),
        what: What::Fate { call: call.id, to: call.to, leg, fate: fate() },
    });
}
