//! Where numbers stop being numbers: a run whose results are not finite is gone through again, operation by operation.

use crate::{ModelError, RowResult};
use kernels::{Executor, Op};

/// Below any logit: what stands for one where a row has no number at all.
const NO_LOGIT: f32 = -1e29;

impl RowResult {
    /// Whether everything it says is a finite number.
    pub(crate) fn is_finite(&self) -> bool {
        let wanted = self.log_probs.iter().chain(&self.logits).all(|value| value.is_finite());
        wanted && self.top.iter().all(|score| score.log_prob.is_finite() && score.logit.is_finite() && score.logit > NO_LOGIT)
    }
}

/// Runs the operations one by one, up to the first whose output holds something that is no finite number, and says which that
/// is; `None` where all are finite.
pub(crate) async fn first_not_finite(executor: &mut dyn Executor, ops: &[Op]) -> Result<Option<String>, ModelError> {
    let mut last_weight = None;
    for op in ops {
        executor.run(std::slice::from_ref(op)).await?;
        let weight = match op {
            Op::MatMul { weight, .. } => Some(weight.spec().name.as_str()),
            Op::Embed { table, .. } => Some(table.spec().name.as_str()),
            _ => None,
        };
        if let Some((buffer, words)) = op.written() {
            let all = executor.read(buffer, words.end).await?;
            let values = all.get(words).unwrap_or_default();
            if let Some(wrong) = values.iter().map(|word| f32::from_bits(*word)).find(|value| !value.is_finite()) {
                let what = if wrong.is_nan() { "no numbers (NaN)" } else { "infinite" };
                let place = match (weight, last_weight) {
                    (Some(weight), _) => format!("{} with {weight}", op.name()),
                    (None, Some(last)) => format!("{}, which follows what is computed with {last}", op.name()),
                    (None, None) => op.name().to_owned(),
                };
                return Ok(Some(format!("the first that are {what} come out of {place}")));
            }
        }
        last_weight = weight.or(last_weight);
    }
    Ok(None)
}
