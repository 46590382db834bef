use actionfleet_proto::definition::{HttpAction, Problem};
use reqwest::{
    Method, Request,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use secrecy::SecretString;

use super::{
    InvalidTemplate,
    body::BodyTemplate,
    header::HeaderTemplate,
    scope::Scope,
    url::{Parameter, UrlTemplate},
};
use crate::handler::HandlerError;

/// The request of an HTTP action, compiled.
#[derive(Debug)]
pub struct RequestTemplate {
    method: Method,
    url: UrlTemplate,
    /// Those that depend on no job.
    fixed_headers: HeaderMap,
    headers: Vec<HeaderTemplate>,
    body: Option<BodyTemplate>,
}

/// A request ready to be sent.
#[derive(Debug)]
pub struct RenderedRequest {
    pub request: Request,
    /// Those in the request.
    pub secrets: Vec<SecretString>,
}

impl RequestTemplate {
    /// Compiles the definition, or says everything that is wrong with its templates.
    pub fn compile(action: &HttpAction) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut note = |field: String, error: InvalidTemplate| {
            problems.push(Problem::new(field, error.to_string()));
        };
        let mut query = Vec::new();
        for (key, value) in &action.query {
            match Parameter::compile(key, value) {
                Ok(parameters) => query.extend(parameters),
                Err(error) => note(format!("query.{key}"), error),
            }
        }
        let url = UrlTemplate::compile(&action.url, query)
            .map_err(|error| note("url".to_owned(), error))
            .ok();
        let (mut fixed_headers, mut headers) = (HeaderMap::new(), Vec::new());
        for (name, value) in &action.headers {
            match HeaderTemplate::compile(name, value) {
                Ok(HeaderTemplate::Fixed(name, value)) => {
                    fixed_headers.insert(name, value);
                }
                Ok(dynamic) => headers.push(dynamic),
                Err(error) => note(format!("headers.{name}"), error),
            }
        }
        let body = action.body.as_ref().and_then(|body| {
            let noted = |(field, error)| note(field, error);
            BodyTemplate::compile(body).map_err(|wrong| wrong.into_iter().for_each(noted)).ok()
        });
        if body.is_some()
            && !action.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"))
        {
            fixed_headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let method = Method::from_bytes(action.method.as_str().as_bytes()).unwrap_or_default();
        match url {
            Some(url) if problems.is_empty() => {
                Ok(Self { method, url, fixed_headers, headers, body })
            }
            _ => Err(problems),
        }
    }

    /// The request for one job; the error names the value that is missing or unfit.
    pub fn render(&self, scope: Scope<'_>) -> Result<RenderedRequest, HandlerError> {
        let mut request = Request::new(self.method.clone(), self.url.render(&scope)?);
        request.headers_mut().clone_from(&self.fixed_headers);
        for header in &self.headers {
            header.render(&scope, request.headers_mut())?;
        }
        if let Some(body) = &self.body {
            *request.body_mut() = Some(body.render(&scope)?.into());
        }
        Ok(RenderedRequest { request, secrets: scope.into_taken() })
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
