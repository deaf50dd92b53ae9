//! Fields of a response, found by an own walk over the document: each with the places that define it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use drogue::model::FieldPath;
use serde_json::Value;

/// One place that defines a field.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// The pointer of the object schema that has the property.
    pub(crate) owner: String,
    pub(crate) key: String,
    /// Pointers of every property and schema on the way.
    pub(crate) trail: Vec<String>,
    /// Whether the way leads through parts that are put together: another part may define the same.
    pub(crate) through_parts: bool,
}

/// Every field below a schema, with its sites.
pub(crate) fn fields(root: &Value, schema: &str, at: &FieldPath) -> BTreeMap<FieldPath, Vec<Site>> {
    let mut found: BTreeMap<FieldPath, Vec<Site>> = BTreeMap::new();
    let mut queue = VecDeque::from([(at.clone(), schema.to_owned(), Vec::new(), false)]);
    let mut looked = 0;
    while let Some((path, pointer, mut trail, parts)) = queue.pop_front() {
        looked += 1;
        if looked > 3000 || path.steps().len() > at.steps().len() + 4 {
            continue;
        }
        let (pointer, node) = resolve(root, &pointer);
        // A property that stands there itself has just been noted; anything else for the second time is a circle.
        if trail.last() != Some(&pointer) {
            if trail.contains(&pointer) {
                continue;
            }
            trail.push(pointer.clone());
        }
        for list in ["allOf", "oneOf", "anyOf"] {
            for index in 0..node.get(list).and_then(Value::as_array).map_or(0, Vec::len) {
                let next = format!("{pointer}/{list}/{index}");
                queue.push_back((path.clone(), next, trail.clone(), parts || list == "allOf"));
            }
        }
        for key in node.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key)
        {
            let property = format!("{pointer}/properties/{}", escaped(key));
            let mut trail = trail.clone();
            trail.push(property.clone());
            let site =
                Site { owner: pointer.clone(), key: key.clone(), trail: trail.clone(), through_parts: parts };
            found.entry(path.child(key)).or_default().push(site);
            queue.push_back((path.child(key), property, trail, false));
        }
        if node.get("items").is_some_and(Value::is_object) {
            queue.push_back((path.each(), format!("{pointer}/items"), trail, false));
        }
    }
    found
}

/// Where a node is really, references followed.
pub(crate) fn resolve<'a>(root: &'a Value, pointer: &str) -> (String, &'a Value) {
    let mut pointer = pointer.to_owned();
    for _ in 0..32 {
        let node = root.pointer(&pointer).unwrap_or(&Value::Null);
        match node.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#')) {
            Some(target) if root.pointer(target).is_some() => pointer = target.to_owned(),
            _ => return (pointer, node),
        }
    }
    (pointer, &Value::Null)
}

/// Every place below a node, by what it refers to: the node itself, and the targets of references.
pub(crate) fn below(root: &Value, pointer: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::from([pointer.to_owned()]);
    let mut work: Vec<&Value> = root.pointer(pointer).into_iter().collect();
    while let Some(node) = work.pop() {
        match node {
            Value::Object(object) => {
                let target =
                    object.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
                if let Some(target) = target.filter(|target| found.insert((*target).to_owned())) {
                    work.extend(root.pointer(target));
                }
                work.extend(object.values());
            }
            Value::Array(values) => work.extend(values),
            _ => {}
        }
    }
    found
}

pub(crate) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
