//! Actions as chatbots send them, with the values that break string replacement.

use serde_json::{Value, json};

use super::{
    Path,
    testing::{body, render},
};

#[test]
fn a_post_by_its_number() {
    let action = json!({
        "method": "GET", "url": "https://jsonplaceholder.typicode.com/posts/{{ post_id }}"
    });
    let rendered = render(action, json!({"post_id": 1})).unwrap();
    let url = rendered.request.url().as_str();
    assert_eq!(url, "https://jsonplaceholder.typicode.com/posts/1");
}

#[test]
fn the_weather_of_a_city() {
    let action = json!({
        "method": "GET", "url": "https://api.weatherapi.com/v1/forecast.json",
        "query": {"q": "{{ city }}", "key": "{{ secrets.API_KEY }}"}
    });
    for (city, encoded) in
        [("Paris", "Paris"), ("New York", "New%20York"), ("a&b=1", "a%26b%3D1"), ("x#y", "x%23y")]
    {
        let rendered = render(action.clone(), json!({"city": city})).unwrap();
        assert_eq!(
            rendered.request.url().as_str(),
            format!("https://api.weatherapi.com/v1/forecast.json?key=k%26y%3D1&q={encoded}")
        );
    }
    let response = json!({"forecast": {"forecastday": [{"day": {"maxtemp_c": 22}}]}});
    let path = Path::parse("forecast.forecastday[0].day").unwrap();
    assert_eq!(path.find(&response), Some(&json!({"maxtemp_c": 22})));
}

#[test]
fn a_price_with_types_and_quotes() {
    let action = json!({
        "url": "https://api.example.com/v1/products/{{product_id}}/price",
        "headers": {"Authorization": "Bearer {{secrets.API_KEY}}", "X-Custom-Header": "value"},
        "query": {"include": "details", "format": "json"},
        "body": {"quantity": "{{quantity | default(1)}}", "currency": "{{currency}}"}
    });
    for (arguments, expected) in [
        (
            json!({"product_id": "SKU-1", "quantity": 2, "currency": "EUR"}),
            json!({"quantity": 2, "currency": "EUR"}),
        ),
        (
            json!({"product_id": "SKU-1", "currency": "say \"hi\"\n"}),
            json!({"quantity": 1, "currency": "say \"hi\"\n"}),
        ),
    ] {
        let rendered = render(action.clone(), arguments).unwrap();
        let request = &rendered.request;
        assert_eq!(
            request.url().as_str(),
            "https://api.example.com/v1/products/SKU-1/price?format=json&include=details"
        );
        assert_eq!(request.headers()["x-custom-header"], "value");
        assert_eq!(body(&rendered), expected);
    }
    let error = render(action, json!({"product_id": "SKU-1"})).unwrap_err();
    assert_eq!(error.message, "currency: is missing; the action needs it");
}

#[test]
fn responses_by_path() {
    let response: Value = json!({"data": {"results": [{"id": 1, "name": "John Doe"}], "price": 5}});
    for (path, found) in [("data.results[0].name", json!("John Doe")), ("$.data.price", json!(5))] {
        assert_eq!(Path::parse(path).unwrap().find(&response), Some(&found));
    }
}
