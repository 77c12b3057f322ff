//! The classifier and the reference for JavaScript. Text crosses, because faults are rare and evidence is small.

use napi_derive::napi;

use crate::fault::{catalogue, classify_json};

/// From the JSON of evidence to the JSON of a fault. Total: evidence that cannot be read is an unknown fault.
#[napi(js_name = "classifyEvidence")]
pub fn classify_evidence(evidence: String) -> String {
    classify_json(&evidence)
}

/// The entry of a code as JSON.
#[napi(js_name = "explainCode")]
pub fn explain_code(code: String) -> Option<String> {
    catalogue::explain_json(&code)
}

/// The whole reference as JSON: `[{ title, introduction, entries: [...] }]`.
#[napi(js_name = "faultCatalogue")]
pub fn fault_catalogue() -> String {
    catalogue::reference_json()
}
