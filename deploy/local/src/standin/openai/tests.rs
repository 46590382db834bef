use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use super::request::ChatRequest;
use super::{ApiError, completion, copy_editor, picture};

#[test]
fn copy_editor_corrects() {
    for (written, corrected) in [
        ("", ""),
        ("  two   words \t here  ", "Two words here"),
        ("one.\n\n\n\n\ntwo.  \nthree", "One.\n\nTwo.\nThree"),
        ("it was the the best of of times", "It was the best of times"),
        ("he had had enough , no no", "He had had enough, no no"),
        ("end. next? yes! so", "End. Next? Yes! so"),
        ("\"--so it goes on", "“—so it goes on"),
        ("by Mr. smith, e.g. here, J. doe", "By Mr. smith, e.g. here, J. doe"),
        ("wait... what", "Wait... what"),
        ("then i said i'm here", "Then I said I'm here".replace('\'', "’").as_str()),
        ("\"what?\" said he. (so.) then", "“What?” said he. (So.) Then"),
        ("'tis the dogs' bone", "‘Tis the dogs’ bone"),
        ("dark--and stormy -- night", "Dark—and stormy — night"),
        (
            "see https://example.org/?a=\"b\" or --flag",
            "See https://example.org/?a=\"b\" or --flag",
        ),
        ("über alles. ça va", "Über alles. Ça va"),
        ("3 apples. 4 pears", "3 apples. 4 pears"),
    ] {
        assert_eq!(copy_editor::correct(written), corrected);
        assert_eq!(copy_editor::correct(corrected), corrected, "nothing is left to correct");
    }
}

#[test]
fn quotation_marks_open_before_a_word_and_close_behind_it() {
    for (written, corrected) in [
        ("\"and where--\" he asked", "“And where—” he asked"),
        ("\"and where--\"", "“And where—”"),
        ("'and where--'", "‘And where—’"),
        ("\"he said 'where--'\"", "“He said ‘where—’”"),
        ("(\"where--\")", "(“Where—”)"),
        ("\"where--\"--he rose", "“Where—”—he rose"),
        ("\"where--\", he asked", "“Where—”, he asked"),
        ("he said--\"no\"", "He said—“no”"),
        ("he said--\"'tis so\"", "He said—“‘tis so”"),
        ("he said--\"(no)\"", "He said—“(no)”"),
        ("he said -- \"no\" -- twice", "He said — “no” — twice"),
        ("\"--so it goes\"", "“—so it goes”"),
    ] {
        assert_eq!(copy_editor::correct(written), corrected);
        assert_eq!(copy_editor::correct(corrected), corrected, "nothing is left to correct");
    }
}

#[test]
fn copy_editor_keeps_every_word_of_the_demo() {
    let letters = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    for line in include_str!("../../../../demo/passages/passages.jsonl").lines() {
        let passage: Value = serde_json::from_str(line).unwrap();
        let text = passage["text"].as_str().unwrap();
        let corrected = copy_editor::correct(text);
        assert_eq!(letters(&corrected), letters(text));
        assert_eq!(copy_editor::correct(&corrected), corrected);
    }
}

fn data_url(picture: &RgbImage, format: ImageFormat) -> String {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    format!("data:{};base64,{}", format.to_mime_type(), STANDARD.encode(bytes.into_inner()))
}

fn picture(colours: &[(u32, [u8; 3])]) -> RgbImage {
    let rows = colours.iter().flat_map(|(rows, colour)| (0..*rows).map(|_| Rgb(*colour)));
    let rows: Vec<_> = rows.collect();
    RgbImage::from_fn(64, u32::try_from(rows.len()).unwrap(), |_, y| {
        rows[usize::try_from(y).unwrap()]
    })
}

#[test]
fn pictures_are_described_by_their_colours() {
    let (navy, orange, white) = ([10, 20, 90], [250, 140, 20], [255, 255, 255]);
    for (colours, said) in [
        (vec![(40, navy), (8, orange)], "A 64 × 48 picture, mostly dark blue with some orange."),
        (vec![(8, white)], "A 64 × 8 picture, all white."),
        (vec![(5, navy), (5, orange)], "A 64 × 10 picture, dark blue and orange."),
        (
            vec![(4, navy), (3, orange), (3, white)],
            "A 64 × 10 picture, dark blue, orange and white.",
        ),
        (vec![(59, [0; 3]), (1, white)], "A 64 × 60 picture, all black."),
    ] {
        let url = data_url(&picture(&colours), ImageFormat::Png);
        assert_eq!(picture::describe(&url).unwrap(), said);
    }
    let green = data_url(&picture(&[(16, [30, 160, 40])]), ImageFormat::Jpeg);
    assert_eq!(picture::describe(&green).unwrap(), "A 64 × 16 picture, all green.");
}

#[test]
fn broken_pictures_are_refused() {
    let whole = data_url(&picture(&[(64, [1, 2, 3])]), ImageFormat::Png);
    for broken in [
        "https://example.org/cat.png",
        "data:image/png,cat",
        "data:text/plain;base64,AAAA",
        "data:image/png;base64,*",
        "data:image/png;base64,",
        "data:image/png;base64,AAAA",
        whole.get(..whole.len() / 2 / 4 * 4).unwrap(),
    ] {
        assert!(picture::describe(broken).is_err(), "{broken}");
    }
}

fn answer(request: &Value) -> Result<Value, ApiError> {
    completion::answer(&ChatRequest::parse(request.to_string().as_bytes())?)
}

#[test]
fn answers_the_last_message_of_the_user() {
    let request = json!({
        "model": "stand-in-1",
        "messages": [
            { "role": "system", "content": "correct this" },
            { "role": "user", "content": "not  this" },
            { "role": "assistant", "content": null },
            { "role": "user", "content": [{ "type": "text", "text": "but  this" }] },
        ],
    });
    let answer = answer(&request).unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "But this");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["usage"]["prompt_tokens"], 3 + 3 + 3);
    assert_eq!(answer["usage"]["completion_tokens"], 2);
    assert_eq!(answer["usage"]["total_tokens"], 11);
}

#[test]
fn max_tokens_cuts_between_characters() {
    let request = json!({
        "model": "stand-in-1",
        "max_tokens": 1,
        "messages": [{ "role": "user", "content": "Öäüß" }],
    });
    let answer = answer(&request).unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "Öä");
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
}
