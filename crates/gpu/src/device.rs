//! The device and its queue, with every error turned into a value.

use crate::signal::Signal;
use kernels::ExecError;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How long the device may take for one submit before it is taken for hung. Submits aim at a tenth of a second.
const HUNG: Duration = Duration::from_secs(300);

type ScopeFuture = Pin<Box<dyn Future<Output = Option<wgpu::Error>>>>;

/// An open device. What goes wrong inside it comes out of [`Device::check`] or of the call that caused it.
pub(crate) struct Device {
    pub(crate) raw: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    name: String,
    faults: Arc<Mutex<Faults>>,
    /// Error scopes whose outcome the browser has not told yet.
    unsettled: Vec<(ScopeFuture, Attempt)>,
    /// Wakes what waits for a device that is gone.
    lost: Signal<()>,
    /// Answers of the device that were asked for; in a browser each is a promise.
    pub(crate) promises: u64,
}

/// What is done within error scopes, each of which costs a promise in a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guarded {
    /// Memory is made.
    Allocation,
    /// A shader, a pipeline or its layout is made.
    Pipeline,
    /// Work is handed over.
    Submit,
}

impl Guarded {
    /// The errors that are looked for. Any other comes out of [`Device::check`] later.
    const fn filters(self) -> &'static [wgpu::ErrorFilter] {
        match self {
            Guarded::Allocation => &[wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation],
            Guarded::Pipeline => &[wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::Validation],
            Guarded::Submit => &[wgpu::ErrorFilter::Validation],
        }
    }
}

/// What went wrong outside any call.
#[derive(Debug, Default)]
struct Faults {
    lost: Option<String>,
    /// In words, and whether it is a lack of memory.
    uncaptured: Option<(String, bool)>,
}

/// What a guarded call was for, for its error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempt {
    /// What the memory is for, or what was done.
    pub(crate) purpose: String,
    /// Bytes asked for; 0 if none were.
    pub(crate) bytes: u64,
    /// Bytes held at the time.
    pub(crate) held_bytes: u64,
}

impl Device {
    pub(crate) fn new(raw: wgpu::Device, queue: wgpu::Queue, name: String) -> Device {
        let faults = Arc::new(Mutex::new(Faults::default()));
        let (seen, lost) = (faults.clone(), Signal::new());
        let wakes = lost.clone();
        raw.set_device_lost_callback(move |reason, message| {
            let text = if message.is_empty() { format!("{reason:?}") } else { message };
            seen.lock().unwrap_or_else(PoisonError::into_inner).lost.get_or_insert(text);
            wakes.set(());
        });
        let seen = faults.clone();
        // Without a handler wgpu would abort the process.
        raw.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let fault = (error.to_string(), matches!(error, wgpu::Error::OutOfMemory { .. }));
            seen.lock().unwrap_or_else(PoisonError::into_inner).uncaptured.get_or_insert(fault);
        }));
        Device { raw, queue, name, faults, unsettled: Vec::new(), lost, promises: 0 }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// An error if the device is lost, or if something went wrong outside any call since the last check.
    pub(crate) fn check(&self) -> Result<(), ExecError> {
        // A lost device makes calls do nothing, in silence; natively word of the loss arrives only when asked for.
        let _ = self.raw.poll(wgpu::PollType::Poll);
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = &faults.lost {
            return Err(ExecError::DeviceLost { device: self.name.clone(), reason: reason.clone() });
        }
        let device = self.name.clone();
        match faults.uncaptured.take() {
            // Of what, and of how much, nobody said.
            Some((_, true)) => {
                Err(ExecError::OutOfMemory { purpose: "work that was handed over".to_owned(), bytes: 0, held_bytes: 0, device })
            }
            Some((message, false)) => Err(ExecError::Device { device, message }),
            None => Ok(()),
        }
    }

    /// Calls the device within error scopes. An error is returned at once where the device tells it at once, which it does
    /// natively; in the browser it comes out of [`Device::settle`].
    pub(crate) fn guarded<T>(
        &mut self,
        what: Guarded,
        attempt: impl FnOnce() -> Attempt,
        call: impl FnOnce(&wgpu::Device, &wgpu::Queue) -> T,
    ) -> Result<T, ExecError> {
        let guards: Vec<_> = what.filters().iter().map(|filter| self.raw.push_error_scope(*filter)).collect();
        self.promises += guards.len() as u64;
        let value = call(&self.raw, &self.queue);
        // The innermost first.
        let scopes: Vec<ScopeFuture> = guards.into_iter().rev().map(|guard| Box::pin(guard.pop()) as ScopeFuture).collect();
        let attempt = attempt();
        let mut context = Context::from_waker(Waker::noop());
        for mut scope in scopes {
            match scope.as_mut().poll(&mut context) {
                Poll::Ready(None) => {}
                Poll::Ready(Some(error)) => return Err(self.explain(error, attempt)),
                Poll::Pending => self.unsettled.push((scope, attempt.clone())),
            }
        }
        self.check()?;
        Ok(value)
    }

    /// Waits for the outcome of every guarded call so far and returns the first error.
    pub(crate) async fn settle(&mut self) -> Result<(), ExecError> {
        let mut first = None;
        for (scope, attempt) in std::mem::take(&mut self.unsettled) {
            if let Some(error) = scope.await {
                first.get_or_insert(self.explain(error, attempt));
            }
        }
        first.map_or_else(|| self.check(), Err)
    }

    fn explain(&self, error: wgpu::Error, attempt: Attempt) -> ExecError {
        if let Err(lost @ ExecError::DeviceLost { .. }) = self.check() {
            return lost;
        }
        let device = self.name.clone();
        match error {
            wgpu::Error::OutOfMemory { .. } => {
                ExecError::OutOfMemory { purpose: attempt.purpose, bytes: attempt.bytes, held_bytes: attempt.held_bytes, device }
            }
            wgpu::Error::Validation { .. } | wgpu::Error::Internal { .. } => {
                ExecError::Device { device, message: format!("{}: {error}", attempt.purpose) }
            }
        }
    }

    /// Waits until `done` is set, which the submission's callback does. Blocks natively; in the browser, where nothing can
    /// be waited for, yields to the event loop.
    pub(crate) async fn wait<T: Copy>(&self, done: &Signal<T>, submission: &wgpu::SubmissionIndex) -> Result<T, ExecError> {
        if let Some(value) = done.get() {
            return Ok(value);
        }
        let poll = wgpu::PollType::Wait { submission_index: Some(submission.clone()), timeout: Some(HUNG) };
        if let Err(error) = self.raw.poll(poll) {
            self.check()?;
            return Err(ExecError::Device { device: self.name.clone(), message: error.to_string() });
        }
        if cfg!(target_arch = "wasm32") {
            // A device that is gone may never answer.
            let (mut done, mut lost) = (done.clone(), self.lost.clone());
            let answer = std::future::poll_fn(|context| match Pin::new(&mut done).poll(context) {
                Poll::Ready(value) => Poll::Ready(Some(value)),
                Poll::Pending => Pin::new(&mut lost).poll(context).map(|()| None),
            });
            if let Some(value) = answer.await {
                return Ok(value);
            }
        }
        self.check()?;
        done.get().ok_or_else(|| ExecError::Device {
            device: self.name.clone(),
            message: "a submission ended without a word".to_owned(),
        })
    }

    /// Blocks until the device has done everything, natively; there is no such thing in the browser, nor any need.
    pub(crate) fn finish(&self) -> Result<(), ExecError> {
        let poll = wgpu::PollType::Wait { submission_index: None, timeout: Some(HUNG) };
        match self.raw.poll(poll) {
            Ok(_) => self.check(),
            Err(error) => {
                self.check()?;
                Err(ExecError::Device { device: self.name.clone(), message: error.to_string() })
            }
        }
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("name", &self.name).field("unsettled", &self.unsettled.len()).finish_non_exhaustive()
    }
}
