//! What may be folded before texts are cut into shingles, when asked: numbers, and marks with accents.

use unicode_categories::UnicodeCategories;
use unicode_normalization::UnicodeNormalization;

/// What is folded; nothing unless asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fold {
    /// Every number becomes 0: decimal digits, and one more group of them after a decimal or grouping mark.
    pub numbers: bool,
    /// Punctuation, symbols of ASCII and control characters become spaces, and accents are dropped (NFD without its
    /// nonspacing marks); in lower case.
    pub marks: bool,
}

impl Fold {
    /// Whether texts stay as they are.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        !self.numbers && !self.marks
    }

    /// Fold `text` into `folded`, which is cleared first.
    pub fn text(self, text: &str, folded: &mut String) {
        folded.clear();
        if !self.marks {
            return numbers(text, folded);
        }
        let mut lower = text.to_lowercase();
        if self.numbers {
            let mut plain = String::with_capacity(lower.len());
            numbers(&lower, &mut plain);
            lower = plain;
        }
        let spaced = lower.chars().map(|c| if is_mark(c) { ' ' } else { c });
        if lower.is_ascii() {
            folded.extend(spaced);
        } else {
            folded.extend(spaced.nfd().filter(|&c| c.is_ascii() || !c.is_mark_nonspacing()));
        }
    }
}

fn is_digit(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_digit() } else { c.is_number_decimal_digit() }
}

fn is_mark(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_punctuation() || c.is_ascii_control() } else { c.is_punctuation() || c.is_control() }
}

/// `\p{Nd}+([.,،٫⎖⎗⎘]\p{Nd}+)?` becomes `0`, as in datatrove.
fn numbers(text: &str, folded: &mut String) {
    let mut rest = text;
    while let Some(start) = rest.find(is_digit) {
        folded.push_str(&rest[..start]);
        folded.push('0');
        rest = rest[start..].trim_start_matches(is_digit);
        let mut after = rest.chars();
        if matches!(after.next(), Some('.' | ',' | '\u{60c}' | '\u{66b}' | '\u{2396}'..='\u{2398}')) && after.next().is_some_and(is_digit) {
            rest = rest[rest.chars().next().map_or(0, char::len_utf8)..].trim_start_matches(is_digit);
        }
    }
    folded.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::Fold;

    fn folded(text: &str, numbers: bool, marks: bool) -> String {
        let mut made = String::from("before");
        Fold { numbers, marks }.text(text, &mut made);
        made
    }

    #[test]
    fn numbers_become_zero() {
        assert_eq!(folded("3.5 of 1,000,000: a4 ٣٫٥ 7.", true, false), "0 of 0,0: a0 0 0.");
        assert_eq!(folded("no", true, false), "no");
    }

    #[test]
    fn marks_become_spaces_and_accents_go() {
        assert_eq!(folded("Don't say «Ça-va»; naïve 3.5\t€", false, true), "don t say  ca va   naive 3 5 €");
        assert_eq!(folded("1.5_x\n", true, true), "0 x ");
        assert_eq!(folded("", true, true), "");
    }
}
