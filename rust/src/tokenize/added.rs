//! Added tokens in a text: the longest at the leftmost place, as the Python package cuts them out.

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::memmem::Finder;

/// An added token as the file describes it.
#[derive(Debug, Clone)]
pub struct Token {
    pub id: u32,
    pub content: String,
    pub special: bool,
    /// It takes the white space before it along.
    pub left: bool,
    /// It takes the white space behind it along.
    pub right: bool,
}

/// A part of a text between or at added tokens.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    Token(u32),
    Text(usize, usize),
}

/// Finds the tokens of one stage (before or after normalization).
pub struct Added {
    tokens: Vec<Token>,
    automaton: AhoCorasick,
    /// What a text with any of the tokens holds, and with any that is not special.
    any: Clues,
    plain: Clues,
}

/// Strings of which one stands in each text with a token. Most texts have none, and searching few strings is fast.
enum Clues {
    Few(Vec<Finder<'static>>),
    Many,
}

const FEW: usize = 6;

impl Clues {
    /// The common start of all tokens with one first byte.
    fn new<'a>(contents: impl Iterator<Item = &'a str>) -> Self {
        let mut starts: Vec<&[u8]> = Vec::new();
        for content in contents.map(str::as_bytes) {
            match starts.iter_mut().find(|start| start[0] == content[0]) {
                Some(start) => *start = &start[..start.iter().zip(content).take_while(|(a, b)| a == b).count()],
                None => starts.push(content),
            }
        }
        if starts.len() > FEW { Self::Many } else { Self::Few(starts.into_iter().map(|start| Finder::new(start).into_owned()).collect()) }
    }

    fn meet(&self, text: &str) -> bool {
        match self {
            Self::Few(finders) => finders.iter().any(|finder| finder.find(text.as_bytes()).is_some()),
            Self::Many => true,
        }
    }
}

impl Added {
    /// `None` when there are no tokens, or their automaton cannot be built.
    pub fn new(tokens: Vec<Token>) -> Option<Self> {
        let contents = tokens.iter().map(|token| &token.content);
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(contents).ok()?;
        let any = Clues::new(tokens.iter().map(|token| token.content.as_str()));
        let plain = Clues::new(tokens.iter().filter(|token| !token.special).map(|token| token.content.as_str()));
        (!tokens.is_empty()).then_some(Self { tokens, automaton, any, plain })
    }

    /// Call `take` with each part of `text`; special tokens count only if `parse_special`.
    pub fn split(&self, text: &str, parse_special: bool, mut take: impl FnMut(Part)) {
        let mut start = 0;
        if if parse_special { &self.any } else { &self.plain }.meet(text) {
            for found in self.automaton.find_iter(text) {
                let token = &self.tokens[found.pattern().as_usize()];
                // A special token that does not count still hides those that overlap it.
                if token.special && !parse_special {
                    continue;
                }
                let (mut from, mut to) = (found.start(), found.end());
                if token.left {
                    from = text[..from].trim_end().len().max(start);
                }
                if token.right {
                    to += text[to..].len() - text[to..].trim_start().len();
                }
                if start < from {
                    take(Part::Text(start, from));
                }
                take(Part::Token(token.id));
                start = to;
            }
        }
        if start < text.len() {
            take(Part::Text(start, text.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, parse_special: bool) -> Vec<Part> {
        let token = |id, content: &str, special, left, right| Token { id, content: content.into(), special, left, right };
        let tokens = vec![
            token(0, "<s>", true, false, false),
            token(1, "  ", false, false, false),
            token(2, "    ", false, false, false),
            token(3, "[MASK]", true, true, true),
            token(4, "s>x", false, false, false),
        ];
        let mut found = Vec::new();
        let added = Added::new(tokens).expect("tokens");
        added.split(text, parse_special, |part| found.push(part));
        found
    }

    #[test]
    fn the_longest_at_the_leftmost_place() {
        use Part::{Text, Token};
        assert_eq!(parts("a     b", false), [Text(0, 1), Token(2), Text(5, 7)]);
        assert_eq!(parts("a\t [MASK] \nb", true), [Text(0, 1), Token(3), Text(11, 12)]);
        assert_eq!(parts("a [MASK]", false), [Text(0, 8)]);
        assert_eq!(parts("<s>x", true), [Token(0), Text(3, 4)]);
        assert_eq!(parts("<s>x", false), [Text(0, 4)]);
        assert_eq!(parts("s>x", false), [Token(4)]);
        assert!(parts("", false).is_empty());
    }

    #[test]
    fn a_token_behind_one_that_took_its_space() {
        assert_eq!(parts("[MASK] [MASK]", true), [Part::Token(3), Part::Token(3)]);
        // As in the package: the space that the first took is still a token, too.
        assert_eq!(parts("[MASK]  [MASK]", true), [Part::Token(3), Part::Token(1), Part::Token(3)]);
    }
}
