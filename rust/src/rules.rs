//! Rule sets of other systems, as measures: what `gopher:datatrove`, `gopher:dolma`, `c4` and `fineweb` compare with bounds.
//!
//! The bounds and their order are in `tunesmith.core.rule_sets`; `tests/oracles/rules.py` is the slow twin.

mod c4;
mod datatrove;
mod dolma;
mod english;
mod pythonic;
mod repeats;
mod terminal;

use crate::error::{Error, Result};
use crate::parallel::{self, Control};

/// Whose rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// datatrove's repetition and quality filters after Gopher.
    GopherDatatrove,
    /// dolma's `gopher_v1`.
    GopherDolma,
    /// datatrove's C4 filter.
    C4,
    /// datatrove's FineWeb filter.
    Fineweb,
}

impl Rules {
    /// # Errors
    /// [`Error::Option`] for an unknown name.
    pub fn new(name: &str) -> Result<Self> {
        match name {
            "gopher:datatrove" => Ok(Self::GopherDatatrove),
            "gopher:dolma" => Ok(Self::GopherDolma),
            "c4" => Ok(Self::C4),
            "fineweb" => Ok(Self::Fineweb),
            other => Err(Error::Option(format!("rules: found \"{other}\", expected gopher:datatrove, gopher:dolma, c4 or fineweb"))),
        }
    }

    /// Names of the measures, in order.
    #[must_use]
    pub const fn measures(self) -> &'static [&'static str] {
        match self {
            Self::GopherDatatrove => &datatrove::GOPHER,
            Self::GopherDolma => &dolma::GOPHER,
            Self::C4 => &c4::C4,
            Self::Fineweb => &datatrove::FINEWEB,
        }
    }
}

/// The pieces of each text, as somebody else cut it.
pub type Pieces<'a> = [Option<Vec<&'a str>>];

/// Texts per piece of parallel work.
const GRAIN: usize = 256;

/// The measures of every text; null where the text or its given pieces are. `words` replace the rules' own words, `sentences` (for
/// `c4`) the sentences of its lines. In parallel on a thread of the pool, else in the calling thread.
///
/// # Errors
/// [`Error::Interrupted`]; [`Error::Input`] for given sentences that do not spell the lines.
pub fn measure(
    rules: Rules,
    texts: &[Option<&str>],
    words: Option<&Pieces<'_>>,
    sentences: Option<&Pieces<'_>>,
    control: &Control,
) -> Result<Vec<Option<Vec<f64>>>> {
    let pieces = parallel::map(texts.len().div_ceil(GRAIN), |piece| {
        let mut reader = Reader::default();
        let rows = piece * GRAIN..texts.len().min((piece + 1) * GRAIN);
        control.advance(rows.len());
        rows.map(|row| {
            let Some(text) = texts[row] else { return Ok(None) };
            let (Some(words), Some(sentences)) = (given(words, row), given(sentences, row)) else { return Ok(None) };
            let found = reader.read(rules, text, words, sentences, control);
            control.check()?;
            found.map(Some).map_err(|what| Error::Input(format!("sentences[{row}]: {what}")))
        })
        .collect::<Result<Vec<_>>>()
    })?;
    Ok(pieces.into_iter().flatten().collect())
}

/// What was given for a row: nothing asked is `Some(None)`, a null is `None`.
fn given<'a, 'b>(of: Option<&'a Pieces<'b>>, row: usize) -> Option<Option<&'a [&'b str]>> {
    match of {
        None => Some(None),
        Some(of) => of[row].as_deref().map(Some),
    }
}

/// Scratch space, reused from text to text.
#[derive(Default)]
struct Reader {
    grams: repeats::Grams,
    parts: repeats::Parts,
    lengths: Vec<u64>,
    lower: String,
}

impl Reader {
    fn read(
        &mut self,
        rules: Rules,
        text: &str,
        words: Option<&[&str]>,
        sentences: Option<&[&str]>,
        control: &Control,
    ) -> std::result::Result<Vec<f64>, String> {
        let mut out = Vec::with_capacity(rules.measures().len());
        let mut own = Vec::new();
        let words = words.unwrap_or_else(|| {
            match rules {
                Rules::C4 => {}
                Rules::GopherDolma => own.extend(control.going(pythonic::split(text))),
                Rules::GopherDatatrove | Rules::Fineweb => english::words(text, control, |word| own.push(word)),
            }
            &own
        });
        match rules {
            Rules::GopherDatatrove => datatrove::gopher(self, text, words, control, &mut out),
            Rules::GopherDolma => dolma::gopher(self, text, words, control, &mut out),
            Rules::C4 => c4::c4(text, sentences, &mut self.lower, control, &mut out)?,
            Rules::Fineweb => datatrove::fineweb(self, text, words, control, &mut out),
        }
        Ok(out)
    }
}

/// Sentences that were given, dealt out to the lines they spell.
struct Given<'a> {
    rest: std::slice::Iter<'a, &'a str>,
}

impl<'a> Given<'a> {
    fn new(sentences: &'a [&'a str]) -> Self {
        Self { rest: sentences.iter() }
    }

    /// How many of the next sentences spell `line`, white space aside.
    fn sentences(&mut self, line: &str) -> std::result::Result<u64, String> {
        let mut left = line.chars().filter(|c| !pythonic::is_space(*c)).peekable();
        let mut count = 0;
        while left.peek().is_some() {
            let sentence = self.rest.next().ok_or_else(|| format!("no sentence is left for {}", quoted(line)))?;
            let mut characters = sentence.chars().filter(|c| !pythonic::is_space(*c)).peekable();
            count += u64::from(characters.peek().is_some());
            for c in characters {
                if left.next() != Some(c) {
                    return Err(format!("found {} where the line {} goes on otherwise; {EXPECTED}", quoted(sentence), quoted(line)));
                }
            }
        }
        Ok(count)
    }

    fn end(mut self) -> std::result::Result<(), String> {
        match self.rest.find(|sentence| !sentence.trim_matches(pythonic::is_space).is_empty()) {
            Some(sentence) => Err(format!("found {} behind the last line; {EXPECTED}", quoted(sentence))),
            None => Ok(()),
        }
    }
}

const EXPECTED: &str = "expected the sentences of each line, one line after the other, citation marks removed";

fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

/// `part / whole`; of nothing, 0.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
