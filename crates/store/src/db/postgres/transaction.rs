//! Scripts and fetches as pipelined transactions.

use deadpool_postgres::Object;
use futures::future::{BoxFuture, FutureExt, join, join_all, join3};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Statement};

use super::super::limit::{FETCH_ROWS_MAX, PIPELINE_MAX};
use super::super::script::{Done, Durability, Step};
use super::super::{DbError, Row, Scope, Script, Sql, Value};
use super::convert::{Fault, frame_fault, read, statement_fault};

/// The settings end with the transaction: a setting of the session would leak to the next user of the connection.
const SETTINGS: &str =
    "SELECT set_config('bailee.tenant', $1, true), set_config('synchronous_commit', $2, true)";

/// Runs a script as one transaction. After any fault nothing of it remains, except that a connection that breaks
/// during COMMIT leaves the outcome unknown ([`DbError::Unavailable`]).
pub(super) async fn run(client: &Object, script: &Script) -> Result<Done, Fault> {
    let settings = prepare_settings(client).await?;
    let mut statements = Vec::with_capacity(script.steps.len());
    for step in &script.steps {
        statements.push(prepare(client, step.sql).await?);
    }
    let synchronous = match script.durability {
        Durability::Synced => "on",
        Durability::Logged => "off",
    };
    let values = [
        Value::Text(script.scope.setting()),
        Value::text(synchronous),
    ];
    let steps: Vec<_> = script.steps.iter().zip(&statements).collect();
    let done = match pipeline(client, &settings, &values, &steps).await {
        Ok(done) => done,
        Err(fault) => {
            // If this fails the connection is broken, and the server rolls back by itself.
            let _ = client.batch_execute("ROLLBACK").await;
            return Err(fault);
        }
    };
    client
        .batch_execute("COMMIT")
        .await
        .map_err(|error| frame_fault(&error))?;
    Ok(done)
}

/// Sends BEGIN, the settings and the statements without waiting in between, a bounded number at a time.
async fn pipeline(
    client: &Object,
    settings: &Statement,
    values: &[Value],
    steps: &[(&Step, &Statement)],
) -> Result<Done, Fault> {
    let mut done = Done::default();
    let (first, rest) = steps.split_at(steps.len().min(PIPELINE_MAX));
    // Each future sends its request when it is polled first, and `join` polls in order.
    let begin = join(
        client.batch_execute("BEGIN"),
        execute(client, settings, values),
    );
    let ((begun, set), answers) = join(begin, perform_all(client, first)).await;
    begun.map_err(|error| frame_fault(&error))?;
    set.map_err(|error| frame_fault(&error))?;
    judge(first, answers, &mut done)?;
    for steps in rest.chunks(PIPELINE_MAX) {
        let answers = perform_all(client, steps).await;
        judge(steps, answers, &mut done)?;
    }
    Ok(done)
}

struct Answer {
    changed: u64,
    rows: Vec<tokio_postgres::Row>,
}

async fn perform_all(client: &Object, steps: &[(&Step, &Statement)]) -> Vec<Result<Answer, Error>> {
    // `join_all` polls in order as long as there are no more than thirty futures.
    const {
        assert!(
            PIPELINE_MAX <= 30,
            "the order of the requests must be the order of the steps"
        );
    };
    join_all(
        steps
            .iter()
            .map(|(step, statement)| perform(client, statement, &step.values)),
    )
    .await
}

fn perform<'a>(
    client: &'a Object,
    statement: &'a Statement,
    values: &'a [Value],
) -> BoxFuture<'a, Result<Answer, Error>> {
    async move {
        if statement.columns().is_empty() {
            let changed = execute(client, statement, values).await?;
            return Ok(Answer {
                changed,
                rows: Vec::new(),
            });
        }
        let rows = client.query(statement, &bind(values)).await?;
        Ok(Answer {
            changed: rows.len() as u64,
            rows,
        })
    }
    .boxed()
}

/// Goes through the answers in order: the first fault is the script's, what follows it is only its echo.
fn judge(
    steps: &[(&Step, &Statement)],
    answers: Vec<Result<Answer, Error>>,
    done: &mut Done,
) -> Result<(), Fault> {
    for ((step, _), answer) in steps.iter().zip(answers) {
        let answer =
            answer.map_err(|error| statement_fault(&error, step.sql, Some(step.conflict)))?;
        if !step.guard.admits(answer.changed) {
            return Err(Fault::Final(DbError::Conflict(step.conflict)));
        }
        done.changed.push(answer.changed);
        done.rows.push(read_all(&answer.rows, step.sql)?);
    }
    Ok(())
}

/// Reads rows in a transaction of its own, in one round trip.
pub(super) async fn fetch(
    client: &Object,
    scope: Scope,
    sql: Sql,
    values: &[Value],
) -> Result<Vec<Row>, Fault> {
    let settings = prepare_settings(client).await?;
    let statement = prepare(client, sql).await?;
    let setting = [Value::Text(scope.setting()), Value::text("on")];
    let begin = join(
        client.batch_execute("BEGIN READ ONLY"),
        execute(client, &settings, &setting),
    );
    // After an error COMMIT rolls back, so it can be sent at once.
    let commit = client.batch_execute("COMMIT");
    let ((begun, set), answer, ended) =
        join3(begin, perform(client, &statement, values), commit).await;
    begun.map_err(|error| frame_fault(&error))?;
    set.map_err(|error| frame_fault(&error))?;
    let answer = answer.map_err(|error| statement_fault(&error, sql, None))?;
    ended.map_err(|error| frame_fault(&error))?;
    read_all(&answer.rows, sql)
}

async fn prepare_settings(client: &Object) -> Result<Statement, Fault> {
    client
        .prepare_cached(SETTINGS)
        .await
        .map_err(|error| frame_fault(&error))
}

async fn prepare(client: &Object, sql: Sql) -> Result<Statement, Fault> {
    client
        .prepare_cached(&sql.for_postgres())
        .await
        .map_err(|error| statement_fault(&error, sql, None))
}

async fn execute(client: &Object, statement: &Statement, values: &[Value]) -> Result<u64, Error> {
    client.execute(statement, &bind(values)).await
}

fn bind(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values
        .iter()
        .map(|value| value as &(dyn ToSql + Sync))
        .collect()
}

fn read_all(rows: &[tokio_postgres::Row], sql: Sql) -> Result<Vec<Row>, Fault> {
    if rows.len() > FETCH_ROWS_MAX {
        return Err(Fault::Final(DbError::TooMany {
            statement: sql.text(),
        }));
    }
    rows.iter()
        .map(|row| read(row, sql))
        .collect::<Result<_, _>>()
        .map_err(Fault::Final)
}
