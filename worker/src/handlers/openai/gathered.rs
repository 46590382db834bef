//! What the calls of one job add up to.

use actionfleet_proto::{Code, Cost, Output, Usage, definition::Model};

use super::wire::Tokens;
use crate::{
    handler::{Completion, HandlerError},
    json_bytes::json_bytes,
};

/// One answer.
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) model: Option<String>,
    pub(super) tokens: Option<Tokens>,
}

/// The answers so far, in the order in which they came.
pub(super) struct Gathered {
    texts: Vec<(usize, String)>,
    /// Of the output's JSON.
    bytes: usize,
    most: usize,
    model: Option<String>,
    /// Of the calls that reported any.
    tokens: Option<Tokens>,
}

impl Gathered {
    pub(super) fn new(most: usize) -> Self {
        let bytes = json_bytes(&Output::Text(Vec::new()));
        Self { texts: Vec::new(), bytes, most, model: None, tokens: None }
    }

    /// Refuses what would make the output larger than it may be, and says how many answers there
    /// are.
    pub(super) fn add(&mut self, index: usize, reply: Reply) -> Result<usize, HandlerError> {
        let comma = usize::from(!self.texts.is_empty());
        self.bytes = self.bytes.saturating_add(json_bytes(&reply.text) + comma);
        if self.bytes > self.most {
            let message = format!(
                "the answers have more than {} bytes of JSON, which is what fits a result \
                 (limits.job_bytes); give a job fewer texts, or ask for shorter answers",
                self.most
            );
            return Err(HandlerError::of(Code::ResponseTooLarge, message));
        }
        self.texts.push((index, reply.text));
        if self.model.is_none() {
            self.model = reply.model;
        }
        if let Some(tokens) = reply.tokens {
            let sum = self.tokens.get_or_insert_default();
            sum.prompt_tokens = sum.prompt_tokens.saturating_add(tokens.prompt_tokens);
            sum.completion_tokens = sum.completion_tokens.saturating_add(tokens.completion_tokens);
        }
        Ok(self.texts.len())
    }

    /// The price is that of the model asked for.
    pub(super) fn into_completion(mut self, name: &str, model: &Model) -> Completion {
        self.texts.sort_unstable_by_key(|(index, _)| *index);
        let texts = self.texts.into_iter().map(|(_, text)| text).collect();
        let usage = self.tokens.map(|tokens| {
            let Tokens { prompt_tokens: input_tokens, completion_tokens: output_tokens } = tokens;
            let cost = model.price.as_ref().and_then(|price| {
                let amount = price.of(input_tokens, output_tokens)?;
                Some(Cost { amount, currency: price.currency.clone() })
            });
            let model = self.model.unwrap_or_else(|| name.to_owned());
            Usage { model, input_tokens, output_tokens, cost }
        });
        Completion { output: Output::Text(texts), usage }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str, tokens: Option<u64>) -> Reply {
        let tokens = tokens.map(|n| Tokens { prompt_tokens: n, completion_tokens: u64::MAX });
        Reply { text: text.into(), model: None, tokens }
    }

    #[test]
    fn answers_come_in_any_order_and_stand_in_theirs() {
        let mut gathered = Gathered::new(100);
        for (index, text, tokens) in [(2, "c", Some(1)), (0, "a", None), (1, "b", Some(2))] {
            gathered.add(index, reply(text, tokens)).unwrap();
        }
        let completion = gathered.into_completion("m", &Model::default());
        assert_eq!(completion.output, Output::Text(["a", "b", "c"].map(String::from).into()));
        let usage = completion.usage.unwrap();
        assert_eq!((usage.model.as_str(), usage.cost), ("m", None));
        assert_eq!((usage.input_tokens, usage.output_tokens), (3, u64::MAX));
    }
}
