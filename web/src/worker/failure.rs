//! What went wrong, for the page.

use crate::messages::{Event, FailureKind};
use atman::AtmanError;
use kernels::ExecError;
use model::ModelError;

/// An error as the page is told it.
pub(super) fn event(error: &anyhow::Error) -> Event {
    let kind = match exec_error(error) {
        Some(ExecError::OutOfMemory { .. }) => FailureKind::OutOfMemory,
        _ => FailureKind::Other,
    };
    Event::Failed { message: format!("{error:#}"), kind }
}

/// The device's own error, where it is one.
pub(super) fn exec_error(error: &anyhow::Error) -> Option<&ExecError> {
    error.chain().find_map(|cause| {
        let of_model = match cause.downcast_ref::<AtmanError>() {
            Some(AtmanError::Model(error)) => Some(error),
            _ => cause.downcast_ref::<ModelError>(),
        };
        match of_model {
            Some(ModelError::Exec(error)) => Some(error),
            _ => cause.downcast_ref(),
        }
    })
}
