use actionfleet_store::{
    Catalog, Criterion, Direction, Entry, EntryKey, LocalText, Query, Sort, SortField,
};
use serde_json::json;

use crate::{catalog::named, place::Place};

async fn filled(place: &Place) -> std::sync::Arc<dyn Catalog> {
    let catalog = place.open().await.catalog;
    for (tenant, kind, identifier, name, enabled) in [
        ("default", "action_type", "zoom", "Überschrift finden", true),
        ("default", "action_type", "alt", "Alternative text", false),
        ("default", "provider", "open%ai", "OpenAI 100% [x]", true),
        ("acme", "action_type", "alt", "Acme's 'alt'", true),
    ]
    .map(|it| (it.0, it.1, it.2.replace('%', "_"), it.3, it.4))
    {
        let entry = Entry::new(EntryKey::new(tenant, kind, identifier), json!({}));
        let of_type = (kind == "action_type").then(|| "text_to_text".to_owned());
        let entry = Entry { texts: named(name), enabled, of_type, ..entry };
        catalog.put(entry).await.unwrap();
    }
    let german = LocalText { name: "Nur deutsch".into(), description: None };
    let entry = Entry::new(EntryKey::new("default", "provider", "nur"), json!({}));
    let texts = [("ger-DE".to_owned(), german)].into();
    catalog.put(Entry { texts, ..entry }).await.unwrap();
    catalog
}

async fn found(catalog: &dyn Catalog, query: &Query) -> Vec<String> {
    let page = catalog.find(query).await.unwrap();
    page.entries.iter().map(|it| format!("{}/{}", it.key.tenant, it.key.identifier)).collect()
}

pub async fn entries_are_found_by_each_criterion(place: &Place) {
    use Criterion::{
        All, Any, Enabled, Identifier, Kind, NameContains, NameStartsWith, Tenant, Type,
    };

    let catalog = filled(place).await;
    let language = || "eng-GB".to_owned();
    let contains = |text: &str| NameContains { language: language(), text: text.into() };
    let starts = |text: &str| NameStartsWith { language: language(), text: text.into() };
    let tenant = |tenant: &str| Tenant(tenant.into());
    let identifier = |it: &str| Identifier(it.into());
    for (criterion, expected) in [
        (
            All(vec![]),
            vec!["acme/alt", "default/alt", "default/nur", "default/open_ai", "default/zoom"],
        ),
        (Any(vec![]), vec![]),
        (tenant("acme"), vec!["acme/alt"]),
        (Kind("provider".into()), vec!["default/nur", "default/open_ai"]),
        (identifier("alt"), vec!["acme/alt", "default/alt"]),
        (identifier("al"), vec![]),
        (Type("text_to_text".into()), vec!["acme/alt", "default/alt", "default/zoom"]),
        (Enabled(false), vec!["default/alt"]),
        (contains("aLT"), vec!["acme/alt", "default/alt"]),
        (contains("ÜBER"), vec!["default/zoom"]),
        (contains("0% ["), vec!["default/open_ai"]),
        (contains("_"), vec![]),
        (contains("deutsch"), vec![]),
        (contains("'alt'"), vec!["acme/alt"]),
        (starts("alt"), vec!["default/alt"]),
        (starts("ext"), vec![]),
        (Any(vec![identifier("zoom"), starts("open")]), vec!["default/open_ai", "default/zoom"]),
        (
            All(vec![identifier("alt"), Any(vec![Enabled(false), tenant("acme")]), contains("a")]),
            vec!["acme/alt", "default/alt"],
        ),
        (All(vec![identifier("alt"), Enabled(true)]), vec!["acme/alt"]),
    ] {
        let query = Query { criterion: criterion.clone(), ..Query::default() };
        let mut named = found(&*catalog, &query).await;
        let page = catalog.find(&query).await.unwrap();
        assert_eq!(page.total, u64::try_from(expected.len()).unwrap(), "{criterion:?}");
        named.sort_unstable();
        assert_eq!(named, expected, "{criterion:?}");
    }
}

pub async fn pages_come_in_each_order(place: &Place) {
    let catalog = filled(place).await;
    let name = |language: &str| SortField::Name { language: language.into() };
    for (by, expected) in [
        (
            SortField::Id,
            ["default/zoom", "default/alt", "default/open_ai", "acme/alt", "default/nur"],
        ),
        (
            SortField::Identifier,
            ["default/alt", "acme/alt", "default/nur", "default/open_ai", "default/zoom"],
        ),
        (
            name("eng-GB"),
            ["default/nur", "acme/alt", "default/alt", "default/open_ai", "default/zoom"],
        ),
        (
            SortField::Enabled,
            ["default/alt", "default/zoom", "default/open_ai", "acme/alt", "default/nur"],
        ),
    ] {
        for direction in [Direction::Ascending, Direction::Descending] {
            let mut expected: Vec<String> = expected.iter().map(|it| (*it).to_owned()).collect();
            if direction == Direction::Descending {
                expected.reverse();
            }
            let sort = Sort { by: by.clone(), direction };
            let mut all = Vec::new();
            for offset in [0, 2, 4, 6] {
                let query = Query { sort: sort.clone(), limit: 2, offset, ..Query::default() };
                assert_eq!(catalog.find(&query).await.unwrap().total, 5);
                all.extend(found(&*catalog, &query).await);
            }
            assert_eq!(all, expected, "{sort:?}");
        }
    }
    let sort = Sort { by: SortField::Updated, direction: Direction::Descending };
    let page = catalog.find(&Query { sort, ..Query::default() }).await.unwrap();
    assert!(page.entries.is_sorted_by(|one, next| one.updated_at >= next.updated_at));
    assert_eq!(page.entries.len(), 5);
}
