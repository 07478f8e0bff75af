//! Tests of the observers of key/value clients: a run fails only if an answer cannot be right.

use raftlab::lab::observe::kv::{Answer, Asked, Call, KvObservers};
use raftlab::runtime::{self, Failure, FailureKind, RunConfig};

const KEY: &str = "k";

/// The clients of one key.
struct Clients(std::sync::Arc<KvObservers>);

impl Clients {
    fn calls(&self, client: u64, asked: Asked<'_>) -> Call {
        self.0.begins(client, KEY, asked)
    }

    fn told(&self, call: Call, answer: Answer<'_>) {
        self.0.ends(call, answer);
    }

    fn all_told(&self, calls: [Call; 2], answer: Answer<'_>) {
        for call in calls {
            self.told(call, answer);
        }
    }

    /// Calls an operation that returns before anything else happens.
    fn asks(&self, client: u64, asked: Asked<'_>, answer: Answer<'_>) {
        self.told(self.calls(client, asked), answer);
    }

    fn puts(&self, client: u64, text: &str) {
        self.asks(client, Asked::Put(text), Answer::Done);
    }

    fn appends(&self, client: u64, text: &str) {
        self.asks(client, Asked::Append(text), Answer::Done);
    }

    fn reads(&self, client: u64, text: &str) {
        self.asks(client, Asked::Get, Answer::Value(text));
    }

    fn puts_at(&self, client: u64, text: &str, version: u64, answer: Answer<'_>) {
        self.asks(client, Asked::PutAt(text, version), answer);
    }

    fn reads_at(&self, client: u64, text: &str, version: u64) {
        self.asks(client, Asked::Get, Answer::Versioned(text, version));
    }
}

fn play(script: impl FnOnce(&Clients) + Send + 'static) -> Result<(), Failure> {
    runtime::run(&RunConfig::default(), || script(&Clients(KvObservers::new()))).result
}

/// Asserts that `script` breaks the rule `name`, in words that contain `what`.
#[track_caller]
fn breaks(name: &str, what: &str, script: impl FnOnce(&Clients) + Send + 'static) {
    let failure = play(script).expect_err("a rule was broken and no observer noticed");
    assert_eq!(failure.kind, FailureKind::Observer, "{failure}");
    assert_eq!(failure.name, name, "{failure}");
    assert!(failure.message.contains(what), "{failure}");
}

#[track_caller]
fn holds(script: impl FnOnce(&Clients) + Send + 'static) {
    play(script).unwrap_or_else(|failure| panic!("false alarm: {failure}"));
}

#[test]
fn a_value_has_each_piece_once() {
    breaks("ExactlyOnce", "\"x 1 0 y\", sent 1 times, is 2 times in", |clients| {
        clients.appends(1, "x 1 0 y");
        clients.reads(2, "x 1 0 yx 1 0 y");
    });
}

#[test]
fn a_repeated_piece_is_noticed_in_a_later_read_too() {
    breaks("ExactlyOnce", "\"x 1 0 y\"", |clients| {
        clients.appends(1, "x 1 0 y");
        clients.appends(2, "x 2 0 y");
        clients.reads(2, "x 1 0 yx 2 0 y");
        clients.reads(2, "x 1 0 yx 2 0 yx 1 0 y");
    });
}

#[test]
fn a_value_may_have_a_piece_as_often_as_it_was_sent() {
    holds(|clients| {
        for text in ["x 1 0 y", "x 1 1 y", "x 1 0 y"] {
            clients.appends(1, text);
        }
        clients.reads(2, "x 1 0 yx 1 1 yx 1 0 y");
    });
}

#[test]
fn every_piece_in_a_value_was_sent_by_a_client() {
    breaks("ExactlyOnce", "\"x 7 0 y\", which no client sent", |clients| {
        clients.appends(1, "x 1 0 y");
        clients.reads(1, "x 1 0 yx 7 0 y");
    });
}

#[test]
fn a_piece_may_be_read_before_its_append_returns() {
    holds(|clients| {
        let append = clients.calls(1, Asked::Append("x 1 0 y"));
        clients.reads(2, "x 1 0 y");
        clients.told(append, Answer::Done);
        clients.reads(2, "x 1 0 y");
    });
}

#[test]
fn text_of_another_form_is_not_a_piece() {
    holds(|clients| {
        clients.puts(1, "x x 1 y x 1 2");
        clients.appends(1, "14");
        clients.appends(1, "14");
        clients.reads(1, "x x 1 y x 1 21414");
    });
}

#[test]
fn pieces_of_one_client_are_in_the_order_of_its_appends() {
    breaks("ClientOrder", "client 1 sent \"x 1 0 y\" before \"x 1 1 y\"", |clients| {
        clients.appends(1, "x 1 0 y");
        clients.appends(1, "x 1 1 y");
        clients.reads(2, "x 1 1 yx 1 0 y");
    });
}

#[test]
fn pieces_of_two_clients_may_be_in_any_order() {
    holds(|clients| {
        let calls = [1, 2].map(|client| {
            let text = format!("x {client} 0 y");
            clients.calls(client, Asked::Append(&text))
        });
        clients.all_told(calls, Answer::Done);
        clients.reads(3, "x 2 0 yx 1 0 y");
    });
}

#[test]
fn a_get_answers_no_less_than_an_earlier_get() {
    breaks("NoReadFromThePast", "was known before the call", |clients| {
        let _open = clients.calls(1, Asked::Append("x 1 0 y"));
        clients.reads(2, "x 1 0 y");
        clients.reads(3, "");
    });
}

#[test]
fn a_get_may_answer_less_than_a_concurrent_get() {
    holds(|clients| {
        let _open = clients.calls(1, Asked::Append("x 1 0 y"));
        let slow = clients.calls(3, Asked::Get);
        clients.reads(2, "x 1 0 y");
        clients.told(slow, Answer::Value(""));
    });
}

#[test]
fn a_get_reads_all_pieces_appended_before_its_call() {
    breaks("NoReadFromThePast", "\"x 1 0 y\", added before the call", |clients| {
        clients.appends(1, "x 1 0 y");
        clients.reads(2, "");
    });
}

#[test]
fn a_get_reads_an_earlier_append_even_if_no_get_has_returned_it_yet() {
    breaks("NoReadFromThePast", "\"x 1 1 y\", added before the call", |clients| {
        clients.appends(1, "x 1 0 y");
        let append = clients.calls(1, Asked::Append("x 1 1 y"));
        let quick = clients.calls(2, Asked::Get);
        clients.told(append, Answer::Done);
        let late = clients.calls(3, Asked::Get);
        clients.told(quick, Answer::Value("x 1 0 yx 1 1 y"));
        clients.told(late, Answer::Value("x 1 0 y"));
    });
}

#[test]
fn an_append_in_the_middle_of_a_value_is_not_lost() {
    breaks("NoReadFromThePast", "\"x 1 1 y\", added before the call, is missing", |clients| {
        clients.appends(1, "x 1 0 y");
        clients.appends(1, "x 1 1 y");
        clients.appends(1, "x 1 2 y");
        clients.reads(2, "x 1 0 yx 1 2 y");
    });
}

#[test]
fn a_value_read_before_a_put_is_gone_after_it() {
    breaks(
        "NoReadFromThePast",
        "\"13\" was read, but no put came between it and \"14\"",
        |clients| {
            clients.puts(1, "13");
            clients.reads(2, "13");
            clients.puts(1, "14");
            clients.reads(2, "13");
        },
    );
}

#[test]
fn a_get_during_a_put_may_read_the_old_or_the_new_value() {
    holds(|clients| {
        clients.puts(1, "13");
        let early = clients.calls(2, Asked::Get);
        let put = clients.calls(1, Asked::Put("14"));
        clients.reads(3, "14");
        clients.told(early, Answer::Value("13"));
        clients.told(put, Answer::Done);
        clients.reads(2, "14");
    });
}

#[test]
fn either_of_two_concurrent_puts_may_be_the_last() {
    holds(|clients| {
        let puts = ["14", "15"].map(|text| clients.calls(1, Asked::Put(text)));
        clients.all_told(puts, Answer::Done);
        clients.reads(2, "14");
        clients.reads(2, "14");
    });
}

#[test]
fn a_put_may_replace_earlier_and_concurrent_appends() {
    holds(|clients| {
        clients.appends(1, "x 1 0 y");
        let append = clients.calls(1, Asked::Append("x 1 1 y"));
        let put = clients.calls(2, Asked::Put("x 2 0 y"));
        clients.told(append, Answer::Done);
        clients.told(put, Answer::Done);
        clients.reads(1, "x 2 0 y");
        clients.appends(1, "x 1 2 y");
        clients.reads(1, "x 2 0 yx 1 2 y");
    });
}

#[test]
fn a_put_that_never_returns_may_take_effect_at_any_time() {
    holds(|clients| {
        clients.puts(1, "13");
        let _open = clients.calls(2, Asked::Put("14"));
        clients.reads(1, "13");
        clients.appends(1, "x 1 0 y");
        clients.reads(1, "14");
    });
}

#[test]
fn a_version_has_one_writer() {
    breaks("ExactlyOnce", "clients 1 and 2 both wrote version 2", |clients| {
        clients.puts_at(1, "a", 0, Answer::Done);
        let puts = [1, 2].map(|client| clients.calls(client, Asked::PutAt("b", 1)));
        clients.all_told(puts, Answer::Done);
    });
}

#[test]
fn a_version_has_one_value() {
    breaks("ExactlyOnce", "version 1 was \"a\", and now it is \"b\"", |clients| {
        let puts = ["a", "b"].map(|text| clients.calls(1, Asked::PutAt(text, 0)));
        clients.reads_at(2, "a", 1);
        clients.reads_at(3, "b", 1);
        clients.all_told(puts, Answer::Maybe);
    });
}

#[test]
fn a_value_that_is_read_was_put() {
    breaks("ExactlyOnce", "version 1 is \"b\", which no client put", |clients| {
        clients.puts_at(1, "a", 0, Answer::Maybe);
        clients.reads_at(2, "b", 1);
    });
}

#[test]
fn a_refused_put_has_no_effect() {
    let read_first = |clients: &Clients| {
        let put = clients.calls(1, Asked::PutAt("a", 0));
        clients.reads_at(2, "a", 1);
        clients.told(put, Answer::WrongVersion);
    };
    breaks("ExactlyOnce", "whose put was refused", read_first);
    breaks("ExactlyOnce", "whose put was refused", |clients| {
        clients.puts_at(1, "a", 0, Answer::WrongVersion);
        clients.reads_at(2, "a", 1);
    });
}

#[test]
fn a_put_answered_with_maybe_may_have_happened_or_not() {
    holds(|clients| {
        clients.puts_at(1, "a", 0, Answer::Maybe);
        clients.asks(2, Asked::Get, Answer::Missing);
        clients.puts_at(1, "a", 0, Answer::WrongVersion);
        clients.reads_at(2, "a", 1);
    });
}

#[test]
fn versions_do_not_go_back() {
    breaks("NoReadFromThePast", "version 1 was read, although 2 was", |clients| {
        clients.puts_at(1, "a", 0, Answer::Done);
        clients.puts_at(1, "b", 1, Answer::Done);
        clients.reads_at(2, "a", 1);
    });
    breaks("NoReadFromThePast", "a put at version 0 was done after 1", |clients| {
        clients.puts_at(1, "a", 0, Answer::Done);
        clients.puts_at(2, "b", 0, Answer::Done);
    });
    breaks("NoReadFromThePast", "version 0 was read, although 1 was", |clients| {
        clients.puts_at(1, "a", 0, Answer::Done);
        clients.asks(2, Asked::Get, Answer::Missing);
    });
}

#[test]
fn a_get_during_a_put_may_read_the_old_or_the_new_version() {
    holds(|clients| {
        clients.puts_at(1, "a", 0, Answer::Done);
        let slow = clients.calls(2, Asked::Get);
        let put = clients.calls(1, Asked::PutAt("b", 1));
        clients.reads_at(3, "b", 2);
        clients.told(slow, Answer::Versioned("a", 1));
        clients.told(put, Answer::Done);
        clients.puts_at(3, "c", 1, Answer::WrongVersion);
        clients.reads_at(2, "b", 2);
    });
}

#[test]
fn keys_are_judged_separately() {
    holds(|clients| {
        clients.appends(1, "x 1 0 y");
        let put = clients.0.begins(1, "other", Asked::Put("x 1 1 y"));
        clients.told(put, Answer::Done);
        let get = clients.0.begins(2, "other", Asked::Get);
        clients.told(get, Answer::Value("x 1 1 y"));
        clients.reads(2, "x 1 0 y");
    });
}
