//! Secrets on command lines. outro names processes by their command lines, and those carry
//! passwords more often than anyone likes.

/// Words that, anywhere in a name, make its value a secret. Compared in lower case, `-` and `_` alike.
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

/// Words that do so at the end of a name.
const SECRET_ENDINGS: [&str; 5] = ["pass", "pwd", "auth", "cookie", "session"];

/// Names that end like a secret's and are none.
const NO_SECRETS: [&str; 2] = ["pwd", "oldpwd"];

/// What stands before the secret in a header.
const SCHEMES: [&str; 2] = ["bearer", "basic"];

const MASK: &str = "***";

/// The command line as one text, with the values of what looks like secrets masked:
/// `--db-password=x`, `--token x`, `API_KEY=x`, `-u me:x`, `Authorization: Bearer x`,
/// `scheme://user:x@host`; also inside of a shell's script. At most `length_max` bytes; longer ones
/// end in `…`.
pub fn command_line<'a>(arguments: impl Iterator<Item = &'a str>, length_max: usize) -> String {
    let mut text = String::new();
    let mut next = Next::Plain;
    for argument in arguments {
        if !text.is_empty() {
            text.push(' ');
        }
        let mut rest = argument;
        while let Some(c) = rest.chars().next() {
            let end = rest.find(is_between_words).unwrap_or(rest.len());
            if end == 0 {
                push_printable(&mut text, &rest[..c.len_utf8()]);
                rest = &rest[c.len_utf8()..];
            } else {
                next = push_word(&mut text, &rest[..end], next);
                rest = &rest[end..];
            }
        }
        if text.len() > length_max {
            break;
        }
    }
    shorten(text, length_max)
}

fn is_between_words(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\'' | '"' | '`' | ';' | '&' | '|' | '(' | ')')
}

/// What the word before says of the next one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Plain,
    Secret,
    /// `user:password`.
    User,
}

/// Appends a word, masked where that is due.
fn push_word(text: &mut String, word: &str, before: Next) -> Next {
    // `--token -v`: a flag follows. `--token -abc`: a secret does.
    let is_flag = word.starts_with("--") || word.starts_with('-') && word.len() == 2;
    let lower = word.to_ascii_lowercase();
    if before == Next::Secret && !is_flag {
        let is_scheme = SCHEMES.contains(&lower.as_str());
        text.push_str(if is_scheme { word } else { MASK });
        return if is_scheme { Next::Secret } else { Next::Plain };
    }
    if before == Next::User
        && let Some((user, _)) = word.split_once(':')
    {
        push_printable(text, user);
        text.push(':');
        text.push_str(MASK);
        return Next::Plain;
    }
    if let Some((name, value)) = word.split_once(['=', ':'])
        && is_secret_name(name)
    {
        let separator = &word[name.len()..=name.len()];
        push_printable(text, name);
        text.push_str(separator);
        if value.is_empty() {
            return Next::Secret;
        }
        text.push_str(MASK);
        return Next::Plain;
    }
    push_printable(text, &without_url_password(word));
    match lower.as_str() {
        "-u" | "--user" => Next::User,
        "authorization:" | "bearer" => Next::Secret,
        _ if word.starts_with('-') && !word.contains('=') && is_secret_name(word) => Next::Secret,
        _ => Next::Plain,
    }
}

fn is_secret_name(name: &str) -> bool {
    let name = name.trim_start_matches('-').to_ascii_lowercase().replace('-', "_");
    !NO_SECRETS.contains(&name.as_str())
        && (SECRET_WORDS.iter().any(|word| name.contains(word))
            || SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending)))
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
            (
                "sh -c while true; do API_TOKEN=x worker; done",
                "sh -c while true; do API_TOKEN=*** worker; done",
            ),
            (
                "curl -u me:pw -H 'Authorization: Bearer x' h",
                "curl -u me:*** -H 'Authorization: Bearer ***' h",
            ),
            ("app --token -abc --pass x PWD=/app", "app --token *** --pass *** PWD=/app"),
            ("app \"SECRET=a\" x-api-key: b", "app \"SECRET=***\" x-api-key: ***"),
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
