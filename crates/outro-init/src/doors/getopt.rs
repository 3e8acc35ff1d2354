//! Flags as getopt_long(3) reads them, and its words for what it cannot read.

use lexopt::{Arg, Parser};
use std::ffi::OsString;

/// What one peer's command line has.
pub(super) struct Spec {
    /// Its short flags, each with whether it takes a value.
    pub(super) short: &'static [(char, bool)],
    /// Its long flags, each with the short one that it stands for.
    pub(super) long: &'static [(&'static str, char)],
    /// Where flags end.
    pub(super) end: End,
}

/// Where flags end, beside at `--`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At the first operand.
    FirstOperand,
    /// Nowhere, unless POSIXLY_CORRECT is set: flags after an operand are read too.
    Nowhere,
}

/// One thing on the command line.
pub(super) enum Item {
    /// A flag, by its short name, and its value.
    Flag(char, OsString),
    /// An operand: the program, or an argument of it.
    Operand(OsString),
    /// What is wrong, in getopt's words.
    Mistake(String),
}

/// Reads a command line, the program's own name first, one item after the other.
pub(super) struct Items<'a> {
    spec: &'a Spec,
    called: String,
    parser: Parser,
    flags_are_over: bool,
}

impl<'a> Items<'a> {
    pub(super) fn new(spec: &'a Spec, command_line: &[OsString]) -> Self {
        let called = command_line.first().map(|name| name.to_string_lossy().into_owned());
        let arguments = command_line.get(1..).unwrap_or_default();
        Self {
            spec,
            called: called.unwrap_or_default(),
            parser: Parser::from_args(arguments),
            flags_are_over: false,
        }
    }

    fn mistake(&self, text: &str) -> Item {
        Item::Mistake(format!("{}: {text}\n", self.called))
    }

    fn short(&mut self, name: char) -> Item {
        match self.spec.short.iter().find(|(known, _)| *known == name) {
            None => self.mistake(&format!("invalid option -- '{name}'")),
            Some((_, false)) => Item::Flag(name, OsString::new()),
            Some((_, true)) => match self.parser.value() {
                Ok(value) => Item::Flag(name, value),
                Err(_) => self.mistake(&format!("option requires an argument -- '{name}'")),
            },
        }
    }

    /// A long flag, or an unambiguous beginning of one.
    fn long(&mut self, written: &str) -> Item {
        if self.spec.long.is_empty() {
            return self.mistake("invalid option -- '-'");
        }
        let exact = |(name, _): &&(&str, char)| *name == written;
        let begins = |(name, _): &&(&str, char)| name.starts_with(written);
        let candidates: Vec<_> = match self.spec.long.iter().find(exact) {
            Some(found) => vec![found],
            None => self.spec.long.iter().filter(begins).collect(),
        };
        let (name, short) = match candidates.as_slice() {
            [] => return self.mistake(&format!("unrecognized option '--{written}'")),
            [one] => **one,
            several => {
                let names: Vec<_> = several.iter().map(|(name, _)| format!("'--{name}'")).collect();
                let names = names.join(" ");
                let text = format!("option '--{written}' is ambiguous; possibilities: {names}");
                return self.mistake(&text);
            }
        };
        let takes_value = self.spec.short.iter().any(|(known, value)| *known == short && *value);
        match takes_value {
            true => match self.parser.value() {
                Ok(value) => Item::Flag(short, value),
                Err(_) => self.mistake(&format!("option '--{name}' requires an argument")),
            },
            false if self.parser.optional_value().is_some() => {
                self.mistake(&format!("option '--{name}' doesn't allow an argument"))
            }
            false => Item::Flag(short, OsString::new()),
        }
    }
}

impl Iterator for Items<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if self.flags_are_over {
            // What is left is taken as it stands.
            return self.parser.raw_args().ok()?.next().map(Item::Operand);
        }
        // The names are copied, as reading a value needs the parser.
        let argument = match self.parser.next() {
            Ok(None) => return None,
            Ok(Some(Arg::Value(value))) => {
                let posix = std::env::var_os("POSIXLY_CORRECT").is_some();
                self.flags_are_over = self.spec.end == End::FirstOperand || posix;
                return Some(Item::Operand(value));
            }
            Ok(Some(Arg::Short(name))) => Ok(name),
            Ok(Some(Arg::Long(name))) => Err(name.to_owned()),
            Err(error) => return Some(self.mistake(&error.to_string())),
        };
        Some(match argument {
            Ok(name) => self.short(name),
            Err(name) => self.long(&name),
        })
    }
}
