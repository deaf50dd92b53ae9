//! Drogue watches the data connectors that a team already runs, notices when an API or its documentation drifts
//! away from what was recorded, says what really happened, patches the connector's mapping, and calls a person.
//!
//! Read from here down: [`model`] is what everything speaks in; [`profile`], [`spec`], [`compare`], [`rules`],
//! [`diagnose`], [`adapters`] and [`repair`] are pure; [`net`], [`proc`], [`observe`], [`store`], [`notify`] and
//! [`apply`] are the outside world; [`engine`] is everything that a user can do. `ARCHITECTURE.md` has the whole picture, and
//! `tests/layering.rs` holds it.

// L0: plain data and seams.
pub mod model;

// L1: pure.
pub mod adapters;
pub mod compare;
pub mod diagnose;
pub mod profile;
pub mod repair;
pub mod rules;
pub mod spec;

// L2a: the doors: requests out, programs started, the time.
pub mod clock;
pub mod net;
pub mod proc;

// L2: the outside world.
pub mod apply;
pub mod notify;
pub mod observe;
pub mod store;

// L3: the order of steps.
pub mod config;
pub mod engine;

// L4: show and ask; decide nothing.
pub mod cli;
pub mod daemon;
pub mod demo;
pub mod telemetry;
