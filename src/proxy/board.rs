//! The plans in force and the connections they are for.
//!
//! Whom a plan chooses among connections is decided here, under one lock and in order of accept, so that `everyNth`
//! means the same whichever task runs first.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::plan::{Action, Plan, Point, Standing};

#[derive(Debug)]
pub(super) struct Board {
    seed: u64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Every plan there ever was, by number: hits can be asked after removal.
    plans: Vec<Arc<Standing>>,
    in_force: Vec<Arc<Standing>>,
    accepted: u32,
    connections: BTreeMap<u32, Arc<Control>>,
}

impl Board {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, inner: Mutex::default() }
    }

    /// Puts a plan into force, for open connections too.
    pub(super) fn add(&self, plan: Plan) -> Arc<Standing> {
        let mut inner = self.lock();
        // Cannot overflow: four billion plans do not fit into memory.
        let number = inner.plans.len() as u32 + 1;
        let standing = Arc::new(Standing::new(number, plan, self.seed));
        inner.plans.push(Arc::clone(&standing));
        inner.in_force.push(Arc::clone(&standing));
        if standing.plan.point != Point::Accept {
            // One whose client has gone is no opportunity, though its upstream may still be answering.
            for control in inner.connections.values().filter(|control| control.is_open()) {
                if applies(&standing, control.number) {
                    control.tell(|inbox| inbox.plans.push(Arc::clone(&standing)));
                }
            }
        }
        standing
    }

    /// The plan that is no longer in force; `None`: it was not.
    pub(super) fn remove(&self, number: u32) -> Option<Arc<Standing>> {
        let mut inner = self.lock();
        let at = inner.in_force.iter().position(|standing| standing.number == number)?;
        let standing = inner.in_force.remove(at);
        standing.remove();
        for control in inner.connections.values() {
            control.wake.notify_one();
        }
        Some(standing)
    }

    pub(super) fn hits(&self, number: u32) -> u64 {
        let index = (number as usize).checked_sub(1);
        index.and_then(|index| self.lock().plans.get(index).map(|standing| standing.hits())).unwrap_or(0)
    }

    pub(super) fn refuses(&self) -> bool {
        self.lock().in_force.iter().any(|standing| standing.plan.action == Action::Refuse)
    }

    /// A connection was accepted: gives it its number and its plans.
    pub(super) fn admit(&self) -> Arc<Control> {
        let mut inner = self.lock();
        inner.accepted = inner.accepted.wrapping_add(1);
        let number = inner.accepted;
        let plans = inner.in_force.iter().filter(|standing| applies(standing, number)).cloned().collect();
        let control = Arc::new(Control::new(number, plans));
        inner.connections.insert(number, Arc::clone(&control));
        control
    }

    /// The connection's task ends.
    pub(super) fn leave(&self, number: u32) {
        self.lock().connections.remove(&number);
    }

    /// Gives the order to all; returns how many clients were still connected.
    pub(super) fn order_all(&self, order: Order) -> usize {
        let inner = self.lock();
        let open = inner.connections.values().filter(|control| control.is_open()).count();
        for control in inner.connections.values() {
            control.tell(|inbox| inbox.order = inbox.order.max(Some(order)));
        }
        open
    }

    /// Has all connections look at what has changed.
    pub(super) fn wake_all(&self) {
        for control in self.lock().connections.values() {
            control.wake.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under the lock can leave it half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Is the plan one for this connection? A plan of exchanges chooses among those itself. Ask once for each connection.
fn applies(standing: &Standing, connection: u32) -> bool {
    standing.plan.action != Action::Refuse
        && standing.fits_connection(connection)
        && (standing.plan.is_of_exchanges() || standing.chooses(connection, 0))
}

/// How the proxy speaks to one connection.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) number: u32,
    inbox: Mutex<Inbox>,
    wake: Notify,
    open: AtomicBool,
}

/// What a connection has been told and has not taken note of.
#[derive(Debug, Default)]
struct Inbox {
    plans: Vec<Arc<Standing>>,
    /// Stays: a connection may be busy with its end when it comes.
    order: Option<Order>,
}

/// An end that is ordered from outside; the later one is the stronger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// End with RST.
    Reset,
    /// The proxy closes.
    Close,
}

impl Control {
    fn new(number: u32, plans: Vec<Arc<Standing>>) -> Self {
        let inbox = Mutex::new(Inbox { plans, order: None });
        Self { number, inbox, wake: Notify::new(), open: AtomicBool::new(true) }
    }

    /// Waits until there may be news. Only the connection's own task may wait.
    pub(super) async fn news(&self) {
        self.wake.notified().await;
    }

    /// Plans that were not known yet.
    pub(super) fn new_plans(&self) -> Vec<Arc<Standing>> {
        std::mem::take(&mut self.lock().plans)
    }

    pub(super) fn order(&self) -> Option<Order> {
        self.lock().order
    }

    /// Waits until the end is ordered, with `least` at the least.
    pub(super) async fn ordered(&self, least: Order) -> Order {
        loop {
            if let Some(order) = self.order().filter(|&order| order >= least) {
                return order;
            }
            self.news().await;
        }
    }

    /// The client's connection is over. `true`: it was not before.
    pub(super) fn closed(&self) -> bool {
        self.open.swap(false, Ordering::Relaxed)
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    fn tell(&self, write: impl FnOnce(&mut Inbox)) {
        write(&mut self.lock());
        self.wake.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
