//! outro's own command line and the `OUTRO_…` variables.

use crate::{
    flags::{self, FLAGS, Flag, VARIABLE_PREFIX},
    plan::{Plan, Request},
    voice::say,
};
use lexopt::Arg;
use outro_core::{exit::USAGE, signal::nearest};
use std::ffi::OsString;

/// What the arguments after the program's own name ask for.
#[must_use]
pub fn request(called: &str, arguments: &[OsString]) -> Request {
    let mut plan = Plan::new();
    let mut warnings = Vec::new();
    let by_variables =
        from_environment(&mut plan, std::env::vars_os(), |warning| warnings.push(warning));
    let by_flags = match parse(&mut plan, arguments) {
        // Whoever asks for help gets it, whatever the variables say.
        Ok(Parsed::Help) => return Request::Print(help(called)),
        Ok(Parsed::Version) => return Request::Print(version()),
        Ok(Parsed::Run) => Ok(()),
        Err(message) => Err(message),
    };
    warnings.iter().for_each(|warning| say(warning));
    match by_variables.and(by_flags).and_then(|()| plan.settle()) {
        Ok(()) if plan.command.is_empty() => {
            refusal(called, "no program to run (outro [FLAGS] -- CMD…)")
        }
        Ok(()) => Request::Run(Box::new(plan)),
        Err(message) => refusal(called, &message),
    }
}

/// outro's name and version.
#[must_use]
pub fn version() -> String {
    format!("outro {}\n", env!("CARGO_PKG_VERSION"))
}

fn refusal(called: &str, message: &str) -> Request {
    let text = format!("outro: {message}\nFor all flags: {called} --help\n");
    Request::PrintError(text, USAGE)
}

/// What a command line comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// Run what the plan says.
    Run,
    /// Show the flags.
    Help,
    /// Show the version.
    Version,
}

/// Takes the flags into the plan, up to the program and its arguments.
///
/// # Errors
/// What is wrong, in words for the user.
pub fn parse(plan: &mut Plan, arguments: &[OsString]) -> Result<Parsed, String> {
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        let flag = match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Parsed::Help),
            Arg::Short('V') | Arg::Long("version") => return Ok(Parsed::Version),
            Arg::Short(short) => FLAGS
                .iter()
                .find(|flag| flag.short == Some(short))
                .ok_or_else(|| format!("unknown flag '-{short}'"))?,
            Arg::Long(long) => flags::find(long).map_err(|nearest| match nearest {
                Some(nearest) => format!("unknown flag '--{long}' (did you mean --{nearest}?)"),
                None => format!("unknown flag '--{long}'"),
            })?,
            Arg::Value(program) => {
                plan.command.push(program);
                plan.command.extend(parser.raw_args().map_err(|error| error.to_string())?);
                break;
            }
        };
        let value = if flag.value.is_some() {
            parser.value().map_err(|_| format!("--{} wants a value", flag.long))?
        } else {
            OsString::new()
        };
        set(plan, flag, &value, &format!("--{}", flag.long))?;
    }
    Ok(Parsed::Run)
}

/// Takes the `OUTRO_…` variables into the plan. Flags come after, and so win. Warns of each that looks
/// like a slip of the pen.
///
/// # Errors
/// What is wrong with one, by its name.
pub fn from_environment(
    plan: &mut Plan,
    variables: impl Iterator<Item = (OsString, OsString)>,
    mut warn: impl FnMut(String),
) -> Result<(), String> {
    let ours = |(name, value): (OsString, OsString)| {
        let name = name.into_string().ok()?;
        (name.starts_with(VARIABLE_PREFIX) && !value.is_empty()).then_some((name, value))
    };
    for (name, value) in variables.filter_map(ours) {
        match FLAGS.iter().find(|flag| flag.variable() == name) {
            // Several values of a flag that repeats stand in one variable, with blanks between.
            Some(flag) if flag.repeats => {
                for part in value.to_string_lossy().split_ascii_whitespace() {
                    set(plan, flag, &OsString::from(part), &name)?;
                }
            }
            Some(flag) => set(plan, flag, &value, &name)?,
            None => {
                if let Some(nearest) = nearest_variable(&name) {
                    warn(format!("{name} means nothing (did you mean {nearest}?)"));
                }
            }
        }
    }
    Ok(())
}

/// The variable that was meant. Kubernetes makes variables of a service's name, so one for a service
/// called "outro" is nobody's mistake, and what is near to nothing is not told of.
fn nearest_variable(name: &str) -> Option<String> {
    let known: Vec<String> = FLAGS.iter().map(Flag::variable).collect();
    let stem = |name: &'_ str| name.strip_prefix(VARIABLE_PREFIX).unwrap_or_default().to_owned();
    let stems: Vec<String> = known.iter().map(|name| stem(name)).collect();
    let from_kubernetes = ["PORT", "SERVICE_"];
    if from_kubernetes.iter().any(|start| stem(name).starts_with(start)) {
        return None;
    }
    let found = nearest(&stem(name), stems.iter().map(String::as_str))?;
    Some(format!("{VARIABLE_PREFIX}{found}"))
}

fn set(plan: &mut Plan, flag: &Flag, value: &OsString, source: &str) -> Result<(), String> {
    let text = value.to_str().ok_or_else(|| format!("{source}: the value is not UTF-8"))?;
    (flag.set)(plan, text).map_err(|message| format!("{source}: {message}"))
}

/// What `--help` shows.
#[must_use]
pub fn help(called: &str) -> String {
    let mut text = format!(
        "outro runs one program as PID 1 and makes its exit on deploy graceful.\n\n\
         usage: {called} [FLAGS] [--] CMD [ARG…]\n\n\
         On TERM, INT or QUIT every process that can hear of it does, once; outro leaves when the\n\
         last one has, with the exit code of CMD.\n\nflags:\n"
    );
    for flag in FLAGS {
        text.push_str(&row(flag));
    }
    text.push_str(
        "  -h, --help                  this\n  -V, --version               the version\n",
    );
    text.push_str(
        "\nA duration is 500ms, 10s or 1m30s. Each flag is a variable as well: --grace is\n\
         OUTRO_GRACE. Under the names tini, docker-init, dumb-init and catatonit outro takes their\n\
         flags.\n",
    );
    if called == "outro" {
        text.push_str("'outro man' is the page, 'outro completions SHELL' the completions.\n");
    }
    text.push_str("\nexamples:\n");
    for (line, what) in EXAMPLES {
        text.push_str(&format!("  # {what}\n  {}\n", line.replacen("outro", called, 1)));
    }
    text
}

/// Lines that people start from.
pub const EXAMPLES: [(&str, &str); 4] = [
    ("outro -- gunicorn app:app", "in a Dockerfile: ENTRYPOINT [\"outro\", \"--\"]"),
    (
        "outro --grace auto --delay 3s -- node server.js",
        "serve on for 3 s; kill who is left before the platform does",
    ),
    ("outro --restart always -- python worker.py", "in place of 'while true; do …; done'"),
    (
        "outro --rewrite TERM:QUIT -v -- nginx -g 'daemon off;'",
        "the stop that nginx wants, and tell of it",
    ),
];

fn row(flag: &Flag) -> String {
    const COLUMN: usize = 28;
    let short = flag.short.map_or_else(String::new, |short| format!("-{short}, "));
    let value = flag.value.map_or_else(String::new, |value| format!(" {value}"));
    let name = format!("  {short}--{}{value}", flag.long);
    format!("{name:<width$}  {}\n", flag.summary, width = COLUMN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use outro_core::{grace::GraceSetting, route::Route, signal::Signal};
    use std::time::Duration;

    fn parsed(line: &str) -> Result<(Parsed, Plan), String> {
        let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let mut plan = Plan::new();
        parse(&mut plan, &arguments).map(|parsed| (parsed, plan))
    }

    #[test]
    fn flags_end_at_the_program_whose_arguments_are_its_own() {
        for line in ["--route main sleep -v 5", "--route=main -- sleep -v 5"] {
            let (_, plan) = parsed(line).expect(line);
            assert_eq!(plan.command, ["sleep", "-v", "5"]);
            assert_eq!(plan.settings.route, Route::Main);
        }
        let (_, plan) = parsed("-- -- x").expect("the second -- is the program");
        assert_eq!(plan.command, ["--", "x"]);
    }

    #[test]
    fn a_mistake_is_named_with_the_nearest_right_word() {
        let message = |line: &str| parsed(line).map(|_| ()).expect_err(line);
        assert_eq!(message("--grase 5s x"), "unknown flag '--grase' (did you mean --grace?)");
        assert_eq!(
            message("--route tre x"),
            "--route: 'tre' is none of the choices (did you mean tree?)"
        );
        assert!(message("--grace 5 --delay 1x y").contains("--delay: '1x' is not a duration"));
        assert_eq!(message("-x y"), "unknown flag '-x'");
        assert_eq!(message("--grace"), "--grace wants a value");
    }

    #[test]
    fn every_flag_is_a_variable_as_well_and_the_flag_wins() {
        let variables =
            [("OUTRO_GRACE", "5s"), ("OUTRO_REWRITE", "TERM:QUIT HUP:0"), ("PATH", "/bin")];
        let mut plan = Plan::new();
        let variables =
            variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        from_environment(&mut plan, variables.into_iter(), |_| ()).expect("they are right");
        assert_eq!(plan.grace, GraceSetting::Fixed(Duration::from_secs(5)));
        assert_eq!(plan.settings.rewrites.apply(Signal::TERM), Some(Signal::QUIT));
        assert_eq!(plan.settings.rewrites.apply(Signal::HUP), None);
        parse(&mut plan, &["--grace", "auto", "x"].map(OsString::from)).expect("it is right");
        assert_eq!(plan.grace, GraceSetting::Auto);
    }

    #[test]
    fn a_variable_that_is_misspelt_is_found_and_one_of_kubernetes_is_not() {
        assert_eq!(nearest_variable("OUTRO_GRASE").as_deref(), Some("OUTRO_GRACE"));
        assert_eq!(nearest_variable("OUTRO_PORT_80_TCP"), None);
        assert_eq!(nearest_variable("OUTRO_SERVICE_HOST"), None);
    }

    #[test]
    fn a_delay_that_eats_the_grace_is_refused() {
        let (_, mut plan) = parsed("--grace 5s --delay 5s x").expect("each is right");
        assert!(plan.settle().is_err());
        let (_, mut plan) = parsed("--grace 5s --delay 4s x").expect("each is right");
        assert_eq!(plan.settle(), Ok(()));
    }
}
