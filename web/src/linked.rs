//! A whole question in the fragment of an address, which browsers never send to a server.

use crate::selected::Selected;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// What a fragment starts with.
const PREFIX: &str = "ask=";

/// What a link holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Linked {
    /// Which model: of the catalogue or of the hub. Others are of one machine alone, and are known by their identity.
    #[serde(default)]
    pub model: Selected,
    /// What tells the model from any other, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<ModelIdentity>,
    /// What the model reads.
    pub prompt: String,
    /// Whether that is a message in a chat.
    #[serde(default)]
    pub chat: bool,
    /// The pictures that come with it, by their names among those of the site's examples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<String>,
    /// How many pictures of the person's own came with it, which no link carries.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub own_pictures: usize,
    /// What is explained; empty if that is yet to be written.
    #[serde(default)]
    pub answer: String,
    /// How it is explained.
    #[serde(default)]
    pub settings: atman::Settings,
}

/// A model that whoever opens a link may have, or lack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// What a person calls it.
    pub name: String,
    /// SHA-256 of its files, in lower-case hexadecimal digits; `None` where it was never loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl ModelIdentity {
    /// Whether a model with these files is this one, as far as that can be told.
    pub fn is(&self, sha256: &str) -> bool {
        self.sha256.as_deref().is_none_or(|own| own == sha256)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Linked {
    /// As a fragment, without `#`.
    pub fn to_fragment(&self) -> String {
        // Plain data has no way to fail.
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
    }

    /// What a fragment says, with or without `#`. `None` where it is none of ours.
    ///
    /// # Errors
    /// When it begins like one of ours and cannot be read.
    pub fn from_fragment(fragment: &str) -> Option<Result<Linked, String>> {
        let text = fragment.trim_start_matches('#').strip_prefix(PREFIX)?;
        let broken = || "This link is broken: a part of it is missing. Ask for it again.".to_owned();
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| broken());
        Some(bytes.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|_| broken())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_comes_back_as_it_went() {
        let mut linked = Linked {
            model: Selected::Catalogue("smollm2-135m-instruct".to_owned()),
            identity: Some(ModelIdentity { name: "my.gguf".to_owned(), sha256: Some("ab".repeat(32)) }),
            prompt: "<b>#?&=%\n🙂</b>".to_owned(),
            chat: true,
            pictures: vec!["two-shapes.png".to_owned()],
            own_pictures: 1,
            answer: " Rome.".to_owned(),
            settings: atman::Settings::default(),
        };
        linked.settings.granularity = atman::Granularity::Delimiter(";".to_owned());
        let fragment = linked.to_fragment();
        assert!(fragment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=-_".contains(&byte)), "{fragment}");
        assert_eq!(Linked::from_fragment(&format!("#{fragment}")), Some(Ok(linked)));
    }

    #[test]
    fn a_broken_link_is_told_from_another_fragment() {
        assert_eq!(Linked::from_fragment("#prompt"), None);
        assert_eq!(Linked::from_fragment(""), None);
        for broken in ["#ask=", "#ask=eyJwcm9tcHQi", "#ask=%%%", "#ask=e30"] {
            assert!(matches!(Linked::from_fragment(broken), Some(Err(_))), "{broken}");
        }
    }
}
