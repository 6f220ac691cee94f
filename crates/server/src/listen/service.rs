use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use http::{Extensions, Request, Response, header};
use http_body::Body as _;
use hyper::body::Incoming;
use tower::ServiceExt as _;

use super::activity::Activity;
use super::body::{Received, Sent};
use super::limits::Limits;
use super::pace::Pace;

/// What the listener serves: an `axum::Router`, or anything of its shape. It answers everything and never fails.
pub trait Application:
    tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Application for S where
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Between hyper and the application, once for each connection: adds what is known of the connection, guards bodies.
#[derive(Clone)]
pub(crate) struct Front<S> {
    pub(crate) application: S,
    pub(crate) extensions: Extensions,
    pub(crate) activity: Arc<Activity>,
    pub(crate) limits: Arc<Limits>,
}

impl<S: Application> hyper::service::Service<Request<Incoming>> for Front<S> {
    type Response = Response<Sent>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let ticket = self.activity.begin();
        let (mut head, body) = request.into_parts();
        head.extensions.extend(self.extensions.clone());
        if let Some(length) = ticket.dropped_length() {
            head.headers.insert(header::CONTENT_LENGTH, length);
        }
        let body = if body.is_end_stream() {
            Body::empty()
        } else {
            let pace = Pace::new(self.limits.body_window, self.limits.body_window_bytes);
            Body::new(Received::new(body, pace))
        };
        let answer = self
            .application
            .clone()
            .oneshot(Request::from_parts(head, body));
        Box::pin(async move {
            answer
                .await
                .map(|answer| answer.map(|body| Sent::new(body, ticket)))
        })
    }
}
