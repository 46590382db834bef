//! Exchanges: names under which queues are bound, by a word, by a pattern, or all.

use rusqlite::params;

use super::{
    error::Sql,
    store::{REMEMBERED, Store},
};

#[derive(Debug, Clone)]
pub(super) struct Exchange {
    kind: Kind,
    /// Pattern and queue.
    bindings: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Direct,
    Topic,
    Fanout,
}

impl Exchange {
    /// The queues that take a message, each once.
    fn queues(&self, routing_key: &str) -> Vec<String> {
        let takes = |pattern: &str| match self.kind {
            Kind::Direct => pattern == routing_key,
            Kind::Topic => matches(pattern, routing_key),
            Kind::Fanout => true,
        };
        let mut queues: Vec<String> = Vec::new();
        for (pattern, queue) in &self.bindings {
            if !queues.contains(queue) && takes(pattern) {
                queues.push(queue.clone());
            }
        }
        queues
    }
}

/// AMQP's topics: words between dots, `*` for one word, `#` for any number.
fn matches(pattern: &str, key: &str) -> bool {
    let key: Vec<&str> = key.split('.').collect();
    // which words of the key can be reached by the pattern so far
    let mut reached = vec![false; key.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for part in pattern.split('.') {
        let mut next = vec![false; key.len() + 1];
        let mut open = false;
        for (at, was) in reached.iter().enumerate() {
            open |= *was;
            let here = part == "#" && open;
            if let Some(place) = next.get_mut(at) {
                *place |= here;
            }
            let fits = key.get(at).is_some_and(|word| part == "*" || part == *word);
            if part != "#"
                && *was
                && fits
                && let Some(place) = next.get_mut(at + 1)
            {
                *place = true;
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

impl Store {
    /// The queues that an exchange hands a message to; `None` where there is no such exchange.
    pub(super) fn bound(&mut self, exchange: &str, routing_key: &str) -> Sql<Option<Vec<String>>> {
        if !self.exchanges.contains_key(exchange) {
            let Some(found) = self.load_exchange(exchange)? else { return Ok(None) };
            if self.exchanges.len() >= REMEMBERED {
                self.exchanges.clear();
            }
            self.exchanges.insert(exchange.to_owned(), found);
        }
        Ok(self.exchanges.get(exchange).map(|exchange| exchange.queues(routing_key)))
    }

    /// Whether anything is bound to the results, and to the notifications.
    pub(super) fn heard(&mut self) -> Sql<(bool, bool)> {
        if let Some(known) = self.heard {
            return Ok(known);
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM binding WHERE exchange = ?1)";
        let results = self.number(sql, [self.names.results()])? == 1;
        let heard = (results, self.number(sql, [self.names.notifications()])? == 1);
        self.heard = Some(heard);
        Ok(heard)
    }

    pub(super) fn bind(&mut self, exchange: &str, pattern: &str, queue: &str) -> Sql<()> {
        let sql = "INSERT OR IGNORE INTO binding (exchange, pattern, queue) VALUES (?1, ?2, ?3)";
        self.execute(sql, params![exchange, pattern, queue])?;
        self.exchanges.remove(exchange);
        self.heard = None;
        Ok(())
    }

    /// Its kind, in AMQP's word.
    pub(super) fn exchange_kind(&self, name: &str) -> Sql<Option<String>> {
        self.row("SELECT kind FROM exchange WHERE name = ?1", [name], |row| row.get(0))
    }

    pub(super) fn create_exchange(&mut self, name: &str, kind: &str) -> Sql<()> {
        self.execute("INSERT INTO exchange (name, kind) VALUES (?1, ?2)", [name, kind])?;
        Ok(())
    }

    fn load_exchange(&self, name: &str) -> Sql<Option<Exchange>> {
        let Some(kind) = self.exchange_kind(name)? else { return Ok(None) };
        let kind = match kind.as_str() {
            "topic" => Kind::Topic,
            "fanout" => Kind::Fanout,
            _ => Kind::Direct,
        };
        let sql = "SELECT pattern, queue FROM binding WHERE exchange = ?1";
        let bindings = self.rows(sql, [name], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Some(Exchange { kind, bindings }))
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn topics_as_amqp_reads_them() {
        for (pattern, key, expected) in [
            ("#", "", true),
            ("#", "a.b", true),
            ("*", "a", true),
            ("*", "a.b", false),
            ("a.*.c", "a.b.c", true),
            ("a.*.c", "a.c", false),
            ("a.#.c", "a.c", true),
            ("a.#.c", "a.x.y.c", true),
            ("a.#", "a", true),
            ("a.#", "b", false),
            ("#.failed", "x.y.failed", true),
            ("#.#.z", "z", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, key), expected, "{pattern:?} and {key:?}");
        }
    }
}
