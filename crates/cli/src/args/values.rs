//! Values that are one of a few names: help texts, completions and manual pages list them.

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command};
use std::ffi::OsStr;
use std::fmt::Display;
use std::marker::PhantomData;
use std::str::FromStr;

/// Reads one of these names, and nothing else.
pub(super) fn one_of<T>(names: impl IntoIterator<Item = impl ToString>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(listed(names)).try_map(|name| name.parse::<T>())
}

/// Reads one of these names, or what else the type reads; forms such as `regex:PATTERN` stand among the names.
pub(super) fn one_of_or<T>(names: impl IntoIterator<Item = impl ToString>) -> NamesAndForms<T> {
    NamesAndForms { listed: listed(names), value: PhantomData }
}

fn listed(names: impl IntoIterator<Item = impl ToString>) -> Vec<PossibleValue> {
    names.into_iter().map(|name| PossibleValue::new(name.to_string())).collect()
}

/// See [`one_of_or`].
#[derive(Clone, Debug)]
pub(super) struct NamesAndForms<T> {
    listed: Vec<PossibleValue>,
    value: PhantomData<fn() -> T>,
}

impl<T> TypedValueParser for NamesAndForms<T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let text = StringValueParser::new().parse_ref(command, argument, value)?;
        text.parse().map_err(|error| {
            let argument = argument.map_or_else(String::new, |argument| format!(" for '{argument}'"));
            let message = format!("invalid value '{text}'{argument}: {error}");
            clap::Error::raw(ErrorKind::ValueValidation, format!("{message}\n")).with_cmd(command)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.listed.iter().cloned()))
    }
}
