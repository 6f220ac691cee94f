//! Site files of what names other things: secrets, OpenPGP keys, flows, channels.

use serde_json::{Value, json};

use super::Desk;
use crate::kit::{Api, Gpg, Options, PARTNER_KEY, Server};

const SITE: &str = r#"bailee: 1
secrets:
  - {name: bank, kind: value, value: {env: BANK_PASSWORD}}
  - {name: key, kind: file, path: /run/secrets/key}
  - {name: token, kind: env, variable: BAILEE_TOKEN}
  - name: vault
    kind: vault
    url: https://vault.example:8200
    path: mft/bank
    token: {env: VAULT_TOKEN}
  - name: aws
    kind: aws_secrets_manager
    region: eu-central-1
    secret: mft/bank
    key: password
    access_key_id: AKIA1
    secret_access_key: {env: AWS_SECRET}
  - name: azure
    kind: azure_key_vault
    url: https://acme.vault.azure.example
    secret: bank
    directory_id: d
    client_id: c
    client_secret: {env: AZURE_SECRET}
remotes:
  - name: bank
    kind: sftp
    host: sftp.bank.example
    username: acme
    password: {secret: bank}
  - name: far
    kind: sftp
    host: sftp.far.example
    username: acme
    private_key: {secret: key}
    passphrase: {env: PASSPHRASE}
pgp_keys:
  - name: partner
    key: {file: partner.asc}
    usage: [encrypt]
    trust: untrusted
calendars:
  - name: de
webhooks:
  - url: https://hooks.example.com/a
    types: [flow.*]
flows:
  - name: archive
    document:
      triggers: [{kind: arrival, path: "/inbox/*.csv"}]
      steps:
        - {id: keep, kind: copy, to: "/archive/${date:%Y}/"}
        - {id: tell, kind: notify, message: "${files.count} files", webhook: {webhook: "https://hooks.example.com/a"}}
  - name: nightly
    enabled: false
    document: {file: flows/nightly.yaml}
schedules:
  - name: night
    cron: "0 2 * * *"
    flow: {flow_id: {flow: nightly}, params: {region: eu}}
alert_rules:
  - name: prices
    kind: expected_file
    expected_file: {folder: /in/prices, pattern: "*.csv", opens: "02:00", closes: "04:00", day_rule: business_days, calendar_id: {calendar: de}}
channels:
  - name: prices
    folder: /out/prices
    include: ["*.csv"]
  - {name: quiet, folder: /out/quiet, state: paused}
subscribers:
  - {channel: {channel: prices}, name: archive, destination: /archive/prices/}
  - channel: {channel: prices}
    name: bank
    destination: bank:/in/prices/
    exclude: ["*.tmp"]
    on_conflict: rename
  - {channel: {channel: quiet}, name: bank, webhook: {webhook: "https://hooks.example.com/a"}}
"#;

const NIGHTLY: &str = "name: nightly\nparams: {region: {default: eu}}\nsteps:\n  - {id: keep, kind: copy, to: /kept/, files: \"/in/*.csv\"}\n";

const SECRETS: &[(&str, &str)] = &[
    ("BANK_PASSWORD", "canary-bank"),
    ("VAULT_TOKEN", "canary-vault"),
    ("AWS_SECRET", "canary-aws"),
    ("AZURE_SECRET", "canary-azure"),
    ("PASSPHRASE", "canary-passphrase"),
];

/// The references that an export writes in place of secrets.
const EXPORTED: &[(&str, &str)] = &[
    ("SECRET_BANK_VALUE", "canary-bank"),
    ("SECRET_VAULT_TOKEN", "canary-vault"),
    ("SECRET_AWS_SECRET_ACCESS_KEY", "canary-aws"),
    ("SECRET_AZURE_CLIENT_SECRET", "canary-azure"),
    ("REMOTE_FAR_PASSPHRASE", "canary-passphrase"),
];

/// The kinds of the site.
const KINDS: &str =
    "secrets remotes pgp_keys calendars webhooks flows schedules alert_rules channels subscribers";

async fn start() -> Server {
    let options = Options::new()
        .set("secrets.allow_files", "[\"/run/secrets\"]")
        .set("secrets.allow_variables", "[\"BAILEE_TOKEN\"]");
    options.start().await
}

/// A desk on which the whole site lies.
fn desk(server: &Server, caller: Api) -> Desk<'_> {
    let desk = Desk::new(server, caller);
    desk.write("site.yaml", SITE);
    desk.write("partner.asc", PARTNER_KEY);
    desk.write("flows/nightly.yaml", NIGHTLY);
    desk
}

async fn named(api: &Api, path: &str, name: &str) -> Value {
    let all = api.all(&format!("{path}?")).await;
    let found = all.into_iter().find(|thing| thing["name"] == name);
    found.unwrap()
}

#[tokio::test]
async fn what_names_other_things_is_the_same_elsewhere() {
    let (first, second) = (start().await, start().await);
    let here = desk(&first, first.admin());
    let wish = json!({"name": "own", "user_id": "Acme"});
    let made = here.caller.post("/pgp-keys/generate").json(&wish);
    made.send().await.is(201);
    here.run(&["apply", "--yes", "-f", "site.yaml"], SECRETS)
        .is(0)
        .says("all 20 done");
    let again = here.run(&["apply", "-f", "site.yaml"], &[]).is(0);
    assert_eq!(again.says("no changes").out, "");

    let kinds = KINDS.split(' ').flat_map(|kind| ["--kind", kind]);
    let export: Vec<_> = std::iter::once("export").chain(kinds).collect();
    let exported = here.run(&export, &[]).is(0);
    let exported = exported.says("left out pgp_key own").out;
    for never in [
        "canary",
        "sec_",
        "pgp_0",
        "flw_",
        "whk_",
        "cal_",
        "chn_",
        "name: own\n",
    ] {
        assert!(!exported.contains(never), "{never}: {exported}");
    }
    assert!(exported.contains("password: {secret: bank}"), "{exported}");

    let there = Desk::new(&second, second.admin());
    there.write("all.yaml", &exported);
    there
        .run(&["apply", "--yes", "-f", "all.yaml"], EXPORTED)
        .is(0);
    assert_eq!(there.run(&export, &[]).is(0).out, exported);
    let again = there.run(&["apply", "-f", "all.yaml"], &[]).is(0);
    again.says("no changes");
    let flow = named(&there.caller, "/flows", "nightly").await;
    assert_eq!(
        (&flow["enabled"], &flow["version"]),
        (&json!(false), &json!(1))
    );
}

#[tokio::test]
async fn each_change_goes_its_own_way_and_what_is_left_out_goes_last() {
    let server = start().await;
    let desk = desk(&server, server.admin());
    let gpg = Gpg::with_key("Partner", "30d", "");
    desk.write("partner.asc", &gpg.public());
    let apply = || desk.run(&["apply", "--yes", "-f", "site.yaml"], SECRETS);
    apply().is(0);
    let changed = |pairs: &[(&str, &str)]| {
        let text = pairs.iter().fold(SITE.to_owned(), |text, (old, new)| {
            assert!(text.contains(old), "{old}");
            text.replace(old, new)
        });
        desk.write("site.yaml", &text);
    };

    // Switching a flow gives it no other document, and another document is told by the place.
    changed(&[("    enabled: false\n", "")]);
    apply().is(0).says("enabled: false → true");
    let nightly = named(&desk.caller, "/flows", "nightly").await;
    assert_eq!(
        (&nightly["enabled"], &nightly["version"]),
        (&json!(true), &json!(1))
    );
    changed(&[
        ("/archive/${date:%Y}/", "/kept/"),
        ("    enabled: false\n", ""),
    ]);
    let told = "document/steps/0/to: \"/archive/${date:%Y}/\" → /kept/";
    apply().is(0).says(told).says("all 1 done");
    let archive = named(&desk.caller, "/flows", "archive").await;
    assert_eq!(archive["version"], 2);

    // A secret of another kind, a remote with another, a newer form of a key, a subscriber elsewhere.
    gpg.run(&["--quick-set-expire", &gpg.fingerprint(), "2y"]);
    desk.write("partner.asc", &gpg.public());
    changed(&[
        (
            "{name: token, kind: env, variable: BAILEE_TOKEN}",
            "{name: token, kind: file, path: /run/secrets/token}",
        ),
        ("password: {secret: bank}", "password: {env: BANK_PASSWORD}"),
        ("trust: untrusted", "trust: trusted"),
        (
            "destination: /archive/prices/}",
            "webhook: {webhook: \"https://hooks.example.com/a\"}}",
        ),
    ]);
    let plan = apply().is(0).says("kind: env → file");
    let plan = plan.says("password: the secret bank → secret of env BANK_PASSWORD");
    plan.says("key: another form of it")
        .says("trust: untrusted → trusted");
    let again = desk.run(&["diff", "-f", "site.yaml"], &[]).is(0);
    again.says("no changes");
    let bank = named(&desk.caller, "/remotes", "bank").await;
    assert_eq!(bank["secret_ids"], json!({}));
    let key = named(&desk.caller, "/pgp-keys", "partner").await;
    assert_eq!(key["trust"], "trusted");

    // Everything goes, what names others first, and only when that is asked for.
    let nothing = KINDS.split(' ').map(|kind| format!("{kind}: []\n"));
    desk.write("site.yaml", &nothing.collect::<String>());
    desk.run(&["diff", "-f", "site.yaml"], &[])
        .is(0)
        .says("left alone");
    let pruned = desk.run(&["apply", "--yes", "--prune", "-f", "site.yaml"], &[]);
    pruned
        .is(0)
        .says("- subscriber prices/bank")
        .says("- secret bank");
    for path in ["/secrets", "/flows", "/channels", "/remotes"] {
        assert!(
            desk.caller.all(&format!("{path}?")).await.is_empty(),
            "{path}"
        );
    }
}
