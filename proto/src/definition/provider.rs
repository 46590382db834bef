use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    DefinitionKind, Problem,
    texts::{self, Texts},
};
use crate::names::check_definition_identifier;

/// An OpenAI-compatible service: a base URL, a key and the models it offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// `provider`.
    pub kind: DefinitionKind,
    pub identifier: String,
    /// By language code, such as `eng-GB`: 1 to 190 characters each.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub names: Texts,
    /// By language code, for people, each beside a name: at most 4,000 characters.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub descriptions: Texts,
    /// Whether jobs may use it. Where absent, what is in force in the catalog stays so; a new
    /// definition is enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Up to and without `/chat/completions`, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The name of the secret that holds the key; absent for services without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// By the identifier that the service knows them by.
    pub models: BTreeMap<String, Model>,
    /// One of `models`.
    pub default_model: String,
    /// 0 to 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_temperature: Option<f64>,
    /// At most the default model's `max_tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_max_tokens: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The most output tokens that a call may ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

/// Prices for a million tokens, as decimal text: `"0.15"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub input_per_million: String,
    pub output_per_million: String,
    /// ISO 4217.
    pub currency: String,
}

impl Price {
    /// Decimal places carried: a millionth of a millionth of the currency's unit.
    const SCALE: u32 = 12;

    /// The price of a call as decimal text, exact to twelve places; `None` where a price does not
    /// read.
    pub fn of(&self, input_tokens: u64, output_tokens: u64) -> Option<String> {
        let of = |price: &str, tokens: u64| micros(price)?.checked_mul(u128::from(tokens));
        let total = of(&self.input_per_million, input_tokens)?
            .checked_add(of(&self.output_per_million, output_tokens)?)?;
        let unit = 10_u128.pow(Self::SCALE);
        let text = format!("{}.{:012}", total / unit, total % unit);
        let trimmed = text.trim_end_matches('0');
        Some(trimmed.strip_suffix('.').map_or(trimmed.to_owned(), str::to_owned))
    }
}

/// Millionths of a decimal text with at most six places.
fn micros(decimal: &str) -> Option<u128> {
    let (whole, places) = decimal.split_once('.').unwrap_or((decimal, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || places.len() > 6 || !digits(whole) || !digits(places)
    {
        return None;
    }
    format!("{whole}{places:0<6}").parse().ok()
}

impl Provider {
    /// Everything that is wrong with it, beyond its types.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = texts::problems(&self.names, &self.descriptions);
        if let Err(rule) = check_definition_identifier(&self.identifier) {
            problems.push(Problem::new("identifier", rule.to_string()));
        }
        if !self.base_url.starts_with("https://") && !self.base_url.starts_with("http://") {
            problems.push(Problem::new("base_url", "must start with https:// or http://"));
        }
        match self.models.get(&self.default_model) {
            None => {
                let known: Vec<_> = self.models.keys().map(String::as_str).collect();
                let problem = format!(
                    "{:?} is not one of `models` ({}); add it there or choose one of them",
                    self.default_model,
                    known.join(", "),
                );
                problems.push(Problem::new("default_model", problem));
            }
            Some(Model { max_tokens: Some(most), .. })
                if self.default_max_tokens.is_some_and(|tokens| tokens > *most) =>
            {
                let problem = format!("must be at most the default model's max_tokens, {most}");
                problems.push(Problem::new("default_max_tokens", problem));
            }
            Some(_) => {}
        }
        if self.default_temperature.is_some_and(|t| !(0.0..=2.0).contains(&t)) {
            problems.push(Problem::new("default_temperature", "must be from 0 to 2"));
        }
        for (name, model) in &self.models {
            let Some(price) = &model.price else { continue };
            if price.of(1, 1).is_none() {
                let problem = "prices are decimal text with at most six places, such as \"0.15\"";
                problems.push(Problem::new(format!("models.{name}.price"), problem));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        let price = Price {
            input_per_million: "0.15".into(),
            output_per_million: "0.60".into(),
            currency: "USD".into(),
        };
        assert_eq!(price.of(21, 48).unwrap(), "0.00003195");
        assert_eq!(price.of(0, 0).unwrap(), "0");
        assert_eq!(price.of(1_000_000, 0).unwrap(), "0.15");
        assert_eq!(price.of(u64::MAX, u64::MAX).unwrap(), "13835058055282.16371125");
        for bad in ["", "x", "-1", "1.1234567", "1e3", ".5", "1.2.3"] {
            let price = Price { input_per_million: bad.into(), ..price.clone() };
            assert_eq!(price.of(1, 1), None, "{bad:?}");
        }
    }
}
