use actionfleet_store::{Criterion, Direction, Query, Sort, SortField};
use clap::{Args, ValueEnum};

use super::{KindArg, Session, tenant, view};
use crate::{
    exit::{Exit, Failure},
    output::{self, Output},
};

/// All that are given must hold.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only of this tenant
    #[arg(long, value_parser = tenant)]
    tenant: Option<String>,
    /// Only of this kind
    #[arg(long, value_enum)]
    kind: Option<KindArg>,
    /// Only with exactly this identifier
    #[arg(long)]
    identifier: Option<String>,
    /// Only with this text in their name, in upper or lower case
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Only with a name that begins so, in upper or lower case
    #[arg(long, value_name = "TEXT")]
    name_starts: Option<String>,
    /// The language of names
    #[arg(long, default_value = "eng-GB", value_name = "CODE")]
    language: String,
    /// Only those that jobs may use
    #[arg(long)]
    enabled: bool,
    /// Only those that no job may use
    #[arg(long, conflicts_with = "enabled")]
    disabled: bool,
    /// By what they are sorted; `id` is the order in which they were created
    #[arg(long, value_enum, default_value = "identifier")]
    sort: SortArg,
    /// From the last to the first
    #[arg(long)]
    descending: bool,
    /// How many to show; 1 to 1,000
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// How many to leave out before them
    #[arg(long, default_value_t = 0)]
    offset: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SortArg {
    Identifier,
    Name,
    Updated,
    Enabled,
    Id,
}

impl ListArgs {
    fn query(&self) -> Query {
        let language = || self.language.clone();
        let criteria = [
            self.tenant.clone().map(Criterion::Tenant),
            self.kind.map(|kind| Criterion::Kind(kind.kind().as_str().to_owned())),
            self.identifier.clone().map(Criterion::Identifier),
            self.name.clone().map(|text| Criterion::NameContains { language: language(), text }),
            self.name_starts
                .clone()
                .map(|text| Criterion::NameStartsWith { language: language(), text }),
            (self.enabled || self.disabled).then_some(Criterion::Enabled(self.enabled)),
        ];
        let by = match self.sort {
            SortArg::Identifier => SortField::Identifier,
            SortArg::Name => SortField::Name { language: language() },
            SortArg::Updated => SortField::Updated,
            SortArg::Enabled => SortField::Enabled,
            SortArg::Id => SortField::Id,
        };
        let direction = if self.descending { Direction::Descending } else { Direction::Ascending };
        Query {
            criterion: Criterion::All(criteria.into_iter().flatten().collect()),
            sort: Sort { by, direction },
            limit: self.limit,
            offset: self.offset,
        }
    }
}

impl Session {
    pub(super) async fn list(&self, args: ListArgs) -> Result<Exit, Failure> {
        let found = self.catalog.find(&args.query()).await;
        let page = found.map_err(|error| self.failure(&error))?;
        if self.output == Output::Json {
            page.entries.iter().try_for_each(|entry| output::json(&view::summary(entry)))?;
            return Ok(Exit::Done);
        }
        output::print(&view::list(&page.entries, &args.language))?;
        let shown = u64::try_from(page.entries.len()).unwrap_or(u64::MAX);
        if u64::from(args.offset).saturating_add(shown) < page.total {
            eprintln!("{shown} of {} (--limit, --offset)", page.total);
        }
        Ok(Exit::Done)
    }
}
