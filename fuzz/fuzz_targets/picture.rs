#![no_main]

// A picture or an error: and the picture is of as many bytes as it says.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(picture) = images::decode(bytes) {
        assert_eq!(picture.rgb().len(), 3 * picture.width() * picture.height());
    }
});
