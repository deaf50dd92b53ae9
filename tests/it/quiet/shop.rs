//! A shop's API whose shape never changes, though nothing in it stands still.

use std::f64::consts::TAU;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use crate::support::api::{Reply, Seen};

/// The streams it has.
pub(super) const STREAMS: [&str; 6] = ["orders", "events", "customers", "products", "sensors", "tickets"];

/// The answer to a request at this time.
pub(super) fn answer(seed: u64, seen: &Seen, now: Timestamp) -> Reply {
    let number = |name: &str| seen.param(name).and_then(|n| n.parse::<usize>().ok());
    let shop = Shop { seed, now: now.as_second() };
    let (all, from, size) = match seen.path().trim_start_matches('/') {
        "orders" => (shop.orders(), 0, usize::MAX),
        "events" => (shop.events(), number("offset").unwrap(), number("limit").unwrap()),
        "customers" => (shop.customers(), 0, usize::MAX),
        "products" => {
            let size = number("size").unwrap();
            (shop.products(), (number("page").unwrap() - 1) * size, size)
        }
        "sensors" => (shop.sensors(), 0, usize::MAX),
        "tickets" => (shop.tickets(), number("cursor").unwrap_or(0), 30),
        other => return Reply::text("text/plain", other).status(404),
    };
    let end = from.saturating_add(size).min(all.len());
    let next = (end < all.len()).then(|| end.to_string());
    let page: Vec<&Value> = all.iter().skip(from).take(size).collect();
    Reply::json(&json!({"data": page, "next": next, "generated_at": now.to_string()}))
}

/// The shop at a moment.
struct Shop {
    seed: u64,
    /// Unix seconds.
    now: i64,
}

/// Something of the shop that has a number: all about it follows from the seed.
#[derive(Clone, Copy)]
struct Dice(u64);

impl Dice {
    /// A number from 0 to 1 for one aspect (splitmix64).
    fn roll(self, aspect: u64) -> f64 {
        let mut z = self.0.wrapping_add(aspect.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    }

    fn below(self, aspect: u64, n: u64) -> u64 {
        ((self.roll(aspect) * n as f64) as u64).min(n - 1)
    }

    /// Nearly normal, of mean 0 and deviation 1.
    fn normal(self, aspect: u64) -> f64 {
        (0..12).map(|i| self.roll(aspect * 100 + i)).sum::<f64>() - 6.0
    }

    /// One of some words, by weight.
    fn pick<'a>(self, aspect: u64, words: &[(&'a str, f64)]) -> &'a str {
        let all: f64 = words.iter().map(|(_, weight)| weight).sum();
        let mut left = self.roll(aspect) * all;
        for (word, weight) in words {
            left -= weight;
            if left < 0.0 {
                return word;
            }
        }
        words[0].0
    }
}

/// How busy it is: a wave by hour, quieter at the weekend.
fn traffic(at: i64) -> f64 {
    let time = Timestamp::from_second(at).unwrap().to_zoned(TimeZone::UTC);
    let hour = f64::from(time.hour()) + f64::from(time.minute()) / 60.0;
    let day = 1.0 - ((hour - 3.0) / 24.0 * TAU).cos();
    let week = if time.weekday().to_monday_one_offset() >= 6 { 0.6 } else { 1.0 };
    (0.15 + day) * week
}

fn iso(at: i64) -> String {
    Timestamp::from_second(at).unwrap().to_string()
}

fn cents(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}

impl Shop {
    fn dice(&self, stream: u64, number: i64) -> Dice {
        let start = Dice(self.seed.wrapping_mul(0x5851_f42d_4c95_7f2d) ^ (stream << 56) ^ number as u64);
        Dice((start.roll(0) * u64::MAX as f64) as u64)
    }

    /// What happened in the last hours, one chance every so many seconds, the newest first: its number and when.
    fn happened(&self, stream: u64, every: i64, hours: i64, rate: f64) -> Vec<(i64, i64)> {
        let last = self.now / every;
        let first = last - hours * 3600 / every;
        let slots = (first..=last).rev().map(|slot| (slot, slot * every));
        slots.filter(|(slot, at)| self.dice(stream, *slot).roll(1) < rate * traffic(*at)).collect()
    }

    /// The orders of the last two hours: many by day, few by night; prices by a heavy tail, with dearer evenings.
    fn orders(&self) -> Vec<Value> {
        let happened = self.happened(1, 60, 2, 0.45);
        let order = |(id, at): (i64, i64)| {
            let dice = self.dice(1, id);
            let age = self.now - at;
            let items: Vec<Value> = (0..=dice.below(2, 4))
                .map(|i| {
                    let item = self.dice(2, id * 10 + i as i64);
                    let price = cents(12.0 * (0.6 * item.normal(1)).exp() * (0.9 + 0.2 * traffic(at)));
                    json!({"sku": format!("SKU-{:05}", item.below(2, 4000)), "quantity": 1 + item.below(3, 3),
                           "price": price})
                })
                .collect();
            let total: f64 =
                items.iter().map(|i| i["price"].as_f64().unwrap() * i["quantity"].as_f64().unwrap()).sum();
            let status = match age {
                _ if dice.roll(4) < 0.004 => "refunded",
                _ if dice.roll(4) < 0.03 => "cancelled",
                age if age < 600 => "pending",
                age if age < 3600 => "paid",
                _ => "shipped",
            };
            let coupon = (dice.roll(5) < 0.12).then(|| format!("SAVE{}", 5 * (1 + dice.below(6, 4))));
            let tax = cents(total * 0.19);
            json!({
                "id": id, "number": format!("A-{id}"), "status": status, "total": cents(total), "tax": tax,
                "currency": dice.pick(7, &[("EUR", 0.8), ("USD", 0.15), ("CHF", 0.05)]), "coupon": coupon,
                "customer_id": 1 + dice.below(8, 5000), "items": items, "gift": dice.roll(9) < 0.07,
                "placed_at": iso(at), "updated_at": iso(self.now - age % 600),
                "shipping": {"method": dice.pick(10, &[("standard", 0.7), ("express", 0.25), ("pickup", 0.05)]),
                             "country": dice.pick(11, &[("DE", 60.0), ("AT", 20.0), ("CH", 10.0), ("FR", 8.0), ("LI", 0.3)])},
            })
        };
        happened.into_iter().map(order).collect()
    }

    /// Clicks, newest first, without end: numbers and times grow, rare types are rare.
    fn events(&self) -> Vec<Value> {
        const TYPES: [(&str, f64); 8] = [
            ("view", 70.0),
            ("click", 20.0),
            ("search", 6.0),
            ("add_to_cart", 3.0),
            ("checkout", 1.0),
            ("error", 0.3),
            ("sign_up", 0.2),
            ("unsubscribe", 0.05),
        ];
        let happened = self.happened(3, 20, 12, 0.5);
        let event = |(slot, at): (i64, i64)| {
            let dice = self.dice(3, slot);
            let kind = dice.pick(2, &TYPES);
            let mut event = json!({
                "seq": slot, "uuid": format!("{:08x}-0000-4000-8000-{slot:012x}", dice.below(3, 1 << 32)), "type": kind,
                "at": at * 1000 + dice.below(4, 1000) as i64, "session": format!("s{:07}", dice.below(5, 10_000_000)),
                "user": (dice.roll(6) < 0.4).then(|| dice.below(7, 5000)), "duration_ms": (90.0 * (0.8 * dice.normal(8)).exp()) as u64,
                "agent": dice.pick(9, &[("web", 0.55 - 0.1 * traffic(at)), ("ios", 0.25), ("android", 0.2), ("api", 0.01)]),
            });
            if kind == "search" {
                event["query"] = json!(format!("thing {}", dice.below(10, 300)));
            }
            event
        };
        happened.into_iter().take(200).map(event).collect()
    }

    /// The same customers at each look; balances and visits move, a few of them an hour.
    fn customers(&self) -> Vec<Value> {
        let count = 180 + (self.now - 1_772_409_600) / 21_600;
        let customer = |id: i64| {
            let dice = self.dice(4, id);
            // Each moves at times of its own.
            let every = 3600 * (1 + dice.below(1, 40) as i64);
            let turn = self.now / every;
            let moved = self.dice(5, id * 1_000_000 + turn);
            let phone = (dice.roll(2) < 0.7)
                .then(|| format!("+49 {:03} {:07}", dice.below(3, 900), dice.below(4, 10_000_000)));
            let tags: Vec<&str> = ["new", "vip", "b2b", "newsletter"]
                .into_iter()
                .enumerate()
                .filter(|(i, _)| dice.roll(10 + *i as u64) < 0.3)
                .map(|(_, tag)| tag)
                .collect();
            json!({
                "id": id, "email": format!("person{id}@example.org"), "name": format!("Person {}", dice.below(5, 100_000)),
                "phone": phone, "balance": cents(40.0 * moved.normal(1)), "points": 10 * dice.below(6, 400) + turn as u64 % 50,
                "plan": dice.pick(7, &[("free", 0.7), ("plus", 0.25), ("business", 0.05)]), "active": moved.roll(2) < 0.93,
                "last_seen_at": iso(turn * every + moved.below(3, 3000) as i64), "created_at": iso(1_600_000_000 + id * 86_400),
                "tags": tags, "address": {"city": dice.pick(8, &[("Berlin", 3.0), ("Hamburg", 2.0), ("Köln", 1.0), ("Ulm", 0.1)]),
                "zip": format!("{:05}", dice.below(9, 99_999)), "geo": {"lat": 47.0 + 8.0 * dice.roll(20), "lon": 6.0 + 9.0 * dice.roll(21)}},
            })
        };
        (1..=count).map(customer).collect()
    }

    /// Products over four pages: stock is sold by day and filled up by night, prices move once a week.
    fn products(&self) -> Vec<Value> {
        let product = |id: i64| {
            let dice = self.dice(6, id);
            let week = (self.now + dice.below(1, 604_800) as i64) / 604_800;
            let of_week = self.dice(7, id * 10_000 + week);
            let into_day = (self.now % 86_400) as f64 / 86_400.0;
            let full = 20 + dice.below(2, 200);
            let stock = (full as f64 * (1.0 - into_day * dice.roll(3))) as u64;
            let price = cents(25.0 * (0.9 * dice.normal(4)).exp() * (1.0 + 0.03 * of_week.normal(1)));
            json!({
                "sku": format!("P{id:06}"), "title": format!("Thing no. {id}"), "stock": stock, "price": price.to_string(),
                "weight_g": 50 + dice.below(5, 5000), "rating": (dice.roll(6) < 0.85).then(|| cents(2.5 + 2.5 * dice.roll(7))),
                "reviews": dice.below(8, 40) + (self.now - 1_772_000_000) as u64 / 86_400 * dice.below(9, 3),
                "category": dice.pick(10, &[("books", 4.0), ("toys", 3.0), ("garden", 2.0), ("tools", 1.0), ("music", 0.2)]),
                "on_sale": of_week.roll(2) < 0.1, "discontinued_at": (dice.roll(11) < 0.02).then(|| iso(1_760_000_000)),
                "updated_at": self.now - (self.now % (600 + dice.below(12, 40_000) as i64)),
                "variants": (0..dice.below(13, 4)).map(|i| json!({"name": format!("v{i}"), "stock": stock / 4})).collect::<Vec<_>>(),
            })
        };
        (1..=190).map(product).collect()
    }

    /// Forty sensors: warm by day, cold by night, batteries run down, one or the other is off.
    fn sensors(&self) -> Vec<Value> {
        let sensor = |id: i64| {
            let dice = self.dice(8, id);
            let now = self.dice(9, id * 10_000_000 + self.now / 300);
            let wave = ((self.now % 86_400) as f64 / 86_400.0 * TAU - 2.4).sin();
            let weather = self.dice(10, self.now / 86_400).normal(1);
            let is_off = self.dice(11, id * 100_000 + self.now / 7200).roll(1) < 0.01;
            let temperature = 12.0 + 6.0 * wave + 2.0 * weather + 1.5 * dice.normal(1) + 0.3 * now.normal(1);
            let days = (self.now - 1_772_000_000) as f64 / 86_400.0;
            json!({
                "sensor": format!("sn-{id:03}"), "online": !is_off, "temperature": (!is_off).then_some((temperature * 10.0).round() / 10.0),
                "humidity": (!is_off).then_some((60.0 - 12.0 * wave + 5.0 * now.normal(2)).clamp(5.0, 100.0).round()),
                "battery": (100.0 - days * (0.1 + 0.2 * dice.roll(2))).round(), "signal_dbm": -40 - dice.below(3, 40) as i64 - now.below(4, 6) as i64,
                "firmware": dice.pick(4, &[("2.4.1", 0.8), ("2.3.9", 0.2)]), "read_at": iso(self.now - now.below(5, 300) as i64),
            })
        };
        (1..=40).map(sensor).collect()
    }

    /// Tickets of the last days, with what was said on each.
    fn tickets(&self) -> Vec<Value> {
        let happened = self.happened(12, 1200, 48, 0.5);
        let ticket = |(id, at): (i64, i64)| {
            let dice = self.dice(12, id);
            let age = self.now - at;
            let closed = dice.below(1, 200_000) as i64;
            let is_closed = age > closed;
            let said = dice.below(2, 6).min(age as u64 / 3600);
            json!({
                "id": format!("T{id}"), "subject": format!("Question {}", dice.below(3, 5000)),
                "priority": dice.pick(4, &[("normal", 0.85), ("high", 0.13), ("urgent", 0.02)]),
                "state": if is_closed { "closed" } else if said > 0 { "open" } else { "new" },
                "assignee": (said > 0).then(|| json!({"id": dice.below(5, 12), "team": dice.pick(6, &[("one", 2.0), ("two", 1.0)])})),
                "opened_at": iso(at), "closed_at": is_closed.then(|| iso(at + closed)), "score": is_closed.then(|| 1 + dice.below(7, 5)),
                "comments": (0..said).map(|i| {
                    let comment = self.dice(13, id * 100 + i as i64);
                    json!({"by": comment.below(1, 40), "text": "word ".repeat(3 + comment.below(2, 60) as usize),
                           "at": iso(at + (SignedDuration::from_hours(i as i64 + 1)).as_secs()), "internal": comment.roll(3) < 0.2})
                }).collect::<Vec<_>>(),
            })
        };
        happened.into_iter().map(ticket).collect()
    }
}
