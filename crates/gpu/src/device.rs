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
}

/// What went wrong outside any call.
#[derive(Debug, Default)]
struct Faults {
    lost: Option<String>,
    uncaptured: Option<String>,
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
        let seen = faults.clone();
        raw.set_device_lost_callback(move |reason, message| {
            let text = if message.is_empty() { format!("{reason:?}") } else { message };
            seen.lock().unwrap_or_else(PoisonError::into_inner).lost.get_or_insert(text);
        });
        let seen = faults.clone();
        // Without a handler wgpu would abort the process.
        raw.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            seen.lock().unwrap_or_else(PoisonError::into_inner).uncaptured.get_or_insert(error.to_string());
        }));
        Device { raw, queue, name, faults, unsettled: Vec::new() }
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
        match faults.uncaptured.take() {
            Some(message) => Err(ExecError::Device { device: self.name.clone(), message }),
            None => Ok(()),
        }
    }

    /// Calls the device within error scopes. An error is returned at once where the device tells it at once, which it does
    /// natively; in the browser it comes out of [`Device::settle`].
    pub(crate) fn guarded<T>(
        &mut self,
        attempt: impl FnOnce() -> Attempt,
        call: impl FnOnce(&wgpu::Device, &wgpu::Queue) -> T,
    ) -> Result<T, ExecError> {
        let memory = self.raw.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.raw.push_error_scope(wgpu::ErrorFilter::Validation);
        let internal = self.raw.push_error_scope(wgpu::ErrorFilter::Internal);
        let value = call(&self.raw, &self.queue);
        let scopes: [ScopeFuture; 3] = [Box::pin(internal.pop()), Box::pin(validation.pop()), Box::pin(memory.pop())];
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
            return Ok(done.clone().await);
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
