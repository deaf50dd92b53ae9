//! What can be typed: one struct a subcommand. The help text is the documentation.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::model::Severity;

/// Watches the data connectors that you already run, says what changed in their APIs, and patches the mapping.
#[derive(Debug, Parser)]
#[command(name = "drogue", version, arg_required_else_help = true, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 nothing to do; 1 could not run; 2 wrong use; 10 findings, none breaking; \
                        11 breaking findings; 12 some streams could not be observed."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What applies to every command.
    #[command(flatten)]
    pub common: Common,
}

/// What applies to every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// The config; `./drogue.yaml` by default.
    #[arg(long, global = true, env = "DROGUE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Whether to use colour.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN", alias = "colour")]
    pub color: Colour,
    /// Say more of what is going on; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing but results and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: versioned JSON.
    Json,
    /// For a comment on a pull request; of `diff` alone.
    Markdown,
    /// One page that stands by itself; of `diff` alone.
    Html,
}

/// Whether to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal alone, and never with `NO_COLOR`.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// From which severity on findings make the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct FailOn {
    /// The least severity of open, unsilenced findings that makes the exit code 10 or 11.
    #[arg(long, value_parser = parse_severity, default_value = "info", value_name = "SEVERITY")]
    pub fail_on: Severity,
}

fn parse_severity(text: &str) -> Result<Severity, String> {
    match text {
        "info" => Ok(Severity::Info),
        "warning" => Ok(Severity::Warning),
        "breaking" => Ok(Severity::Breaking),
        _ => Err("one of `info`, `warning`, `breaking` is expected".to_owned()),
    }
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole job on real recorded history, offline, in about a minute.
    Demo(Demo),
    /// Find connectors and their docs below a folder, and write drogue.yaml.
    Init(Init),
    /// Take or extend the baseline of streams.
    Record(Selection),
    /// Look once, compare with the baseline, and say what changed.
    Check(Check),
    /// Run the daemon: schedule, alerts and `/healthz`.
    Watch,
    /// Take HAR, JSON or JSONL files as an observation of a stream.
    Import(Import),
    /// Compare two files or URLs, records or API descriptions; needs no config and no database.
    Diff(Diff),
    /// List, show and acknowledge findings.
    Findings(Findings),
    /// Mute findings until a date.
    Silence(Silence),
    /// Never report a path of a stream again: prints the rule override for the config.
    Ignore(Ignore),
    /// List, show and verify patches.
    Patches(Patches),
    /// Apply a patch to the mapping files.
    Approve(Approve),
    /// Turn a patch down.
    Reject(Decide),
    /// Undo an applied patch.
    Rollback(Decide),
    /// Show, accept, export, import baselines, or list their versions.
    Baseline(Baseline),
    /// List, explain and test rules.
    Rules(Rules),
    /// Check the config without starting anything.
    Config(Config),
    /// Ask a stream's endpoint once and print the exchange, redacted; nothing is stored.
    Probe(Probe),
    /// Run past windows through today's rules: what would have been said, and when.
    Replay(Replay),
    /// Check the surroundings: config, store, mapping files, receivers.
    Doctor,
    /// Check that nobody changed the audit log.
    Audit(Audit),
    /// Read a PDF from standard input and print its text: Drogue starts this by itself, with limits.
    #[command(hide = true)]
    ReadPdf,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// A folder with a `seq.json` and its steps, in place of the histories that come with Drogue.
    #[arg(long, value_name = "DIR")]
    pub sequence: Option<PathBuf>,
    /// Ask before each decision, instead of approving what is verified and unambiguous.
    #[arg(long)]
    pub step: bool,
    /// Send the e-mails to this SMTP server instead of printing the first of them.
    #[arg(long, value_name = "HOST:PORT")]
    pub smtp: Option<String>,
    /// Keep the folder with config, mapping, databases and mails, and say where it is.
    #[arg(long)]
    pub keep: bool,
}

/// `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Where to look.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// The config to write; never written over.
    #[arg(long, short, default_value = "drogue.yaml", value_name = "FILE")]
    pub output: PathBuf,
}

/// Connectors or streams.
#[derive(Debug, Args)]
pub struct Selection {
    /// `CONNECTOR` or `CONNECTOR/STREAM`; all by default.
    #[arg(value_name = "CONNECTOR[/STREAM]")]
    pub streams: Vec<String>,
}

/// `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// What to check.
    #[command(flatten)]
    pub selection: Selection,
    /// When to fail.
    #[command(flatten)]
    pub fail_on: FailOn,
}

/// `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The stream; the connector alone where it has one stream, or for HAR files.
    #[arg(short, long, value_name = "CONNECTOR[/STREAM]")]
    pub connector: String,
    /// The files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// When to fail.
    #[command(flatten)]
    pub fail_on: FailOn,
}

/// `diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// What was: a file or a URL; `-` for standard input.
    pub baseline: String,
    /// What is: a file or a URL.
    pub live: String,
    /// Where the records sit, where it is not plain: `$.data[*]`.
    #[arg(long, value_name = "JSONPATH")]
    pub records: Option<crate::model::FieldPath>,
    /// The primary key, where it is not found: `--key id`, twice for a key of two fields.
    #[arg(long, value_name = "JSONPATH")]
    pub key: Vec<crate::model::FieldPath>,
    /// Private networks that URLs may reach, such as `127.0.0.0/8`.
    #[arg(long, value_name = "CIDR")]
    pub allow_private: Vec<ipnet::IpNet>,
    /// When to fail.
    #[command(flatten)]
    pub fail_on: FailOn,
}

/// `findings`.
#[derive(Debug, Args)]
pub struct Findings {
    /// What to do with them; `list` by default.
    #[command(subcommand)]
    pub action: Option<FindingsAction>,
}

/// What to do with findings.
#[derive(Debug, Subcommand)]
pub enum FindingsAction {
    /// List open findings.
    List {
        /// Resolved ones too.
        #[arg(long)]
        all: bool,
        /// Of these alone.
        #[command(flatten)]
        selection: Selection,
        /// When to fail.
        #[command(flatten)]
        fail_on: FailOn,
    },
    /// Show one with all its evidence.
    Show {
        /// The fingerprint, or its beginning.
        fingerprint: String,
    },
    /// Say that you have seen it; it stays open and is not told again.
    Ack {
        /// The fingerprint, or its beginning.
        fingerprint: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Say why it is reported, why you were (or were not) told, and what ends it.
    Explain {
        /// The fingerprint, or its beginning.
        fingerprint: String,
    },
}

/// `silence`.
#[derive(Debug, Args)]
pub struct Silence {
    /// What to do with silences.
    #[command(subcommand)]
    pub action: SilenceAction,
}

/// What to do with silences.
#[derive(Debug, Subcommand)]
pub enum SilenceAction {
    /// Mute a stream, or a path of it, until a date.
    Add {
        /// `CONNECTOR[/STREAM]`.
        stream: String,
        /// This path alone.
        #[arg(long)]
        path: Option<crate::model::FieldPath>,
        /// For how long: `2h`, `3d`.
        #[arg(long = "for", value_name = "SPAN")]
        span: crate::model::Period,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// List them.
    List,
    /// End one now.
    Expire {
        /// Its id.
        id: String,
    },
}

/// `ignore`.
#[derive(Debug, Args)]
pub struct Ignore {
    /// `CONNECTOR/STREAM`.
    pub stream: String,
    /// The path, and all below it.
    pub path: crate::model::FieldPath,
    /// Why, for those who read the config after you.
    #[arg(long)]
    pub reason: Option<String>,
}

/// `patches`.
#[derive(Debug, Args)]
pub struct Patches {
    /// What to do with them; `list` by default.
    #[command(subcommand)]
    pub action: Option<PatchesAction>,
}

/// What to do with patches.
#[derive(Debug, Subcommand)]
pub enum PatchesAction {
    /// List patches that wait for a decision.
    List {
        /// Decided ones too.
        #[arg(long)]
        all: bool,
    },
    /// Show one: diff, verification, and the commands that decide it.
    Show {
        /// The id, or its beginning.
        patch: String,
    },
    /// Verify one again, on the samples that are recorded now.
    Verify {
        /// The id, or its beginning.
        patch: String,
    },
    /// Make the patch for one candidate of an ambiguous diagnosis.
    Choose {
        /// The diagnosis, or its beginning.
        diagnosis: String,
        /// The candidate that is right.
        path: crate::model::FieldPath,
    },
}

/// `approve`.
#[derive(Debug, Args)]
pub struct Approve {
    /// The id, or its beginning.
    pub patch: String,
    /// Why.
    #[arg(long)]
    pub reason: Option<String>,
    /// Approve it although it could not be verified.
    #[arg(long)]
    pub unverified: bool,
    /// In whose name; your user name by default.
    #[arg(long, env = "DROGUE_ACTOR")]
    pub actor: Option<String>,
}

/// `reject` and `rollback`.
#[derive(Debug, Args)]
pub struct Decide {
    /// The id, or its beginning.
    pub patch: String,
    /// Why.
    #[arg(long)]
    pub reason: Option<String>,
    /// In whose name; your user name by default.
    #[arg(long, env = "DROGUE_ACTOR")]
    pub actor: Option<String>,
}

/// `baseline`.
#[derive(Debug, Args)]
pub struct Baseline {
    /// What to do with it.
    #[command(subcommand)]
    pub action: BaselineAction,
}

/// What to do with baselines.
#[derive(Debug, Subcommand)]
pub enum BaselineAction {
    /// Show what was recorded.
    Show {
        /// The stream.
        #[arg(value_name = "CONNECTOR/STREAM")]
        stream: String,
    },
    /// Say that what was seen last is the new normal: the baseline moves, its findings are resolved.
    Accept {
        /// The stream.
        #[arg(value_name = "CONNECTOR/STREAM")]
        stream: String,
        /// These paths alone.
        #[arg(long)]
        path: Vec<crate::model::FieldPath>,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
        /// In whose name; your user name by default.
        #[arg(long, env = "DROGUE_ACTOR")]
        actor: Option<String>,
    },
    /// Print it as JSON, for another database or for review.
    Export {
        /// The stream.
        #[arg(value_name = "CONNECTOR/STREAM")]
        stream: String,
    },
    /// Take one that was exported.
    Import {
        /// The stream.
        #[arg(value_name = "CONNECTOR/STREAM")]
        stream: String,
        /// The file.
        file: PathBuf,
    },
    /// List its versions: when each was made, by whom, and why.
    History {
        /// The stream.
        #[arg(value_name = "CONNECTOR/STREAM")]
        stream: String,
    },
}

/// `rules`.
#[derive(Debug, Args)]
pub struct Rules {
    /// What to do with them; `list` by default.
    #[command(subcommand)]
    pub action: Option<RulesAction>,
}

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub enum RulesAction {
    /// List them.
    List,
    /// Explain one, or list the kinds of diagnoses.
    Explain {
        /// The rule, by id.
        #[arg(required_unless_present = "kinds")]
        rule: Option<String>,
        /// The kinds of diagnoses instead.
        #[arg(long)]
        kinds: bool,
    },
    /// Run the examples of all rules, those of `rules.dirs` included.
    Test {
        /// Further folders of rules.
        #[arg(value_name = "DIR")]
        dirs: Vec<PathBuf>,
    },
}

/// `config`.
#[derive(Debug, Args)]
pub struct Config {
    /// What to do with it.
    #[command(subcommand)]
    pub action: ConfigAction,
}

/// What to do with the config.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Say what is wrong with it, with places and the nearest valid keys.
    Check,
}

/// `probe`.
#[derive(Debug, Args)]
pub struct Probe {
    /// The stream.
    #[arg(value_name = "CONNECTOR/STREAM")]
    pub stream: String,
    /// Print one exchange, redacted, and store nothing (the only mode).
    #[arg(long, required = true)]
    pub dry_run: bool,
}

/// `replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// A folder with one file of records a window, taken in the order of the dates in their names, or of the names.
    pub dir: PathBuf,
    /// Where the records sit, where it is not plain.
    #[arg(long, value_name = "JSONPATH")]
    pub records: Option<crate::model::FieldPath>,
    /// The primary key, where it is not found.
    #[arg(long, value_name = "JSONPATH")]
    pub key: Vec<crate::model::FieldPath>,
    /// What people accept as soon as it is told: `none`, `all`, or what is at these paths and below.
    #[arg(long, value_name = "none|all|JSONPATH")]
    pub accept: Vec<String>,
    /// Windows that are learned from before soft changes are told; as the config has it, or else 3.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub learning_windows: Option<u64>,
    /// The time that they span at least; as the config has it, or else 1d. Windows without dates are a day apart.
    #[arg(long, value_name = "TIME")]
    pub learning_span: Option<crate::model::Period>,
    /// The least severity of what any window told, resolved or not, that makes the exit code 10 or 11.
    #[arg(long, value_parser = parse_severity, default_value = "info", value_name = "SEVERITY")]
    pub fail_on: Severity,
}

/// `audit`.
#[derive(Debug, Args)]
pub struct Audit {
    /// What to do with it.
    #[command(subcommand)]
    pub action: AuditAction,
}

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditAction {
    /// Check the chain of hashes, and name the first row that does not fit.
    Verify,
    /// List the last entries.
    List,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
