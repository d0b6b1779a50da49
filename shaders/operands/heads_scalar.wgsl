// Operands of attention with any head_dim: a vector is one head of one row, quads of 4 elements, zero past its end.

@group(0) @binding(1) var<storage, read> q: array<f32>; // [n_rows, n_heads, params.head_dim]
@group(0) @binding(2) var<storage, read> k: array<f32>; // [batch_rows, n_kv_heads, params.head_dim]
@group(0) @binding(3) var<storage, read> v: array<f32>; // [batch_rows, n_kv_heads, params.head_dim]
@group(0) @binding(4) var<storage, read> cache_k: array<f32>; // [cached positions, n_kv_heads, params.head_dim]
@group(0) @binding(5) var<storage, read> cache_v: array<f32>; // [cached positions, n_kv_heads, params.head_dim]

// Which elements of a quad lie within the head.
fn inside(quad: u32) -> vec4<bool> {
    return vec4<u32>(4u * quad) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.head_dim);
}

// Where the quad's elements lie; those past the head's end at its last one.
fn places(vector: u32, quad: u32) -> vec4<u32> {
    let feature = vec4<u32>(4u * quad) + vec4<u32>(0u, 1u, 2u, 3u);
    return vec4<u32>(vector * params.head_dim) + min(feature, vec4<u32>(params.head_dim - 1u));
}

fn q4(vector: u32, quad: u32) -> vec4<f32> {
    let at = places(vector, quad);
    return select(vec4<f32>(0.0), vec4<f32>(q[at.x], q[at.y], q[at.z], q[at.w]), inside(quad));
}

fn k4(vector: u32, quad: u32) -> vec4<f32> {
    let at = places(vector, quad);
    return select(vec4<f32>(0.0), vec4<f32>(k[at.x], k[at.y], k[at.z], k[at.w]), inside(quad));
}

fn v4(vector: u32, quad: u32) -> vec4<f32> {
    let at = places(vector, quad);
    return select(vec4<f32>(0.0), vec4<f32>(v[at.x], v[at.y], v[at.z], v[at.w]), inside(quad));
}

fn cache_k4(vector: u32, quad: u32) -> vec4<f32> {
    let at = places(vector, quad);
    return select(vec4<f32>(0.0), vec4<f32>(cache_k[at.x], cache_k[at.y], cache_k[at.z], cache_k[at.w]), inside(quad));
}

fn cache_v4(vector: u32, quad: u32) -> vec4<f32> {
    let at = places(vector, quad);
    return select(vec4<f32>(0.0), vec4<f32>(cache_v[at.x], cache_v[at.y], cache_v[at.z], cache_v[at.w]), inside(quad));
}
