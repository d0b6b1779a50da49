// Operands of attention whose head_dim is a multiple of 4: a vector is one head of one row, quads of 4 elements.

@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>; // [n_rows, n_heads, params.quads]
@group(0) @binding(2) var<storage, read> k: array<vec4<f32>>; // [batch_rows, n_kv_heads, params.quads]
@group(0) @binding(3) var<storage, read> v: array<vec4<f32>>; // [batch_rows, n_kv_heads, params.quads]
@group(0) @binding(4) var<storage, read> cache_k: array<vec4<f32>>; // [cached positions, n_kv_heads, params.quads]
@group(0) @binding(5) var<storage, read> cache_v: array<vec4<f32>>; // [cached positions, n_kv_heads, params.quads]

fn q4(vector: u32, quad: u32) -> vec4<f32> {
    return q[vector * params.quads + quad];
}

fn k4(vector: u32, quad: u32) -> vec4<f32> {
    return k[vector * params.quads + quad];
}

fn v4(vector: u32, quad: u32) -> vec4<f32> {
    return v[vector * params.quads + quad];
}

fn cache_k4(vector: u32, quad: u32) -> vec4<f32> {
    return cache_k[vector * params.quads + quad];
}

fn cache_v4(vector: u32, quad: u32) -> vec4<f32> {
    return cache_v[vector * params.quads + quad];
}
