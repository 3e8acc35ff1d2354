//! Secrets on command lines. outro names processes by their command lines, and those carry
//! passwords more often than anyone likes.

/// Words that make the value after them a secret. Compared in lower case, `-` and `_` alike.
const SECRET_WORDS: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "access_key",
    "private_key",
    "credential",
];

const MASK: &str = "***";

/// The command line as one text, with the values of what looks like secrets masked:
/// `--db-password=x`, `--token x`, `API_KEY=x`, `scheme://user:x@host`. At most `length_max` bytes; longer ones
/// end in `…`.
pub fn command_line<'a>(arguments: impl Iterator<Item = &'a str>, length_max: usize) -> String {
    let mut text = String::new();
    let mut value_is_secret = false;
    for argument in arguments {
        if !text.is_empty() {
            text.push(' ');
        }
        if value_is_secret && !argument.starts_with('-') {
            text.push_str(MASK);
            value_is_secret = false;
        } else {
            value_is_secret = push_masked(&mut text, argument);
        }
        if text.len() > length_max {
            break;
        }
    }
    shorten(text, length_max)
}

/// Appends the argument; says whether the next argument is the secret's value.
fn push_masked(text: &mut String, argument: &str) -> bool {
    if let Some((name, value)) = argument.split_once('=')
        && !name.contains(char::is_whitespace)
        && is_secret_word(name)
        && !value.is_empty()
    {
        text.push_str(name);
        text.push('=');
        text.push_str(MASK);
        return false;
    }
    push_printable(text, &without_url_password(argument));
    argument.starts_with('-') && !argument.contains('=') && is_secret_word(argument)
}

fn is_secret_word(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// `scheme://user:password@host` with the password masked.
fn without_url_password(argument: &str) -> String {
    let mut masked = String::new();
    let mut rest = argument;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        masked.push_str(before);
        let authority = after.find(['/', ' ', '?', '#']).unwrap_or(after.len());
        let (authority, tail) = after.split_at(authority);
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                masked.push_str(user.split_once(':').map_or(user, |(user, _)| user));
                if user.contains(':') {
                    masked.push(':');
                    masked.push_str(MASK);
                }
                masked.push('@');
                masked.push_str(host);
            }
            None => masked.push_str(authority),
        }
        rest = tail;
    }
    masked.push_str(rest);
    masked
}

/// A message is one line, whatever a program put on its command line.
fn push_printable(text: &mut String, argument: &str) {
    text.extend(argument.chars().map(|c| if c.is_control() { ' ' } else { c }));
}

/// The text, cut at a character so that it has at most `length_max` bytes.
fn shorten(mut text: String, length_max: usize) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() <= length_max {
        return text;
    }
    let mut end = length_max.saturating_sub(ELLIPSIS.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push_str(ELLIPSIS);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_the_rest_is_kept() {
        for (line, shown) in [
            ("python app.py --port 80", "python app.py --port 80"),
            ("app --db-password=hunter2 -v", "app --db-password=*** -v"),
            ("app --token abc --next", "app --token *** --next"),
            ("app --token --next", "app --token --next"),
            ("env AWS_SECRET_ACCESS_KEY=abc app", "env AWS_SECRET_ACCESS_KEY=*** app"),
            ("celery -b redis://user:pw@host:6379/0 x", "celery -b redis://user:***@host:6379/0 x"),
            ("psql postgres://me@host/db", "psql postgres://me@host/db"),
            ("app --url=amqp://:pw@h/", "app --url=amqp://:***@h/"),
        ] {
            assert_eq!(command_line(line.split(' '), 200), shown);
        }
    }

    #[test]
    fn a_command_line_is_one_short_line() {
        assert_eq!(command_line(["sh", "-c", "a\nb"].into_iter(), 80), "sh -c a b");
        let long = command_line(["é".repeat(200).as_str()].into_iter(), 30);
        assert!(long.len() <= 30 && long.ends_with('…'), "{long}");
    }
}
