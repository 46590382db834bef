//! How entries are found.

use super::catalog::Entry;

/// What must hold of an entry. At most 64 criteria, 8 deep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Criterion {
    Tenant(String),
    Kind(String),
    Identifier(String),
    /// Exactly, as the entry has it in `of_type`.
    Type(String),
    Enabled(bool),
    /// Without regard to case.
    NameContains {
        language: String,
        text: String,
    },
    /// Without regard to case.
    NameStartsWith {
        language: String,
        text: String,
    },
    /// All of them; of none: everything.
    All(Vec<Criterion>),
    /// At least one of them; of none: nothing.
    Any(Vec<Criterion>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortField {
    Identifier,
    /// In a language, without regard to case; entries without a name in it come as if empty.
    Name {
        language: String,
    },
    Updated,
    Enabled,
    /// The order in which entries were created.
    Id,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    Ascending,
    Descending,
}

/// Entries that are equal under it come in the order of their creation, in the same direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    pub by: SortField,
    pub direction: Direction,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub criterion: Criterion,
    pub sort: Sort,
    /// 1 to 1,000.
    pub limit: u32,
    /// How many come before the page.
    pub offset: u32,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// On all pages.
    pub total: u64,
}

impl Default for Query {
    /// The first fifty of everything, by identifier.
    fn default() -> Self {
        Self {
            criterion: Criterion::All(Vec::new()),
            sort: Sort { by: SortField::Identifier, direction: Direction::Ascending },
            limit: 50,
            offset: 0,
        }
    }
}
