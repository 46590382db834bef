//! What is refused before it comes near a database.

use actionfleet_proto::{check_identifier, check_job_id, check_lane};

use crate::{
    error::StoreError,
    port::{Claim, JobFilter, Outcome},
};

pub(crate) fn check_claim(claim: &Claim) -> Result<(), StoreError> {
    let Claim { job_id, attempt, tenant, action, lane, .. } = claim;
    check_job_id(job_id).map_err(|rule| named("job_id", job_id, &rule))?;
    check_identifier(tenant).map_err(|rule| named("tenant", tenant, &rule))?;
    check_identifier(action).map_err(|rule| named("action", action, &rule))?;
    check_lane(lane).map_err(|rule| named("lane", lane, &rule))?;
    if *attempt == 0 {
        return Err(StoreError::invalid("attempt", "is 0; attempts are counted from 1"));
    }
    Ok(())
}

pub(crate) fn check_outcome(outcome: &Outcome) -> Result<(), StoreError> {
    let Some(cost) = &outcome.cost else { return Ok(()) };
    let (whole, places) = cost.amount.split_once('.').unwrap_or((&cost.amount, "0"));
    let digits =
        |text: &str| (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(places) {
        let problem = format!(
            "{:?} is not a decimal number with at most 12 digits before and 12 after the point; \
             give it as \"0.000032\"",
            cost.amount
        );
        return Err(StoreError::invalid("cost", problem));
    }
    let is_currency =
        cost.currency.len() == 3 && cost.currency.bytes().all(|b| b.is_ascii_uppercase());
    if !is_currency {
        let problem =
            format!("has the currency {:?}; give its ISO 4217 code, as USD", cost.currency);
        return Err(StoreError::invalid("cost", problem));
    }
    Ok(())
}

pub(crate) fn check_ids(job_ids: &[String]) -> Result<(), StoreError> {
    const MAX: usize = 1000;
    if job_ids.len() > MAX {
        let problem = format!("are {}; give at most {MAX} at once", job_ids.len());
        return Err(StoreError::invalid("job_ids", problem));
    }
    let unfit = job_ids.iter().find_map(|id| Some((id, check_job_id(id).err()?)));
    unfit.map_or(Ok(()), |(id, rule)| Err(named("job_ids", id, &rule)))
}

/// Yields the size of the page.
pub(crate) fn check_filter(filter: &JobFilter) -> Result<u32, StoreError> {
    let limit = filter.limit.unwrap_or(JobFilter::LIMIT_DEFAULT);
    if !(1..=JobFilter::LIMIT_MAX).contains(&limit) {
        let problem = format!("is {limit}; 1 to {} jobs fit on a page", JobFilter::LIMIT_MAX);
        return Err(StoreError::invalid("limit", problem));
    }
    for (field, from, to) in [
        ("created_from", filter.created_from, filter.created_to),
        ("finished_from", filter.finished_from, filter.finished_to),
    ] {
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            let problem = format!("is {from}, which is after the end of the range, {to}");
            return Err(StoreError::invalid(field, problem));
        }
    }
    Ok(limit)
}

fn named(field: &'static str, value: &str, rule: &dyn std::fmt::Display) -> StoreError {
    let shown: String = value.chars().take(40).collect();
    StoreError::invalid(field, format!("{shown:?} does not fit: {rule}"))
}
