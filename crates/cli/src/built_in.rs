//! The model that this program brings along, so that it works at once, without a network, wherever it is copied to.

use weights::catalogue::DEFAULT;
use weights::{ByteSource, MemorySource, ModelFiles};

/// Its files.
pub(crate) fn files() -> ModelFiles {
    let included: &[(&str, &[u8])] = weights::built_in_files!();
    let file = |(name, bytes): &(&str, &[u8])| {
        // The folder's name too: for messages.
        let source: Box<dyn ByteSource> = Box::new(MemorySource::new(format!("{}/{name}", DEFAULT.name), *bytes));
        ((*name).to_owned(), source)
    };
    ModelFiles::new(included.iter().map(file).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ModelConfig;
    use weights::Checkpoint;

    /// What a person reads before it is loaded. Another architecture, or another number format, needs another line there.
    #[test]
    fn the_catalogue_says_what_it_is_and_takes() {
        let checkpoint = pollster::block_on(Checkpoint::open(files())).unwrap();
        let (config, _) = ModelConfig::read(checkpoint.name(), checkpoint.config()).unwrap();
        assert_eq!(DEFAULT.memory_bytes, config.memory_bytes(&checkpoint));
        assert_eq!(DEFAULT.chat, checkpoint.chat_template().is_some());
        assert_eq!(DEFAULT.sees, config.vision.is_some() && checkpoint.image_processor().is_some());
    }
}
