//! The Porter stemmer in NLTK's extensions mode (`nltk.stem.porter.PorterStemmer()`), exactly.
//!
//! M. F. Porter, "An algorithm for suffix stripping", Program 14.3 (1980), with NLTK's changes: the irregular
//! forms, four-letter *ies* and *ied*, y to i after a consonant, alli first, bli, fulli, and logi.

const IRREGULAR: [(&[u8], &[u8]); 16] = [
    (b"sky", b"sky"),
    (b"skies", b"sky"),
    (b"dying", b"die"),
    (b"lying", b"lie"),
    (b"tying", b"tie"),
    (b"news", b"news"),
    (b"innings", b"inning"),
    (b"inning", b"inning"),
    (b"outings", b"outing"),
    (b"outing", b"outing"),
    (b"cannings", b"canning"),
    (b"canning", b"canning"),
    (b"howe", b"howe"),
    (b"proceed", b"proceed"),
    (b"exceed", b"exceed"),
    (b"succeed", b"succeed"),
];

type Rule = (&'static [u8], &'static [u8]);

const STEP2: [Rule; 22] = [
    (b"ational", b"ate"),
    (b"tional", b"tion"),
    (b"enci", b"ence"),
    (b"anci", b"ance"),
    (b"izer", b"ize"),
    (b"bli", b"ble"),
    (b"alli", b"al"),
    (b"entli", b"ent"),
    (b"eli", b"e"),
    (b"ousli", b"ous"),
    (b"ization", b"ize"),
    (b"ation", b"ate"),
    (b"ator", b"ate"),
    (b"alism", b"al"),
    (b"iveness", b"ive"),
    (b"fulness", b"ful"),
    (b"ousness", b"ous"),
    (b"aliti", b"al"),
    (b"iviti", b"ive"),
    (b"biliti", b"ble"),
    (b"fulli", b"ful"),
    (b"logi", b"log"),
];

const STEP3: [Rule; 7] =
    [(b"icate", b"ic"), (b"ative", b""), (b"alize", b"al"), (b"iciti", b"ic"), (b"ical", b"ic"), (b"ful", b""), (b"ness", b"")];

const STEP4: [&[u8]; 19] = [
    b"al", b"ance", b"ence", b"er", b"ic", b"able", b"ible", b"ant", b"ement", b"ment", b"ent", b"ion", b"ou", b"ism", b"ate", b"iti",
    b"ous", b"ive", b"ize",
];

/// Stem `word` (lower case, ASCII letters and digits) in place.
pub fn stem(word: &mut Vec<u8>) {
    if let Some((_, form)) = IRREGULAR.iter().find(|(irregular, _)| irregular == word) {
        word.clear();
        word.extend_from_slice(form);
        return;
    }
    if word.len() <= 2 {
        return;
    }
    step1a(word);
    step1b(word);
    step1c(word);
    step2(word);
    step3(word);
    step4(word);
    step5(word);
}

fn step1a(word: &mut Vec<u8>) {
    if word.ends_with(b"ies") {
        word.truncate(word.len() - if word.len() == 4 { 1 } else { 2 });
    } else if word.ends_with(b"sses") {
        word.truncate(word.len() - 2);
    } else if word.ends_with(b"s") && !word.ends_with(b"ss") {
        word.pop();
    }
}

fn step1b(word: &mut Vec<u8>) {
    if word.ends_with(b"ied") {
        word.truncate(word.len() - if word.len() == 4 { 1 } else { 2 });
        return;
    }
    if let Some(stem) = word.strip_suffix(b"eed") {
        if measure(stem) > 0 {
            word.pop();
        }
        return;
    }
    let cut = match word.strip_suffix(b"ed").or_else(|| word.strip_suffix(b"ing")) {
        Some(stem) if has_vowel(stem) => stem.len(),
        _ => return,
    };
    word.truncate(cut);
    let last = word[cut - 1];
    if [b"at", b"bl", b"iz"].iter().any(|ending| word.ends_with(*ending)) {
        word.push(b'e');
    } else if ends_double_consonant(word) {
        if !matches!(last, b'l' | b's' | b'z') {
            word.pop();
        }
    } else if measure(word) == 1 && ends_cvc(word) {
        word.push(b'e');
    }
}

fn step1c(word: &mut [u8]) {
    if let Some(stem) = word.strip_suffix(b"y")
        && stem.len() > 1
        && is_consonant(stem, stem.len() - 1)
    {
        let last = word.len() - 1;
        word[last] = b'i';
    }
}

fn step2(word: &mut Vec<u8>) {
    while let Some(stem) = word.strip_suffix(b"alli") {
        if measure(stem) == 0 {
            break;
        }
        word.truncate(word.len() - 2);
    }
    for (suffix, replacement) in STEP2 {
        if let Some(stem) = word.strip_suffix(suffix) {
            // The l of logi counts with the stem, so that geo and theo work like archaeo and philo.
            let measured = if suffix == b"logi" { &word[..word.len() - 3] } else { stem };
            if measure(measured) > 0 {
                let kept = stem.len();
                word.truncate(kept);
                word.extend_from_slice(replacement);
            }
            return;
        }
    }
}

fn step3(word: &mut Vec<u8>) {
    for (suffix, replacement) in STEP3 {
        if let Some(stem) = word.strip_suffix(suffix) {
            if measure(stem) > 0 {
                let kept = stem.len();
                word.truncate(kept);
                word.extend_from_slice(replacement);
            }
            return;
        }
    }
}

fn step4(word: &mut Vec<u8>) {
    for suffix in STEP4 {
        if let Some(stem) = word.strip_suffix(suffix) {
            if measure(stem) > 1 && (suffix != b"ion" || matches!(stem.last(), Some(b's' | b't'))) {
                word.truncate(word.len() - suffix.len());
            }
            return;
        }
    }
}

fn step5(word: &mut Vec<u8>) {
    if let Some(stem) = word.strip_suffix(b"e") {
        let m = measure(stem);
        if m > 1 || (m == 1 && !ends_cvc(stem)) {
            word.pop();
        }
    }
    if word.ends_with(b"ll") && measure(&word[..word.len() - 1]) > 1 {
        word.pop();
    }
}

fn is_vowel_letter(letter: u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u')
}

/// A y is a consonant at the start and after a vowel; anything but a, e, i, o, u (digits too) is one always.
fn is_consonant(word: &[u8], at: usize) -> bool {
    if word[at] != b'y' {
        return !is_vowel_letter(word[at]);
    }
    // Of a run of y, every second one is a consonant.
    let run = word[..at].iter().rev().take_while(|&&letter| letter == b'y').count();
    let first = at - run;
    let first_is_consonant = first == 0 || is_vowel_letter(word[first - 1]);
    first_is_consonant == (run % 2 == 0)
}

/// Porter's m: how often a vowel is followed by a consonant.
fn measure(stem: &[u8]) -> usize {
    // Before the first letter there is, for a y, a vowel that is not counted.
    let (mut m, mut after_vowel, mut vowel_counts) = (0, true, false);
    for &letter in stem {
        let vowel = is_vowel_letter(letter) || (letter == b'y' && !after_vowel);
        m += usize::from(!vowel && after_vowel && vowel_counts);
        after_vowel = vowel;
        vowel_counts = true;
    }
    m
}

fn has_vowel(stem: &[u8]) -> bool {
    // A y after the first letter is a vowel unless it follows one.
    stem.iter().enumerate().any(|(at, &letter)| is_vowel_letter(letter) || (at > 0 && letter == b'y'))
}

fn ends_double_consonant(word: &[u8]) -> bool {
    let n = word.len();
    n >= 2 && word[n - 1] == word[n - 2] && is_consonant(word, n - 1)
}

/// Condition *o: consonant, vowel, consonant other than w, x, y at the end; in NLTK also a word of vowel and consonant.
fn ends_cvc(word: &[u8]) -> bool {
    let n = word.len();
    (n >= 3
        && is_consonant(word, n - 3)
        && !is_consonant(word, n - 2)
        && is_consonant(word, n - 1)
        && !matches!(word[n - 1], b'w' | b'x' | b'y'))
        || (n == 2 && !is_consonant(word, 0) && is_consonant(word, 1))
}

#[cfg(test)]
mod tests {
    fn stemmed(word: &str) -> String {
        let mut bytes = word.as_bytes().to_vec();
        super::stem(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn porters_examples_and_nltks_changes() {
        for (word, stem) in [
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("dies", "die"),
            ("flies", "fli"),
            ("died", "die"),
            ("spied", "spi"),
            ("agreed", "agre"),
            ("feed", "feed"),
            ("hopping", "hop"),
            ("falling", "fall"),
            ("filing", "file"),
            ("happy", "happi"),
            ("enjoy", "enjoy"),
            ("skies", "sky"),
            ("dying", "die"),
            ("innings", "inning"),
            ("relational", "relat"),
            ("geology", "geolog"),
            ("theologies", "theolog"),
            ("radically", "radic"),
            ("hopefulness", "hope"),
            ("adoption", "adopt"),
            ("controll", "control"),
            ("roll", "roll"),
        ] {
            assert_eq!(stemmed(word), stem, "{word}");
        }
    }
}
