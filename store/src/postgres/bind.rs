//! Values of statements that depend on what is asked for.

use std::{
    error::Error,
    time::{Duration, UNIX_EPOCH},
};

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::sql::{Statement, Value};

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Text(text) => text.to_sql(kind, out),
            Self::Integer(number) => number.to_sql(kind, out),
            Self::Bool(is) => is.to_sql(kind, out),
            Self::Day(day) => day.to_sql(kind, out),
            Self::Moment(millis) => {
                let since = Duration::from_millis(u64::try_from(*millis).unwrap_or(0));
                (UNIX_EPOCH + since).to_sql(kind, out)
            }
        }
    }

    /// The statements are written so that each place takes its value.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The values in their order.
pub(super) fn bound(statement: &Statement) -> Vec<&(dyn ToSql + Sync)> {
    fn value(value: &Value) -> &(dyn ToSql + Sync) {
        value
    }
    statement.values().iter().map(value).collect()
}
