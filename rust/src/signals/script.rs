//! The script of a letter: the ten most written, by Unicode's property `Script`.

/// Names of the scripts, in order.
pub const SCRIPTS: [&str; 10] = ["latin", "greek", "cyrillic", "arabic", "hebrew", "devanagari", "thai", "hangul", "kana", "han"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Arabic,
    Hebrew,
    Devanagari,
    Thai,
    Hangul,
    Kana,
    Han,
}

/// The place in [`SCRIPTS`] of an alphabetic character's script; `None` for all other scripts, and for letters of none or several.
pub fn script(letter: char) -> Option<usize> {
    if letter.is_ascii() {
        return Some(Script::Latin as usize);
    }
    let code = u32::from(letter);
    let at = RUNS.partition_point(|&(_, last, _)| last < code);
    RUNS.get(at).filter(|&&(first, _, _)| first <= code).map(|&(_, _, script)| script as usize)
}

/// First and last letter of each run of letters of one script; what lies between and is no letter does not count.
#[rustfmt::skip]
const RUNS: [(u32, u32, Script); 76] = [
    (0x00AA, 0x00AA, Script::Latin), (0x00BA, 0x02B8, Script::Latin), (0x02E0, 0x02E4, Script::Latin),
    (0x0370, 0x0373, Script::Greek), (0x0376, 0x03E1, Script::Greek), (0x03F0, 0x03FF, Script::Greek),
    (0x0400, 0x052F, Script::Cyrillic), (0x05B0, 0x05F2, Script::Hebrew), (0x0610, 0x063F, Script::Arabic),
    (0x0641, 0x064A, Script::Arabic), (0x0656, 0x066F, Script::Arabic), (0x0671, 0x06FF, Script::Arabic),
    (0x0750, 0x077F, Script::Arabic), (0x0870, 0x08FF, Script::Arabic), (0x0900, 0x097F, Script::Devanagari),
    (0x0E01, 0x0E4D, Script::Thai), (0x1100, 0x11FF, Script::Hangul), (0x1C80, 0x1C8A, Script::Cyrillic),
    (0x1D00, 0x1D25, Script::Latin), (0x1D26, 0x1D2A, Script::Greek), (0x1D2B, 0x1D2B, Script::Cyrillic),
    (0x1D2C, 0x1D5C, Script::Latin), (0x1D5D, 0x1D61, Script::Greek), (0x1D62, 0x1D65, Script::Latin),
    (0x1D66, 0x1D6A, Script::Greek), (0x1D6B, 0x1D77, Script::Latin), (0x1D78, 0x1D78, Script::Cyrillic),
    (0x1D79, 0x1DBE, Script::Latin), (0x1DBF, 0x1DBF, Script::Greek), (0x1E00, 0x1EFF, Script::Latin),
    (0x1F00, 0x1FFC, Script::Greek), (0x2071, 0x207F, Script::Latin), (0x2090, 0x209F, Script::Latin),
    (0x2126, 0x2126, Script::Greek), (0x212A, 0x212B, Script::Latin), (0x2132, 0x2132, Script::Latin),
    (0x214E, 0x2188, Script::Latin), (0x2C60, 0x2C7F, Script::Latin), (0x2DE0, 0x2DFF, Script::Cyrillic),
    (0x3005, 0x3005, Script::Han), (0x3007, 0x3029, Script::Han), (0x3038, 0x303B, Script::Han),
    (0x3041, 0x30FA, Script::Kana), (0x30FD, 0x30FF, Script::Kana), (0x3131, 0x318E, Script::Hangul),
    (0x31F0, 0x31FF, Script::Kana), (0x3400, 0x9FFF, Script::Han), (0xA640, 0xA69F, Script::Cyrillic),
    (0xA722, 0xA787, Script::Latin), (0xA78B, 0xA7FF, Script::Latin), (0xA8F2, 0xA8FF, Script::Devanagari),
    (0xA960, 0xA97C, Script::Hangul), (0xAB30, 0xAB64, Script::Latin), (0xAB65, 0xAB65, Script::Greek),
    (0xAB66, 0xAB6D, Script::Latin), (0xAC00, 0xD7FB, Script::Hangul), (0xF900, 0xFAD9, Script::Han),
    (0xFB00, 0xFB06, Script::Latin), (0xFB1D, 0xFB4F, Script::Hebrew), (0xFB50, 0xFEFC, Script::Arabic),
    (0xFF21, 0xFF5A, Script::Latin), (0xFF66, 0xFF6F, Script::Kana), (0xFF71, 0xFF9D, Script::Kana),
    (0xFFA0, 0xFFDC, Script::Hangul), (0x1_0140, 0x1_0174, Script::Greek), (0x1_0780, 0x1_07BF, Script::Latin),
    (0x1_0EC2, 0x1_0EFC, Script::Arabic), (0x1_1B0A, 0x1_1B0A, Script::Devanagari), (0x1_6FE3, 0x1_6FF6, Script::Han),
    (0x1_AFF0, 0x1_B168, Script::Kana), (0x1_DF00, 0x1_DFF2, Script::Latin), (0x1_DFF3, 0x1_DFF4, Script::Greek),
    (0x1_DFF5, 0x1_DFFF, Script::Latin), (0x1_E030, 0x1_E08F, Script::Cyrillic), (0x1_EE00, 0x1_EEBB, Script::Arabic),
    (0x2_0000, 0x3_3479, Script::Han),
];

#[cfg(test)]
mod tests {
    use super::{SCRIPTS, script};

    #[test]
    fn letters() {
        for (letter, name) in
            [('é', "latin"), ('я', "cyrillic"), ('ひ', "kana"), ('カ', "kana"), ('々', "han"), ('한', "hangul"), ('ω', "greek")]
        {
            assert_eq!(script(letter).map(|at| SCRIPTS[at]), Some(name));
        }
        // Georgian is not among them; the long sound of Kana belongs to two scripts.
        assert!(script('ა').is_none() && script('ー').is_none() && script('µ').is_none());
    }
}
