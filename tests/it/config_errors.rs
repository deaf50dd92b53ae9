//! Every mistake in a config is told at its place, with what was probably meant; the example lists every key.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use drogue::config::{Config, ConfigErrors, find, init};

const EXAMPLE: &str = include_str!("../../drogue.example.yaml");

fn errors(text: &str) -> ConfigErrors {
    Config::parse(text, "drogue.yaml").expect_err("this config has mistakes")
}

fn text(text: &str) -> String {
    errors(text).to_text(false)
}

#[test]
fn the_example_reads() {
    if let Err(errors) = Config::parse(EXAMPLE, "drogue.example.yaml") {
        panic!("{}", errors.to_text(false));
    }
}

/// Uncomments the alternatives and lists which keys stand below which.
fn keys_of_example() -> BTreeMap<String, BTreeSet<String>> {
    let mut stack: Vec<(usize, String)> = Vec::new();
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in EXAMPLE.lines() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        let bare = bare.strip_prefix("# ").unwrap_or(bare);
        let (indent, bare) = match bare.strip_prefix("- ") {
            Some(rest) => (indent + 2, rest),
            None => (indent, bare),
        };
        let Some((key, _)) = bare.split_once(':') else { continue };
        let is_key =
            !key.is_empty() && key.chars().all(|c| c == '_' || c.is_ascii_alphanumeric() || c == '-');
        if !is_key {
            continue;
        }
        while stack.last().is_some_and(|(depth, _)| *depth >= indent) {
            stack.pop();
        }
        let parent = stack.last().map_or_else(String::new, |(_, key)| key.clone());
        keys.entry(parent).or_default().insert(key.to_owned());
        stack.push((indent, key.to_owned()));
    }
    keys
}

/// Asks the types themselves: an unknown key is answered with the valid ones.
fn valid_keys(around: &str) -> Vec<String> {
    let found = errors(around);
    let error = found
        .errors
        .iter()
        .find(|error| error.message == "unknown key `zzz`")
        .unwrap_or_else(|| panic!("{around}\n{}", found.to_text(false)));
    error.valid.clone()
}

#[test]
fn the_example_lists_every_key() {
    let example = keys_of_example();
    // For each struct and each variant: a config with an unknown key in it, and the key that it stands below.
    let connector =
        |inner: &str| format!("version: 1\nconnectors: {{c: {{streams: {{s: {{}}}}, {inner}}}}}\n");
    let request = |inner: &str| {
        format!(
            "version: 1\nconnectors: {{c: {{streams: {{s: {{request: {{url: 'http://a', {inner}}}}}}}}}}}\n"
        )
    };
    let auth = |inner: &str| connector(&format!("auth: {{{inner}, zzz: 1}}"));
    let paging = |inner: &str| request(&format!("paging: {{{inner}, zzz: 1}}"));
    let receiver = |inner: &str| format!("version: 1\nreceivers: {{r: {{{inner}}}}}\n");
    let cases = [
        ("", "version: 1\nzzz: 1\n".to_owned()),
        ("store", "version: 1\nstore: {zzz: 1}\n".to_owned()),
        ("retention", "version: 1\nstore: {retention: {zzz: 1}}\n".to_owned()),
        ("http", "version: 1\nhttp: {zzz: 1}\n".to_owned()),
        ("watch", "version: 1\nwatch: {zzz: 1}\n".to_owned()),
        ("learning", "version: 1\nlearning: {zzz: 1}\n".to_owned()),
        ("policy", "version: 1\npolicy: {zzz: 1}\n".to_owned()),
        ("rules", "version: 1\nrules: {zzz: 1}\n".to_owned()),
        ("overrides", "version: 1\nrules: {overrides: [{zzz: 1}]}\n".to_owned()),
        ("crm", connector("zzz: 1")),
        ("mapping", connector("mapping: {zzz: 1}")),
        ("docs", connector("docs: [{zzz: 1}]")),
        ("customers", "version: 1\nconnectors: {c: {streams: {s: {zzz: 1}}}}\n".to_owned()),
        ("request", request("zzz: 1")),
        ("body", request("method: POST, body: {zzz: 1}")),
        ("graphql", request("method: POST, body: {graphql: {zzz: 1}}")),
        ("auth", auth("type: basic, username: a")),
        ("auth", auth("type: bearer")),
        ("auth", auth("type: api-key")),
        ("auth", auth("type: oauth2-client-credentials, token_url: a, client_id: b")),
        ("auth", auth("type: oauth2-refresh-token, token_url: a, client_id: b")),
        ("paging", paging("type: page")),
        ("paging", paging("type: offset, size: 1")),
        ("paging", paging("type: cursor, path: $.a")),
        ("data-team", receiver("type: email, zzz: 1")),
        ("smtp", receiver("type: email, to: [a@b.c], from: a@b.c, smtp: {host: a, zzz: 1}")),
        ("on-call", receiver("type: webhook, url: a, zzz: 1")),
        ("routes", "version: 1\nroutes: [{zzz: 1}]\n".to_owned()),
    ];
    for (parent, config) in cases {
        let shown = &example[parent];
        for key in valid_keys(&config) {
            assert!(shown.contains(&key), "`{key}` below `{parent}` is missing in drogue.example.yaml");
        }
    }
    // Words of closed sets: a word that is on no list is answered with the list.
    let words = [
        ("type: ", auth("type: zzz")),
        ("type: ", paging("type: zzz")),
        ("type: ", receiver("type: zzz")),
        ("", connector("samples: zzz")),
        ("", connector("policy: {auto_apply: zzz}")),
        ("", connector("mapping: {file: a, framework: zzz}")),
        ("", request("method: zzz")),
        ("", receiver("type: email, to: [a@b.c], from: a@b.c, smtp: {host: a, tls: zzz}")),
        ("", "version: 1\nroutes: [{receivers: [], min_severity: zzz}]\n".to_owned()),
    ];
    for (before, config) in words {
        let found = errors(&config);
        let error = found
            .errors
            .iter()
            .find(|error| error.message.contains("`zzz` is no value"))
            .unwrap_or_else(|| panic!("{config}\n{}", found.to_text(false)));
        assert!(!error.valid.is_empty());
        for word in &error.valid {
            assert!(
                EXAMPLE.contains(&format!("{before}{word}")),
                "`{before}{word}` is missing in drogue.example.yaml"
            );
        }
    }
}

#[test]
fn an_unknown_key_names_the_nearest() {
    insta::assert_snapshot!(text("version: 1\nconnecters:\n  crm: {}\n"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    insta::assert_snapshot!(text(include_str!("../fixtures/config/many-mistakes.yaml")));
}

#[test]
fn contradictions_are_told_at_once() {
    insta::assert_snapshot!(text(include_str!("../fixtures/config/contradictions.yaml")));
}

#[test]
fn broken_yaml_has_a_place() {
    insta::assert_snapshot!(text("version: 1\nconnectors:\n  crm:\n    streams: [a\n  shop: {}\n"));
    insta::assert_snapshot!(text("version: 1\nwatch: {}\nwatch: {}\n"));
    insta::assert_snapshot!(text("version: 1\nstore: {postgres: ${PG}}\n"));
    insta::assert_snapshot!(text(""));
    insta::assert_snapshot!(text("- version: 1\n"));
}

#[test]
fn no_secret_is_repeated() {
    let configs = [
        "version: 1\nconnectors: {c: {auth: {type: bearer, token: hunter2}, streams: {}}}\n",
        "version: 1\nconnectors:\n  c:\n    auth:\n      type: bearer\n      token:\n        hunter2\n    streams: {}\n",
        "version: 1\nconnectors:\n  c:\n    auth:\n      type: bearer\n      tokn: hunter2\n    streams: {}\n",
        "version: 1\nconnectors:\n  c:\n    auth:\n      type: basic\n      username: x\n      passwrd: 'hunter2'\n    streams: {}\n",
        "version: 1\nconnectors:\n  c:\n    auth: hunter2\n    streams: {}\n",
        "version: 1\nstore:\n  postgres: postgres://me:hunter2@db/x\n",
        "version: 1\nconnectors:\n  c:\n    base_url: https://me:hunter2@x.example/\n    streams: {}\n",
        "version: 1\nreceivers:\n  r: {type: webhook, url: 'https://x.example', secret: hunter2}\n",
        "version: 1\nstore:\n  postgres: 'hunter2\n",
    ];
    for config in configs {
        let found = errors(config);
        let json = serde_json::to_string(&found).expect("errors serialise");
        for shown in
            [found.to_text(false), found.to_text(true), found.to_string(), json, format!("{found:?}")]
        {
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}

#[test]
fn secrets_and_files_are_read_when_a_config_is_loaded() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("drogue.yaml");
    let config = "version: 1
connectors:
  crm:
    auth: {type: bearer, token: '${CRM_TOKEN}'}
    mapping: {file: manifest.yaml}
    streams: {a: {request: {url: 'https://x.example/a'}}}
  shop:
    auth: {type: basic, username: me, password_file: shop.password}
    streams: {a: {request: {url: 'https://x.example/a'}}}
";
    std::fs::write(&path, config).expect("written");
    let missing = Config::load(&path, &|_| None).expect_err("secrets are missing");
    let told: Vec<_> = missing.errors.iter().map(|e| (e.line, e.key.as_str())).collect();
    assert_eq!(
        told,
        [
            (Some(4), "connectors.crm.auth.token"),
            (Some(5), "connectors.crm.mapping.file"),
            (Some(8), "connectors.shop.auth.password_file"),
        ]
    );
    std::fs::write(dir.path().join("manifest.yaml"), "version: 1\n").expect("written");
    let unknown = Config::load(&path, &|_| Some("s3cret".to_owned())).expect_err("it is no mapping");
    assert!(unknown.to_text(false).contains("no mapping file that Drogue knows"), "{unknown}");
    let mapping = "version: 1\nstreams:\n  b:\n    fields:\n      id: $.id\n";
    std::fs::write(dir.path().join("manifest.yaml"), mapping).expect("written");
    std::fs::write(dir.path().join("shop.password"), "hunter2\n").expect("written");
    let env = |name: &str| (name == "CRM_TOKEN").then(|| "s3cret".to_owned());
    let loaded = Config::load(&path, &env).expect("all is there");
    assert!(
        loaded
            .config
            .store
            .sqlite
            .as_ref()
            .is_some_and(|file| file.ends_with("drogue.db") && file.is_absolute())
    );
    assert!(loaded.warnings.iter().any(|w| w.message.contains("the mapping file has no stream `a`")));
    assert!(loaded.config.connectors["crm"].mapping.as_ref().is_some_and(|m| m.file.is_absolute()));
    #[cfg(unix)]
    assert!(loaded.warnings.iter().any(|w| w.message.contains("others on this machine can read")));
    assert!(!format!("{loaded:?}").contains("hunter2") && !format!("{loaded:?}").contains("s3cret"));
}

#[test]
fn a_config_is_looked_for_in_three_places() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("a.yaml");
    std::fs::write(&path, "version: 1\n").expect("written");
    let named = path.display().to_string();
    let env = |name: &str| (name == "DROGUE_CONFIG").then(|| named.clone());
    assert_eq!(Config::find(None, &env), Ok(path.clone()));
    assert_eq!(Config::find(Some(&path), &|_| None), Ok(path));
    let lost = Config::find(Some(Path::new("/nowhere/drogue.yaml")), &env).expect_err("it is not there");
    assert!(lost.to_text(false).contains("drogue init"));
}

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn init_writes_a_config_that_reads() {
    let search = find::search(&fixture("init")).expect("the fixture is there");
    let draft = init::draft(&init::recognise(&search.files));
    insta::assert_snapshot!(draft.text);
    let config = Config::parse(&draft.text, "drogue.yaml").unwrap_or_else(|e| panic!("{}", e.to_text(false)));
    assert_eq!(
        config.connectors.keys().collect::<Vec<_>>(),
        ["crm", "helpdesk", "shop-api", "tap", "weather"]
    );
    let variables: Vec<&str> = draft.variables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(variables, ["CRM_TOKEN", "SHOP_API_KEY"]);
    // With the variables set, it can be used as it is, where it was written.
    let dir = tempfile::tempdir().expect("a temporary folder");
    for file in &search.files {
        let path = dir.path().join(&file.path);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        std::fs::write(path, &file.text).expect("written");
    }
    let path = dir.path().join("drogue.yaml");
    std::fs::write(&path, &draft.text).expect("written");
    let loaded = Config::load(&path, &|name| variables.contains(&name).then(|| "x".to_owned()));
    loaded.unwrap_or_else(|e| panic!("{}", e.to_text(false)));
}

#[test]
fn init_writes_a_config_where_nothing_is_found() {
    let draft = init::draft(&init::Found::default());
    assert_eq!(Config::parse(&draft.text, "drogue.yaml").map(|config| config.connectors.len()), Ok(0));
}

/// Manifests of the wild, where they are at hand: whatever they hold, the config reads.
#[test]
fn init_writes_configs_that_read_for_real_manifests() {
    let Some(dir) = std::env::var_os("DROGUE_CORPORA") else {
        println!("skipped: DROGUE_CORPORA names no folder of corpora");
        return;
    };
    let search = find::search(Path::new(&dir)).expect("the folder is there");
    let found = init::recognise(&search.files);
    let draft = init::draft(&found);
    println!("{} connectors\n{}", found.connectors.len(), draft.text);
    Config::parse(&draft.text, "drogue.yaml").unwrap_or_else(|e| panic!("{}", e.to_text(false)));
}

/// Broken in every way that an editor can break it: told, never a panic.
#[test]
fn any_part_of_a_config_is_told_or_read() {
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    for skipped in 0..lines.len() {
        let kept = lines.iter().enumerate().filter(|(at, _)| *at != skipped).map(|(_, line)| *line);
        let text = kept.collect::<Vec<_>>().join("\n");
        if let Err(errors) = Config::parse(&text, "drogue.yaml") {
            assert!(!errors.errors.is_empty(), "line {skipped} left out");
            let _ = errors.to_text(true);
        }
    }
    for end in (0..EXAMPLE.len()).filter(|end| EXAMPLE.is_char_boundary(*end)).step_by(29) {
        if let Err(errors) = Config::parse(&EXAMPLE[..end], "drogue.yaml") {
            let _ = errors.to_text(false);
        }
    }
    for hostile in [
        "\u{0}",
        "\u{feff}version: 1\n\u{feff}",
        "a: \"\u{1b}[2J\"\n",
        "? [a]\n: b\n",
        "{",
        "&a *a",
        "%YAML 9.9\n---\na",
        "version: 1\r\nwatch: x\r\n",
        "version: 99999999999999999999",
    ] {
        let text = errors(hostile).to_text(false);
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
