//! Lanes are named by the operator, so their keys are patterns.

use std::{collections::BTreeMap, num::NonZeroU16};

use actionfleet_proto::check_lane;

use crate::config::{key::Key, setting::Setting, values::Values};

/// There without being configured, with their weights.
const BUILT_IN: [(&str, &str); 2] = [("bulk", "1"), ("default", "3")];

/// The queues of jobs, by name. `default` and `bulk` are always there.
#[derive(Debug, Clone)]
pub(crate) struct Lanes(pub(crate) BTreeMap<String, Lane>);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Lane {
    pub(crate) weight: NonZeroU16,
    pub(crate) permits: Option<NonZeroU16>,
}

const WEIGHT: Key = Key {
    name: "lanes.<lane>.weight",
    kind: NonZeroU16::KIND,
    default: "1",
    about: "Share of `worker.permits` that the lane gets beside the others; the lane `default` has 3.",
    shown: NonZeroU16::shown,
};

const PERMITS: Key = Key {
    name: "lanes.<lane>.permits",
    kind: NonZeroU16::KIND,
    default: "",
    about: "Jobs of the lane in execution at once, in place of its share.",
    shown: NonZeroU16::shown,
};

impl Lanes {
    pub(in crate::config) const KEYS: &[Key] = &[WEIGHT, PERMITS];

    pub(in crate::config) fn read(values: &mut Values) -> Option<Self> {
        for (lane, weight) in BUILT_IN {
            values.set_default(&format!("lanes.{lane}.weight"), weight, &WEIGHT);
        }
        let mut lanes = BTreeMap::new();
        let mut complete = true;
        for name in values.names_under("lanes") {
            let (weight, permits) =
                (format!("lanes.{name}.weight"), format!("lanes.{name}.permits"));
            values.set_default(&weight, WEIGHT.default, &WEIGHT);
            values.set_default(&permits, PERMITS.default, &PERMITS);
            if let Err(rule) = check_lane(&name) {
                values.refuse(&weight, rule.to_string());
            }
            match (values.read(&weight), values.read(&permits)) {
                (Some(weight), Some(permits)) => {
                    lanes.insert(name, Lane { weight, permits });
                }
                _ => complete = false,
            }
        }
        complete.then_some(Self(lanes))
    }
}
