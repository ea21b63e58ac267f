//! Code points on which the Unicode tables of the two backends differ: letters, marks, punctuation and compositions
//! that Unicode gained or changed in recent years. A text that holds one goes to 0.23, so that its ids are the Python
//! package's.

/// First and last, ascending. Found by encoding every code point with both, under every normalizer and pre-tokenizer,
/// with a vocabulary that shows each cut; whole blocks where compositions are new; gaps of up to three are filled.
#[rustfmt::skip]
const RANGES: &[(u32, u32)] = &[
    (0x61D, 0x61D), (0x7FD, 0x7FD), (0x88F, 0x88F), (0x899, 0x89B), (0x8CF, 0x8D3), (0x9FD, 0x9FD),
    (0xA76, 0xA76), (0xC3C, 0xC3C), (0xC5C, 0xC5C), (0xC77, 0xC77), (0xC84, 0xC84), (0xCDC, 0xCDC),
    (0xD3B, 0xD3C), (0xEBA, 0xEBA), (0x166D, 0x166D), (0x1715, 0x1715), (0x1ABF, 0x1AC4), (0x1ACA, 0x1ACA),
    (0x1ACF, 0x1AEB), (0x1B4E, 0x1B4F), (0x1B7D, 0x1B7F), (0x1DF7, 0x1DFA), (0x2E43, 0x2E5D), (0x32FF, 0x32FF),
    (0xA7CE, 0xA7D4), (0xA7F1, 0xA7F4), (0xA82C, 0xA82C), (0xAB69, 0xAB69), (0x105C0, 0x105FF), (0x10781, 0x107BA),
    (0x10940, 0x10959), (0x10D6E, 0x10D6E), (0x10EAD, 0x10EAD), (0x10EC5, 0x10EC7), (0x10ED0, 0x10ED0), (0x10EFA, 0x10EFF),
    (0x10F46, 0x10F50), (0x10F55, 0x10F59), (0x10F83, 0x10F89), (0x11070, 0x11070), (0x111C9, 0x111C9), (0x1133B, 0x1133B),
    (0x11380, 0x113FF), (0x1144B, 0x1144F), (0x1145A, 0x1145D), (0x11660, 0x1166C), (0x116B9, 0x116B9), (0x11839, 0x1183B),
    (0x11930, 0x11938), (0x1193D, 0x1193E), (0x11943, 0x11946), (0x119E0, 0x119E2), (0x11A34, 0x11A34), (0x11A3F, 0x11A47),
    (0x11A99, 0x11AA2), (0x11B00, 0x11B09), (0x11B60, 0x11B67), (0x11BE1, 0x11BE1), (0x11C41, 0x11C45), (0x11C70, 0x11C71),
    (0x11D42, 0x11D45), (0x11D97, 0x11D97), (0x11DB0, 0x11DDB), (0x11DE0, 0x11DE9), (0x11EF7, 0x11EF8), (0x11F41, 0x11F4F),
    (0x11FFF, 0x11FFF), (0x12FF1, 0x12FF2), (0x16100, 0x1613F), (0x16D40, 0x16D7F), (0x16E97, 0x16E9A), (0x16EA0, 0x16ED3),
    (0x16FE2, 0x16FE2), (0x16FF0, 0x16FF6), (0x187F8, 0x187FF), (0x18D09, 0x18D1E), (0x18D80, 0x18DF2), (0x1CCD6, 0x1CCF9),
    (0x1E030, 0x1E06D), (0x1E4EE, 0x1E4EE), (0x1E5EF, 0x1E5EF), (0x1E5FF, 0x1E5FF), (0x1E6C0, 0x1E6F5), (0x1E6FE, 0x1E6FF),
    (0x1E95E, 0x1E95F), (0x1F16C, 0x1F16C), (0x1FBF0, 0x1FBF9), (0x2B73A, 0x2B73F), (0x2CEA2, 0x2CEAD), (0x323B0, 0x33479),
];

/// One bit for each 256 code points: whether a range lies there.
const BLOCKS: [u64; 68] = {
    let mut blocks = [0; 68];
    let mut k = 0;
    while k < RANGES.len() {
        let mut block = (RANGES[k].0 >> 8) as usize;
        while block <= (RANGES[k].1 >> 8) as usize {
            blocks[block / 64] |= 1 << (block % 64);
            block += 1;
        }
        k += 1;
    }
    blocks
};

/// Whether `text` holds one of them.
pub fn holds(text: &str) -> bool {
    !text.is_ascii() && text.chars().any(is_recent)
}

fn is_recent(c: char) -> bool {
    let code = u32::from(c);
    let block = (code >> 8) as usize;
    if BLOCKS[block / 64] >> (block % 64) & 1 == 0 {
        return false;
    }
    let after = RANGES.partition_point(|&(first, _)| first <= code);
    after > 0 && code <= RANGES[after - 1].1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_ascend_and_their_borders_count() {
        assert!(RANGES.windows(2).all(|pair| pair[0].1 < pair[1].0));
        for &(first, last) in RANGES {
            for (code, inside) in [(first, true), (last, true), (first - 1, false), (last + 1, false)] {
                assert_eq!(char::from_u32(code).is_some_and(is_recent), inside, "{code:X}");
            }
        }
    }

    #[test]
    fn everyday_text_holds_none() {
        assert!(!holds("Plain ASCII, “quotes” – Größe, Ελληνικά, русский, עברית, हिन्दी, ไทย, 中文、日本語、한국어 🙂👍🏽"));
        assert!(holds("a ⹝ b"));
    }
}
