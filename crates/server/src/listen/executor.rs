use hyper::rt::Executor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Runs the tasks that HTTP/2 makes of its streams, so that stopping waits for them and can end them.
#[derive(Clone)]
pub(crate) struct Tasks {
    pub(crate) tracker: TaskTracker,
    pub(crate) abort: CancellationToken,
}

impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, task: F) {
        let abort = self.abort.clone();
        self.tracker
            .spawn(async move { abort.run_until_cancelled_owned(task).await.is_some() });
    }
}
