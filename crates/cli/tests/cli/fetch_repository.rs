//! `atman fetch owner/name` against a hub of scripted answers.

use crate::server::{Reply, Request, Server};
use crate::world::World;
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicUsize, Ordering};

const COMMIT: &str = "0123456789012345678901234567890123456789";
const FILE: &str = "hub/o/m/main/gguf/f.gguf";
const RECORD: &str = "hub/o/m/main/default.fetched.json";

/// A megabyte that does not repeat.
fn content() -> Vec<u8> {
    (0..1_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hub's answer about files of Git LFS, which it states hashes for.
fn listing(files: &[(&str, &[u8])]) -> Reply {
    let sibling = |(name, bytes): &(&str, &[u8])| {
        let (len, sha) = (bytes.len(), sha256(bytes));
        format!(r#"{{"rfilename":"{name}","size":{len},"lfs":{{"sha256":"{sha}","size":{len},"pointerSize":134}}}}"#)
    };
    let siblings: Vec<String> = files.iter().map(sibling).collect();
    Reply::ok(format!(r#"{{"id":"o/m","sha":"{COMMIT}","siblings":[{}]}}"#, siblings.join(",")))
}

/// A hub with the one file `f.gguf`; `answer` answers the n-th request for its content.
fn hub(answer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |request| {
        if request.path.starts_with("/api/models/o/m/revision/main?") {
            listing(&[("f.gguf", &content()), ("README.md", b"hello")])
        } else if request.path == format!("/o/m/resolve/{COMMIT}/f.gguf") {
            answer(count.fetch_add(1, Ordering::SeqCst), request)
        } else {
            Reply::status(404)
        }
    })
}

#[test]
fn a_file_arrives_whole_and_its_path_is_all_that_stdout_says() {
    let hub = hub(|_, request| Reply::ranged(request, &content()));
    let world = World::new(&hub);
    let outcome = world.run(&["fetch", "o/m"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(outcome.stdout.trim(), world.models.path().join(FILE).to_str().unwrap());
    assert_eq!(std::fs::read(world.models.path().join(FILE)).unwrap(), content());
    assert_eq!(world.files(), [RECORD, FILE]);
    let listed = world.run(&["models"]);
    assert!(listed.stdout.contains("o/m  1.0 MB"), "{listed:?}");
}

#[test]
fn what_is_here_is_not_downloaded_again_and_what_is_damaged_is() {
    let hub = hub(|_, request| Reply::ranged(request, &content()));
    let world = World::new(&hub);
    assert_eq!(world.run(&["fetch", "o/m"]).code, 0);
    let again = world.run(&["fetch", "o/m"]);
    assert!(again.code == 0 && again.stderr.contains("already here and right"), "{again:?}");
    assert_eq!(hub.seen("f.gguf").len(), 1);

    let mut damaged = content();
    damaged[500_000] ^= 1;
    std::fs::write(world.models.path().join(FILE), damaged).unwrap();
    assert_eq!(world.run(&["fetch", "o/m"]).code, 0);
    assert_eq!(std::fs::read(world.models.path().join(FILE)).unwrap(), content());
    assert_eq!(hub.seen("f.gguf").len(), 2);
}

#[test]
fn a_cut_connection_is_resumed_within_the_same_run() {
    let hub = hub(|n, request| Reply::ranged(request, &content()).cut_after(if n == 0 { 400_000 } else { usize::MAX }));
    let world = World::new(&hub);
    let outcome = world.run(&["fetch", "o/m"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(std::fs::read(world.models.path().join(FILE)).unwrap(), content());
    let starts: Vec<_> = hub.seen("f.gguf").iter().map(Request::range_start).collect();
    assert_eq!(starts, [None, Some(400_000)]);
}

#[test]
fn a_later_run_takes_up_what_an_earlier_one_left() {
    let hub = hub(|n, request| match n {
        0 => Reply::ok(content()).cut_after(400_000),
        1 => Reply::status(404),
        _ => Reply::ranged(request, &content()),
    });
    let world = World::new(&hub);
    let first = world.run(&["fetch", "o/m"]);
    assert!(first.code == 1 && first.stderr.contains("HTTP 404"), "{first:?}");
    assert_eq!(world.files(), ["hub/o/m/main/gguf/.f.gguf.part"]);
    let second = world.run(&["fetch", "o/m"]);
    assert!(second.code == 0 && second.stderr.contains("resuming: 400.0 kB are there"), "{second:?}");
    assert_eq!(hub.seen("f.gguf")[2].range_start(), Some(400_000));
    assert_eq!(std::fs::read(world.models.path().join(FILE)).unwrap(), content());
    assert_eq!(world.files(), [RECORD, FILE]);
}

#[test]
fn a_server_without_ranges_sends_the_whole_again() {
    let hub = hub(|n, _| Reply::ok(content()).cut_after(if n == 0 { 400_000 } else { usize::MAX }));
    let world = World::new(&hub);
    let outcome = world.run(&["fetch", "o/m"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(std::fs::read(world.models.path().join(FILE)).unwrap(), content());
    assert_eq!(hub.seen("f.gguf").len(), 2);
}

/// An answer that starts elsewhere than asked would be spliced at the wrong place.
#[test]
fn an_answer_from_the_wrong_position_is_not_used() {
    let hub = hub(|n, request| match n {
        0 => Reply::ok(content()).cut_after(400_000),
        1 => {
            let range = ("Content-Range".to_owned(), "bytes 300000-999999/1000000".to_owned());
            Reply { status: 206, headers: vec![range], ..Reply::ok(&content()[300_000..]) }
        }
        _ => Reply::ranged(request, &content()),
    });
    let world = World::new(&hub);
    assert_eq!(world.run(&["fetch", "o/m"]).code, 0);
    assert_eq!(std::fs::read(world.models.path().join(FILE)).unwrap(), content());
    assert_eq!(hub.seen("f.gguf")[2].range_start(), None);
}

#[test]
fn a_left_over_of_another_file_is_found_out_and_replaced() {
    let hub = hub(|_, request| Reply::ranged(request, &content()));
    let world = World::new(&hub);
    let part = world.models.path().join("hub/o/m/main/gguf/.f.gguf.part");
    std::fs::create_dir_all(part.parent().unwrap()).unwrap();
    std::fs::write(&part, vec![7; 300_000]).unwrap();
    let outcome = world.run(&["fetch", "o/m"]);
    assert!(outcome.code == 0 && outcome.stderr.contains("starting over"), "{outcome:?}");
    assert_eq!(std::fs::read(world.models.path().join(FILE)).unwrap(), content());
    let starts: Vec<_> = hub.seen("f.gguf").iter().map(Request::range_start).collect();
    assert_eq!(starts, [Some(300_000), None]);
}

#[test]
fn wrong_content_is_refused_and_nothing_stays() {
    let hub = hub(|_, _| {
        let mut other = content();
        other[999_999] ^= 1;
        Reply::ok(other)
    });
    let world = World::new(&hub);
    let outcome = world.run(&["fetch", "o/m"]);
    let both = [sha256(&content()), "its SHA-256 is".to_owned()];
    assert!(outcome.code == 1 && both.iter().all(|text| outcome.stderr.contains(text)), "{outcome:?}");
    assert_eq!(outcome.stdout, "");
    assert!(world.files().is_empty(), "{:?}", world.files());
}

#[test]
fn a_file_of_another_length_is_refused_before_it_is_downloaded() {
    let hub = hub(|_, _| Reply::ok(vec![0; 5_000_000]));
    let world = World::new(&hub);
    let outcome = world.run(&["fetch", "o/m"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("5000000 bytes, expected 1000000"), "{outcome:?}");
    assert!(world.files().is_empty());
}

/// A repository has secrets of its own; the place where its files lie must not learn them.
#[test]
fn a_redirect_is_followed_and_the_token_stays_with_the_hub() {
    let storage = Server::start(|request| Reply::ranged(request, &content()));
    let elsewhere = format!("http://localhost:{}/blob", storage.port);
    let hub = hub(move |_, _| Reply::redirect(elsewhere.clone()));
    let mut world = World::new(&hub);
    world.set("HF_TOKEN", "hf_secret");
    let outcome = world.run(&["fetch", "o/m"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    for request in hub.seen("") {
        assert_eq!(request.headers.get("authorization").map(String::as_str), Some("Bearer hf_secret"), "{request:?}");
    }
    let [at_storage] = &storage.seen("/blob")[..] else { panic!("{:?}", storage.seen("")) };
    assert_eq!(at_storage.headers.get("authorization"), None);
}

#[test]
fn a_passing_failure_of_the_server_is_tried_again() {
    let hub = hub(|n, request| if n == 0 { Reply::status(503) } else { Reply::ranged(request, &content()) });
    assert_eq!(World::new(&hub).run(&["fetch", "o/m"]).code, 0);
}

#[test]
fn a_repository_that_is_not_there_says_what_may_be_wrong() {
    let hub = Server::start(|request| Reply::status(if request.path.contains("private") { 401 } else { 404 }));
    let world = World::new(&hub);
    let missing = world.run(&["fetch", "o/missing"]);
    assert!(missing.code == 1 && missing.stderr.contains("no such repository, revision or file"), "{missing:?}");
    let private = world.run(&["fetch", "o/private"]);
    assert!(private.code == 1 && private.stderr.contains("HF_TOKEN"), "{private:?}");
    assert!(world.files().is_empty());
}

#[test]
fn two_processes_at_once_download_once() {
    let hub = hub(|_, request| {
        std::thread::sleep(std::time::Duration::from_millis(500));
        Reply::ranged(request, &content())
    });
    let world = World::new(&hub);
    let piped = std::process::Stdio::piped;
    let spawn = || world.command(&["fetch", "o/m"]).stdout(piped()).stderr(piped()).spawn().unwrap();
    let outputs = [spawn(), spawn()].map(|child| child.wait_with_output().unwrap());
    assert!(outputs.iter().all(|output| output.status.success()), "{outputs:?}");
    assert_eq!(hub.seen("f.gguf").len(), 1);
    assert_eq!(world.files(), [RECORD, FILE]);
}

#[test]
fn without_a_connection_what_is_here_still_serves() {
    let hub = hub(|_, request| Reply::ranged(request, &content()));
    let mut world = World::new(&hub);
    assert_eq!(world.run(&["fetch", "o/m"]).code, 0);
    // A port that nothing listens on any more.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    world.endpoint = format!("http://{gone}");
    let here = world.run(&["fetch", "o/m"]);
    assert!(here.code == 0 && here.stderr.contains("cannot tell whether it is the latest"), "{here:?}");
    let not_here = world.run(&["fetch", "o/other"]);
    assert!(not_here.code == 1 && not_here.stderr.contains("HF_ENDPOINT"), "{not_here:?}");
}

#[test]
fn safetensors_come_as_a_folder_and_a_revision_has_its_own() {
    let files: [(&str, &[u8]); 4] =
        [("config.json", b"{}"), ("model.safetensors", b"weights"), ("pytorch_model.bin", b"pickle"), ("tokenizer.json", b"[]")];
    let hub = Server::start(move |request| {
        if request.path.starts_with("/api/models/o/m/revision/refs%2Fpr%2F1?") {
            return listing(&files);
        }
        let name = request.path.strip_prefix(&format!("/o/m/resolve/{COMMIT}/")).unwrap_or_default();
        files.iter().find(|(path, _)| *path == name).map_or(Reply::status(404), |(_, bytes)| Reply::ok(*bytes))
    });
    let world = World::new(&hub);
    let outcome = world.run(&["fetch", "o/m@refs/pr/1"]);
    let folder = world.models.path().join("hub/o/m/refs--pr--1/safetensors");
    assert_eq!((outcome.code, outcome.stdout.trim()), (0, folder.to_str().unwrap()), "{outcome:?}");
    let here = ["config.json", "model.safetensors", "tokenizer.json"].map(|n| format!("hub/o/m/refs--pr--1/safetensors/{n}"));
    assert_eq!(world.files()[1..], here);
}
