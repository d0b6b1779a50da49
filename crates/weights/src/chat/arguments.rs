//! The arguments of a call in a template, as Python binds them.

use minijinja::value::{Kwargs, Rest, ValueOrKwargs, from_args};
use minijinja::{Error, ErrorKind, Value};

/// Arguments by place and by name, taken one after the other in the order of the parameters.
pub(super) struct Arguments {
    by_place: std::vec::IntoIter<Value>,
    by_name: Kwargs,
}

impl Arguments {
    pub(super) fn new(arguments: Rest<ValueOrKwargs>) -> Result<Arguments, Error> {
        Arguments::of(&arguments.into_values())
    }

    pub(super) fn of(arguments: &[Value]) -> Result<Arguments, Error> {
        let (by_place, by_name): (&[Value], Kwargs) = from_args(arguments)?;
        let by_place: Vec<Value> = by_place.to_vec();
        Ok(Arguments { by_place: by_place.into_iter(), by_name })
    }

    /// The next parameter, if there is an argument for it.
    pub(super) fn next(&mut self, name: &str) -> Result<Option<Value>, Error> {
        match self.by_place.next() {
            Some(value) => Ok(Some(value)),
            None if self.by_name.has(name) => self.by_name.get(name).map(Some),
            None => Ok(None),
        }
    }

    /// The next parameter, which there must be an argument for.
    pub(super) fn require(&mut self, name: &str) -> Result<Value, Error> {
        self.next(name)?.ok_or_else(|| Error::new(ErrorKind::MissingArgument, format!("no argument for {name}")))
    }

    /// The next parameter as a length; `None` too where `none` is given.
    pub(super) fn length(&mut self, name: &str) -> Result<Option<usize>, Error> {
        let given = self.next(name)?.filter(|value| !value.is_none());
        given.map(|value| i64::try_from(value).map(|n| usize::try_from(n).unwrap_or(0))).transpose()
    }

    /// The next parameter as a text.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Error> {
        let given = self.next(name)?.filter(|value| !value.is_none());
        given.map(|value| value.as_str().map(str::to_owned).ok_or_else(|| wrong(format!("{name} is no text")))).transpose()
    }

    /// The next parameter as true or false.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Error> {
        Ok(self.next(name)?.is_some_and(|value| value.is_true()))
    }

    /// That no argument is left.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        if self.by_place.next().is_some() {
            return Err(Error::from(ErrorKind::TooManyArguments));
        }
        self.by_name.assert_all_used()
    }
}

/// An error of whoever wrote the template.
pub(super) fn wrong(what: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}
