//! The loop of `watch`: what is due is started, what is running is awaited, and then it sleeps until the next is due.
//!
//! Time comes from the clock alone. A driven clock jumps to whatever is waited for, so with one the loop lets running
//! jobs end before it sleeps; that is all that the demo and the tests do differently from the daemon.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use super::{Checked, Engine, EngineError, Outcome};
use crate::model::Subject;

/// How often the outbox is looked at where nothing is known to be due: another process may have written to it.
const OUTBOX_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// How often old rows are pruned.
const PRUNE_EVERY: SignedDuration = SignedDuration::from_hours(6);
/// How long a stop waits for running jobs; what has not ended by then is dropped, and done again at the next start.
const STOP_WITHIN: std::time::Duration = std::time::Duration::from_secs(8);

/// How to run the schedule.
#[derive(Clone)]
pub struct Run {
    /// When to end; never by default.
    pub until: Option<Timestamp>,
    /// Turns true when it is time to stop.
    pub stop: watch::Receiver<bool>,
    /// Called after each check.
    pub on_checked: Arc<dyn Fn(&Checked) + Send + Sync>,
}

/// One piece of work; at most one of each at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Job {
    Check(Subject),
    Document { connector: String, name: String },
    Deliver,
    Overdue,
    Prune,
    Heartbeat,
}

/// What a job came to, and when it is due again.
type Done = (Job, Result<Timestamp, EngineError>);

impl Engine {
    /// Runs what is due, again and again, until told to stop.
    ///
    /// # Errors
    /// Where the store cannot say what is due. A job that fails is logged, and due again later.
    pub async fn run(self: &Arc<Self>, mut run: Run) -> Result<(), EngineError> {
        let mut due = self.first_due().await?;
        let mut running: BTreeSet<Job> = BTreeSet::new();
        let mut jobs: JoinSet<Done> = JoinSet::new();
        loop {
            let now = self.clock().now();
            let over = *run.stop.borrow() || run.until.is_some_and(|until| now >= until);
            if over && jobs.is_empty() {
                return Ok(());
            }
            if !over {
                let ready: Vec<Job> = due
                    .iter()
                    .filter(|(job, at)| **at <= now && !running.contains(*job))
                    .map(|(job, _)| job.clone())
                    .collect();
                for job in ready {
                    let checks = running.iter().filter(|job| matches!(job, Job::Check(_))).count();
                    if matches!(job, Job::Check(_)) && checks >= self.concurrency() {
                        continue;
                    }
                    running.insert(job.clone());
                    let (engine, on_checked) = (Arc::clone(self), Arc::clone(&run.on_checked));
                    jobs.spawn(async move {
                        let done = engine.work(&job, &*on_checked).await;
                        (job, done)
                    });
                }
            }
            let idle = jobs.is_empty();
            let next = due.iter().filter(|(job, _)| !running.contains(*job)).map(|(_, at)| *at).min();
            let wake = next.into_iter().chain(run.until).min().unwrap_or(now + OUTBOX_EVERY);
            tokio::select! {
                Some(joined) = jobs.join_next(), if !idle => match joined {
                    Ok((job, result)) => {
                        let again = self.again(&job, result);
                        running.remove(&job);
                        // A check may have written messages: the outbox is due at once.
                        if matches!(job, Job::Check(_) | Job::Document { .. } | Job::Overdue) {
                            due.insert(Job::Deliver, self.clock().now());
                        }
                        due.insert(job, again);
                    }
                    Err(failed) => {
                        error!("a job ended in a panic; it is due again: {failed}");
                        running.clear();
                    }
                },
                () = self.clock().sleep_until(wake), if !over && (idle || !self.clock().is_driven()) => {}
                changed = run.stop.changed(), if !over => {
                    if changed.is_err() || *run.stop.borrow() {
                        self.let_end(&mut jobs).await;
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn let_end(&self, jobs: &mut JoinSet<Done>) {
        if !jobs.is_empty() {
            info!("stopping; {} running jobs may end", jobs.len());
        }
        let all = async { while jobs.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_WITHIN, all).await.is_err() {
            warn!("{} jobs did not end in time; they are done again at the next start", jobs.len());
            jobs.abort_all();
        }
    }

    /// When each job is due for the first time, as the store remembers it.
    async fn first_due(&self) -> Result<BTreeMap<Job, Timestamp>, EngineError> {
        let now = self.clock().now();
        let mut due = BTreeMap::new();
        for subject in self.subjects(&[])? {
            if self.is_probed(&subject) {
                let at = self.next_due(&subject).await?.unwrap_or(now);
                due.insert(Job::Check(subject), at);
            }
        }
        for (connector, name, at) in self.documents_due().await? {
            due.insert(Job::Document { connector, name }, at);
        }
        due.insert(Job::Deliver, now);
        due.insert(Job::Prune, now);
        due.insert(Job::Overdue, now);
        if self.has_heartbeat() {
            due.insert(Job::Heartbeat, now);
        }
        Ok(due)
    }

    async fn work(
        &self,
        job: &Job,
        on_checked: &(dyn Fn(&Checked) + Send + Sync),
    ) -> Result<Timestamp, EngineError> {
        let now = self.clock().now();
        match job {
            Job::Check(subject) => {
                let checked = self.check(subject).await?;
                on_checked(&checked);
                let at = match &checked.outcome {
                    Outcome::Failed(unobserved) => unobserved.retry_at,
                    Outcome::Recorded { .. }
                    | Outcome::Learning { .. }
                    | Outcome::Compared
                    | Outcome::Unchanged
                    | Outcome::Empty => None,
                };
                Ok(match at {
                    Some(at) => at,
                    None => self.next_due(subject).await?.unwrap_or(now + self.every(subject)),
                })
            }
            Job::Document { connector, name } => {
                let checked = self.check_document(connector, name).await?;
                on_checked(&checked);
                Ok(self.next_due(&checked.subject).await?.unwrap_or(now + SignedDuration::from_hours(1)))
            }
            Job::Deliver => {
                let next = self.deliver_due().await?;
                // Where time is driven nobody else writes to this outbox.
                let idle = now
                    + if self.clock().is_driven() { SignedDuration::from_hours(24) } else { OUTBOX_EVERY };
                Ok(next.map_or(idle, |next| next.min(idle)))
            }
            Job::Overdue => self.report_overdue().await,
            Job::Prune => {
                self.prune().await?;
                Ok(now + PRUNE_EVERY)
            }
            Job::Heartbeat => Ok(self.beat().await),
        }
    }

    /// Logs what failed, once, and says when the job is due again.
    fn again(&self, job: &Job, result: Result<Timestamp, EngineError>) -> Timestamp {
        let now = self.clock().now();
        match result {
            // Never at once again: a job that is due in the past would turn the loop into a spin.
            Ok(at) => at.max(now + SignedDuration::from_millis(1)),
            Err(failed) => {
                match job {
                    Job::Check(subject) => error!(stream = %subject, "cannot check `{subject}`: {failed}"),
                    Job::Document { connector, name } => {
                        error!(connector, "cannot check the document `{name}`: {failed}");
                    }
                    Job::Deliver | Job::Overdue | Job::Prune | Job::Heartbeat => {
                        error!("{job:?} failed: {failed}")
                    }
                }
                now + SignedDuration::from_secs(60)
            }
        }
    }
}
