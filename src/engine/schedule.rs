//! The loop of `watch`: what is due is started, what is running is awaited, and then it sleeps until the next is due.
//!
//! Time comes from the clock alone. A driven clock jumps to whatever is waited for, so with one the loop lets running
//! jobs end before it sleeps; that is all that the demo and the tests do differently from the daemon.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use tracing::{error, info, warn};

use super::{Checked, Engine, EngineError, Outcome, docs};
use crate::model::Subject;

/// How often the outbox is looked at where nothing is known to be due: another process may have written to it.
const OUTBOX_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// How often old rows are pruned.
const PRUNE_EVERY: SignedDuration = SignedDuration::from_hours(6);
/// How long after a start it is first asked which streams were not observed for too long.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// How long a stop waits for running jobs; what has not ended by then is dropped, and done again at the next start.
const STOP_WITHIN: std::time::Duration = std::time::Duration::from_secs(8);

/// How long a stream is leased for one check. The lease ends with the check; this is how long the others wait where its
/// holder was killed.
const LEASE: std::time::Duration = std::time::Duration::from_secs(600);
/// How soon a stream that another daemon is looking at is asked for again.
const LEASED_AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// How soon a job that failed is due again.
const FAILED_AGAIN: SignedDuration = SignedDuration::from_secs(60);

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
    Remind,
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
        let mut names: HashMap<Id, Job> = HashMap::new();
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
                    let name = job.clone();
                    let task = jobs.spawn(async move {
                        let done = engine.work(&job, &*on_checked).await;
                        (job, done)
                    });
                    names.insert(task.id(), name);
                }
            }
            let idle = jobs.is_empty();
            // What waits for a place among the checks is woken by the end of one, and not by the clock.
            let is_full =
                running.iter().filter(|job| matches!(job, Job::Check(_))).count() >= self.concurrency();
            let next = due
                .iter()
                .filter(|(job, _)| !(running.contains(*job) || is_full && matches!(job, Job::Check(_))))
                .map(|(_, at)| *at)
                .min();
            let wake = next.into_iter().chain(run.until).min().unwrap_or(now + OUTBOX_EVERY);
            tokio::select! {
                Some(joined) = jobs.join_next_with_id(), if !idle => match joined {
                    Ok((id, (job, result))) => {
                        names.remove(&id);
                        let again = self.again(&job, result);
                        running.remove(&job);
                        // A check may have written messages: the outbox is due at once.
                        if !matches!(job, Job::Deliver | Job::Prune | Job::Heartbeat) {
                            due.insert(Job::Deliver, self.clock().now());
                        }
                        due.insert(job, again);
                    }
                    Err(failed) => {
                        error!("a job ended in a panic; it is due again in a minute: {failed}");
                        if let Some(job) = names.remove(&failed.id()) {
                            running.remove(&job);
                            due.insert(job, self.clock().now() + FAILED_AGAIN);
                        }
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
                let at = self.first_due_of(&subject).await?.unwrap_or(now);
                due.insert(Job::Check(subject), at);
            }
        }
        for (connector, name, at) in self.documents_due().await? {
            due.insert(Job::Document { connector, name }, at);
        }
        due.insert(Job::Deliver, now);
        due.insert(Job::Prune, now);
        // What was not looked at while nobody watched is looked at first.
        due.insert(Job::Overdue, now + OVERDUE_AFTER);
        if self.has_reminders() {
            due.insert(Job::Remind, now);
        }
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
                if let Some(later) = self.taken_elsewhere(subject).await? {
                    return Ok(later);
                }
                let checked = self.given_back(subject, self.check(subject).await).await?;
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
                let subject = docs::subject_of(connector, name);
                if let Some(later) = self.taken_elsewhere(&subject).await? {
                    return Ok(later);
                }
                let checked = self.given_back(&subject, self.check_document(connector, name).await).await?;
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
            Job::Remind => self.remind().await,
            Job::Prune => {
                self.prune().await?;
                Ok(now + PRUNE_EVERY)
            }
            Job::Heartbeat => Ok(self.beat().await),
        }
    }

    /// Takes a stream for one check. `None` where this process has it now; else when to ask again: another daemon on the
    /// same database is at it, or has just been.
    async fn taken_elsewhere(&self, subject: &Subject) -> Result<Option<Timestamp>, EngineError> {
        let now = self.clock().now();
        if self.store.lease_stream(subject, &self.holder, now, LEASE).await? {
            return Ok(None);
        }
        let due = self.next_due(subject).await?.filter(|due| *due > now);
        Ok(Some(due.unwrap_or(now + LEASED_AGAIN)))
    }

    /// A check that is stored ends its lease; one that failed gives it back.
    async fn given_back(
        &self,
        subject: &Subject,
        checked: Result<Checked, EngineError>,
    ) -> Result<Checked, EngineError> {
        if checked.is_err() {
            self.store.release_stream(subject, &self.holder).await?;
        }
        checked
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
                    Job::Deliver | Job::Overdue | Job::Remind | Job::Prune | Job::Heartbeat => {
                        error!("{job:?} failed: {failed}")
                    }
                }
                now + FAILED_AGAIN
            }
        }
    }
}
