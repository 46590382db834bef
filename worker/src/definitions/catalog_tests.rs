use actionfleet_proto::definition::{ActionType, Definition, Provider};
use serde_json::{Value, json};

use super::*;

fn item(definition: Value, enabled: bool) -> Item {
    let definition = if definition["kind"] == "provider" {
        let provider: Provider = serde_json::from_value(definition).unwrap();
        Definition::Provider(provider)
    } else {
        let action_type: ActionType = serde_json::from_value(definition).unwrap();
        Definition::ActionType(action_type)
    };
    let compiled = Compiled::new(definition, "default").unwrap();
    Item { compiled, enabled, origin: None }
}

fn provider(identifier: &str, enabled: bool) -> Item {
    let definition = json!({
        "kind": "provider", "identifier": identifier, "base_url": "https://h.example/v1",
        "models": {"m": {}}, "default_model": "m",
    });
    item(definition, enabled)
}

fn action(identifier: &str, prompt: &str, enabled: bool) -> Item {
    let definition = json!({
        "kind": "action_type", "identifier": identifier, "input": "text", "output": "text",
        "base_prompt": prompt,
    });
    item(definition, enabled)
}

fn prompt(catalog: &Catalog, action: &str) -> Option<String> {
    match catalog.action(action)? {
        ActionDefinition::Type(action_type) => action_type.base_prompt.clone(),
        ActionDefinition::Http(_) => None,
    }
}

#[test]
fn a_tenant_has_its_own_before_those_of_all() {
    let shared = [action("a", "shared", true), action("b", "shared", true), provider("p", true)];
    let shared = Arc::new(Catalog::shared(shared));
    let own = [action("a", "own", true), action("c", "own", true), provider("q", true)];
    let catalog = Catalog::over(shared.clone(), own);
    for (name, expected) in
        [("a", Some("own")), ("b", Some("shared")), ("c", Some("own")), ("d", None)]
    {
        assert_eq!(prompt(&catalog, name).as_deref(), expected, "{name}");
    }
    assert!(prompt(&shared, "c").is_none() && catalog.action("refine_text").is_some());
    let mut providers: Vec<_> =
        catalog.providers().map(|provider| provider.definition.identifier.clone()).collect();
    providers.sort();
    assert_eq!(providers, ["p", "q"]);
    assert_eq!(catalog.nearest_action("refine_txt", "any"), Some("refine_text"));
}

#[test]
fn what_a_tenant_has_disabled_hides_what_all_have() {
    let shared = Arc::new(Catalog::shared([action("a", "shared", true), provider("p", true)]));
    let own =
        [action("a", "own", false), action("refine_text", "own", false), provider("p", false)];
    let catalog = Catalog::over(shared.clone(), own);
    for name in ["a", "refine_text"] {
        assert!(catalog.action(name).is_none() && catalog.is_action_disabled(name), "{name}");
        assert!(shared.action(name).is_some() && !shared.is_action_disabled(name), "{name}");
    }
    assert!(catalog.provider("p").is_none() && catalog.is_provider_disabled("p"));
    assert_eq!((catalog.providers().count(), shared.providers().count()), (0, 1));
    assert!(!catalog.is_action_disabled("unknown") && !catalog.is_provider_disabled("unknown"));
}

#[test]
fn what_is_broken_hides_what_all_have() {
    let shared = [action("a", "shared", true), provider("p", true)];
    let shared =
        Catalog::shared(shared).without([(DefinitionKind::ActionType, "refine_text".to_owned())]);
    let broken = [(DefinitionKind::Provider, "p"), (DefinitionKind::HttpAction, "a")];
    let broken = broken.map(|(kind, name)| (kind, name.to_owned()));
    let shared = Arc::new(shared);
    let catalog = Catalog::over(shared.clone(), [action("b", "own", true)]).without(broken);
    for name in ["a", "refine_text"] {
        assert!(catalog.action(name).is_none() && !catalog.is_action_disabled(name), "{name}");
    }
    assert!(catalog.action("b").is_some() && catalog.provider("p").is_none());
    assert!(shared.action("a").is_some() && shared.provider("p").is_some());
}

#[test]
fn nobody_is_told_the_name_of_what_is_not_for_it() {
    let mut private = action("private", "x", true);
    if let Compiled::ActionType(compiled) = &private.compiled {
        let mut definition = (*compiled.definition).clone();
        definition.tenants = Some(vec!["acme".to_owned()]);
        let compiled = CompiledActionType::new(definition).unwrap();
        private.compiled = Compiled::ActionType(Arc::new(compiled));
    }
    let catalog = Catalog::shared([private, action("disabled", "x", false)]);
    assert_eq!(catalog.nearest_action("privat", "acme"), Some("private"));
    assert_eq!(catalog.nearest_action("privat", "other"), None);
    assert_eq!(catalog.nearest_action("disable", "acme"), None);
}
