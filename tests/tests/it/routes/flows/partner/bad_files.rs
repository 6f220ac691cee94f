//! Files that are not as they should be: nothing of them is filed, and once the cause is mended the run goes on from there.

use serde_json::json;

use super::super::{completed, ended, step};
use super::{World, all_completed, bailee, between, fault, import, states, table};
use crate::kit::Gpg;

#[tokio::test]
async fn a_run_goes_on_once_the_right_key_is_known() {
    let world = World::new().await;
    let admin = world.admin();
    // The partner has a new key, and signs with it before anybody here heard of it.
    let newer = Gpg::with_key("Partner", "2y", "");
    world.offer(&newer, "a.csv", &table("anvil"));
    let run = world.begin().await;
    let failed = ended(&admin, &run).await;
    assert_eq!(failed["state"], "failed", "{failed}");
    let (code, message) = fault(&failed, "verify");
    assert_eq!(code, "pgp_unknown_signer", "{message}");
    assert!(message.contains("a.csv.pgp"), "{message}");
    assert_eq!(failed["error_code"], code);
    assert_eq!(
        states(&failed),
        [
            ("fetch", "completed"),
            ("signatures", "completed"),
            ("verify", "failed")
        ]
    );
    assert!(world.filed().await.is_empty());
    assert!(world.told(&run).await.is_empty());
    // The same again comes to the same.
    let again = rerun(&world, &run).await;
    let failed = ended(&admin, &again).await;
    assert_eq!(fault(&failed, "verify").0, "pgp_unknown_signer");
    let keys = admin.all("/pgp-keys?limit=10").await;
    let old = keys.iter().find(|key| key["name"] == "partner").unwrap();
    let path = format!("/pgp-keys/{}", old["pgp_key_id"].as_str().unwrap());
    // The flow names the key, so it stays; its name goes to the newer one.
    let aside = json!({"name": "partner-before"});
    admin.patch(&path).json(&aside).send().await.is(200);
    import(&admin, "partner", &newer).await;
    admin.delete(&path).send().await.is(204);
    // What has come meanwhile is the next run's.
    world.offer(&newer, "b.csv", &table("bucket"));
    let waiting = world.waiting();
    let again = rerun(&world, &again).await;
    let done = ended(&admin, &again).await;
    completed(&done);
    assert_eq!(states(&done), all_completed());
    let reused: Vec<bool> = super::STEPS
        .iter()
        .map(|key| step(&done, key)["reused"].as_bool().unwrap())
        .collect();
    assert_eq!(reused, [true, true, false, false, false, false, false]);
    assert_eq!(world.waiting(), waiting);
    let filed = world.filed().await;
    assert_eq!(filed.values().collect::<Vec<_>>(), [&table("anvil")]);
    assert_eq!(world.told(&again).await.len(), 1);
    // Nothing of it lies about any more, of the failed runs neither.
    for run in [&run, &again] {
        assert_eq!(between(&admin, run).await, 0);
    }
    let next = world.begin().await;
    completed(&ended(&admin, &next).await);
    assert_eq!(world.filed().await.len(), 2);
}

#[tokio::test]
async fn a_run_goes_on_once_the_rule_fits() {
    let world = World::new().await;
    let admin = world.admin();
    let wide = "product,price,currency\nanvil,12.50,EUR\n";
    world.offer(&world.gpg, "a.csv", wide);
    let run = world.begin().await;
    let failed = ended(&admin, &run).await;
    assert_eq!(failed["state"], "failed", "{failed}");
    let (code, message) = fault(&failed, "check");
    assert_eq!(code, "content_invalid", "{message}");
    assert!(message.contains("a.csv, line 1"), "{message}");
    assert!(world.filed().await.is_empty());
    assert!(world.told(&run).await.is_empty());
    // The partner is right, and the document is brought up to date.
    let flow = admin.get(&world.flow).send().await.is(200).json();
    let mut document = flow["document"].clone();
    let steps = document["steps"].as_array_mut().unwrap();
    let check = steps.iter_mut().find(|step| step["id"] == "check").unwrap();
    let columns = check["csv"]["columns"].as_array_mut().unwrap();
    columns.push(json!({"name": "currency"}));
    let newer = admin.put(&world.flow).json(&document).send().await;
    newer.is(200);
    // By the document that it followed, it fails again; by the newest, it goes on.
    let again = ended(&admin, &rerun(&world, &run).await).await;
    assert_eq!(fault(&again, "check").0, "content_invalid");
    assert_eq!(again["version"], 1, "{again}");
    let words = ["flow", "rerun", &run, "--from-failed", "--newest"];
    let again = bailee(&world.server, &words).await;
    let done = ended(&admin, again["run_id"].as_str().unwrap()).await;
    completed(&done);
    assert_eq!(states(&done), all_completed());
    assert_eq!(done["version"], 2, "{done}");
    assert_eq!(step(&done, "decrypt")["reused"], true);
    let filed = world.filed().await;
    assert_eq!(filed.values().collect::<Vec<_>>(), [wide]);
}

#[tokio::test]
async fn what_is_no_table_is_not_filed() {
    let world = World::new().await;
    let admin = world.admin();
    world.offer(&world.gpg, "a.csv", &table("anvil"));
    world.offer(&world.gpg, "b.csv", "product,price\nbucket,much\n");
    let run = world.begin().await;
    let failed = ended(&admin, &run).await;
    let (code, message) = fault(&failed, "check");
    assert_eq!(code, "content_invalid", "{message}");
    for part in ["b.csv, line 2", "price"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(world.filed().await.is_empty());
    // What was fetched is still there, for whoever looks into it.
    assert!(between(&admin, &run).await > 0);
    // A message that somebody swapped does not get as far as being opened.
    let outgoing = world.partner.files().join("outgoing");
    world.offer(&world.gpg, "c.csv", &table("crate"));
    world.offer(&world.gpg, "d.csv", &table("drum"));
    std::fs::copy(outgoing.join("d.csv.pgp"), outgoing.join("c.csv.pgp")).unwrap();
    let run = world.begin().await;
    let failed = ended(&admin, &run).await;
    let (code, message) = fault(&failed, "verify");
    assert_eq!(code, "pgp_bad_signature", "{message}");
    assert!(message.contains("c.csv.pgp"), "{message}");
    // Nor does one without a signature.
    world.offer(&world.gpg, "e.csv", &table("easel"));
    std::fs::remove_file(outgoing.join("e.csv.pgp.sig")).unwrap();
    let run = world.begin().await;
    let failed = ended(&admin, &run).await;
    assert_eq!(fault(&failed, "verify").0, "pgp_signature_missing");
    assert!(world.filed().await.is_empty());
}

/// Runs a failed run again from its failed step, as people do; answers the new run's id.
async fn rerun(world: &World, run: &str) -> String {
    let again = bailee(&world.server, &["flow", "rerun", run, "--from-failed"]).await;
    assert_eq!(again["rerun_of"], json!(run));
    again["run_id"].as_str().unwrap().to_owned()
}
