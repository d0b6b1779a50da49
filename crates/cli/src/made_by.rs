//! What a kept result was made by and from, so that only what would come out the same is taken up again.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Stands in each line that `batch` and `eval` write.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct MadeBy {
    /// Of this program.
    pub(crate) version: String,
    /// Of the model's files.
    pub(crate) model_sha256: String,
    /// Whatever else was said, as JSON.
    pub(crate) settings: Value,
    /// Of the files of the line's pictures, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pictures_sha256: Vec<String>,
}

impl MadeBy {
    /// By this program.
    pub(crate) fn now(model_sha256: String, settings: Value, pictures_sha256: Vec<String>) -> Self {
        Self { version: env!("CARGO_PKG_VERSION").to_owned(), model_sha256, settings, pictures_sha256 }
    }

    /// What is not the same now, for people.
    pub(crate) fn differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.version != now.version {
            found.push(format!("atman {} made it, this is {}", self.version, now.version));
        }
        if self.model_sha256 != now.model_sha256 {
            found.push(format!("another model (SHA-256 {}, now {})", start(&self.model_sha256), start(&now.model_sha256)));
        }
        if self.pictures_sha256 != now.pictures_sha256 {
            found.push("other contents of its pictures".to_owned());
        }
        different_values("", &self.settings, &now.settings, &mut found);
        found
    }
}

/// As much of a hash as people compare.
fn start(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

/// Names each value that is not the same; what is missing counts as null.
fn different_values(name: &str, then: &Value, now: &Value, found: &mut Vec<String>) {
    match (then.as_object(), now.as_object()) {
        (Some(then), Some(now)) => {
            let only_now = now.keys().filter(|key| !then.contains_key(*key));
            for key in then.keys().chain(only_now) {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                let of = |values: &serde_json::Map<String, Value>| values.get(key).cloned().unwrap_or_default();
                different_values(&name, &of(then), &of(now), found);
            }
        }
        _ if then != now => found.push(format!("{name} was {then}, now {now}")),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_difference_is_named() {
        let then = MadeBy {
            version: "0.1.0".into(),
            model_sha256: "0123456789abcdef".into(),
            settings: json!({"factor": 0.0, "threshold": null, "faithfulness": {"seed": 0}, "score": "logit"}),
            pictures_sha256: vec!["aa".into()],
        };
        assert_eq!(then.differences(&then), Vec::<String>::new());
        let now = MadeBy {
            version: "0.2.0".into(),
            model_sha256: "fedcba9876543210".into(),
            settings: json!({"factor": 0.1, "faithfulness": {"seed": 1}, "score": "logit", "refine": 3}),
            pictures_sha256: vec!["bb".into()],
        };
        let expected = [
            "atman 0.1.0 made it, this is 0.2.0",
            "another model (SHA-256 0123456789ab, now fedcba987654)",
            "other contents of its pictures",
            "factor was 0.0, now 0.1",
            "faithfulness.seed was 0, now 1",
            "refine was null, now 3",
        ];
        assert_eq!(then.differences(&now), expected);
    }
}
