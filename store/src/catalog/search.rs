//! The search for entries as SQL, over `catalog e`.

use crate::{
    port::{Criterion, Direction, Query, SortField},
    sql::{Dialect, Statement, Value},
};

/// The page.
pub(crate) fn search(dialect: Dialect, columns: &str, query: &Query) -> Statement {
    let mut sql = Statement::new(dialect, "select ");
    sql.push(columns).push(" from catalog e where ");
    condition(&mut sql, &query.criterion);
    sql.push(" order by ");
    match &query.sort.by {
        SortField::Identifier => sql.push("e.identifier"),
        SortField::Updated => sql.push("e.updated_at"),
        SortField::Enabled => sql.push("e.enabled"),
        SortField::Id => sql.push("e.id"),
        SortField::Name { language } => sql
            .push("coalesce((select n.folded from catalog_names n where n.entry_id = e.id and n.language = ")
            .bind_text(language)
            .push("), '')"),
    };
    if query.sort.direction == Direction::Descending {
        sql.push(" desc");
    }
    // the direction of an index that has both
    match (&query.sort.by, query.sort.direction) {
        (SortField::Id, _) => &mut sql,
        (_, Direction::Ascending) => sql.push(", e.id"),
        (_, Direction::Descending) => sql.push(", e.id desc"),
    };
    sql.push(" limit ").bind(Value::Integer(query.limit.into()));
    sql.push(" offset ").bind(Value::Integer(query.offset.into()));
    sql
}

/// How many there are on all pages.
pub(crate) fn count(dialect: Dialect, query: &Query) -> Statement {
    let mut sql = Statement::new(dialect, "select count(*) from catalog e where ");
    condition(&mut sql, &query.criterion);
    sql
}

fn condition(sql: &mut Statement, criterion: &Criterion) {
    match criterion {
        Criterion::Tenant(tenant) => sql.push("e.tenant = ").bind_text(tenant),
        Criterion::Kind(kind) => sql.push("e.kind = ").bind_text(kind),
        Criterion::Identifier(identifier) => sql.push("e.identifier = ").bind_text(identifier),
        Criterion::Type(of_type) => sql.push("e.of_type = ").bind_text(of_type),
        Criterion::Enabled(enabled) => sql.push("e.enabled = ").bind(Value::Bool(*enabled)),
        Criterion::NameContains { language, text } => name(sql, language, text, " > 0)"),
        Criterion::NameStartsWith { language, text } => name(sql, language, text, " = 1)"),
        Criterion::All(parts) => joined(sql, parts, " and ", "true"),
        Criterion::Any(parts) => joined(sql, parts, " or ", "false"),
    };
}

fn name<'a>(sql: &'a mut Statement, language: &str, text: &str, place: &str) -> &'a mut Statement {
    let position = sql.dialect.position();
    sql.push("exists (select 1 from catalog_names n where n.entry_id = e.id and n.language = ")
        .bind_text(language)
        .push(" and ")
        .push(position)
        .push("(n.folded, ")
        .bind_text(&text.to_lowercase())
        .push(")")
        .push(place)
}

fn joined<'a>(
    sql: &'a mut Statement,
    parts: &[Criterion],
    by: &str,
    of_none: &str,
) -> &'a mut Statement {
    if parts.is_empty() {
        return sql.push(of_none);
    }
    sql.push("(");
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            sql.push(by);
        }
        condition(sql, part);
    }
    sql.push(")")
}
