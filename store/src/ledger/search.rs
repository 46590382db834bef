//! The list of jobs as SQL.

use actionfleet_proto::Status;

use super::row::{DAY, millis};
use crate::{
    port::{JobFilter, JobStatus},
    sql::{Dialect, Statement, Value},
};

/// Selects one row more than the page has, to know whether there is a next one.
pub(crate) fn search(dialect: Dialect, columns: &str, filter: &JobFilter, limit: u32) -> Statement {
    let mut sql = Statement::new(dialect, "select ");
    sql.push(columns).push(" from jobs where true");
    for (column, value) in [("tenant", &filter.tenant), ("action", &filter.action)] {
        if let Some(value) = value {
            sql.push(" and ").push(column).push(" = ").bind_text(value);
        }
    }
    if let Some(status) = filter.status {
        sql.push(" and status = ").bind_text(status.as_str());
        if status != JobStatus::Finished(Status::Succeeded) {
            // word for word the condition of the index, which has all but the many
            sql.push(" and status <> 'succeeded'");
        }
    }
    if let Some(code) = filter.code {
        sql.push(" and code is not null and code = ").bind_text(code.as_str());
    }
    for (condition, moment) in [
        (" and created_at >= ", filter.created_from),
        (" and created_at < ", filter.created_to),
        (" and finished_at >= ", filter.finished_from),
        (" and finished_at < ", filter.finished_to),
    ] {
        if let Some(moment) = moment {
            sql.push(condition).bind(Value::Moment(millis(moment)));
        }
    }
    if dialect == Dialect::Postgres {
        days(&mut sql, filter);
    }
    if let Some(after) = &filter.after {
        sql.push(" and (created_at, job_id) < (").bind(Value::Moment(millis(after.created_at)));
        sql.push(", ").bind_text(&after.job_id).push(")");
    }
    sql.push(" order by created_at desc, job_id desc limit ");
    sql.bind(Value::Integer(i64::from(limit) + 1));
    sql
}

/// Says it in days, too, which the partitions are by.
fn days(sql: &mut Statement, filter: &JobFilter) {
    let last = [filter.created_to, filter.after.as_ref().map(|after| after.created_at)];
    for (condition, moment) in [
        (" and day >= date '1970-01-01' + ", filter.created_from),
        (" and day <= date '1970-01-01' + ", last.into_iter().flatten().min()),
    ] {
        if let Some(moment) = moment {
            let day = i32::try_from(millis(moment).div_euclid(DAY)).unwrap_or(i32::MAX);
            sql.push(condition).bind(Value::Day(day)).push("::int");
        }
    }
}
