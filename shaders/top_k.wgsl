// out[out_word + 2 (r k + i)] = the i-th largest logit of row r, and its token beside it; equal ones by rising column
//
// One workgroup for each row. An invocation keeps the best of its own columns; the best of all is written, struck out in
// logits, and only the invocation that owned it looks again.

struct Params {
    begin: u32,     // first row of this dispatch
    end: u32,       // one past the last
    cols: u32,
    first_col: u32, // the token of the piece's first column
    k: u32,
    out_word: u32,
}

// A column that is taken; below any logit.
const TAKEN: f32 = -3e38;
// Stands for no column.
const NONE: u32 = 0xffffffffu;
// What is written once all columns are taken.
const FILLER: f32 = -1e30;

override LANES: u32 = 64u; // a power of two

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> logits: array<f32>; // [rows, cols], destroyed
@group(0) @binding(2) var<storage, read_write> out: array<u32>; // [out_word + rows * k * 2]

var<workgroup> values: array<f32, LANES>;
var<workgroup> columns: array<u32, LANES>;

// The best of the columns lane, lane + LANES, ..
fn look(row: u32, lane: u32) -> u32 {
    var best = TAKEN;
    var column = NONE;
    for (var c = lane; c < params.cols; c += LANES) {
        let value = logits[row * params.cols + c];
        if (value > best) {
            best = value;
            column = c;
        }
    }
    return column;
}

fn value_of(row: u32, column: u32) -> f32 {
    if (column == NONE) {
        return TAKEN;
    }
    return logits[row * params.cols + column];
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = params.begin + group.y * groups.x + group.x;
    if (row >= params.end) {
        return;
    }
    var own = look(row, lane);
    for (var i = 0u; i < params.k; i++) {
        values[lane] = value_of(row, own);
        columns[lane] = own;
        workgroupBarrier();
        for (var half = LANES / 2u; half > 0u; half /= 2u) {
            if (lane < half) {
                let mine = values[lane];
                let other = values[lane + half];
                if (other > mine || (other == mine && columns[lane + half] < columns[lane])) {
                    values[lane] = other;
                    columns[lane] = columns[lane + half];
                }
            }
            workgroupBarrier();
        }
        let winner = columns[0];
        if (lane == 0u) {
            let at = params.out_word + 2u * (row * params.k + i);
            out[at] = bitcast<u32>(select(values[0], FILLER, winner == NONE));
            out[at + 1u] = select(params.first_col + winner, 0u, winner == NONE);
        }
        if (own == winner && winner != NONE) {
            logits[row * params.cols + winner] = TAKEN;
            own = look(row, lane);
        }
        workgroupBarrier();
    }
}
