//! Commands on the server's machine.

use crate::kit::Server;

#[tokio::test]
async fn another_key_of_the_operator_is_made_on_the_machine() {
    let mut server = Server::start().await;
    let first = server.operator().get("/auth/validate").send().await;
    let first = first.is(200).json();
    server.stop();
    let made = server.command(&["operator", "key"]).output().unwrap();
    let complaint = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(made.status.success(), "{complaint}");
    server.start_again().await;
    let text = String::from_utf8(made.stdout).unwrap();
    let operator = server.operator().with_key(text.trim_end());
    operator.get("/tenants").send().await.is(200);
    let other = operator.get("/auth/validate").send().await.is(200).json();
    assert_eq!(other["principal_id"], first["principal_id"]);
    assert_ne!(other["key_id"], first["key_id"]);
}

#[tokio::test]
async fn settings_are_shown_to_who_reads_a_part_of_them() {
    let server = Server::start().await;
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut show = server.command(&["config", "show"]);
    assert!(show.stdout(writer).status().unwrap().success());
}
