//! How a model's images are prepared, as data: what the files say of it, for others to make sense of.

use crate::{ModelFiles, WeightsError};
use serde_json::Value;

/// A few numbers and switches.
const LIMIT_BYTES: u64 = 1 << 20;

/// The settings of the image processor. Newer models have them within `processor_config.json`, older ones as a file of their
/// own. Of both the newer is believed, as by the library that writes them.
pub(crate) async fn read(files: &mut ModelFiles) -> Result<Option<Value>, WeightsError> {
    let own = json(files, "preprocessor_config.json").await?;
    let whole = json(files, "processor_config.json").await?;
    let within = whole.and_then(|mut whole| whole.get_mut("image_processor").map(Value::take));
    Ok(within.filter(Value::is_object).or(own).filter(Value::is_object))
}

async fn json(files: &mut ModelFiles, name: &'static str) -> Result<Option<Value>, WeightsError> {
    let Some((file, json)) = files.read(name, LIMIT_BYTES).await? else { return Ok(None) };
    serde_json::from_slice(&json).map(Some).map_err(|source| WeightsError::Json { file, source })
}
