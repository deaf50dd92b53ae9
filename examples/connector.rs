//! A small connector, as a team writes them by hand: it loads a JSON feed into a SQLite table by a field map.
//!
//! ```text
//! connector load  --url URL --mapping map.yaml --stream NAME --db FILE --table NAME [--day 2020-03-31]
//! connector holes --db FILE --table NAME     NULLs by column and day, as JSON
//! connector dump  --db FILE --table NAME     the rows in the order in which they came, as JSON lines
//! ```
//!
//! It knows nothing of drift. A field that is not where the map says becomes NULL, as in most loaders: this is the
//! damage that Drogue is there to prevent. What a field map means is defined by `drogue::adapters::field_map`; the
//! rest is plain HTTP and SQL. It is the connector of `drogue demo`.
//!
//! Exit codes: 0 done; 1 the feed, the map or the database failed, and nothing was loaded; 2 wrong use.

#![expect(clippy::print_stdout, reason = "what it prints is its result")]

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, bail, ensure};
use clap::{Parser, Subcommand};
use drogue::adapters::field_map::{FieldMap, FieldType, StreamMap};
use drogue::model::{FieldPath, Step};
use serde_json::{Map, Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{Connection as _, Row as _, TypeInfo as _, ValueRef as _};

/// Of a response.
const MAX_BODY: usize = 64 << 20;

/// Loads a JSON feed into a SQLite table by a field map.
#[derive(Debug, Parser)]
#[command(name = "connector", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fetch the feed and add its records to the table.
    Load {
        /// The address of the feed.
        #[arg(long)]
        url: String,
        /// The field map.
        #[arg(long)]
        mapping: PathBuf,
        /// The stream in the field map.
        #[arg(long)]
        stream: String,
        #[command(flatten)]
        table: Table,
        /// What goes into the column `_day`; today by default.
        #[arg(long)]
        day: Option<String>,
    },
    /// Count NULLs by column and day.
    Holes {
        #[command(flatten)]
        table: Table,
    },
    /// Print all rows.
    Dump {
        #[command(flatten)]
        table: Table,
    },
}

#[derive(Debug, clap::Args)]
struct Table {
    /// The SQLite file; made where it is missing.
    #[arg(long)]
    db: PathBuf,
    /// The table; made from the field map where it is missing.
    #[arg(long = "table")]
    name: String,
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Only the log of a daemon needs more than this.
            anstream::eprintln!("connector: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Load { url, mapping, stream, table, day } => {
            let text = std::fs::read_to_string(&mapping)
                .with_context(|| format!("cannot read the field map {}", mapping.display()))?;
            let map = FieldMap::parse(&text).with_context(|| format!("in {}", mapping.display()))?;
            let map = map
                .stream(&stream)
                .with_context(|| format!("{} has no stream `{stream}`", mapping.display()))?;
            let day = day.unwrap_or_else(|| jiff::Zoned::now().date().to_string());
            let body = fetch(&url).await.with_context(|| format!("cannot fetch {url}"))?;
            let response: Value = serde_json::from_slice(&body)
                .with_context(|| format!("{url} did not send JSON; nothing was loaded for {day}"))?;
            let records = records(&response, map)?;
            let count = load(&table, map, &records, &day).await?;
            println!("{}", json!({"day": day, "loaded": count}));
        }
        Command::Holes { table } => println!("{}", holes(&table).await?),
        Command::Dump { table } => dump(&table).await?,
    }
    Ok(())
}

async fn fetch(url: &str) -> anyhow::Result<Vec<u8>> {
    // The HTTP library leaves the choice of a TLS provider to the program; a second choice is no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = reqwest::Url::parse(url)?;
    let mut builder = reqwest::Client::builder().timeout(Duration::from_secs(60));
    if matches!(url.host_str(), Some("127.0.0.1" | "localhost")) {
        // A proxy that the environment names does not know this machine.
        builder = builder.no_proxy();
    }
    let mut response = builder.build()?.get(url).send().await?.error_for_status()?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        ensure!(body.len() + chunk.len() <= MAX_BODY, "the response is larger than {MAX_BODY} bytes");
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The records of a response: the elements of an array, where the map says that it is.
fn records<'a>(response: &'a Value, map: &StreamMap) -> anyhow::Result<Vec<&'a Value>> {
    let path = map.records.clone().unwrap_or_else(|| FieldPath::root().each());
    let mut values = vec![response];
    for step in path.steps() {
        let mut below = Vec::new();
        for value in values {
            match (step, value) {
                (Step::Key(key), Value::Object(members)) => below.extend(members.get(&**key)),
                (Step::Index(index), Value::Array(items)) => {
                    below.extend(usize::try_from(*index).ok().and_then(|index| items.get(index)));
                }
                (Step::Each, Value::Array(items)) => below.extend(items),
                (Step::Each, Value::Object(members)) => below.extend(members.values()),
                _ => bail!("there are no records at {path} in the response"),
            }
        }
        values = below;
    }
    ensure!(values.iter().all(|value| value.is_object()), "what is at {path} in the response are no records");
    Ok(values)
}

/// One transaction: a day is loaded as a whole, in place of what was there for it, or not at all.
async fn load(table: &Table, map: &StreamMap, records: &[&Value], day: &str) -> anyhow::Result<usize> {
    ensure!(!map.fields.is_empty(), "the stream `{}` maps no fields", map.name);
    let mut connection = connect(table, true).await?;
    let name = quoted(&table.name)?;
    let mut columns = vec!["\"_day\" TEXT NOT NULL".to_owned()];
    let mut names = vec!["\"_day\"".to_owned()];
    for field in &map.fields {
        ensure!(!field.target.eq_ignore_ascii_case("_day"), "the column `_day` is the connector's own");
        let sql_type = match field.kind {
            Some(FieldType::Integer | FieldType::Boolean) => "INTEGER",
            Some(FieldType::Number) => "REAL",
            Some(FieldType::String | FieldType::Datetime | FieldType::Json) | None => "TEXT",
        };
        columns.push(format!("{} {sql_type}", quoted(&field.target)?));
        names.push(quoted(&field.target)?);
    }
    let mut transaction = connection.begin().await?;
    let create = format!("CREATE TABLE IF NOT EXISTS {name} ({})", columns.join(", "));
    sqlx::query(sqlx::AssertSqlSafe(create)).execute(&mut *transaction).await?;
    let delete = format!("DELETE FROM {name} WHERE \"_day\" = ?");
    sqlx::query(sqlx::AssertSqlSafe(delete)).bind(day).execute(&mut *transaction).await?;
    let marks = vec!["?"; names.len()].join(", ");
    let insert = format!("INSERT INTO {name} ({}) VALUES ({marks})", names.join(", "));
    for record in records {
        let row = map.apply(record);
        let mut query = sqlx::query(sqlx::AssertSqlSafe(insert.clone())).bind(day);
        for field in &map.fields {
            query = match row.get(&field.target).unwrap_or(&Value::Null) {
                Value::Null => query.bind(None::<String>),
                Value::Bool(flag) => query.bind(i64::from(*flag)),
                Value::Number(number) => match number.as_i64() {
                    Some(integer) => query.bind(integer),
                    None => query.bind(number.as_f64()),
                },
                Value::String(text) => query.bind(text.clone()),
                nested @ (Value::Array(_) | Value::Object(_)) => query.bind(nested.to_string()),
            };
        }
        query.execute(&mut *transaction).await.context("cannot insert; was a column added to the map?")?;
    }
    transaction.commit().await?;
    Ok(records.len())
}

/// `{"column": {"2020-03-31": 21, …}, …}`: days without NULLs, and columns without such days, are left out.
async fn holes(table: &Table) -> anyhow::Result<Value> {
    let mut counts: Map<String, Value> = Map::new();
    for row in rows(table).await? {
        let day = row.get("_day").and_then(Value::as_str).unwrap_or_default().to_owned();
        for (column, _) in row.iter().filter(|(_, value)| value.is_null()) {
            let days = counts.entry(column.clone()).or_insert_with(|| json!({}));
            days[&day] = json!(days[&day].as_u64().unwrap_or_default() + 1);
        }
    }
    Ok(Value::Object(counts))
}

async fn dump(table: &Table) -> anyhow::Result<()> {
    for row in rows(table).await? {
        println!("{}", Value::Object(row));
    }
    Ok(())
}

async fn rows(table: &Table) -> anyhow::Result<Vec<Map<String, Value>>> {
    let mut connection = connect(table, false).await?;
    let select = format!("SELECT * FROM {} ORDER BY rowid", quoted(&table.name)?);
    let rows = sqlx::query(sqlx::AssertSqlSafe(select)).fetch_all(&mut connection).await;
    rows.with_context(|| format!("cannot read the table `{}`", table.name))?.iter().map(object).collect()
}

fn object(row: &SqliteRow) -> anyhow::Result<Map<String, Value>> {
    use sqlx::Column as _;
    row.columns()
        .iter()
        .map(|column| {
            let index = column.ordinal();
            let raw = row.try_get_raw(index)?;
            let value = if raw.is_null() {
                Value::Null
            } else {
                match raw.type_info().name() {
                    "INTEGER" => json!(row.try_get_unchecked::<i64, _>(index)?),
                    "REAL" => json!(row.try_get_unchecked::<f64, _>(index)?),
                    _ => json!(row.try_get_unchecked::<String, _>(index)?),
                }
            };
            Ok((column.name().to_owned(), value))
        })
        .collect()
}

async fn connect(table: &Table, create: bool) -> anyhow::Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(&table.db).create_if_missing(create);
    let connection = SqliteConnection::connect_with(&options).await;
    connection.with_context(|| format!("cannot open {}", table.db.display()))
}

/// A name as SQL takes it.
fn quoted(name: &str) -> anyhow::Result<String> {
    ensure!(
        !name.is_empty() && !name.contains('\0'),
        "`{}` is no name of a table or column",
        name.escape_debug()
    );
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}
