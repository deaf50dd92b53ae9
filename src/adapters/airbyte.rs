//! Airbyte low-code manifests.
//!
//! A field is mended by transformations behind the extraction: `AddFields` writes the value to its old place,
//! `RemoveFields` takes the new one out. Each form was run in the real CDK (7.39.1); what it taught:
//!
//! - A missing key makes `AddFields` write `""` and a null writes `"None"`, so each addition has a `condition`, and
//!   a column keeps its value when the vendor takes the change back.
//! - The value is evaluated before the condition, so one that can fail is guarded inside as well.
//! - `value_type: string` keeps `"007"` and `"True"` as they are; without it they become numbers and booleans.
//! - `value_type: number` turns whole numbers into text, so numbers are left to type themselves.
//! - A fraction given to `format_datetime` writes the template itself, so instants are cut to whole seconds.
//! - A text that is a quoted literal as a whole (`"'x'"`) loses its quotes in any `AddFields`.

mod edit;
mod evaluate;
mod jinja;
mod manifest;
mod read;

pub(super) use edit::edit;
pub(super) use evaluate::Evaluator;
pub(super) use read::{read, recognise};
