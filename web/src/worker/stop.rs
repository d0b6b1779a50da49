//! Stopping a request wherever it waits.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// Whether a request is to stop. Copies are handles of the same.
#[derive(Clone, Default)]
pub(super) struct Stop(Rc<Inner>);

#[derive(Default)]
struct Inner {
    is_asked: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Stop {
    /// Stops the request, and wakes it if it waits, be it for a server that never answers.
    pub(super) fn ask(&self) {
        self.0.is_asked.set(true);
        if let Some(waker) = self.0.waiting.take() {
            waker.wake();
        }
    }

    /// Carries work out until it is done or to be stopped. `None` where it was stopped: the work is then let go of, which ends
    /// what it has asked of servers, files and locks.
    pub(super) async fn unless<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|context| {
            if self.0.is_asked.get() {
                return Poll::Ready(None);
            }
            match work.as_mut().poll(context) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending => {
                    self.0.waiting.replace(Some(context.waker().clone()));
                    Poll::Pending
                }
            }
        })
        .await
    }
}
