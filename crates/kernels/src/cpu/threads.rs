//! Work spread over threads (one thread in WebAssembly) and compiled for the processor's widest instructions.

pub(super) use pulp::NullaryFnOnce as Work;

/// Calls `work` compiled for the best instruction set that this processor has; loops inlined into it are vectorised so.
///
/// The work is a type of its own with an `#[inline(always)]` method, not a closure: a closure that is called once for each
/// instruction set may be left as a function of the baseline one.
#[inline(always)]
pub(super) fn simd<W: Work>(work: W) -> W::Output {
    pulp::Arch::new().dispatch(work)
}

/// How many threads share the work.
pub(super) fn count() -> usize {
    #[cfg(not(target_arch = "wasm32"))]
    return rayon::current_num_threads();
    #[cfg(target_arch = "wasm32")]
    return 1;
}

/// Calls `work` on one of the threads that share the work, so that these need not be woken for each piece of it.
pub(super) fn together<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    #[cfg(not(target_arch = "wasm32"))]
    return rayon::scope(|_| work());
    #[cfg(target_arch = "wasm32")]
    return work();
}

/// Calls `work(i, chunk)` for the i-th piece of `out`, each `len` long but perhaps the last, on all threads.
pub(super) fn for_each_chunk(out: &mut [f32], len: usize, work: impl Fn(usize, &mut [f32]) + Sync + Send) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        out.par_chunks_mut(len.max(1)).enumerate().for_each(|(i, chunk)| work(i, chunk));
    }
    #[cfg(target_arch = "wasm32")]
    for (i, chunk) in out.chunks_mut(len.max(1)).enumerate() {
        work(i, chunk);
    }
}

/// Calls `work(i)` for every `i < n`, on all threads.
pub(super) fn for_each_index(n: usize, work: impl Fn(usize) + Sync + Send) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        (0..n).into_par_iter().for_each(work);
    }
    #[cfg(target_arch = "wasm32")]
    for i in 0..n {
        work(i);
    }
}
