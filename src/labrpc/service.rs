//! A service that a server offers: a tarpc service without its types, so that all have one type.

use std::any::{Any, TypeId};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tarpc::RequestName;
use tarpc::server::Serve;

use super::codec::{self, Frame};
use super::hooks::Hooks;
use super::hub::Server;
use super::{Call, Host, context};
use crate::runtime::{block_on, thread};

/// A tarpc `Serve` with its types erased. The network finds the service for a request by the
/// request's type.
///
/// Handlers run as code of the server that they belong to: they get the label (see [`under_test`])
/// of the task that made the service. If that task had no label, they get the label of the task
/// that added the service to the network.
///
/// [`under_test`]: thread::under_test
#[derive(Clone)]
pub struct Service {
    handler: Arc<dyn Handler>,
    label: Option<u32>,
}

impl Service {
    /// Makes a service of `serve`, the value that the generated `.serve()` returns.
    pub fn new<S>(serve: S) -> Service
    where
        S: Serve + Clone + Send + Sync + 'static,
        S::Req: DeserializeOwned + 'static,
        S::Resp: Serialize + 'static,
    {
        Service { handler: Arc::new(Erased(serve)), label: thread::label() }
    }

    /// Gives the service the label of the current task, unless it already has a label.
    pub(super) fn labelled(mut self) -> Service {
        self.label = self.label.or_else(thread::label);
        self
    }

    pub(super) fn label(&self) -> Option<u32> {
        self.label
    }

    /// Whether requests of type `request` are for this service.
    pub(super) fn serves(&self, request: TypeId) -> bool {
        self.handler.request_type() == request
    }

    pub(super) fn request_type_name(&self) -> &'static str {
        self.handler.request_type_name()
    }

    /// Decodes the request, runs the handler to its end in the current task, and encodes the
    /// reply. `None`: there is no reply.
    pub(super) fn handle(&self, delivery: &Delivery, frame: &[u8]) -> Option<Frame> {
        self.handler.handle(delivery, frame)
    }
}

/// Where a request comes from and goes to, and the hooks that observe it.
pub(super) struct Delivery {
    pub(super) id: u64,
    pub(super) from: Host,
    pub(super) to: Host,
    pub(super) hooks: Arc<Hooks>,
    pub(super) server: Arc<Server>,
}

impl Delivery {
    fn call<'a>(&self, method: &'a str) -> Call<'a> {
        Call { id: self.id, from: self.from, to: self.to, method }
    }
}

trait Handler: Send + Sync {
    fn request_type(&self) -> TypeId;
    fn request_type_name(&self) -> &'static str;
    fn handle(&self, delivery: &Delivery, frame: &[u8]) -> Option<Frame>;
}

struct Erased<S>(S);

impl<S> Handler for Erased<S>
where
    S: Serve + Clone + Send + Sync + 'static,
    S::Req: DeserializeOwned + 'static,
    S::Resp: Serialize + 'static,
{
    fn request_type(&self) -> TypeId {
        TypeId::of::<S::Req>()
    }

    fn request_type_name(&self) -> &'static str {
        std::any::type_name::<S::Req>()
    }

    fn handle(&self, delivery: &Delivery, frame: &[u8]) -> Option<Frame> {
        let request: S::Req = codec::decode(frame);
        let hooks = &delivery.hooks;
        if !hooks.has_taps() || delivery.server.is_gone() {
            let reply = block_on(self.0.clone().serve(context(), request)).ok()?;
            return Some(codec::encode(&reply, 0));
        }
        // The request moves into the handler; its name is still needed afterwards.
        let method = request.name().to_owned();
        let call = delivery.call(&method);
        hooks.each_tap(|tap| tap.dispatched(&call, &request as &dyn Any));
        let reply = block_on(self.0.clone().serve(context(), request)).ok()?;
        if !delivery.server.is_gone() {
            hooks.each_tap(|tap| tap.answered(&call, &reply as &dyn Any));
        }
        Some(codec::encode(&reply, 0))
    }
}
