//! Which shader a pipeline is made of, and the constants it is made with.
//!
//! A program's source is plain concatenation: the weights' layout and how their halves are read, the operands' loads, then the
//! kernel itself.

use crate::Tier;
use tensor::Format;

/// Words of a kernel's uniform parameters; every kernel's `Params` fits.
pub(crate) const PARAM_WORDS: usize = 16;

/// One pipeline's worth of shader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// `embed.wgsl`.
    Embed {
        /// The table's format.
        format: Format,
        /// How its halves are read.
        halves: Halves,
    },
    /// One of the matrix products.
    Product {
        /// Which kernel.
        kernel: Product,
        /// The weights' format.
        format: Format,
        /// How their halves are read.
        halves: Halves,
        /// Whether the columns are a multiple of 4, so that `x` can be read in vectors.
        aligned: bool,
    },
    /// `attention.wgsl`.
    Attention {
        /// Query heads of a workgroup, 1 to 4.
        heads: u32,
        /// Invocations of a workgroup.
        lanes: u32,
        /// Whether any key may come from the cache.
        cached: bool,
        /// Whether `head_dim` is a multiple of 4.
        aligned: bool,
    },
    /// A kernel that is its whole program.
    Plain(Plain),
}

/// How a half (f16) in a weight's block becomes an f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Halves {
    /// By the device's own conversion, which on some takes those below the smallest normal half for zero.
    #[default]
    Native,
    /// By integers, exactly.
    Exact,
}

impl Halves {
    /// Those that make a difference to a format.
    pub const fn of(format: Format) -> &'static [Halves] {
        if has_halves(format) { &[Halves::Native, Halves::Exact] } else { &[Halves::Native] }
    }

    /// The same, if it makes a difference to the format: one without halves has one program.
    pub(crate) const fn within(self, format: Format) -> Halves {
        if has_halves(format) { self } else { Halves::Native }
    }

    const fn source(self) -> &'static str {
        match self {
            Halves::Native => include_str!("../../../shaders/operands/halves_native.wgsl"),
            Halves::Exact => include_str!("../../../shaders/operands/halves_exact.wgsl"),
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Halves::Native => "",
            Halves::Exact => " exact",
        }
    }
}

/// Whether weights of the format hold halves: as scales, or as they are.
pub(crate) const fn has_halves(format: Format) -> bool {
    !matches!(format, Format::F32 | Format::Bf16)
}

/// The kernels of a matrix product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Product {
    /// `matmul_tile.wgsl`: many rows, on hardware.
    Tile,
    /// `matmul_direct.wgsl`: many rows, on software adapters.
    Direct,
    /// `matvec.wgsl`: one to four rows.
    Vector {
        /// Rows that it is made for.
        rows: u32,
        /// Invocations that share an output.
        lanes: u32,
    },
}

/// The kernels that need nothing put before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plain {
    /// `rms_norm.wgsl`.
    RmsNorm,
    /// `layer_norm.wgsl`.
    LayerNorm,
    /// `rope.wgsl`.
    Rope,
    /// `swiglu.wgsl`.
    SwiGlu,
    /// `gelu.wgsl`.
    Gelu,
    /// `add.wgsl`.
    Add,
    /// `copy.wgsl`.
    Copy,
    /// `gather.wgsl`.
    Gather,
    /// `log_sum_exp.wgsl`.
    LogSumExp,
    /// `pick.wgsl`.
    Pick,
    /// `top_k.wgsl`.
    TopK,
}

impl Plain {
    /// Every one.
    pub const ALL: [Plain; 11] = [
        Plain::RmsNorm,
        Plain::LayerNorm,
        Plain::Rope,
        Plain::SwiGlu,
        Plain::Gelu,
        Plain::Add,
        Plain::Copy,
        Plain::Gather,
        Plain::LogSumExp,
        Plain::Pick,
        Plain::TopK,
    ];

    const fn source(self) -> &'static str {
        match self {
            Plain::RmsNorm => include_str!("../../../shaders/rms_norm.wgsl"),
            Plain::LayerNorm => include_str!("../../../shaders/layer_norm.wgsl"),
            Plain::Rope => include_str!("../../../shaders/rope.wgsl"),
            Plain::SwiGlu => include_str!("../../../shaders/swiglu.wgsl"),
            Plain::Gelu => include_str!("../../../shaders/gelu.wgsl"),
            Plain::Add => include_str!("../../../shaders/add.wgsl"),
            Plain::Copy => include_str!("../../../shaders/copy.wgsl"),
            Plain::Gather => include_str!("../../../shaders/gather.wgsl"),
            Plain::LogSumExp => include_str!("../../../shaders/log_sum_exp.wgsl"),
            Plain::Pick => include_str!("../../../shaders/pick.wgsl"),
            Plain::TopK => include_str!("../../../shaders/top_k.wgsl"),
        }
    }
}

const fn weights_source(format: Format) -> &'static str {
    match format {
        Format::F32 => include_str!("../../../shaders/weights/f32.wgsl"),
        Format::F16 => include_str!("../../../shaders/weights/f16.wgsl"),
        Format::Bf16 => include_str!("../../../shaders/weights/bf16.wgsl"),
        Format::Q8_0 => include_str!("../../../shaders/weights/q8_0.wgsl"),
        Format::Q4_0 => include_str!("../../../shaders/weights/q4_0.wgsl"),
        Format::Q4_1 => include_str!("../../../shaders/weights/q4_1.wgsl"),
        Format::Q5_0 => include_str!("../../../shaders/weights/q5_0.wgsl"),
        Format::Q5_1 => include_str!("../../../shaders/weights/q5_1.wgsl"),
        Format::Q4K => include_str!("../../../shaders/weights/q4_k.wgsl"),
        Format::Q5K => include_str!("../../../shaders/weights/q5_k.wgsl"),
        Format::Q6K => include_str!("../../../shaders/weights/q6_k.wgsl"),
    }
}

/// 32-bit words of one element of the array that a format's shader declares its weights as.
pub(crate) const fn words_per_element(format: Format) -> usize {
    match format {
        Format::F32 => 4,
        Format::F16 | Format::Bf16 => 2,
        _ => 1,
    }
}

impl Program {
    /// The WGSL text, put together.
    pub fn source(self) -> String {
        match self {
            Program::Embed { format, halves } => {
                [weights_source(format), halves.source(), include_str!("../../../shaders/embed.wgsl")].join("\n")
            }
            Program::Product { kernel, format, halves, aligned } => {
                let x = if aligned {
                    include_str!("../../../shaders/operands/x_vec4.wgsl")
                } else {
                    include_str!("../../../shaders/operands/x_scalar.wgsl")
                };
                let kernel = match kernel {
                    Product::Tile => include_str!("../../../shaders/matmul_tile.wgsl"),
                    Product::Direct => include_str!("../../../shaders/matmul_direct.wgsl"),
                    Product::Vector { .. } => include_str!("../../../shaders/matvec.wgsl"),
                };
                [weights_source(format), halves.source(), x, include_str!("../../../shaders/operands/product.wgsl"), kernel]
                    .join("\n")
            }
            Program::Attention { aligned, .. } => {
                let heads = if aligned {
                    include_str!("../../../shaders/operands/heads_vec4.wgsl")
                } else {
                    include_str!("../../../shaders/operands/heads_scalar.wgsl")
                };
                [heads, include_str!("../../../shaders/attention.wgsl")].join("\n")
            }
            Program::Plain(plain) => plain.source().to_owned(),
        }
    }

    /// The values of its `override` constants that differ from the shader's own.
    pub fn constants(self) -> Vec<(&'static str, f64)> {
        match self {
            Program::Product { kernel: Product::Vector { rows, lanes }, .. } => {
                vec![("ROWS", f64::from(rows)), ("LANES", f64::from(lanes))]
            }
            Program::Attention { heads, lanes, cached, .. } => {
                vec![("HEADS", f64::from(heads)), ("LANES", f64::from(lanes)), ("CACHED", f64::from(u8::from(cached)))]
            }
            _ => Vec::new(),
        }
    }

    /// A name for messages.
    pub fn label(self) -> String {
        match self {
            Program::Embed { format, halves } => format!("embed {format}{}", halves.label()),
            Program::Product { kernel, format, halves, aligned } => {
                let kernel = match kernel {
                    Product::Tile => "matmul_tile".to_owned(),
                    Product::Direct => "matmul_direct".to_owned(),
                    Product::Vector { rows, lanes } => format!("matvec {rows}x{lanes}"),
                };
                format!("{kernel} {format}{}{}", halves.label(), if aligned { "" } else { " unaligned" })
            }
            Program::Attention { heads, lanes, cached, aligned } => {
                let (cached, aligned) = (if cached { " cached" } else { "" }, if aligned { "" } else { " unaligned" });
                format!("attention {heads}x{lanes}{cached}{aligned}")
            }
            Program::Plain(plain) => format!("{plain:?}"),
        }
    }

    /// Every program that an executor of either tier may make.
    pub fn all() -> Vec<Program> {
        let mut programs: Vec<Program> = Plain::ALL.into_iter().map(Program::Plain).collect();
        let variants = Format::ALL.into_iter().flat_map(|format| Halves::of(format).iter().map(move |halves| (format, *halves)));
        for (format, halves) in variants {
            programs.push(Program::Embed { format, halves });
            for aligned in [true, false] {
                let vectors = Tier::ALL.into_iter().flat_map(|tier| {
                    let lanes = tier.vector_lanes();
                    [1, 4].into_iter().map(move |rows| Product::Vector { rows, lanes })
                });
                programs.extend([Product::Tile, Product::Direct].into_iter().chain(vectors).map(|kernel| Program::Product {
                    kernel,
                    format,
                    halves,
                    aligned,
                }));
            }
        }
        for (heads, lanes) in (1..=4).flat_map(|heads| [16, 32, 64].map(|lanes| (heads, lanes))) {
            for (cached, aligned) in [(true, true), (true, false), (false, true), (false, false)] {
                programs.push(Program::Attention { heads, lanes, cached, aligned });
            }
        }
        programs
    }
}

/// How a shader uses a storage buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// `var<storage, read>`.
    Read,
    /// `var<storage, read_write>`.
    ReadWrite,
}

/// The storage buffers that a source declares, in order of their binding numbers, which count from 1 without a gap.
///
/// Read from the text, so that what a shader declares is said in one place; a declaration stands on one line.
pub fn storage_bindings(source: &str) -> Vec<Access> {
    let mut bindings: Vec<(u32, Access)> = source
        .lines()
        .filter_map(|line| {
            let declaration = line.strip_prefix("@group(0) @binding(")?;
            let (number, rest) = declaration.split_once(')')?;
            let access = match rest.trim_start().strip_prefix("var<storage, ")?.split_once('>')?.0 {
                "read" => Access::Read,
                "read_write" => Access::ReadWrite,
                _ => return None,
            };
            Some((number.parse().ok()?, access))
        })
        .collect();
    bindings.sort_unstable();
    bindings.into_iter().map(|(_, access)| access).collect()
}
