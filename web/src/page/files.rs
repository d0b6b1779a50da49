//! Lists of files, as the browser hands them over.

use wasm_bindgen::JsCast;
use web_sys::{File, FileList};

/// The files of a list.
pub(super) fn of_list(list: Option<FileList>) -> Vec<File> {
    list.iter().flat_map(|list| (0..list.length()).filter_map(|index| list.get(index))).map(JsCast::unchecked_into).collect()
}
