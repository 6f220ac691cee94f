//! What every request needs: made once, shared by all.

use std::sync::Arc;

use axum::extract::FromRef;
use bailee_core::Core;
use bytes::Bytes;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::cursor::Cursors;
use crate::operations::Operations;
use crate::options::HttpOptions;
use crate::rate_limit::RateLimiter;

/// The shared state of the router.
#[derive(Clone)]
pub(crate) struct Site(Arc<Inner>);

struct Inner {
    core: Core,
    base_url: Option<String>,
    hosts: Vec<String>,
    header_bytes_max: usize,
    cursors: Cursors,
    limiter: RateLimiter,
    operations: Operations,
    metrics: Option<PrometheusHandle>,
    security_contact: Option<String>,
    document: Bytes,
    reference: String,
}

impl Site {
    pub(crate) fn new(core: Core, options: HttpOptions) -> Self {
        let document = crate::openapi::document();
        Self(Arc::new(Inner {
            core,
            base_url: options.base_url,
            hosts: options.hosts,
            header_bytes_max: options.header_bytes_max,
            cursors: Cursors::new(&options.cursor_key),
            limiter: RateLimiter::new(options.rate_limits),
            operations: Operations::of(&document),
            metrics: options.metrics,
            security_contact: options.security_contact,
            document: Bytes::from(crate::openapi::document_json()),
            reference: crate::pages::render_reference(&document),
        }))
    }

    pub(crate) fn core(&self) -> &Core {
        &self.0.core
    }

    /// Scheme and host of this server, if the operator named them.
    pub(crate) fn base_url(&self) -> Option<&str> {
        self.0.base_url.as_deref()
    }

    /// Host names that are served; empty is any.
    pub(crate) fn hosts(&self) -> &[String] {
        &self.0.hosts
    }

    pub(crate) fn header_bytes_max(&self) -> usize {
        self.0.header_bytes_max
    }

    pub(crate) fn cursors(&self) -> &Cursors {
        &self.0.cursors
    }

    pub(crate) fn limiter(&self) -> &RateLimiter {
        &self.0.limiter
    }

    pub(crate) fn operations(&self) -> &Operations {
        &self.0.operations
    }

    pub(crate) fn metrics(&self) -> Option<&PrometheusHandle> {
        self.0.metrics.as_ref()
    }

    pub(crate) fn security_contact(&self) -> Option<&str> {
        self.0.security_contact.as_deref()
    }
}

impl Site {
    /// The API document as text.
    pub(crate) fn document(&self) -> Bytes {
        self.0.document.clone()
    }

    /// The API reference as HTML.
    pub(crate) fn reference(&self) -> &str {
        &self.0.reference
    }
}

impl FromRef<Site> for Core {
    fn from_ref(site: &Site) -> Self {
        site.0.core.clone()
    }
}
