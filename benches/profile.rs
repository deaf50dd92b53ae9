//! How fast records are profiled, against `serde_json`'s `Value` on the same data in the same run; and in how much memory.
//!
//! `cargo bench --bench profile -- [FILE.ndjson …]` prints a line per file and mode: `FILE MODE MB/s RATIO`.
//! Without files it makes its own data: nested records (3.6 KB, some 55 values) and flat ones (234 B, 10 values).
//!
//! Modes: `value` parses to a DOM and drops it; `counts` profiles presence and types alone; `full` looks at every
//! value of every record; `sampled` looks at the values of one record in 16 after a warm-up, as a tap does.
//!
//! CPU time of the thread. All modes take turns, a few milliseconds each, so that whatever slows the machine slows all
//! of them alike. A ratio is the median over all rounds of one round's ratio; a speed is that of the median round.
//! Only ratios within one run mean anything.
//!
//! `--only=full` runs one mode alone, for a profiler. `--write=FOLDER [--bytes=N]` writes the data that it would make,
//! `nested.ndjson` and `flat.ndjson`, for other programs. `--stream FILE …` reads files line by line into one full
//! profile each, and prints `FILE stream RECORDS CPU-SECONDS PEAK-RSS-IN-MB` of the whole process so far.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::{
    error::Error,
    fs::{self, File},
    hint::black_box,
    io::{self, BufRead, BufReader},
    path::Path,
};

use drogue::{
    model::HashKey,
    profile::{ProfileOptions, Profiler, Sketches},
};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

/// Rounds over the data, at least; medians of so many are steady.
const ROUNDS: usize = 9;
/// Small files take more rounds, until a mode has seen this many bytes.
const LEAST_BYTES: usize = 100_000_000;
/// Rounds over the data, at most.
const MOST_ROUNDS: usize = 99;
/// The bytes that a mode takes in its turn: some milliseconds, and beyond what caches hold.
const TURN: usize = 4_000_000;
/// How much of our own data is made, in bytes.
const GENERATED_BYTES: usize = 48_000_000;

/// What is done with each record.
#[derive(Clone, Copy)]
enum Mode {
    Value,
    Profile(Sketches),
}

const MODES: [(&str, Mode); 4] = [
    ("value", Mode::Value),
    ("counts", Mode::Profile(Sketches::None)),
    ("full", Mode::Profile(Sketches::All)),
    ("sampled", Mode::Profile(Sketches::Sampled { warm_up: 1_000, one_in: 16 })),
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| arguments.iter().find_map(|argument| argument.strip_prefix(name));
    // Cargo hands `--bench` on.
    let files: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let bytes = option("--bytes=").map_or(Ok(GENERATED_BYTES), str::parse)?;
    if let Some(folder) = option("--write=") {
        fs::write(Path::new(folder).join("nested.ndjson"), generate(nested_record, bytes))?;
        fs::write(Path::new(folder).join("flat.ndjson"), generate(flat_record, bytes))?;
        return Ok(());
    }
    if option("--stream").is_some() {
        return files.into_iter().try_for_each(|file| stream(file));
    }
    let only = option("--only=");
    if files.is_empty() {
        for (name, body) in
            [("nested", generate(nested_record, bytes)), ("flat", generate(flat_record, bytes))]
        {
            measure(name, body.len(), only, || Ok(body.as_bytes()))?;
        }
    }
    for file in files {
        let size = fs::metadata(file)?.len() as usize;
        measure(file, size, only, || Ok(BufReader::with_capacity(1 << 18, File::open(file)?)))?;
    }
    Ok(())
}

/// Profiles a file line by line, as a window is.
fn stream(file: &str) -> Result<(), Box<dyn Error>> {
    let mut lines = BufReader::with_capacity(1 << 18, File::open(file)?);
    let mut profiler = Profiler::new(ProfileOptions::new(HashKey::new([7; 16])));
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        profiler.record(line.trim_ascii());
        line.clear();
    }
    let profile = profiler.finish();
    println!("{file} stream {} {:.3} {:.1}", profile.records, cpu_seconds(), peak_megabytes());
    Ok(())
}

/// The most memory that this process ever held; 0 where the system does not tell it.
fn peak_megabytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
    peak.and_then(|peak| peak.trim().parse::<f64>().ok()).map_or(0.0, |kilobytes| kilobytes * 1024.0 / 1e6)
}

/// Prints the lines of one body of records; `open` gives it to be read from its start.
fn measure<R: BufRead>(
    name: &str,
    size: usize,
    only: Option<&str>,
    open: impl Fn() -> io::Result<R>,
) -> io::Result<()> {
    let modes: Vec<_> = MODES.iter().filter(|(mode, _)| only.is_none_or(|only| only == *mode)).collect();
    let rounds = LEAST_BYTES.div_ceil(size.max(1)).clamp(ROUNDS, MOST_ROUNDS);
    let mut seconds: Vec<Vec<f64>> = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        seconds.push(round(&modes, open()?)?);
    }
    for (at, (mode, _)) in modes.iter().enumerate() {
        let speed = median(seconds.iter().map(|round| size as f64 / 1e6 / round[at]));
        let ratio = median(seconds.iter().map(|round| round[0] / round[at]));
        println!("{name} {mode} {speed:.0} {ratio:.2}");
    }
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The seconds that each mode takes for all records; the modes take turns.
fn round(modes: &[&(&str, Mode)], mut body: impl BufRead) -> io::Result<Vec<f64>> {
    let mut lanes: Vec<Lane> = modes.iter().map(|(_, mode)| Lane::new(*mode)).collect();
    let mut turn = Vec::with_capacity(TURN * 2);
    loop {
        turn.clear();
        while turn.len() < TURN && body.read_until(b'\n', &mut turn)? > 0 {}
        if turn.is_empty() {
            return Ok(lanes.into_iter().map(Lane::finish).collect());
        }
        let records: Vec<&[u8]> = turn
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::trim_ascii)
            .filter(|line| !line.is_empty())
            .collect();
        lanes.iter_mut().for_each(|lane| lane.take(&records));
    }
}

/// One mode on its way through the records.
struct Lane {
    /// `None` parses to a DOM.
    profiler: Option<Profiler>,
    seconds: f64,
}

impl Lane {
    fn new(mode: Mode) -> Self {
        let profiler = match mode {
            Mode::Value => None,
            Mode::Profile(sketches) => {
                let mut options = ProfileOptions::new(HashKey::new([7; 16]));
                options.sketches = sketches;
                Some(Profiler::new(options))
            }
        };
        Self { profiler, seconds: 0.0 }
    }

    fn take(&mut self, records: &[&[u8]]) {
        let start = cpu_seconds();
        match &mut self.profiler {
            None => {
                for record in records {
                    let _ = black_box(serde_json::from_slice::<Value>(record));
                }
            }
            Some(profiler) => records.iter().for_each(|record| profiler.record(record)),
        }
        self.seconds += cpu_seconds() - start;
    }

    /// Ends the profile; the seconds that all of it took.
    fn finish(self) -> f64 {
        let start = cpu_seconds();
        let _ = black_box(self.profiler.map(Profiler::finish));
        self.seconds + cpu_seconds() - start
    }
}

/// CPU time of this thread, to the nanosecond.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn generate(record: impl Fn(&mut Numbers) -> String, bytes: usize) -> String {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut body = String::with_capacity(bytes + 8_192);
    while body.len() < bytes {
        body.push_str(&record(&mut numbers));
        body.push('\n');
    }
    body
}

/// Marsaglia's xorshift: the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }

    fn time(&mut self) -> String {
        let (month, day, hour, minute, second) =
            (self.below(12) + 1, self.below(28) + 1, self.below(24), self.below(60), self.below(60));
        format!("2024-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    fn words(&mut self, count: u64) -> String {
        let words: Vec<&str> = (0..count).map(|_| self.pick(&WORDS)).collect();
        words.join(" ")
    }
}

const WORDS: [&str; 24] = [
    "the",
    "record",
    "is",
    "missing",
    "after",
    "upgrade",
    "and",
    "a",
    "connector",
    "fails",
    "with",
    "status",
    "when",
    "page",
    "token",
    "expires",
    "please",
    "see",
    "logs",
    "below",
    "for",
    "details",
    "of",
    "stream",
];

fn user(numbers: &mut Numbers) -> String {
    let (id, login) = (numbers.below(9_000_000), numbers.below(500_000));
    format!(
        r#"{{"login":"user{login}","id":{id},"node_id":"MDQ6VXNlcj{id}","avatar_url":"https://avatars.example.com/u/{id}?v=4","url":"https://api.example.com/users/user{login}","html_url":"https://example.com/user{login}","type":"{}","site_admin":{}}}"#,
        numbers.pick(&["User", "Bot", "Organization"]),
        numbers.below(50) == 0,
    )
}

fn label(numbers: &mut Numbers) -> String {
    let name = numbers.pick(&["bug", "enhancement", "good first issue", "question", "wontfix", "docs"]);
    let id = 1_000 + name.len();
    format!(
        r#"{{"id":{id},"name":"{name}","color":"{:06x}","default":{},"description":"Things about {name}"}}"#,
        id * 7_919,
        id.is_multiple_of(2)
    )
}

/// A record like an issue of a code forge: objects in objects, a list, long texts and addresses.
fn nested_record(numbers: &mut Numbers) -> String {
    let (id, number) = (numbers.below(2_000_000_000), numbers.below(60_000));
    let repository = "https://api.example.com/repos/acme/connectors";
    let labels: Vec<String> = (0..2).map(|_| label(numbers)).collect();
    format!(
        r#"{{"id":{id},"node_id":"I_kwDOA{id:x}","url":"{repository}/issues/{number}","repository_url":"{repository}","labels_url":"{repository}/issues/{number}/labels{{/name}}","comments_url":"{repository}/issues/{number}/comments","events_url":"{repository}/issues/{number}/events","html_url":"https://example.com/acme/connectors/issues/{number}","number":{number},"title":"{}","user":{},"labels":[{}],"state":"{}","locked":{},"assignee":{},"milestone":null,"comments":{},"created_at":"{}","updated_at":"{}","closed_at":{},"author_association":"{}","active_lock_reason":null,"body":"{}\n\n{}\n","reactions":{{"url":"{repository}/issues/{number}/reactions","total_count":{},"+1":{},"-1":{},"laugh":0,"heart":{},"rocket":0,"eyes":{}}},"score":{}.{:04},"draft":{}}}"#,
        numbers.words(8),
        user(numbers),
        labels.join(","),
        numbers.pick(&["open", "closed"]),
        numbers.below(20) == 0,
        user(numbers),
        numbers.below(40),
        numbers.time(),
        numbers.time(),
        if numbers.below(2) == 0 { "null".to_owned() } else { format!("\"{}\"", numbers.time()) },
        numbers.pick(&["NONE", "CONTRIBUTOR", "MEMBER", "OWNER"]),
        numbers.words(90),
        numbers.words(80),
        numbers.below(20),
        numbers.below(10),
        numbers.below(5),
        numbers.below(5),
        numbers.below(3),
        numbers.below(100),
        numbers.below(10_000),
        numbers.below(9) == 0,
    )
}

/// A record like a row of a payments table.
fn flat_record(numbers: &mut Numbers) -> String {
    format!(
        r#"{{"id":{},"customer_id":"cus_{:012x}","amount":{}.{:02},"currency":"{}","status":"{}","created_at":"{}","country":"{}","quantity":{},"email":"user{}@example.com","refunded":{}}}"#,
        numbers.below(1_000_000_000),
        numbers.below(1 << 48),
        numbers.below(5_000),
        numbers.below(100),
        numbers.pick(&["USD", "EUR", "GBP", "JPY"]),
        numbers.pick(&["succeeded", "pending", "failed", "disputed"]),
        numbers.time(),
        numbers.pick(&["US", "DE", "FR", "IT", "ES", "GB", "JP", "BR"]),
        numbers.below(12) + 1,
        numbers.below(300_000),
        numbers.below(30) == 0,
    )
}
