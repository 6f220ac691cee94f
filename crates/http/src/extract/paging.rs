use axum::extract::{FromRequestParts, Query as Loose};
use axum::response::{IntoResponse, Response};
use bailee_api::List;
use bailee_core::Caller;
use bailee_model::{Error, ErrorKind, Page, PageRequest, Timestamp, limit};
use http::request::Parts;
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};

use crate::answer::Body;
use crate::digest::sha256_hex;
use crate::middleware::RequestFacts;
use crate::problem::Failure;
use crate::site::Site;

/// `?limit=` and `?cursor=`
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// How many, 1 to 500; 50 when absent.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before, with the same filters. Good for 24 hours.
    pub(crate) cursor: Option<String>,
}

/// Which page of a list is wanted, and how its answer is written.
pub(crate) struct Paging {
    /// For core.
    pub(crate) request: PageRequest,
    site: Site,
    binding: String,
    now: Timestamp,
    instance: String,
    filters: Vec<(String, String)>,
}

impl FromRequestParts<Site> for Paging {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let missing = || Error::internal("a list without facts or caller");
        let facts = parts.extensions.get::<RequestFacts>().ok_or_else(missing)?;
        let caller = parts.extensions.get::<Caller>().ok_or_else(missing)?;
        // Its own numbers and texts only; what else is in the query is for the handler's query.
        let asked = Loose::<PageQuery>::try_from_uri(&parts.uri);
        let Ok(Loose(asked)) = asked else {
            return Err(limit_error().into());
        };
        let rows = asked.limit.unwrap_or(limit::PAGE_DEFAULT);
        if rows == 0 || rows > limit::PAGE_MAX {
            return Err(limit_error().into());
        }
        let filters = filters(parts.uri.query().unwrap_or_default());
        let binding = binding(facts, caller, &filters);
        let after = match asked.cursor {
            Some(text) => Some(site.cursors().read(&text, &binding, facts.now)?),
            None => None,
        };
        Ok(Self {
            request: PageRequest { limit: rows, after },
            site: site.clone(),
            binding,
            now: facts.now,
            instance: facts.instance.clone(),
            filters,
        })
    }
}

impl Paging {
    /// The page as answer, with its cursor and its link to the next.
    pub(crate) fn answer<M, T: Serialize>(
        self,
        page: Page<M>,
        view: impl FnMut(M) -> T,
    ) -> Response {
        self.answer_as(page.map(view), |list| list)
    }

    /// The same, where the answer says more than the list.
    pub(crate) fn answer_as<T, U: Serialize>(
        self,
        page: Page<T>,
        whole: impl FnOnce(List<T>) -> U,
    ) -> Response {
        let next = page
            .next
            .map(|cursor| self.site.cursors().write(cursor, &self.binding, self.now));
        let link = next.as_ref().map(|cursor| self.link(cursor));
        let mut answer = Body(whole(List::new(page.data, next))).into_response();
        if let Some(value) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
            answer.headers_mut().insert(header::LINK, value);
        }
        answer
    }

    fn link(&self, cursor: &str) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.filters)
            .append_pair("limit", &self.request.limit.to_string())
            .append_pair("cursor", cursor)
            .finish();
        format!("<{}?{query}>; rel=\"next\"", self.instance)
    }
}

fn limit_error() -> Error {
    let detail = format!("`limit` is a number from 1 to {}.", limit::PAGE_MAX);
    Error::new(ErrorKind::InvalidParameter, detail.clone()).with_field(
        "#/limit",
        "out_of_range",
        detail,
    )
}

/// Everything in the query that says which rows are meant, sorted.
fn filters(query: &str) -> Vec<(String, String)> {
    let mut filters: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .filter(|(name, _)| name != "cursor" && name != "limit")
        .collect();
    filters.sort();
    filters
}

fn binding(facts: &RequestFacts, caller: &Caller, filters: &[(String, String)]) -> String {
    let text = format!(
        "{}\n{}\n{}\n{filters:?}",
        caller.tenant(),
        facts.operation_id(),
        facts.instance
    );
    sha256_hex(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_forgets_order_and_page() {
        assert_eq!(
            filters("state=failed&limit=5&label=x&cursor=abc"),
            filters("label=x&state=failed")
        );
        assert_ne!(filters("state=failed"), filters("state=queued"));
    }
}
