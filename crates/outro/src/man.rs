//! The man page and the completions, from the table of flags.

use clap::{Arg, ArgAction, Command, ValueHint};
use clap_complete::Shell;
use outro_core::exit::USAGE;
use outro_init::{
    arguments::EXAMPLES,
    flags::{FLAGS, Flag},
    plan::Request,
};
use std::ffi::OsString;

const NAME: &str = "outro";

/// The man page, as troff.
pub(crate) fn page() -> String {
    let mut page = Vec::new();
    match clap_mangen::Man::new(command()).render(&mut page) {
        Ok(()) => String::from_utf8_lossy(&page).into_owned(),
        // Writing to memory cannot fail.
        Err(_) => String::new(),
    }
}

/// The completions for a shell.
pub(crate) fn completions(arguments: &[OsString]) -> Request {
    let shell = match arguments {
        [shell] => shell.to_str().and_then(|shell| shell.parse::<Shell>().ok()),
        _ => None,
    };
    let Some(shell) = shell else {
        let text = "outro: usage: outro completions bash|elvish|fish|powershell|zsh\n";
        return Request::PrintError(text.to_owned(), USAGE);
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), NAME, &mut script);
    Request::Print(String::from_utf8_lossy(&script).into_owned())
}

fn command() -> Command {
    let examples: String =
        EXAMPLES.iter().map(|(line, what)| format!("{what}:\n\n    {line}\n\n")).collect();
    Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about("runs one program as PID 1 and makes its exit on deploy graceful")
        .long_about(
            "On TERM, INT or QUIT every process that can hear of it does, once; outro leaves when the \
             last one has, with the exit code of CMD (128 and the number for a signal, 127 or 126 when it cannot \
             be started, 2 for a mistake on the command line).",
        )
        .after_long_help(format!("Examples. {examples}"))
        .args(FLAGS.iter().map(argument))
        .arg(Arg::new("CMD").num_args(1..).trailing_var_arg(true).value_hint(ValueHint::CommandWithArguments))
        .subcommand(Command::new("man").about("print this page"))
        .subcommand(
            Command::new("completions")
                .about("print the completions for a shell")
                .arg(Arg::new("SHELL").value_parser(clap::value_parser!(Shell))),
        )
        .disable_help_subcommand(true)
}

fn argument(flag: &'static Flag) -> Arg {
    let detail = if flag.detail.is_empty() {
        flag.summary.to_owned()
    } else {
        format!("{}. {}", flag.summary, flag.detail)
    };
    let mut argument = Arg::new(flag.long)
        .long(flag.long)
        .help(flag.summary)
        .long_help(format!("{detail} [variable: {}]", flag.variable()));
    if let Some(short) = flag.short {
        argument = argument.short(short);
    }
    argument = match flag.value {
        Some(value) => argument.value_name(value),
        None => argument.action(ArgAction::SetTrue),
    };
    if flag.choices.is_empty() { argument } else { argument.value_parser(flag.choices.to_vec()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_flag_with_its_variable() {
        // troff writes a dash as `\-`.
        let page = page().replace("\\-", "-");
        for flag in FLAGS {
            assert!(page.contains(&format!("--{}", flag.long)), "{}", flag.long);
            assert!(page.contains(&flag.variable()), "{}", flag.variable());
        }
    }

    #[test]
    fn every_shell_completes_the_flags_and_an_unknown_one_is_refused() {
        for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
            let Request::Print(script) = completions(&[shell.into()]) else {
                panic!("{shell} is known");
            };
            assert!(FLAGS.iter().all(|flag| script.contains(flag.long)), "{shell}");
        }
        for wrong in [vec![], vec!["tcsh".into()], vec!["bash".into(), "zsh".into()]] {
            assert!(matches!(completions(&wrong), Request::PrintError(_, USAGE)));
        }
    }
}
