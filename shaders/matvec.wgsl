// out[r, j] = sum_k x[r, k] w[j, k], added to what out holds if accumulate
//
// For one to four rows. LANES invocations walk along k together for four outputs at a time, so that neighbours read
// neighbouring weights and each value of x serves four outputs; their sums are added up in workgroup memory. Put together
// with one of weights/ and one of operands/x_*, and operands/product.wgsl.

const WORKGROUP: u32 = 64u;
// Rows that the kernel is made for, 1 to 4.
override ROWS: u32 = 4u;
// Invocations that share an output: a power of two up to WORKGROUP.
override LANES: u32 = 16u;

var<workgroup> sums: array<mat4x4<f32>, WORKGROUP>; // for each invocation [output, row]

// What one quad of four outputs' weights adds to one row.
fn products(row: u32, quad: u32, w: mat4x4<f32>) -> vec4<f32> {
    return x4(min(row, params.end - 1u), quad) * w;
}

// Four outputs of one row.
fn store_outputs(row: u32, output: u32, values: vec4<f32>) {
    store(row, output, values.x);
    store(row, output + 1u, values.y);
    store(row, output + 2u, values.z);
    store(row, output + 3u, values.w);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let team = lane / LANES;
    let member = lane % LANES;
    let output = 4u * ((group.y * groups.x + group.x) * (WORKGROUP / LANES) + team);
    var row0 = vec4<f32>();
    var row1 = vec4<f32>();
    var row2 = vec4<f32>();
    var row3 = vec4<f32>();
    if (params.end > params.begin && output < params.outputs) {
        let last = vec4<u32>(params.outputs - 1u);
        let sources = vec4<u32>(params.first_output) + min(vec4<u32>(output) + vec4<u32>(0u, 1u, 2u, 3u), last);
        for (var quad = member; quad < params.quads; quad += LANES) {
            let w = mat4x4<f32>(weight4(sources.x, quad), weight4(sources.y, quad), weight4(sources.z, quad), weight4(sources.w, quad));
            row0 += products(params.begin, quad, w);
            if (ROWS > 1u) {
                row1 += products(params.begin + 1u, quad, w);
            }
            if (ROWS > 2u) {
                row2 += products(params.begin + 2u, quad, w);
            }
            if (ROWS > 3u) {
                row3 += products(params.begin + 3u, quad, w);
            }
        }
    }
    sums[lane] = mat4x4<f32>(row0, row1, row2, row3);
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if (member < half) {
            sums[lane] += sums[lane + half];
        }
        workgroupBarrier();
    }
    if (member == 0u) {
        let total = sums[lane];
        store_outputs(params.begin, output, total[0]);
        store_outputs(params.begin + 1u, output, total[1]);
        store_outputs(params.begin + 2u, output, total[2]);
        store_outputs(params.begin + 3u, output, total[3]);
    }
}
