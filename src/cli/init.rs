//! `drogue init`.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use serde_json::json;

use super::args::Init;
use super::output::{Exit, Output};
use crate::config::{find, init};

pub(super) fn run(args: &Init, out: &Output) -> anyhow::Result<Exit> {
    if args.output.exists() {
        bail!(
            "`{}` is there already and is not written over; name another file with `--output`",
            args.output.display()
        );
    }
    let search =
        find::search(&args.dir).with_context(|| format!("cannot search `{}`", args.dir.display()))?;
    let found = init::recognise(&search.files);
    let draft = init::draft(&found);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.output)
        .with_context(|| format!("cannot write `{}`", args.output.display()))?;
    file.write_all(draft.text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write `{}`", args.output.display()))?;
    let value = json!({"written": args.output, "variables": draft.variables, "notes": draft.notes});
    let found_none = found.connectors.is_empty();
    out.result(&value, |_| {
        let mut text = format!("wrote {}\n", args.output.display());
        for note in &draft.notes {
            text.push_str(&format!("- {note}\n"));
        }
        if !draft.variables.is_empty() {
            text.push_str("\nset before you go on:\n");
            for (name, what) in &draft.variables {
                text.push_str(&format!("  export {name}=…   # {what}\n"));
            }
        }
        text.push_str(if found_none {
            "- nothing that Drogue knows was found: name a connector by hand, as README.md shows\n\nnext: edit it, then drogue config check\n"
        } else {
            "\nnext: drogue config check, then drogue record\n"
        });
        text
    })?;
    Ok(Exit::Clean)
}
