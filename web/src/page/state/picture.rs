//! A picture that comes with a prompt.

use std::sync::Arc;
use web_sys::Url;

/// A picture as the page holds it. Copies share what is large.
#[derive(Clone, Debug)]
pub(in crate::page) struct Picture {
    /// What page and worker call it by.
    pub(in crate::page) id: u32,
    /// What a person calls it: its file's name.
    pub(in crate::page) name: String,
    /// As the file has them.
    pub(in crate::page) bytes: Arc<Vec<u8>>,
    /// Where the browser finds it to show it.
    pub(in crate::page) url: Arc<ObjectUrl>,
    /// Width and height, once the worker has looked at it.
    pub(in crate::page) size_px: Option<(usize, usize)>,
    /// Its file among those of the site, if it is the picture of an example.
    pub(in crate::page) example: Option<String>,
}

impl PartialEq for Picture {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.size_px == other.size_px
    }
}

/// The address of bytes that the browser holds for as long as this is there.
#[derive(Debug)]
pub(in crate::page) struct ObjectUrl(pub(in crate::page) String);

impl Drop for ObjectUrl {
    fn drop(&mut self) {
        // An address that is gone already is as good.
        let _ = Url::revoke_object_url(&self.0);
    }
}
