//! What writing a token asks of a device, for which a browser waits each time.

use crate::adapter;
use crate::fixture::{ALL, checkpoint};
use gpu::Options;
use kernels::Executor;
use model::{Generation, Model, Sampling};

/// Whether the submit is valid, when it has ended, whether the transfer is valid, and the transfer itself.
const PROMISES_PER_TOKEN: u64 = 4;

#[test]
fn a_token_costs_four_promises() {
    let Some(adapters) = adapter::adapters() else { return };
    for name in ALL {
        let mut gpu = pollster::block_on(adapters.open(0, &Options::default())).unwrap();
        let model = pollster::block_on(Model::load(&checkpoint(name), &mut gpu, &mut |_| {})).unwrap();
        pollster::block_on(async {
            let ids = [5, 6, 7, 8];
            let mut generation = Generation::start(&model, &mut gpu, &ids, 12, Sampling::default(), None).await.unwrap();
            // Memory is made with the first tokens.
            for _ in 0..2 {
                generation.next(&model, &mut gpu).await.unwrap();
            }
            for _ in 0..8 {
                let before = gpu.stats();
                generation.next(&model, &mut gpu).await.unwrap();
                let after = gpu.stats();
                assert_eq!((after.submits - before.submits, after.read_backs - before.read_backs), (2, 1), "{name}");
                assert_eq!(after.promises - before.promises, PROMISES_PER_TOKEN, "{name}");
            }
        });
    }
}
