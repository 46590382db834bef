//! Corrects what can be corrected without understanding: spaces, words typed twice, capitals at
//! the beginning of sentences, quotation marks and dashes. What it corrected it leaves alone.

/// Words that nobody means twice in a row. Others may be meant: "had had", "no no".
const NEVER_DOUBLED: [&str; 24] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "he", "in", "is", "it",
    "of", "on", "or", "the", "they", "to", "was", "we", "with",
];

/// A full stop after these ends no sentence.
const ABBREVIATIONS: [&str; 16] = [
    "cf.", "co.", "dr.", "e.g.", "etc.", "i.e.", "jr.", "messrs.", "mr.", "mrs.", "ms.", "no.",
    "prof.", "sr.", "st.", "vs.",
];

pub(super) fn correct(text: &str) -> String {
    let mut lines = Vec::new();
    let mut sentences = Sentences { begins: true };
    for line in text.lines() {
        let words = attach_punctuation(without_doubles(line.split_whitespace()));
        let words: Vec<_> = words.iter().map(|word| sentences.correct(word)).collect();
        // one empty line between paragraphs, none at the beginning
        if !words.is_empty() || lines.last().is_some_and(|last: &String| !last.is_empty()) {
            lines.push(words.join(" "));
        }
    }
    lines.join("\n").trim_end().to_owned()
}

fn without_doubles<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut kept: Vec<&str> = Vec::new();
    for word in words {
        let doubled = kept.last().is_some_and(|last| last.eq_ignore_ascii_case(word))
            && NEVER_DOUBLED.contains(&word.to_ascii_lowercase().as_str());
        if !doubled {
            kept.push(word);
        }
    }
    kept
}

/// "word ," becomes "word,".
fn attach_punctuation(words: Vec<&str>) -> Vec<String> {
    let mut attached: Vec<String> = Vec::new();
    for word in words {
        match attached.last_mut() {
            Some(last) if matches!(word, "," | "." | ";" | ":" | "!" | "?") => last.push_str(word),
            _ => attached.push(word.to_owned()),
        }
    }
    attached
}

/// Where in its sentence the text is.
struct Sentences {
    begins: bool,
}

impl Sentences {
    fn correct(&mut self, word: &str) -> String {
        let verbatim = word.contains("://") || word.contains('@') || word.starts_with("--");
        let corrected = match word {
            "--" => "—".to_owned(),
            _ if verbatim => word.to_owned(),
            _ => with_marks(&self.with_capital(&word.replace("--", "—"))),
        };
        if corrected.chars().any(char::is_alphanumeric) {
            self.begins = false;
        }
        self.begins |= ends_sentence(&corrected);
        corrected
    }

    fn with_capital(&self, word: &str) -> String {
        let letters = word.trim_matches(|c: char| !c.is_alphanumeric());
        let alone = letters == "i" || letters.starts_with("i'") || letters.starts_with("i’");
        let abbreviated = ABBREVIATIONS.contains(&word.to_lowercase().as_str());
        let goes_on = word.trim_start_matches(['"', '“']).starts_with('—');
        if abbreviated || goes_on || !(self.begins || alone) {
            return word.to_owned();
        }
        let Some(position) = word.find(char::is_alphanumeric) else {
            return word.to_owned();
        };
        let (before, rest) = word.split_at(position);
        let mut rest = rest.chars();
        let capital = rest.next().into_iter().flat_map(char::to_uppercase);
        before.chars().chain(capital).chain(rest).collect()
    }
}

/// An exclamation mark may stand inside a sentence: "O Captain! my Captain!"
fn ends_sentence(word: &str) -> bool {
    let word = word.trim_end_matches([')', ']']);
    if word.ends_with('?') {
        return true;
    }
    let Some(before) = word.strip_suffix('.') else {
        return false;
    };
    let initial = before.chars().count() == 1 && before.chars().all(char::is_alphabetic);
    let ellipsis = before.ends_with('.') || before.is_empty();
    !(initial || ellipsis || ABBREVIATIONS.contains(&word.to_lowercase().as_str()))
}

/// Straight quotation marks become the ones that printers use.
fn with_marks(word: &str) -> String {
    let mut marked = String::with_capacity(word.len());
    for (at, c) in word.char_indices() {
        let opens = match marked.chars().last() {
            None => true,
            // a dash stands before a quotation, and where one breaks off
            Some('—') => word_follows(word.get(at..).unwrap_or_default()),
            Some(last) => "([“‘".contains(last),
        };
        marked.push(match (c, opens) {
            ('"', true) => '“',
            ('"', false) => '”',
            ('\'', true) => '‘',
            ('\'', false) => '’',
            _ => c,
        });
    }
    marked
}

/// Whether a word follows the quotation marks.
fn word_follows(rest: &str) -> bool {
    let behind = rest.trim_start_matches(['"', '\'', '“', '‘']);
    behind.starts_with(|c: char| c.is_alphanumeric() || "([".contains(c))
}
