//! Words and sentences as pipelines for English cut them: our own few rules, close to spaCy's blank English.
//!
//! A piece between white space loses punctuation at its ends, a sign at a time; the rest falls apart at hyphens, slashes and
//! the like between letters, and at contractions (`do n't`, `it 's`). Abbreviations and addresses stay whole.

use super::pythonic::{is_letter, split};
use crate::parallel::Control;

/// Call `take` with every word of `text`, in order; cut short when stopped.
pub fn words<'a>(text: &'a str, control: &Control, mut take: impl FnMut(&'a str)) {
    for piece in control.going(split(text)) {
        if piece.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            plain(piece, &mut take);
        } else {
            mixed(piece, &mut take);
        }
    }
}

/// Letters alone: a word, but for a few that are two.
fn plain<'a>(piece: &'a str, take: &mut impl FnMut(&'a str)) {
    let first = match piece.len() {
        4 if equal(piece, &["cant", "dont", "wont", "isnt"]) => 2,
        5 if equal(piece, &["gonna", "gotta", "didnt"]) => 3,
        6 if equal(piece, &["cannot"]) => 3,
        size => size,
    };
    let (first, second) = piece.split_at(first);
    take(first);
    if !second.is_empty() {
        take(second);
    }
}

fn equal(piece: &str, words: &[&str]) -> bool {
    words.iter().any(|word| piece.eq_ignore_ascii_case(word))
}

fn mixed<'a>(piece: &'a str, take: &mut impl FnMut(&'a str)) {
    let (mut start, mut end) = (0, piece.len());
    // Signs at the end come out in reverse: remember where they begin.
    let mut tail: [usize; 64] = [0; 64];
    let mut tails = 0;
    while start < end {
        let rest = &piece[start..end];
        if whole(rest) {
            break;
        }
        if let Some(size) = leading(rest) {
            take(&piece[start..start + size]);
            start += size;
            continue;
        }
        match trailing(rest) {
            Some(size) if tails < tail.len() => {
                end -= size;
                tail[tails] = end;
                tails += 1;
            }
            _ => break,
        }
    }
    if start < end {
        inner(&piece[start..end], take);
    }
    let mut borders = (0..tails).rev().map(|at| tail[at]).chain([piece.len()]);
    let mut from = borders.next().unwrap_or(piece.len());
    for to in borders {
        take(&piece[from..to]);
        from = to;
    }
}

/// Abbreviations, smileys and addresses: nothing is cut off.
fn whole(rest: &str) -> bool {
    const SHORT: [&str; 24] = [
        "a.m.", "p.m.", "e.g.", "i.e.", "Mr.", "Mrs.", "Ms.", "Dr.", "Prof.", "Jr.", "Sr.", "St.", "vs.", "v.s.", "Inc.", "Ltd.", "Co.",
        "Corp.", "Mt.", "Gov.", "Gen.", "Rep.", "Sen.", "No.",
    ];
    const FACES: [&str; 12] = [":)", ":(", ":-)", ":-(", ";)", ";-)", ":D", ":P", ":p", ":/", "<3", "^_^"];
    let bytes = rest.as_bytes();
    match bytes {
        // One letter and its point: an initial.
        [letter, b'.'] => letter.is_ascii_alphabetic(),
        _ if bytes.len() <= 5 && (SHORT.contains(&rest) || FACES.contains(&rest)) => true,
        _ => address(rest),
    }
}

fn address(rest: &str) -> bool {
    let Some(at) = rest.find("://").map(|at| at + 3).or_else(|| rest.starts_with("www.").then_some(4)) else { return false };
    let open = |c: char| c.is_alphanumeric() || matches!(c, '/' | '=' | '_' | '-' | '&' | '#');
    rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && rest[at..].contains('.') && rest.ends_with(open)
}

fn is_sign(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation() && !matches!(c, '\\' | '^' | '+' | '-' | '/' | '@' | '|' | '~');
    }
    matches!(c, '§' | '–' | '—' | '…' | '¿' | '؟' | '¡' | '。' | '？' | '！' | '，' | '、' | '；' | '：' | '～' | '·' | '।' | '،' | '۔' | '؛'
        | '٪' | '”' | '“' | '‘' | '´' | '’' | '‚' | '„' | '»' | '«' | '「' | '」' | '『' | '』' | '（' | '）' | '〔' | '〕' | '【' | '】' | '《' | '》'
        | '〈' | '〉' | '⟦' | '⟧' | '£' | '€' | '¥' | '฿' | '₽' | '﷼' | '₴' | '₠'..='₨' | '₪'..='₳')
        || is_icon(c)
}

/// Symbols that stand alone.
fn is_icon(c: char) -> bool {
    matches!(u32::from(c), 0xA6 | 0xA9 | 0xAE | 0xB0 | 0x2100..=0x214F | 0x2190..=0x23FF | 0x2400..=0x24B5 | 0x24EA..=0x27BF | 0x2900..=0x2BFF
        | 0x1_F000..=0x1_F12F | 0x1_F18A..=0x1_FAFF)
}

/// Bytes of the sign that `rest` begins with.
fn leading(rest: &str) -> Option<usize> {
    let c = rest.chars().next()?;
    let run = dots(rest.bytes());
    if run > 1 {
        return Some(run);
    }
    if c == '+' {
        return (!rest[1..].starts_with(|c: char| c.is_ascii_digit())).then_some(1);
    }
    (is_sign(c) && c != '.').then(|| c.len_utf8())
}

/// Bytes of the sign that `rest` ends with.
fn trailing(rest: &str) -> Option<usize> {
    let run = dots(rest.bytes().rev());
    if run > 1 {
        return Some(run);
    }
    for end in ["'s", "'S", "’s", "’S"] {
        if rest.len() > end.len() && rest.ends_with(end) {
            return Some(end.len());
        }
    }
    let c = rest.chars().next_back()?;
    let before = rest[..rest.len() - c.len_utf8()].chars().next_back();
    if c == '.' {
        let mut last = rest[..rest.len() - 1].chars().rev();
        let (one, two) = (last.next()?, last.next());
        let capital = one.is_uppercase();
        return (!capital && (one.is_alphanumeric() || is_sign(one) || matches!(one, '%' | '²' | '-' | '+'))
            || capital && two.is_some_and(char::is_uppercase))
        .then_some(1);
    }
    if c == '+' {
        return before.is_some_and(|c| c.is_ascii_digit()).then_some(1);
    }
    // Currencies and units belong to the number before them; `=` and the like begin a word, and never end one.
    let unit = matches!(c, '$' | '£' | '€' | '¥' | '%');
    let opens = matches!(c, '=' | '§');
    (if unit { before.is_some_and(|c| c.is_ascii_digit()) } else { is_sign(c) && !opens }).then(|| c.len_utf8())
}

fn dots(bytes: impl Iterator<Item = u8>) -> usize {
    bytes.take_while(|&byte| byte == b'.').count()
}

/// Cut between the letters of what lost its outer signs.
fn inner<'a>(rest: &'a str, take: &mut impl FnMut(&'a str)) {
    if whole(rest) || !rest.bytes().any(|byte| !byte.is_ascii_alphanumeric()) && rest.bytes().any(|byte| byte.is_ascii_digit()) {
        return take(rest);
    }
    if let Some(at) = contraction(rest) {
        let (first, second) = rest.split_at(at);
        inner(first, take);
        return take(second);
    }
    if rest.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return plain(rest, take);
    }
    if equal(rest, &["and/or", "w/o", "c/o"]) {
        return take(rest);
    }
    let mut from = 0;
    let mut before = '\0';
    let mut at = 0;
    while let Some(c) = rest[at..].chars().next() {
        let size = match c {
            '.' => dots(rest[at..].bytes()),
            '-' => rest[at..].bytes().take_while(|&byte| byte == b'-').count(),
            _ => c.len_utf8(),
        };
        let after = rest[at + size..].chars().next().unwrap_or('\0');
        if at > from && border(before, c, size, after) {
            take(&rest[from..at]);
            take(&rest[at..at + size]);
            from = at + size;
        }
        before = c;
        at += size;
    }
    if from < rest.len() {
        take(&rest[from..]);
    }
}

/// Whether `c`, `size` bytes of it, between two characters parts them.
fn border(before: char, c: char, size: usize, after: char) -> bool {
    let word = |c: char| is_letter(c) || c.is_ascii_digit();
    match c {
        '.' if size > 1 => true,
        '.' => {
            (before.is_lowercase() || matches!(before, '"' | '\'' | '”' | '’'))
                && (after.is_uppercase() || matches!(after, '"' | '\'' | '“'))
        }
        ',' => is_letter(before) && is_letter(after),
        '-' if before.is_ascii_digit() && after.is_ascii_digit() => true,
        '-' | '–' | '—' | '~' => word(before) && is_letter(after),
        ':' | '<' | '>' | '=' | '/' => word(before) && is_letter(after),
        '+' | '*' | '^' => before.is_ascii_digit() && (after.is_ascii_digit() || after == '-'),
        '…' => true,
        _ => is_icon(c),
    }
}

/// Where the second half of a contraction begins.
fn contraction(rest: &str) -> Option<usize> {
    let lower_is = |tail: &str, ends: &[&str]| ends.iter().any(|end| tail.eq_ignore_ascii_case(end));
    let mark = rest.rfind(['\'', '’'])?;
    let tail = rest[mark..].trim_start_matches(['\'', '’']);
    let head = &rest[..mark];
    if tail.eq_ignore_ascii_case("t") && head.len() > 1 && head.ends_with(['n', 'N']) && head.bytes().all(|byte| byte.is_ascii_alphabetic())
    {
        const HELPERS: [&str; 19] = [
            "is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "ca", "could", "wo", "would", "should", "might", "must",
            "ai", "need",
        ];
        return lower_is(&head[..head.len() - 1], &HELPERS).then(|| head.len() - 1);
    }
    const WHO: [&str; 22] = [
        "i", "you", "he", "she", "it", "we", "they", "who", "what", "when", "where", "why", "how", "there", "that", "this", "these",
        "those", "could", "should", "would", "might",
    ];
    (lower_is(tail, &["m", "re", "ve", "ll", "d"]) && lower_is(head, &WHO)).then_some(mark)
}

/// Sentences of one line: one begins at a word that follows `.`, `!`, `?` or the like, unless it is such a sign itself; at
/// least one.
pub fn sentences(line: &str, control: &Control) -> u64 {
    let (mut count, mut ended) = (1, false);
    words(line, control, |word| {
        let mut characters = word.chars();
        let only = characters.next().filter(|_| characters.next().is_none());
        if only.is_some_and(super::terminal::is_terminal) {
            ended = true;
        } else if ended
            && !word
                .chars()
                .all(|c| super::terminal::is_punctuation(c) && !matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~'))
        {
            count += 1;
            ended = false;
        }
    });
    count
}
