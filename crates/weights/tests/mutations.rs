//! Twenty thousand damaged files for each reader: whatever the bytes, no panic, no hang, no large allocation.
#![expect(unsafe_code, reason = "an allocator that counts is the only way to see what a reader allocates")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test states what it expects by unwrapping it")]

mod common;
#[path = "common/readers.rs"]
mod readers;
#[path = "common/seeds.rs"]
mod seeds;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use common::{CHATML, Gguf, floats, safetensors};

const FILES: u64 = 20_000;
/// No file here is longer than 16 KiB, and none may make a reader ask for more than this at once: the first mebibyte of a
/// file is more than any of them, regular expressions compile to some ten kilobytes, a text of a template may have 8 MiB.
const LARGEST_BYTES: usize = 1 << 20;
/// Nor may all that a reader holds at a time be more than this.
const MOST_BYTES: usize = 16 << 20;
/// Templates may make texts, within their fuel of 64 MB.
const TEMPLATE_BYTES: usize = 64 << 20;
/// The slowest of twenty thousand, on a machine that is busy with other tests.
const SLOWEST: Duration = Duration::from_secs(5);

/// What the current thread has allocated since it was last asked.
#[derive(Clone, Copy, Default)]
struct Allocated {
    now: usize,
    most: usize,
    largest: usize,
}

thread_local! {
    static ALLOCATED: Cell<Allocated> = const { Cell::new(Allocated { now: 0, most: 0, largest: 0 }) };
}

struct Counting;

impl Counting {
    fn add(bytes: usize) {
        // A thread that is ending has no counter any more.
        let _ = ALLOCATED.try_with(|cell| {
            let Allocated { now, most, largest } = cell.get();
            let now = now.saturating_add(bytes);
            cell.set(Allocated { now, most: most.max(now), largest: largest.max(bytes) });
        });
    }

    fn sub(bytes: usize) {
        let _ = ALLOCATED.try_with(|cell| cell.set(Allocated { now: cell.get().now.saturating_sub(bytes), ..cell.get() }));
    }
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches a cell of the thread and allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Counting::add(layout.size());
        // SAFETY: the caller's layout is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Counting::add(layout.size());
        // SAFETY: the caller's layout is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Counting::sub(layout.size());
        // SAFETY: the pointer came from the system's allocator with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Counting::sub(layout.size());
        Counting::add(size);
        // SAFETY: the pointer came from the system's allocator with this layout.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What `work` allocated, beyond what there was before.
fn measure(work: impl FnOnce()) -> Allocated {
    ALLOCATED.with(|cell| cell.set(Allocated::default()));
    work();
    ALLOCATED.with(Cell::get)
}

/// SplitMix64: the same files every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const INTEGERS: [u64; 12] =
    [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 32, 1 << 40, i64::MAX as u64, u64::MAX - 31, u64::MAX];
/// Pieces of the formats, so that structure changes and not only bytes.
const PIECES: [&str; 22] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "null",
    "-1",
    "1e999",
    "18446744073709551616",
    "\"type\"",
    "{{",
    "}}",
    "{%",
    "%}",
    "(?:a*)*",
    "|",
    "\u{2581}",
    "\u{1f600}",
    "<0x0A>",
    "Sequence",
];

/// One to four changes of a seed, or two seeds cut and put together.
fn mutate(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(9) {
            0 | 1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (random.next() % 8)),
            2 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = random.next() as u8),
            3 => bytes.truncate(at),
            4 => {
                let width = random.pick(&[1, 2, 4, 8]);
                let value = random.pick(&INTEGERS).wrapping_add(random.next() % 3).to_le_bytes();
                bytes.iter_mut().skip(at).zip(&value[..width]).for_each(|(byte, new)| *byte = *new);
            }
            5 => drop(bytes.splice(at..at, random.pick(&PIECES).bytes())),
            6 => {
                let end = (at + random.below(40)).min(bytes.len());
                bytes.drain(at..end);
            }
            7 => {
                let end = (at + random.below(200)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                drop(bytes.splice(to..to, piece));
            }
            _ => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len());
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
        }
    }
    bytes.truncate(16 << 10);
    bytes
}

fn survives(name: &str) {
    let (_, read) = readers::READERS.into_iter().find(|reader| reader.0 == name).unwrap();
    let seeds: Vec<Vec<u8>> = seeds::seeds(name).into_iter().map(|seed| seed.1).collect();
    seeds.iter().for_each(|seed| read(seed));
    let mut random = Random(0x41_74_4d_61_6e);
    let (largest_allowed, most_allowed) =
        if name == "chat_template" { (TEMPLATE_BYTES, TEMPLATE_BYTES) } else { (LARGEST_BYTES, MOST_BYTES) };
    for i in 0..FILES {
        let bytes = mutate(&seeds, &mut random);
        let start = Instant::now();
        let allocated = measure(|| {
            let outcome = catch_unwind(AssertUnwindSafe(|| read(&bytes)));
            assert!(outcome.is_ok(), "{name}: file {i} made it panic: {:?}", bytes.escape_ascii().to_string());
        });
        let (most, largest) = (allocated.most, allocated.largest);
        let shown = || bytes.escape_ascii().to_string();
        assert!(largest <= largest_allowed, "{name}: file {i} made it allocate {largest} bytes at once: {}", shown());
        assert!(most <= most_allowed, "{name}: file {i} made it hold {most} bytes: {}", shown());
        assert!(start.elapsed() < SLOWEST, "{name}: file {i} took {:?}: {}", start.elapsed(), shown());
    }
}

#[test]
fn gguf_headers() {
    survives("gguf");
}

#[test]
fn safetensors_headers() {
    survives("safetensors");
}

#[test]
fn indices() {
    survives("index");
}

#[test]
fn tokenizer_json() {
    survives("tokenizer_json");
}

#[test]
fn gguf_tokenizers() {
    survives("gguf_tokenizer");
}

#[test]
fn chat_templates() {
    survives("chat_template");
}

#[test]
fn configurations() {
    survives("config");
}

/// The mutations start from files that are good, or they would all be refused at the first byte.
#[test]
fn every_seed_is_good() {
    for (name, bytes) in seeds::seeds("gguf").into_iter().chain(seeds::seeds("gguf_tokenizer")) {
        common::open(vec![(name, bytes)]).expect(name);
    }
    for (name, bytes) in seeds::seeds("safetensors") {
        common::open(vec![("config.json", b"{}".to_vec()), ("model.safetensors", bytes)]).expect(name);
    }
    for (name, bytes) in seeds::seeds("tokenizer_json") {
        let tokenizer = weights::Tokenizer::from_json(name, &bytes).expect(name);
        assert!(tokenizer.encode("the cat 12", true).unwrap().len() > 3, "{name}");
    }
    for (name, bytes) in seeds::seeds("chat_template") {
        let template = weights::ChatTemplate::new(name, std::str::from_utf8(&bytes).unwrap(), readers::special_tokens());
        let text = template.render(&[weights::Message::new("user", "Hi")], true).expect(name);
        assert!(text.contains("Hi") && text.contains("assistant"), "{name}: {text}");
    }
}

/// The seeds for fuzzing, in `fuzz/seeds`, are these. `ATMAN_WRITE_SEEDS=1` writes them.
#[test]
fn the_committed_seeds_are_these() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    for (reader, _) in readers::READERS {
        for (name, bytes) in seeds::seeds(reader) {
            let path = folder.join(reader).join(name);
            if std::env::var_os("ATMAN_WRITE_SEEDS").is_some() {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, &bytes).unwrap();
            }
            assert!(std::fs::read(&path).is_ok_and(|committed| committed == bytes), "{} is out of date", path.display());
        }
    }
}

/// A header may promise anything; what is allocated for it is no more than the file.
#[test]
fn a_small_file_that_promises_much_gets_no_large_allocation() {
    let promise = |code: u32| [&code.to_le_bytes()[..], &(1_u64 << 40).to_le_bytes()].concat();
    let files = [
        Gguf::new().tensor("t", &[1 << 40], 0, &floats([0.0])).bytes(),
        Gguf::new().bytes_with_counts(1 << 50, 0),
        Gguf::new().bytes_with_counts(0, 1 << 50),
        Gguf::new().raw("texts", 9, &promise(8)).bytes(),
        Gguf::new().raw("numbers", 9, &promise(12)).bytes(),
        Gguf::new().raw("text", 8, &(1_u64 << 40).to_le_bytes()).bytes(),
    ];
    for bytes in &files {
        let allocated = measure(|| assert!(common::open(vec![("m.gguf", bytes.clone())]).is_err()));
        assert!(allocated.most < 16 << 10, "{} bytes for a file of {}", allocated.most, bytes.len());
    }
    let long = [&(1_u64 << 30).to_le_bytes()[..], CHATML.as_bytes()].concat();
    let many =
        safetensors(&serde_json::json!({"a": {"dtype": "F32", "shape": [1_u64 << 40], "data_offsets": [0, 1_u64 << 42]}}), 4);
    for bytes in [long, many] {
        let allocated =
            measure(|| assert!(common::open(vec![("config.json", b"{}".to_vec()), ("m.safetensors", bytes.clone())]).is_err()));
        assert!(allocated.most < 16 << 10, "{} bytes for a file of {}", allocated.most, bytes.len());
    }
}

/// Of a real vocabulary's size: a hundred thousand texts are held once, in no more than the file and a reader's piece of it.
#[test]
fn a_large_header_is_held_in_proportion_to_the_file() {
    let texts: Vec<String> = (0..100_000).map(|i| format!("token{i}")).collect();
    let bytes = Gguf::new().entry("list", &serde_json::json!(texts)).bytes();
    let len = bytes.len();
    let allocated = measure(|| drop(weights::gguf::parse("m.gguf", &bytes, len as u64).unwrap().unwrap()));
    assert!(allocated.largest <= len && allocated.most <= len + (64 << 10), "{} bytes for a file of {len}", allocated.most);
}
