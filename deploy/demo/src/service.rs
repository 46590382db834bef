//! The AI service that the worker calls: a real one where there is a key for it, else a stand-in.

use std::{collections::BTreeMap, env, time::Duration};

use actionfleet_local::{Misbehaviour, Standin};
use actionfleet_proto::definition::{DefinitionKind, Model, Provider, Texts};
use anyhow::bail;

use crate::material::Share;

const KEY: &str = "OPENAI_API_KEY";
const BASE_URL: &str = "OPENAI_BASE_URL";
const MODEL: &str = "OPENAI_MODEL";

/// The name of the stand-in's secret. It takes any key, but not none.
const STANDIN_KEY: &str = "STANDIN_API_KEY";

pub(crate) struct Service {
    /// How the worker reaches it.
    pub(crate) provider: Provider,
    standin: Option<Standin>,
}

impl Service {
    pub(crate) async fn choose() -> anyhow::Result<Self> {
        match variable(KEY) {
            Some(_) => Self::real(),
            None => Self::standin().await,
        }
    }

    fn real() -> anyhow::Result<Self> {
        let url = variable(BASE_URL).unwrap_or_else(|| "https://api.openai.com/v1".to_owned());
        let model = variable(MODEL).unwrap_or_else(|| "gpt-4o-mini".to_owned());
        let provider = provider("openai", url, KEY, model);
        if let Some(problem) = provider.problems().first() {
            bail!("{BASE_URL} or {MODEL} cannot be used: {}: {}", problem.field, problem.problem);
        }
        Ok(Self { provider, standin: None })
    }

    async fn standin() -> anyhow::Result<Self> {
        let standin = Standin::start(misbehaviour()).await?;
        let url = format!("{}/v1", standin.url());
        let provider = provider("stand-in", url, STANDIN_KEY, "stand-in-1".to_owned());
        Ok(Self { provider, standin: Some(standin) })
    }

    pub(crate) fn share(&self) -> Share {
        if self.standin.is_some() { Share::All } else { Share::Few }
    }

    /// What the worker needs in its environment.
    pub(crate) fn environment(&self) -> &'static [(&'static str, &'static str)] {
        match self.standin {
            // a proxy cannot reach this machine's own address
            Some(_) => {
                &[(STANDIN_KEY, "any"), ("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")]
            }
            // the key is inherited
            None => &[],
        }
    }

    pub(crate) fn introduction(&self) -> String {
        let Provider { base_url, default_model, .. } = &self.provider;
        if self.standin.is_none() {
            return format!(
                "{KEY} is set: the jobs go to {base_url}, model {default_model}.\n\
                 As its calls cost money, there are a dozen jobs instead of over a hundred."
            );
        }
        let Misbehaviour { rate_limited, unavailable, slow, slow_by, .. } = misbehaviour();
        format!(
            "{KEY} is not set: a stand-in takes the place of an AI service, at {base_url}.\n\
             It is offline and has no model: it corrects text by rule and names a picture's colours.\n\
             It misbehaves on purpose: {:.0}% of its answers are 429 with Retry-After, {:.0}% are \
             503,\nand {:.0}% come {} s late.",
            rate_limited * 100.0,
            unavailable * 100.0,
            slow * 100.0,
            slow_by.as_secs(),
        )
    }

    /// How the stand-in answered.
    pub(crate) fn answers(&self) -> Option<String> {
        let stats = self.standin.as_ref()?.stats();
        let answers = stats.answers.iter().map(|(status, count)| format!("{count} × {status}"));
        let answers = answers.collect::<Vec<_>>().join(", ");
        Some(format!("The stand-in answered {} calls: {answers}.", stats.requests))
    }
}

fn misbehaviour() -> Misbehaviour {
    Misbehaviour {
        latency: Duration::from_millis(200),
        rate_limited: 0.08,
        unavailable: 0.06,
        slow: 0.1,
        slow_by: Duration::from_secs(1),
        ..Misbehaviour::default()
    }
}

fn provider(identifier: &str, base_url: String, key: &str, model: String) -> Provider {
    Provider {
        kind: DefinitionKind::Provider,
        identifier: identifier.to_owned(),
        names: Texts::new(),
        descriptions: Texts::new(),
        enabled: None,
        base_url,
        api_key: Some(key.to_owned()),
        models: BTreeMap::from([(model.clone(), Model::default())]),
        default_model: model,
        default_temperature: None,
        default_max_tokens: None,
    }
}

/// Set to nothing is not set.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}
