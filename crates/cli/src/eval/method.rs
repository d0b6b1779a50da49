//! What is compared.

use super::data::Kind;
use crate::args::{EvalArguments, usage_error};
use anyhow::Result;
use atman::Suppression;
use std::fmt;

/// A way of scoring the tokens of a context, or the patches of a picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Method {
    /// By nothing: the mean over many random orders.
    Random,
    /// By where a token stands, the first highest.
    Position,
    /// By how near a patch is to the middle of the picture.
    CentreBlob,
    /// By how much less likely the answer is when a token is left out, or when a patch is grey.
    LeaveOneOut,
    /// By how much less likely the answer is when attention to a token or patch is scaled.
    Atman(Suppression),
}

impl Method {
    /// The three simple methods, and every combination of the settings, each once.
    pub(crate) fn all(arguments: &EvalArguments, kind: Kind) -> Result<Vec<Self>> {
        let by_place = match kind {
            Kind::Text => Self::Position,
            Kind::Image => Self::CentreBlob,
        };
        let mut methods = vec![Self::Random, by_place, Self::LeaveOneOut];
        for operator in &arguments.operators {
            for factor in &arguments.factors {
                for threshold in &arguments.thresholds {
                    let suppression = Suppression {
                        operator: *operator,
                        factor: *factor,
                        layers: None,
                        threshold: threshold.0,
                        max_neighbours: None,
                    };
                    suppression.check(usize::MAX).map_err(usage_error)?;
                    let method = Self::Atman(suppression);
                    if !methods.contains(&method) {
                        methods.push(method);
                    }
                }
            }
        }
        Ok(methods)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => f.write_str("random"),
            Self::Position => f.write_str("position"),
            Self::CentreBlob => f.write_str("centre blob"),
            Self::LeaveOneOut => f.write_str("leave-one-out"),
            Self::Atman(suppression) => {
                write!(f, "{} {}", suppression.operator, suppression.factor)?;
                suppression.threshold.map_or(Ok(()), |threshold| write!(f, ", neighbours {threshold}"))
            }
        }
    }
}
