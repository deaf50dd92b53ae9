//! A manifest with its references: which line of the file says what a component holds.
//!
//! `$ref` splices the referenced mapping below the members beside it, a text `#/…` stands for what it points to, and
//! `$parameters` fill in what a component does not say, all as the CDK's resolver does it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::AdapterError;
use super::super::document::{Document, Route, Seg, below, item, lookup};

/// References behind references; more is a circle.
const MAX_HOPS: usize = 32;
/// Nodes of a manifest with all references spelled out.
const MAX_NODES: usize = 400_000;

/// A parsed manifest.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    pub(super) document: Document,
}

/// A component: the places in the file that make it up, the first one that says something wins.
#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) layers: Vec<Route>,
    /// Where each parameter in force comes from.
    parameters: BTreeMap<String, Route>,
}

impl Manifest {
    pub(super) fn parse(text: &str) -> Result<Self, AdapterError> {
        Ok(Self { document: Document::parse(text)? })
    }

    /// The streams, each with its name where it has one.
    pub(super) fn streams(&self) -> Vec<(Option<String>, Component)> {
        let Some(list) =
            self.layers(vec![Seg::Key("streams".into())], 0).and_then(|layers| layers.into_iter().next())
        else {
            return Vec::new();
        };
        let len = self.document.get(&list).and_then(Value::as_array).map_or(0, Vec::len);
        (0..len)
            .filter_map(|i| {
                let stream = self.component(item(&list, i), &BTreeMap::new())?;
                Some((self.text(&stream, "name"), stream))
            })
            .collect()
    }

    /// The stream of that name.
    pub(super) fn stream(&self, name: &str) -> Option<Component> {
        self.streams().into_iter().find(|(found, _)| found.as_deref() == Some(name)).map(|(_, stream)| stream)
    }

    fn component(&self, at: Route, inherited: &BTreeMap<String, Route>) -> Option<Component> {
        let layers = self.layers(at, 0)?;
        let mut component = Component { layers, parameters: inherited.clone() };
        if let Some(at) = self.route(&component, "$parameters")
            && let Some(Value::Object(own)) = self.document.get(&at)
        {
            component.parameters.extend(own.keys().map(|key| (key.clone(), below(&at, key))));
        }
        Some(component)
    }

    /// All places that make up what stands at a route.
    fn layers(&self, at: Route, hops: usize) -> Option<Vec<Route>> {
        if hops > MAX_HOPS {
            return None;
        }
        match self.document.get(&at)? {
            Value::String(text) if text.starts_with("#/") => self.layers(self.target(text)?, hops + 1),
            Value::Object(members) => {
                let mut layers = vec![at];
                if let Some(Value::String(reference)) = members.get("$ref") {
                    layers.extend(self.layers(self.target(reference)?, hops + 1)?);
                }
                Some(layers)
            }
            _ => Some(vec![at]),
        }
    }

    /// Where a reference points: the longest key first, as the CDK reads it.
    fn target(&self, reference: &str) -> Option<Route> {
        let mut rest = reference.strip_prefix("#/")?;
        let mut route = Route::new();
        while !rest.is_empty() {
            let value = self.document.get(&route)?;
            if value.get(rest).is_some() {
                route.push(Seg::Key(rest.to_owned()));
                return Some(route);
            }
            let (head, tail) = rest.split_once('/').unwrap_or((rest, ""));
            route.push(match value {
                Value::Array(_) => Seg::Index(head.parse().ok()?),
                _ => Seg::Key(head.to_owned()),
            });
            rest = tail;
        }
        self.document.get(&route).map(|_| route)
    }

    /// Where a member of a component is written, parameters apart.
    pub(super) fn route(&self, component: &Component, key: &str) -> Option<Route> {
        let holds = |layer: &&Route| self.document.get(layer).is_some_and(|value| value.get(key).is_some());
        let layer = component.layers.iter().find(holds)?;
        self.layers(below(layer, key), 0)?.into_iter().next()
    }

    /// A member that is a component itself.
    pub(super) fn child(&self, component: &Component, key: &str) -> Option<Component> {
        let holds = |layer: &&Route| self.document.get(layer).is_some_and(|value| value.get(key).is_some());
        let layer = component.layers.iter().find(holds)?;
        self.component(below(layer, key), &component.parameters)
    }

    /// The components of a list.
    pub(super) fn items(&self, component: &Component, key: &str) -> Vec<Component> {
        let Some(list) = self.route(component, key) else { return Vec::new() };
        let len = self.document.get(&list).and_then(Value::as_array).map_or(0, Vec::len);
        (0..len).filter_map(|i| self.component(item(&list, i), &component.parameters)).collect()
    }

    /// A member as it is written.
    pub(super) fn value(&self, component: &Component, key: &str) -> Option<&Value> {
        self.document.get(&self.route(component, key)?)
    }

    /// A text of a component, from its own words or from a parameter, with its place.
    pub(super) fn text_at(&self, component: &Component, key: &str) -> Option<(String, Route)> {
        let at = self.route(component, key).filter(|at| self.document.get(at).is_some_and(|v| !v.is_null()));
        let at = at.or_else(|| component.parameters.get(key).cloned())?;
        let text = self.document.get(&at)?.as_str()?;
        match self.parameter(component, text) {
            Some(named) => named,
            None => Some((text.to_owned(), at)),
        }
    }

    /// The text and place of the parameter that an expression stands for, such as `{{ parameters['name'] }}`,
    /// `{{ parameters.name }}` or `{{ parameters['path'] or parameters['name'] }}`; the outer option says whether the
    /// text is such an expression.
    fn parameter(&self, component: &Component, text: &str) -> Option<Option<(String, Route)>> {
        let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
        let mut names = Vec::new();
        for part in inner.split(" or ") {
            let rest = part.trim();
            let rest = rest.strip_prefix("parameters").or_else(|| rest.strip_prefix("options"))?;
            let rest = rest.strip_prefix(".get(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(rest);
            let name = rest.trim_start_matches(['.', '[', '\'', '"']).trim_end_matches([']', '\'', '"']);
            if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) {
                return None;
            }
            names.push(name);
        }
        Some(names.into_iter().find_map(|name| {
            let at = component.parameters.get(name)?.clone();
            let text = self.document.get(&at)?.as_str().filter(|text| !text.is_empty())?.to_owned();
            Some((text, at))
        }))
    }

    /// A text with the parameter that it stands for in its place.
    pub(super) fn spoken(&self, component: &Component, text: &str) -> Option<String> {
        match self.parameter(component, text) {
            Some(named) => named.map(|(text, _)| text),
            None => (!text.contains("{{")).then(|| text.to_owned()),
        }
    }

    /// A text of a component, where it is literal.
    pub(super) fn text(&self, component: &Component, key: &str) -> Option<String> {
        let (text, _) = self.text_at(component, key)?;
        (!text.contains("{{")).then_some(text)
    }

    /// The custom class of a component, where it is one.
    pub(super) fn custom(&self, component: &Component) -> Option<String> {
        if let Some(Value::String(class)) = self.value(component, "class_name") {
            return Some(class.clone());
        }
        let named = self.value(component, "type").and_then(Value::as_str);
        named.filter(|name| name.starts_with("Custom")).map(str::to_owned)
    }

    /// Every stream with all references spelled out, to see whom an edit touches. Parents of other streams are left
    /// out: they read the same records, so what mends the parent mends them.
    pub(super) fn spelled_out(&self) -> Result<Vec<(String, Value)>, AdapterError> {
        let mut budget = MAX_NODES;
        let mut streams = Vec::new();
        for (i, (name, stream)) in self.streams().into_iter().enumerate() {
            let mut whole = Map::new();
            for layer in stream.layers.iter().rev() {
                if let Some(Value::Object(members)) = self.document.get(layer) {
                    for (key, value) in members.iter().filter(|(key, _)| *key != "$ref") {
                        whole.insert(key.clone(), self.spell(value, 0, &mut budget)?);
                    }
                }
            }
            streams.push((name.unwrap_or_else(|| format!("#{i}")), Value::Object(whole)));
        }
        Ok(streams)
    }

    fn spell(&self, value: &Value, depth: usize, budget: &mut usize) -> Result<Value, AdapterError> {
        *budget = budget.saturating_sub(1);
        if *budget == 0 || depth > 96 {
            return Err(AdapterError::at(1, 1, "the manifest refers to itself, or is too large"));
        }
        Ok(match value {
            Value::String(text) if text.starts_with("#/") => match self.target(text) {
                Some(at) => {
                    let target = lookup(self.document.value(), &at).unwrap_or(&Value::Null);
                    self.spell(target, depth + 1, budget)?
                }
                None => value.clone(),
            },
            Value::Array(items) => Value::Array(
                items.iter().map(|v| self.spell(v, depth + 1, budget)).collect::<Result<_, _>>()?,
            ),
            Value::Object(members) => {
                let mut whole = Map::new();
                if let Some(reference @ Value::String(_)) = members.get("$ref")
                    && let Value::Object(base) = self.spell(reference, depth + 1, budget)?
                {
                    whole = base;
                }
                for (key, value) in members {
                    if key != "$ref" && key != "parent_stream_configs" {
                        whole.insert(key.clone(), self.spell(value, depth + 1, budget)?);
                    }
                }
                Value::Object(whole)
            }
            other => other.clone(),
        })
    }
}
