//! Rows: a line of shell, and what comes of it.

use std::fmt::Write as _;

use outro_test::Exit;

use crate::stage::{Subject, script};

/// What must come of a row. Streams that are not spoken of must stay empty.
#[derive(Clone)]
pub(crate) struct Expect {
    code: i32,
    out: Text,
    err: Text,
}

#[derive(Clone)]
enum Text {
    Any,
    /// Exactly these lines. `#` stands for a number.
    Is(Vec<String>),
    /// These texts somewhere. `#` stands for a number.
    Has(Vec<String>),
    /// This text nowhere. `#` stands for a number.
    Lacks(String),
}

/// An exit code, and silence.
pub(crate) fn exits(code: i32) -> Expect {
    Expect { code, out: Text::Is(vec![]), err: Text::Is(vec![]) }
}

/// Exit code 0 and these lines on standard output.
pub(crate) fn says<const N: usize>(lines: [&str; N]) -> Expect {
    exits(0).out(lines)
}

impl Expect {
    /// Exactly these lines on standard output.
    pub(crate) fn out<const N: usize>(mut self, lines: [&str; N]) -> Self {
        self.out = Text::Is(lines.map(str::to_owned).to_vec());
        self
    }

    /// Exactly these lines on standard error.
    pub(crate) fn err<const N: usize>(mut self, lines: [&str; N]) -> Self {
        self.err = Text::Is(lines.map(str::to_owned).to_vec());
        self
    }

    /// These texts on standard output, among others.
    pub(crate) fn out_has<const N: usize>(mut self, texts: [&str; N]) -> Self {
        self.out = Text::Has(texts.map(str::to_owned).to_vec());
        self
    }

    /// These texts on standard error, among others.
    pub(crate) fn err_has<const N: usize>(mut self, texts: [&str; N]) -> Self {
        self.err = Text::Has(texts.map(str::to_owned).to_vec());
        self
    }

    /// This text nowhere on standard error.
    pub(crate) fn err_lacks(mut self, text: &str) -> Self {
        self.err = Text::Lacks(text.to_owned());
        self
    }

    /// Whatever on standard output.
    pub(crate) fn any_out(mut self) -> Self {
        self.out = Text::Any;
        self
    }

    /// Whatever on standard error.
    pub(crate) fn any_err(mut self) -> Self {
        self.err = Text::Any;
        self
    }

    fn problems(&self, exit: &Exit) -> Vec<String> {
        let mut problems = vec![];
        if exit.code != self.code {
            problems.push(format!("exit code {} instead of {}", exit.code, self.code));
        }
        for (name, wanted, seen) in
            [("stdout", &self.out, &exit.stdout), ("stderr", &self.err, &exit.stderr)]
        {
            match wanted {
                Text::Any => {}
                Text::Is(lines) => {
                    let wanted: String = lines.iter().map(|line| format!("{line}\n")).collect();
                    if length_matched(&wanted, seen) != Some(seen.len()) {
                        problems.push(format!("{name} is not exactly\n{wanted}"));
                    }
                }
                Text::Has(texts) => problems.extend(
                    texts
                        .iter()
                        .filter(|text| !contains(text, seen))
                        .map(|text| format!("{name} lacks `{text}`")),
                ),
                Text::Lacks(text) if contains(text, seen) => {
                    problems.push(format!("{name} has `{text}`"));
                }
                Text::Lacks(_) => {}
            }
        }
        problems
    }
}

/// One line of shell and what comes of it, for either subject.
pub(crate) struct Row {
    line: String,
    original: Expect,
    outro: Expect,
}

/// A row on which both agree.
pub(crate) fn row(line: impl Into<String>, expect: Expect) -> Row {
    Row { line: line.into(), original: expect.clone(), outro: expect }
}

impl Row {
    /// What outro does instead, on purpose.
    pub(crate) fn but_outro(mut self, expect: Expect) -> Self {
        self.outro = expect;
        self
    }
}

/// Plays every row and tells all that went wrong.
pub(crate) fn table(rows: impl IntoIterator<Item = Row>) {
    let mut problems = String::new();
    for row in rows {
        let exit = script(&row.line).start().wait();
        let expect = match Subject::chosen() {
            Subject::Original => &row.original,
            Subject::Outro => &row.outro,
        };
        let found = expect.problems(&exit);
        if !found.is_empty() {
            write!(problems, "\n$ {}\n{}\n{exit}", row.line, found.join("\n"))
                .expect("a string takes anything");
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

/// Whether the pattern is somewhere in the text.
fn contains(pattern: &str, text: &str) -> bool {
    text.char_indices().any(|(start, _)| length_matched(pattern, &text[start..]).is_some())
}

/// How much of the text, from its start, the pattern covers. `#` covers all digits that come.
fn length_matched(pattern: &str, text: &str) -> Option<usize> {
    let mut rest = text;
    for wanted in pattern.chars() {
        rest = if wanted == '#' {
            let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            (after.len() < rest.len()).then_some(after)?
        } else {
            rest.strip_prefix(wanted)?
        };
    }
    Some(text.len() - rest.len())
}
